import { expect, it } from 'vitest';
import { encodeBase64url } from '../bytes.ts';
import { dammDigit } from './damm.ts';
import { hashOf } from '#tests/support/confirmation-vectors.ts';
import { encodeClaim, parseClaim, type Claim } from './claim.ts';
import { encodeVerdict, parseVerdict, VERDICT_BYTES, type Verdict } from './verdict.ts';

const H = hashOf('01'.repeat(32));
const HEAD = {
	id: '01890a5d-ac96-7b6c-8c6f-3b2f3f2f1a2b',
	h: H,
	d: 'A',
	u: '33333333-3333-4333-8333-333333333333',
	at: 1_790_000_000_000
};
const PROOFS: Readonly<Record<Claim['way'], object>> = {
	sms: { way: 'sms', code: '123456', counter: 2 },
	sheet: { way: 'sheet', code: '12345678', counter: 0xffff_ffff },
	app: { way: 'app', code: `12345678${dammDigit('12345678')}` },
	sign: { way: 'sign', sig: encodeBase64url(new Uint8Array(64)) },
	rule: { way: 'rule', rule: H }
};

function text(claim: object): string {
	return encodeClaim(claim as Claim);
}

it.each(Object.entries(PROOFS))(
	'[CP-27] reads a claim by %s, and nothing beside it',
	(_way, proof) => {
		const json = text({ ...HEAD, ...proof });
		expect(parseClaim(json)).toEqual({ ok: true, value: { ...HEAD, ...proof } });
		for (const name of Object.keys(proof)) {
			expect([name, parseClaim(text({ ...HEAD, ...proof, [name]: 'x' })).ok]).toEqual([
				name,
				false
			]);
			expect([name, parseClaim(text({ ...HEAD, ...proof, [name]: -1 })).ok]).toEqual([name, false]);
		}
		expect(parseClaim(text({ ...HEAD, ...proof, more: 1 })).ok).toBe(false);
		expect(parseClaim(text({ ...HEAD, ...proof, constructor: 1 })).ok).toBe(false);
		for (const name of Object.keys(HEAD)) {
			const without = Object.fromEntries(
				Object.entries({ ...HEAD, ...proof }).filter(([key]) => key !== name)
			);
			expect([name, parseClaim(text(without)).ok]).toEqual([name, false]);
			expect([name, parseClaim(text({ ...HEAD, ...proof, [name]: 'x' })).ok]).toEqual([
				name,
				false
			]);
		}
	}
);

it('[CP-27] refuses a claim of another form', () => {
	const sheet = { ...HEAD, ...PROOFS.sheet };
	expect(parseClaim(JSON.stringify(sheet)).ok).toBe(false);
	expect(parseClaim('{}').ok).toBe(false);
	expect(parseClaim('x').ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, way: 'toString' })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, way: 1 })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, way: 'sign', hasOwnProperty: 'sig' })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, way: 'app', hasOwnProperty: 'code' })).ok).toBe(false);
	expect(parseClaim(text({ ...sheet, code: '1234567' })).ok).toBe(false);
	expect(parseClaim(text({ ...sheet, code: '1234567a' })).ok).toBe(false);
	expect(parseClaim(text({ ...sheet, counter: 0x1_0000_0000 })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, ...PROOFS.sms, counter: 3 })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, ...PROOFS.app, code: '123456789' })).ok).toBe(false);
	expect(parseClaim(text({ ...HEAD, way: 'sign', sig: 'AAAA' })).ok).toBe(false);
	expect(parseClaim(text({ ...sheet, at: 8_640_000_000_001 })).ok).toBe(false);
});

const VERDICT: Verdict = {
	result: 'used',
	al: 5,
	h: H,
	relayEpoch: 7,
	seq: 12,
	at: 1_790_000_000_000,
	claimHash: new Uint8Array(32).fill(8),
	previous: new Uint8Array(32).fill(9)
};

it('[CP-27] reads a verdict as it was written', () => {
	expect(parseVerdict(encodeVerdict(VERDICT))).toEqual({ ok: true, value: VERDICT });
});

it('[CP-27] refuses bytes that are no verdict', () => {
	const v = encodeVerdict(VERDICT);
	const changed = (place: number, byte: number): Uint8Array => v.with(place, byte);
	expect(parseVerdict(v.slice(1)).ok).toBe(false);
	expect(parseVerdict(new Uint8Array(0)).ok).toBe(false);
	expect(parseVerdict(new Uint8Array(VERDICT_BYTES)).ok).toBe(false);
	expect(parseVerdict(changed(0, 10)).ok).toBe(false);
	expect(parseVerdict(changed(1, 6)).ok).toBe(false);
	expect(parseVerdict(changed(38, 255)).ok).toBe(false);
	expect(parseVerdict(changed(46, 255)).ok).toBe(false);
});
