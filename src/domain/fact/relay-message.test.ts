import { expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { parseBusinessId } from '#domain/ids.ts';
import type { RelaySignedFact } from './fact.ts';
import { encodeFact } from './encode-fact.ts';
import { parseFact } from './parse-fact.ts';
import { isRelaySigned, relayMessage } from './relay-message.ts';

const SIG = encodeBase64url(new Uint8Array(64).fill(1));
const SAID: readonly (readonly unknown[])[] = [
	['0.7-3', 'member', 9, 0, 20_000, 0, 2, { role: 'owner' }],
	['0.7-3', 'device', 9, 0, 20_000, 0, 'B', { member: 2 }],
	['0.7-3', 'clock', 9, 0, 20_000, 0, 'B-7', 8, 1, 19_999]
];
const ANOTHER: Readonly<Record<number, unknown>> = { 0: '0.7-4', 2: 8, 4: 20_001 };

function read(said: readonly unknown[]): RelaySignedFact {
	const fact = parseFact(JSON.stringify(said));
	if (!fact.ok || !isRelaySigned(fact.value)) throw new Error('nothing that a relay signs');
	return fact.value;
}

it.each(SAID)(
	'[FACT-23] signs all of %s %s and its shop, and reads it with and without',
	(...said) => {
		const [shop, other] = ['1', '2'].map((digit) =>
			parseBusinessId(`${digit.repeat(8)}-1111-4111-8111-111111111111`)
		);
		if (shop?.ok !== true || other?.ok !== true) throw new Error('no shops');
		const message = relayMessage(shop.value, read(said));
		expect(relayMessage(shop.value, read([...said, SIG]))).toEqual(message);
		expect(encodeFact(read([...said, SIG]))).toBe(JSON.stringify([...said, SIG]));
		expect(relayMessage(other.value, read(said))).not.toEqual(message);
		for (const [place, value] of Object.entries(ANOTHER))
			expect(relayMessage(shop.value, read(said.with(Number(place), value)))).not.toEqual(message);
		expect(parseFact(JSON.stringify([...said, 'no signature'])).ok).toBe(false);
	}
);
