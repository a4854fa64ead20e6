import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
	bytes,
	crypto,
	draft,
	h,
	hex,
	right,
	signerOf,
	vectors
} from '#tests/support/confirmation-vectors.ts';
import { encodeBase64url } from '../bytes.ts';
import type { Signer } from '../crypto.ts';
import { err, ok } from '../result.ts';
import { recordKinds } from './record-kind.ts';
import { encodeRest } from './rest.ts';
import {
	encodeSignedRecord,
	parseSignedRecord,
	readRecord,
	signRecord,
	verifyRecord,
	type RecordDraft,
	type SignedRecord
} from './signed-record.ts';

const example: SignedRecord = {
	a: bytes(vectors.A),
	rest: vectors.rest,
	kid: bytes(vectors.keys.shop.kid),
	rsig: bytes(vectors.rsig.signature)
};
const shopKey = bytes(vectors.keys.shop.publicKey);
const restHashAt = 82;
let shop: Signer;

beforeAll(async () => {
	shop = await signerOf('shop');
});

it('[CP-8] reads and verifies the example', async () => {
	const read = { core: { ...draft.core, restHash: bytes(vectors.restHash) }, rest: draft.rest, h };
	expect(await readRecord(example, crypto)).toEqual(ok({ ...read, kid: example.kid }));
	expect(await verifyRecord(example, shopKey, crypto)).toEqual(
		ok({ ...read, kid: example.kid, isVerified: true })
	);
});

it('[CP-8] verifies what it signed, through the form of a fact, for every kind', async () => {
	for (const kind of recordKinds()) {
		const named = kind.startsWith('reversal') ? { ref: h } : {};
		const listed = kind === 'statement' ? { list: [1, h] as const } : {};
		const written = { core: { ...draft.core, kind }, rest: { ...draft.rest, ...named, ...listed } };
		const signed = await signRecord(written, shop, crypto);
		const text = JSON.stringify(encodeSignedRecord(signed));
		expect(JSON.stringify(JSON.parse(text))).toBe(text);
		const parsed = right(parseSignedRecord(JSON.parse(text)));
		expect(parsed).toEqual(signed);
		const verified = right(await verifyRecord(parsed, shop.publicKey, crypto));
		expect([verified.core.kind, verified.rest]).toEqual([kind, written.rest]);
	}
});

it('[CP-8] refuses one flipped bit, wherever it is', async () => {
	const parts = ['a', 'kid', 'rsig'] as const;
	const bits = parts.flatMap((part) => Array.from(example[part], (_, at) => [part, at] as const));
	let flipped = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(...bits),
			fc.integer({ min: 0, max: 7 }),
			async (where, bit) => {
				const [part, at] = where;
				const copy = Uint8Array.from(example[part]);
				copy[at] = (copy[at] ?? 0) ^ (1 << bit);
				const verified = await verifyRecord({ ...example, [part]: copy }, shopKey, crypto);
				expect(verified.ok).toBe(false);
				flipped += 1;
			}
		),
		{ numRuns: 300 }
	);
	expect(flipped).toBe(300);
});

describe('[CP-8] refuses, in this order,', () => {
	/** The example with a rest of its own, hashed into its core, so that only the rest is wrong. */
	async function withDraft(changed: Partial<RecordDraft['rest']>): Promise<SignedRecord> {
		const rest = encodeRest({ ...draft.rest, ...changed });
		const { restHash } = await import('./rest.ts');
		const a = Uint8Array.from(example.a);
		a.set(await restHash(rest, crypto), restHashAt);
		return { ...example, a, rest };
	}

	it('a wrong core before all else', async () => {
		const a = example.a.with(4, 0x99);
		expect(await verifyRecord({ ...example, a, rest: '[]' }, shopKey, crypto)).toEqual(
			err({ kind: 'wrongCore', why: 'unknownKind' })
		);
	});

	it('a wrong rest', async () => {
		const reordered = vectors.rest.replace(/^\{("br":"[^"]+"),("d":"A"),/, '{$2,$1,');
		expect(reordered).not.toBe(vectors.rest);
		expect(await verifyRecord({ ...example, rest: reordered }, shopKey, crypto)).toEqual(
			err({ kind: 'wrongRest', why: { kind: 'notCanonical' } })
		);
	});

	it('a rest that does not fit its kind', async () => {
		expect(await verifyRecord(await withDraft({ ref: h }), shopKey, crypto)).toEqual(
			err({ kind: 'restDoesNotFitKind', why: 'refNotAllowed' })
		);
		expect(await readRecord(await withDraft({ list: [1, h] }), crypto)).toEqual(
			err({ kind: 'restDoesNotFitKind', why: 'listNotAllowed' })
		);
		const reversal = { ...example, a: example.a.with(4, 0x21) };
		expect(await readRecord(reversal, crypto)).toEqual(
			err({ kind: 'restDoesNotFitKind', why: 'refMissing' })
		);
		const statement = { ...example, a: example.a.with(4, 0x31) };
		expect(await readRecord(statement, crypto)).toEqual(
			err({ kind: 'restDoesNotFitKind', why: 'listMissing' })
		);
	});

	it('the rest of another record', async () => {
		const rest = encodeRest({ ...draft.rest, n: 128 });
		expect(await verifyRecord({ ...example, rest }, shopKey, crypto)).toEqual(
			err({ kind: 'restIsAnother' })
		);
	});

	it('a key that is not the one it names', async () => {
		const other = bytes(vectors.keys.customer.publicKey);
		expect(await verifyRecord(example, other, crypto)).toEqual(err({ kind: 'unknownKid' }));
		const kid = bytes(vectors.keys.customer.kid);
		expect(await verifyRecord({ ...example, kid }, shopKey, crypto)).toEqual(
			err({ kind: 'unknownKid' })
		);
	});

	it('the signature of another record, or by another key', async () => {
		const another = await signRecord(
			{ ...draft, core: { ...draft.core, amount: draft.core.amount + 1 } },
			shop,
			crypto
		);
		const forger = await signerOf('customer');
		const forged = await signRecord(draft, { ...forger, kid: shop.kid }, crypto);
		for (const { rsig } of [another, forged]) {
			expect(await verifyRecord({ ...example, rsig }, shopKey, crypto)).toEqual(
				err({ kind: 'wrongSignature' })
			);
		}
	});
});

it('[CP-8] asserts that a rest fits its kind before it signs', async () => {
	const unnamed = { ...draft, core: { ...draft.core, kind: 'reversalOfDebit' as const } };
	await expect(signRecord(unnamed, shop, crypto)).rejects.toThrow('refMissing');
});

describe('[CP-12] the form of a fact', () => {
	const [a, rest, kid, rsig] = encodeSignedRecord(example);

	it('is A, the rest as an object, kid and signature', () => {
		expect([a, kid, rsig]).toEqual([example.a, example.kid, example.rsig].map(encodeBase64url));
		expect(JSON.stringify(rest)).toBe(vectors.rest);
		expect(parseSignedRecord([a, rest, kid, rsig])).toEqual(ok(example));
	});

	it.each<readonly [string, unknown, unknown]>([
		['no array', { a }, { kind: 'notFourParts' }],
		['three parts', [a, rest, kid], { kind: 'notFourParts' }],
		['five parts', [a, rest, kid, rsig, 1], { kind: 'notFourParts' }],
		['A cut short', [a.slice(4), rest, kid, rsig], { kind: 'wrongA' }],
		['A in hex', [hex(example.a), rest, kid, rsig], { kind: 'wrongA' }],
		['A that is no text', [7, rest, kid, rsig], { kind: 'wrongA' }],
		['A with a wrong character', [`+${a.slice(1)}`, rest, kid, rsig], { kind: 'wrongA' }],
		[
			'rest as text',
			[a, vectors.rest, kid, rsig],
			{ kind: 'wrongRest', why: { kind: 'notAnObject' } }
		],
		[
			'rest out of order',
			[a, { z: 1, b: 1 }, kid, rsig],
			{ kind: 'wrongRest', why: { kind: 'notCanonical' } }
		],
		['kid of 9 bytes', [a, rest, `${kid}A`, rsig], { kind: 'wrongKid' }],
		['kid with spare bits', [a, rest, `${kid.slice(0, -1)}t`, rsig], { kind: 'wrongKid' }],
		['signature cut short', [a, rest, kid, rsig.slice(2)], { kind: 'wrongRsig' }]
	])('refuses %s', (_, form, why) => {
		expect(parseSignedRecord(form)).toEqual(err(why));
	});
});
