import { describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { encodeVerdict } from '#domain/confirmation/verdict.ts';
import { effectsOf } from './effects.ts';
import { encodeFact } from './encode-fact.ts';
import { parseFact } from './parse-fact.ts';

const BUSINESS = '11111111-1111-4111-8111-111111111111';
const LEDGER = '22222222-2222-4222-8222-222222222222';
const OTHER = '33333333-3333-4333-8333-333333333333';
const CLAIM_ID = '01890a5d-ac96-7b6c-8c6f-3b2f3f2f1a2b';
const H = recordHashOf(new Uint8Array(32).fill(7));
const SIG = encodeBase64url(new Uint8Array(64).fill(1));
const KID = encodeBase64url(new Uint8Array(8).fill(2));
const POINT = encodeBase64url(new Uint8Array(65).fill(4));
const V = encodeBase64url(
	encodeVerdict({
		result: 'wrong',
		al: 1,
		h: H,
		relayEpoch: 1,
		seq: 3,
		at: 1_790_000_000_000,
		claimHash: new Uint8Array(32),
		previous: new Uint8Array(32)
	})
);
const CLAIM = {
	at: 1_790_000_000_000,
	code: '12345678',
	counter: 2,
	d: 'A',
	h: H,
	id: CLAIM_ID,
	u: OTHER,
	way: 'sheet'
};
const SET = { epoch: 1, kind: 'debit', currency: 'KES', exponent: 2, cap: 200_000, issuedAt: 5 };

/** One of each kind, as it travels: who writes it, then its body. */
const BODIES: Readonly<Record<string, readonly [author: string, body: readonly unknown[]]>> = {
	claim: ['A', [CLAIM, SIG]],
	entry: ['A', [LEDGER, ['promise', 20_000, 500, 'KES', 2]]],
	merge: ['A', [LEDGER, OTHER, true]],
	ask: ['0.1', [OTHER, { by: 'customer', username: 'amina', name: 'Amina', state: 'asked' }]],
	link: [
		'0.1',
		[LEDGER, { state: 'linked', way: 'app', epoch: 2, at: 9, since: 5, phoneEnd: '678' }]
	],
	sheet: ['0.1', [LEDGER, { ...SET, open: [[1, 1_023]], kid: KID, sig: SIG }]],
	verdict: ['0.1', [LEDGER, CLAIM_ID, V, SIG, KID, 1]],
	answered: ['0.1', [LEDGER, H, 'cancel', 1, 9, SIG, POINT, 'notMe', 'never was there']],
	saw: ['0.1', [LEDGER, 9]],
	card: [
		'0.1',
		[
			BUSINESS,
			LEDGER,
			{ shop: 'Asha', devices: [['A', POINT, 0, 0]], since: 5, before: [[5, 9, 'app', 2]] }
		]
	],
	asked: ['0.1', [OTHER, { by: 'shop', shop: 'Asha', business: BUSINESS, state: 'asked' }]],
	judged: ['0.1', [BUSINESS, LEDGER, CLAIM_ID, V, SIG, KID, 1, 'sheet', 4]],
	filed: ['0.1', [BUSINESS, LEDGER, H, 'accept', 2, 9, SIG, POINT, 0, '']],
	told: ['0.1', [BUSINESS, LEDGER, ['insist', H, 'it was you']]],
	codes: ['0.1', [BUSINESS, LEDGER, { ...SET, open: [1, 2], used: [0] }]],
	reply: ['p1', [BUSINESS, LEDGER, H, 'cancel', 1, 9, SIG, KID, 'wrongAmount', '']],
	seen: ['p1', [9]]
};

const ROWS: readonly (readonly unknown[])[] = [
	[LEDGER, ['dueMove', H, 9, 'asked for it']],
	[LEDGER, ['writeOff', 500, 'KES', 2, 'moved away']],
	[LEDGER, ['pending', 500, 'KES', 2, 'cheque', '']],
	[LEDGER, ['bounced', 'A-3']],
	[0, ['slip', 'owesUs', 500, 'KES', 2, '']],
	[0, ['slipDone', 'A-3']]
];

function textOf(kind: string, author: string, body: readonly unknown[]): string {
	const by = author.startsWith('0.') ? 0 : 1;
	return JSON.stringify([`${author}-1`, kind, 1_790_000_000_000, 0, 20_700, by, ...body]);
}

function isRead(text: string): boolean {
	return parseFact(text).ok;
}

describe('facts of a ledger and of a person', () => {
	it.each(Object.entries(BODIES))('[FACT-10] reads and writes %s', (kind, [author, body]) => {
		const text = textOf(kind, author, body);
		const fact = parseFact(text);
		expect(fact).toMatchObject({ ok: true, value: { kind } });
		if (fact.ok) expect(encodeFact(fact.value)).toBe(text);
	});

	it('[FACT-10] reads and writes every row of the book', () => {
		for (const body of ROWS)
			expect([body, isRead(textOf('entry', 'A', body))]).toEqual([body, true]);
		const [[, named] = [], , , , [, nameless] = []] = ROWS;
		expect(isRead(textOf('entry', 'A', [0, named]))).toBe(false);
		expect(isRead(textOf('entry', 'A', [LEDGER, nameless]))).toBe(false);
	});

	it.each(Object.entries(BODIES))('[FACT-10] refuses %s where a part is wrong', (kind, given) => {
		const [author, body] = given;
		expect(isRead(textOf(kind, author, [...body, 1]))).toBe(false);
		expect(isRead(textOf(kind, author, body.slice(0, -1)))).toBe(false);
		for (const place of body.keys()) {
			for (const wrong of [null, -1, {}, [], 'x\0', { __proto__: 1 }]) {
				const changed = body.map((part, at) => (at === place ? wrong : part));
				expect([place, wrong, isRead(textOf(kind, author, changed))]).toEqual([
					place,
					wrong,
					false
				]);
			}
		}
	});

	it('[FACT-10] refuses what no part can tell alone', () => {
		expect(isRead(textOf('merge', 'A', [OTHER, LEDGER, true]))).toBe(false);
		expect(isRead(textOf('merge', 'A', [LEDGER, LEDGER, true]))).toBe(false);
		const [, reply] = BODIES['reply'] ?? [];
		const accepted = reply?.map((part) => (part === 'cancel' ? 'accept' : part)) ?? [];
		expect(isRead(textOf('reply', 'p1', accepted))).toBe(false);
		expect(isRead(textOf('sheet', '0.1', [LEDGER, { ...SET, kid: KID, sig: SIG }]))).toBe(false);
	});

	it.each(Object.entries(BODIES))('[FACT-11] takes %s from one sort of author', (kind, given) => {
		const [author, body] = given;
		const authors = ['A', '0.1', 'p1'].filter((one) => isRead(textOf(kind, one, body)));
		expect(authors).toEqual([author]);
	});

	it('[FACT-12] insists without a record, and takes no list without its statement', () => {
		const insist = { answer: [H, 'insist', 'it was you'] };
		expect(isRead(textOf('record', 'A', [[], insist]))).toBe(true);
		expect(isRead(textOf('record', 'A', [[]]))).toBe(false);
		expect(isRead(textOf('record', 'A', [[], { answer: [H, 'withdraw', ''] }]))).toBe(false);
		expect(isRead(textOf('record', 'A', [[], { ...insist, list: [H] }]))).toBe(false);
	});

	it('[FACT-13] says that its money is not of the till, and then moves no day', () => {
		const insist = { answer: [H, 'insist', ''], apart: true };
		const text = textOf('record', 'A', [[], insist]);
		const fact = parseFact(text);
		expect(fact).toMatchObject({ ok: true, value: { isApart: true } });
		expect(fact.ok && encodeFact(fact.value)).toBe(text);
		expect(fact.ok && effectsOf(fact.value).day).toBe(null);
		expect(isRead(textOf('record', 'A', [[], { ...insist, apart: false }]))).toBe(false);
	});

	it('[FACT-5] says what a verdict, an answer and an insisting say of their record', () => {
		const said = ['verdict', 'answered'].map((kind) => {
			const [author = '', body = []] = BODIES[kind] ?? [];
			const fact = parseFact(textOf(kind, author, body));
			return fact.ok ? effectsOf(fact.value).sayings : [];
		});
		expect(said).toMatchObject([
			[{ kind: 'verdict', h: H, ledgerId: LEDGER, result: 'wrong', epoch: 1, seq: 3, wrong: 1 }],
			[{ kind: 'reply', h: H, decision: 'cancel', n: 1, at: 1_790_000_000_000, reason: 'notMe' }]
		]);
		const insists = parseFact(textOf('record', 'A', [[], { answer: [H, 'insist', 'no'] }]));
		expect(insists.ok && effectsOf(insists.value).sayings).toMatchObject([
			{ kind: 'shopAnswer', h: H, way: 'insist', note: 'no' }
		]);
	});
});
