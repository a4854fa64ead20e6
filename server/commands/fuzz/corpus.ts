import * as Y from 'yjs';
import { encodeBase64url } from '#domain/bytes.ts';
import { encodeClaim } from '#domain/confirmation/claim.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { parseRecordId } from '#domain/confirmation/record.ts';
import { encodeSignedRecord, signRecord } from '#domain/confirmation/signed-record.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parseLedgerId,
	parsePersonId
} from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import {
	bytesUnder,
	deletedUnder,
	gc,
	handUpdate,
	nestedMaps,
	nestedUnder,
	skip,
	textBehind,
	textUnder
} from './hand-update.ts';

export const BUSINESS = sure(parseBusinessId('0192f0c1-7a00-4000-8000-0000000000c1'));
export const BRANCH = sure(parseBranchId('0192f0c1-7a00-4000-8000-0000000000c2'));
const PERSON = sure(parsePersonId('0192f0c1-7a00-4000-8000-0000000000c3'));
const LEDGER = sure(parseLedgerId('0192f0c1-7a00-4000-8000-0000000000c4'));
export const NOW = Date.UTC(2026, 10, 20, 9);
const DAY = Math.floor(NOW / 86_400_000);

/** Whoever means no good writes as `B`; in the document stand facts of these, each under his client. */
export const CODE = 'B';
export const CLIENTS = { A: 11, B: 22, C: 33, relay: 55, own: 1_001, fresh: 2 ** 52 } as const;

/** Of the facts those that need no signature come first. */
const PLAIN_FACTS = 10;

/** What honest devices write under this id: the same each time. */
export function meantText(facts: readonly FactSeed[], code: string, n: number): string {
	return facts[n % PLAIN_FACTS]?.(code, n) ?? '';
}

/** A fact's text under an id, of each kind that a device writes. */
export type FactSeed = (code: string, n: number) => string;

/** What the fuzz starts from: facts as they are meant, and updates as honest and as hostile devices send them. */
export interface Corpus {
	readonly facts: readonly FactSeed[];
	readonly updates: readonly Uint8Array[];
}

/** Signs nothing: with a cryptography that takes every signature the bytes are the same each time. */
export const STUB_SIGNER: Signer = {
	publicKey: Uint8Array.from({ length: 65 }, (_none, at) => (at === 0 ? 4 : at)),
	kid: new Uint8Array(8),
	sign: () => Promise.resolve(new Uint8Array(64).fill(1))
};

export async function createCorpus(crypto: CryptoParts): Promise<Corpus> {
	const kid = (await crypto.sha256(STUB_SIGNER.publicKey)).slice(0, 8);
	const record = await signedRecord({ ...STUB_SIGNER, kid }, crypto);
	const facts = [...plainFacts(), ...signedFacts(record)];
	for (const seed of facts) assert(parseFact(seed(CODE, 1_000)).ok, 'a seed is a fact');
	return { facts, updates: [...honestUpdates(facts), ...hostileUpdates(facts)] };
}

function head(code: string, n: number, kind: string): readonly unknown[] {
	return [`${code}-${String(n)}`, kind, NOW, n, DAY, 1];
}

function plainFacts(): readonly FactSeed[] {
	const bodies: readonly (readonly [string, ...unknown[]])[] = [
		['setting', { name: 'Asha’s 🛍' }],
		['product', [[0, { name: 'Tea', price: 250 }]]],
		['customer', [[LEDGER, { name: 'Amina' }]]],
		['sale', 7, [[0, 'Tea', 1_500, 200, 300]], [['cash', 500]]],
		['sale', 8, [['A-1', 'Tea', 1_000, 1, 1]], [['cash', 1]], { round: -1 }],
		['return', 9, 'A-2', [['A-1', 'Tea', 1_000, 200, 200, 0, 1]], [['cash', 200]]],
		['adjust', [['A-1', -3_000]], 'waste'],
		['entry', LEDGER, ['promise', DAY, 700, 'KES', 2]],
		['entry', 0, ['slip', 'owesUs', 5, 'KES', 2, '']],
		['merge', LEDGER, LEDGER.replace('c4', 'c5'), true]
	];
	return bodies.map(
		([kind, ...body]) =>
			(code, n) =>
				JSON.stringify([...head(code, n, kind), ...body])
	);
}

function signedFacts(record: readonly unknown[]): readonly FactSeed[] {
	const h = recordHashOf(new Uint8Array(32).fill(3));
	const claim = encodeClaim({
		...{
			id: '019aa000-0000-7000-8000-000000000001',
			h,
			way: 'sheet',
			code: '12345678',
			counter: 3
		},
		...{ d: sure(parseDeviceCode(CODE)), u: PERSON, at: NOW }
	});
	const sig = encodeBase64url(new Uint8Array(64).fill(1));
	return [
		(code, n) => JSON.stringify([...head(code, n, 'record'), [record]]),
		(code, n) => JSON.stringify([...head(code, n, 'record'), [], { answer: [h, 'insist', 'so'] }]),
		(code, n) => JSON.stringify([...head(code, n, 'claim'), JSON.parse(claim), sig])
	];
}

async function signedRecord(signer: Signer, crypto: CryptoParts): Promise<readonly unknown[]> {
	const rest = {
		...{ br: BRANCH, d: sure(parseDeviceCode(CODE)), n: 1_000, u: PERSON, on: '2026-11-20' },
		items: [['Tea', 1_500, 200]] as const,
		note: 'naïve ✓'
	};
	const core = {
		kind: 'due',
		...{ isMadeOffline: true, currency: 'KES', exponent: 2, amount: 500 },
		...{ occurredAt: NOW, businessId: BUSINESS, ledgerId: LEDGER, balanceAfter: 0 },
		recordId: sure(parseRecordId('019aa000-0000-7000-8000-000000000002'))
	} as const;
	return encodeSignedRecord(await signRecord({ core, rest }, signer, crypto));
}

/** The document before anybody meant harm: three devices, the relay, and facts told twice. */
export function honestDocument(facts: readonly FactSeed[]): Y.Doc {
	const doc = new Y.Doc();
	const of = (code: string, n: number): readonly [string, string] => [
		`${code}-${String(n)}`,
		meantText(facts, code, n)
	];
	write(
		doc,
		CLIENTS.A,
		Array.from({ length: 12 }, (_none, at) => of('A', at + 1))
	);
	write(doc, CLIENTS.B, [of('B', 1)]);
	write(doc, CLIENTS.C, [of('C', 1)]);
	const saw = JSON.stringify(['0.3-1', 'saw', NOW, 0, DAY, 0, LEDGER, 5]);
	write(doc, CLIENTS.relay, [['0.3-1', saw]]);
	// Put back after a lost write, once by a larger client and once by a smaller.
	write(doc, 44, [of('A', 2)]);
	write(doc, 5, [of('A', 3)]);
	return doc;
}

function write(doc: Y.Doc, client: number, texts: readonly (readonly [string, string])[]): void {
	const own = new Y.Doc();
	own.clientID = client;
	for (const [key, text] of texts) own.getMap('f').set(key, text);
	Y.applyUpdate(doc, Y.encodeStateAsUpdate(own));
}

function honestUpdates(facts: readonly FactSeed[]): readonly Uint8Array[] {
	const alone = facts.map((seed, at) => {
		const doc = new Y.Doc();
		doc.clientID = CLIENTS.own;
		doc.getMap('f').set(`B-${String(at + 1_000)}`, seed('B', at + 1_000));
		return Y.encodeStateAsUpdate(doc);
	});
	const whole = honestDocument(facts);
	whole.clientID = CLIENTS.own;
	for (const n of [2_000, 2_001, 2_002, 2_003]) {
		whole.getMap('f').set(`B-${String(n)}`, meantText(facts, 'B', n));
	}
	const behind = new Map([[CLIENTS.A, 12]]);
	const vector = Y.encodeStateVector(whole);
	return [
		...alone,
		Y.encodeStateAsUpdate(whole),
		Y.encodeStateAsUpdate(whole, vector),
		Y.encodeStateAsUpdate(whole, encodeVector(behind))
	];
}

function encodeVector(vector: ReadonlyMap<number, number>): Uint8Array {
	return Uint8Array.from([vector.size, ...Array.from(vector).flat()]);
}

function hostileUpdates(facts: readonly FactSeed[]): readonly Uint8Array[] {
	const [seed] = facts;
	assert(seed !== undefined, 'there are facts');
	const { A, own } = CLIENTS;
	const [mine, his] = [seed('B', 3_000), meantText(facts, 'A', 10)];
	const nested = new Y.Doc();
	nested.clientID = own;
	nested.getMap('f').set('B-3000', new Y.Map([['a', new Y.Map([['b', 'c']])]]));
	const at = (
		client: number,
		clock: number,
		...structs: Parameters<typeof handUpdate>[0][number]['structs']
	) => handUpdate([{ client, clock, structs }]);
	return [
		at(A, 12, gc(1)),
		at(A, 12, skip(1)),
		at(A, 12, textUnder('A-13', seed('A', 13))),
		at(A, 12, textUnder('B-3000', mine)),
		at(A, 0, textUnder('B-3000', mine)),
		at(own, 0, textUnder('A-13', seed('A', 13))),
		at(own, 0, textUnder('A-10', his.replace('Asha', 'Else'))),
		at(own, 0, textBehind([A, 1], mine)),
		at(own, 0, deletedUnder('A-2')),
		at(5_000, 0, deletedUnder('B-1')),
		at(own, 4, textUnder('B-3000', mine)),
		at(own, 0, textUnder('B-3000', mine, '__proto__')),
		at(own, 0, textUnder('__proto__', mine)),
		at(own, 0, nestedUnder('B-3000', 200)),
		at(own, 0, ...nestedMaps('B-3000', own, 50)),
		at(own, 0, bytesUnder('B-3000', Uint8Array.of(0xed, 0xa0, 0xbd))),
		handUpdate([], [[A, 0, 1]]),
		handUpdate([], [[A, 1, 1]]),
		Y.encodeStateAsUpdate(nested),
		Y.encodeStateAsUpdateV2(nested)
	];
}

function sure<T>(result: Result<T, unknown>): T {
	assert(result.ok, 'an id of the corpus is one');
	return result.value;
}
