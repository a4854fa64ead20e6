import { beforeAll, expect, it } from 'vitest';
import { parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { makeTrade, type WrittenFact } from '#tests/support/trade.ts';
import { concernsOthers } from './concerns-others.ts';
import { createNodeCrypto } from './crypto.ts';

let facts: readonly WrittenFact[];

beforeAll(async () => {
	const code = parseDeviceCode('A');
	if (!code.ok) throw new Error('not a code');
	const codes: readonly DeviceCode[] = [code.value];
	const signers = [await createSigner(await createSigningKeys())];
	({ facts } = await makeTrade({
		seed: 5,
		count: 300,
		codes,
		signers,
		crypto: createNodeCrypto()
	}));
});

it('leaves a cash sale, the goods and the customers to their shop', () => {
	const kinds = new Set(facts.flatMap(({ fact }) => (concernsOthers(fact) ? [] : fact.kind)));
	expect(kinds).toEqual(new Set(['sale', 'return', 'adjust', 'product', 'customer']));
	expect(facts.filter(({ fact }) => 'record' in fact && !concernsOthers(fact))).toEqual([]);
});

it('tells of whatever carries a record, and of every other kind', () => {
	const told = facts.filter(({ fact }) => concernsOthers(fact));
	expect(new Set(told.map(({ fact }) => fact.kind))).toEqual(
		new Set(['sale', 'record', 'setting'])
	);
	expect(told.every(({ fact }) => fact.kind !== 'sale' || 'record' in fact)).toBe(true);
});
