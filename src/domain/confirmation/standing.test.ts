import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { businessId, hashOf, ledgerId } from '#tests/support/confirmation-vectors.ts';
import { permutations } from '#tests/support/permutations.ts';
import { foldLedger, type LedgerSums } from './ledger-fold.ts';
import type { RecordHash } from './record-hash.ts';
import type { RecordKind } from './record-kind.ts';
import {
	DISPUTE_WINDOW_MS,
	ledgerEvents,
	recordStates,
	UNANSWERED_AFTER_MS,
	type LedgerSaying,
	type LinkSpan,
	type RecordStanding,
	type StandingRecord
} from './standing.ts';

const scope = { businessId, ledgerId };
const DAY_MS = 86_400_000;
const LINKED: readonly LinkSpan[] = [{ from: 0, to: null, way: 'app' }];

function record(n: number, kind: RecordKind, more: Partial<StandingRecord> = {}): StandingRecord {
	const h = hashOf(n.toString(16).padStart(2, '0').repeat(32));
	const recordId = `record ${String(n)}`;
	const of = { ...scope, h, kind, currency: 'BDT', exponent: 2, recordId };
	return { ...of, amount: 500, occurredAt: n * 60_000, ...more };
}

function verdict(
	h: RecordHash,
	more: Partial<Extract<LedgerSaying, { kind: 'verdict' }>> = {}
): LedgerSaying {
	const place = { claimId: 'c1', result: 'ok', al: 1, epoch: 1, seq: 1, at: DAY_MS } as const;
	return { kind: 'verdict', h, ...place, ...more };
}

function claimed(h: RecordHash, claimId = 'c1'): LedgerSaying {
	return { kind: 'claimed', h, claimId };
}

function reply(h: RecordHash, decision: 'accept' | 'cancel', at = 2 * DAY_MS): LedgerSaying {
	return { kind: 'reply', h, decision, n: 1, at };
}

const due = record(1, 'due');
const payment = record(2, 'payment', { amount: 200 });

/** How `of` stands, the same in every order and when everything is said twice. */
function standing(
	of: StandingRecord,
	sayings: readonly LedgerSaying[],
	{
		records = [of],
		spans = LINKED,
		now = 0
	}: {
		readonly records?: readonly StandingRecord[];
		readonly spans?: readonly LinkSpan[];
		readonly now?: number;
	} = {}
): RecordStanding | undefined {
	const asked = (said: readonly LedgerSaying[]): RecordStanding | undefined =>
		recordStates(scope, { records: [...records, of], sayings: said, spans }, now).get(of.h);
	const first = asked(sayings);
	for (const order of permutations(sayings)) expect(asked([...order, ...order])).toEqual(first);
	return first;
}

const PLAIN = { isDisputed: false, isUnanswered: false, hasConflict: false, al: 0 };

describe('how a record stands', () => {
	it('[CP-19] waits until something is said of it', () => {
		expect(standing(due, [])).toEqual({ ...PLAIN, state: 'waiting' });
		expect(standing(payment, [])).toEqual({ ...PLAIN, state: 'counted' });
		expect(standing(record(3, 'reversalOfDebit', { ref: due.h }), [])?.state).toBe('counted');
	});

	it('[CP-19] is evidence from a claim to its verdict, and goes back to waiting by a wrong one', () => {
		expect(standing(due, [claimed(due.h)])?.state).toBe('evidence');
		const wrong = verdict(due.h, { result: 'wrong', al: 0 });
		expect(standing(due, [claimed(due.h), wrong])).toEqual({ ...PLAIN, state: 'waiting' });
		expect(standing(due, [claimed(due.h), wrong, claimed(due.h, 'c2')])?.state).toBe('evidence');
	});

	it('[CP-19] is confirmed by a right code or by a signature, with its strength', () => {
		expect(standing(due, [claimed(due.h), verdict(due.h)])).toMatchObject({
			state: 'confirmed',
			al: 1
		});
		expect(standing(due, [reply(due.h, 'accept')])).toMatchObject({ state: 'confirmed', al: 4 });
		expect(standing(due, [reply(due.h, 'accept'), verdict(due.h)])?.al).toBe(4);
	});

	it('[CP-20] keeps a signed yes beside any no, whatever came first', () => {
		const both = [reply(due.h, 'accept'), reply(due.h, 'cancel', 9 * DAY_MS)];
		expect(standing(due, both)).toMatchObject({ state: 'confirmed', isDisputed: false });
	});

	it('[CP-20] is cancelled by a no, and stands under disputed', () => {
		expect(standing(due, [reply(due.h, 'cancel'), claimed(due.h)])).toMatchObject({
			state: 'cancelled',
			isDisputed: true
		});
	});

	it('[CP-20] is confirmed and disputed where the no came within 14 days of the code', () => {
		const at = DAY_MS + DISPUTE_WINDOW_MS;
		const inTime = [verdict(due.h), reply(due.h, 'cancel', at)];
		expect(standing(due, inTime)).toMatchObject({ state: 'confirmed', isDisputed: true });
		const late = [verdict(due.h), reply(due.h, 'cancel', at + 1)];
		expect(standing(due, late)).toMatchObject({ state: 'confirmed', isDisputed: false });
		const before = [verdict(due.h), reply(due.h, 'cancel', 0)];
		expect(standing(due, before)).toMatchObject({ state: 'confirmed', isDisputed: true });
		const twice = [verdict(due.h), reply(due.h, 'cancel', at + 1), reply(due.h, 'cancel', at)];
		expect(standing(due, twice)?.isDisputed).toBe(true);
	});

	it('[CP-20] only flags a credit', () => {
		const no = [reply(payment.h, 'cancel')];
		expect(standing(payment, no)).toMatchObject({ state: 'counted', isDisputed: true });
		expect(ledgerEvents({ records: [payment], sayings: no, spans: LINKED })).toEqual([]);
	});

	it('[CP-21] is reversed or voided where nothing of it is left', () => {
		const gone = record(3, 'reversalOfDebit', { ref: due.h });
		const records = [due, gone];
		expect(standing(due, [], { records })?.state).toBe('voided');
		expect(standing(due, [verdict(due.h)], { records })?.state).toBe('reversed');
		const part = record(3, 'reversalOfDebit', { ref: due.h, amount: 200 });
		expect(standing(due, [], { records: [due, part] })?.state).toBe('waiting');
	});

	it('[CP-21] is no longer disputed when it was taken back whole', () => {
		const no = [reply(due.h, 'cancel')];
		const gone = record(3, 'reversalOfDebit', { ref: due.h });
		expect(standing(due, no, { records: [due, gone] })).toMatchObject({
			state: 'voided',
			isDisputed: false
		});
		const part = { ...gone, amount: 499 };
		expect(standing(due, no, { records: [due, part] })?.isDisputed).toBe(true);
	});

	it('[CP-21] counts each currency apart', () => {
		const dollars = record(4, 'due', { currency: 'USD' });
		const gone = record(5, 'reversalOfDebit', { ref: dollars.h });
		expect(standing(dollars, [], { records: [due, gone] })?.state).toBe('waiting');
	});

	it('[CP-21] lets the reversal of a credit wait where somebody is there to answer', () => {
		const undone = record(6, 'reversalOfCredit', { ref: payment.h, amount: 200 });
		const records = [payment, undone];
		const during = [{ from: 0, to: undone.occurredAt + 1, way: 'phone' }] as const;
		const ended = [{ from: 0, to: undone.occurredAt, way: 'app' }] as const;
		const later = [{ from: undone.occurredAt + 1, to: null, way: 'app' }] as const;
		const states = [LINKED, during, ended, later, []].map(
			(spans) => standing(undone, [], { records, spans })?.state
		);
		expect(states).toEqual(['waiting', 'waiting', 'confirmed', 'confirmed', 'confirmed']);
	});

	it('[CP-33] takes back no payment in the days before its customer was there', () => {
		const linkedAt = payment.occurredAt - 1;
		const spans = [{ from: linkedAt, to: null, way: 'app' }] as const;
		const dated = { ref: payment.h, amount: 200, occurredAt: linkedAt - DAY_MS };
		const undone = record(6, 'reversalOfCredit', dated);
		const records = [payment, undone];
		expect(standing(undone, [], { records, spans })?.state).toBe('waiting');
		const no = [reply(undone.h, 'cancel', linkedAt + 40 * DAY_MS)];
		expect(standing(undone, no, { records, spans })).toMatchObject({
			state: 'cancelled',
			isDisputed: true
		});
		const of = { records, sayings: [], spans };
		const [sums] = foldLedger(scope, { records, events: ledgerEvents(of) }).values();
		expect([sums?.confirmed, sums?.waiting]).toEqual([0n, 200n]);
		const ended = [{ from: linkedAt, to: payment.occurredAt, way: 'app' }] as const;
		expect(standing(undone, [], { records, spans: ended })?.state).toBe('confirmed');
	});

	it('[CP-21] flags what nobody answered for 30 days, and never takes it for a yes', () => {
		const now = due.occurredAt + UNANSWERED_AFTER_MS;
		expect(standing(due, [], { now })).toMatchObject({ state: 'waiting', isUnanswered: true });
		expect(standing(due, [], { now: now - 1 })?.isUnanswered).toBe(false);
		expect(standing(due, [claimed(due.h)], { now })?.isUnanswered).toBe(true);
		expect(standing(due, [verdict(due.h)], { now })?.isUnanswered).toBe(false);
		// Where nobody is there to answer, nothing is unanswered.
		expect(standing(due, [], { now, spans: [] })?.isUnanswered).toBe(false);
	});

	it('[CP-21] flags two records of one id', () => {
		const twin = record(7, 'due', { recordId: due.recordId });
		expect(standing(due, [], { records: [due, twin] })?.hasConflict).toBe(true);
	});

	it('[CP-21] looks at no other ledger', () => {
		const foreign = record(8, 'due', { ledgerId: businessId as unknown as typeof ledgerId });
		expect(standing(foreign, [])).toBeUndefined();
	});
});

describe('a yes of who stood there before', () => {
	const NEXT = 16 * DAY_MS;
	const IN_TIME = NEXT + DISPUTE_WINDOW_MS;
	const spans: readonly LinkSpan[] = [
		{ from: 0, to: NEXT, way: 'phone' },
		{ from: NEXT, to: null, way: 'app' }
	];
	const statement = record(3, 'statement', { list: [due.h] });
	const byStatement = [verdict(statement.h), reply(statement.h, 'accept')];
	const YES: readonly (readonly LedgerSaying[])[] = [
		[verdict(due.h)],
		[reply(due.h, 'accept')],
		[verdict(due.h), reply(due.h, 'accept')],
		byStatement
	];

	it('[CP-32] may be contested for 14 days by who stands there since', () => {
		for (const yes of YES) {
			const stands = (at: number): unknown =>
				standing(due, [...yes, reply(due.h, 'cancel', at)], { records: [due, statement], spans });
			expect(stands(IN_TIME)).toMatchObject({ state: 'confirmed', isDisputed: true });
			expect(stands(IN_TIME + 1)).toMatchObject({ state: 'confirmed', isDisputed: false });
		}
		const sayings = [reply(due.h, 'accept'), reply(due.h, 'cancel', IN_TIME)];
		const events = ledgerEvents({ records: [due], sayings, spans });
		const [sums] = foldLedger(scope, { records: [due], events }).values();
		expect(sums).toMatchObject({ disputed: 500n, total: 0n });
	});

	it('[CP-32] is not contested by what others said no to, nor by the same person come back', () => {
		// A no that came too late is none for who comes after.
		const late = [verdict(due.h), reply(due.h, 'cancel', NEXT - 1)];
		expect(standing(due, late, { spans })?.isDisputed).toBe(false);
		const same = spans.map((span) => ({ ...span, since: 0 }));
		for (const yes of YES) {
			const no = [...yes, reply(due.h, 'cancel', IN_TIME)];
			const back = standing(due, no, { records: [due, statement], spans: same });
			expect(back?.isDisputed).toBe(false);
		}
	});

	it('[CP-32] does not stand in the way of his own, which does for good', () => {
		const own = [reply(due.h, 'cancel', NEXT + 1), reply(due.h, 'accept', NEXT + 2)];
		const of = standing(due, [reply(due.h, 'accept'), ...own], { spans });
		expect(of).toMatchObject({ state: 'confirmed', isDisputed: false, al: 4 });
	});
});

describe('a statement', () => {
	const later = record(9, 'due');
	const statement = record(10, 'statement', { list: [due.h, later.h], amount: 1_000 });
	const records = [due, later, statement];
	const yes = verdict(statement.h);

	it('[CP-22] confirms all that it lists', () => {
		for (const one of [due, later])
			expect(standing(one, [yes], { records })).toMatchObject({ state: 'confirmed', al: 1 });
		expect(standing(due, [reply(statement.h, 'accept')], { records })).toMatchObject({
			state: 'confirmed',
			al: 4
		});
		expect(standing(due, [], { records })?.state).toBe('waiting');
	});

	it('[CP-22] leaves out what was cancelled, and may itself be contested for 14 days', () => {
		const no = reply(due.h, 'cancel', 0);
		expect(standing(due, [yes, no], { records })?.state).toBe('cancelled');
		expect(standing(later, [yes, no], { records })?.state).toBe('confirmed');
		const after = reply(due.h, 'cancel', DAY_MS + 1);
		expect(standing(due, [yes, after], { records })).toMatchObject({
			state: 'confirmed',
			isDisputed: true
		});
		const signed = reply(statement.h, 'accept');
		expect(standing(due, [signed, no], { records })?.state).toBe('cancelled');
		const same = reply(due.h, 'cancel');
		expect(standing(due, [signed, same], { records })?.state).toBe('cancelled');
		const tooLate = reply(due.h, 'cancel', 2 * DAY_MS + 1);
		expect(standing(due, [signed, tooLate], { records })).toMatchObject({
			state: 'confirmed',
			isDisputed: false
		});
	});

	it('[CP-22] by signature and by code at once: each says yes to what was not cancelled by then', () => {
		const signed = reply(statement.h, 'accept', 3 * DAY_MS);
		const between = reply(due.h, 'cancel', 2 * DAY_MS);
		expect(standing(due, [yes, signed, between], { records })).toMatchObject({
			state: 'confirmed',
			isDisputed: true
		});
		expect(standing(later, [yes, signed, between], { records })?.al).toBe(4);
		const own = reply(due.h, 'accept', DAY_MS);
		expect(standing(due, [own, signed], { records })?.state).toBe('confirmed');
	});

	it('[CP-22] waits while it lists what is not known', () => {
		const known = [due, statement];
		expect(standing(due, [yes], { records: known })?.state).toBe('waiting');
		expect(standing(statement, [yes], { records: known })).toEqual({ ...PLAIN, state: 'evidence' });
		expect(standing(due, [yes], { records: [...known, later] })?.state).toBe('confirmed');
		expect(standing(statement, [yes], { records })).toMatchObject({ state: 'confirmed', al: 1 });
	});

	it('[CP-28] confirms no more than the amount that the customer saw, and is flagged', () => {
		const says = (amount: number): readonly StandingRecord[] => [
			...[due, later],
			{ ...statement, amount }
		];
		expect(standing(due, [yes], { records: says(999) })?.state).toBe('waiting');
		expect(standing(statement, [yes], { records: says(1_000) })?.hasConflict).toBe(false);
		const [, , less] = says(999);
		expect(standing(less ?? due, [yes], { records: says(999) })).toEqual({
			...PLAIN,
			state: 'evidence',
			hasConflict: true
		});
		const gone = record(3, 'reversalOfDebit', { ref: due.h, amount: 1 });
		expect(standing(due, [yes], { records: [...says(999), gone] })?.state).toBe('confirmed');
		const twice = { ...statement, list: [due.h, due.h, later.h] };
		expect(standing(later, [yes], { records: [due, later, twice] })?.state).toBe('confirmed');
	});

	it('[CP-28] confirms nothing of another currency, and nothing but debits', () => {
		const dollars = record(9, 'due', { currency: 'USD' });
		expect(standing(due, [yes], { records: [due, dollars, statement] })?.state).toBe('waiting');
		const withCredit = { ...statement, list: [due.h, payment.h] };
		expect(standing(due, [yes], { records: [due, payment, withCredit] })?.state).toBe('waiting');
		const inner = record(12, 'statement', { list: [due.h], amount: 1_000 });
		const outer = { ...statement, list: [inner.h] };
		for (const order of permutations([due, inner, outer]))
			expect(standing(due, [yes], { records: order })?.state).toBe('waiting');
		const empty = { ...statement, list: [] };
		expect(standing(empty, [yes], { records: [empty] })?.state).toBe('confirmed');
		const { list, ...listless } = statement;
		expect([list?.length, standing(listless, [yes])?.state]).toEqual([2, 'confirmed']);
	});

	it('[CP-28] confirms nothing while it is contested', () => {
		const no = reply(statement.h, 'cancel');
		expect(standing(statement, [yes, no], { records })).toMatchObject({
			state: 'confirmed',
			isDisputed: true
		});
		expect(standing(due, [yes, no], { records })?.state).toBe('waiting');
		const late = reply(statement.h, 'cancel', DAY_MS + DISPUTE_WINDOW_MS + 1);
		expect(standing(due, [yes, late], { records })?.state).toBe('confirmed');
	});

	it('[CP-22] adds to the strength that a record had, and takes none away', () => {
		const signed = reply(due.h, 'accept');
		expect(standing(due, [signed, yes], { records })?.al).toBe(4);
		expect(
			standing(due, [verdict(due.h, { claimId: 'c2', seq: 2, at: 5 }), yes], { records })?.al
		).toBe(1);
	});
});

describe('after a restore', () => {
	it('[CP-23] lets the lowest epoch and number win, and flags the loser', () => {
		const other = record(11, 'due');
		const records = [due, other];
		const first = verdict(due.h, { claimId: 'c1', epoch: 1, seq: 4 });
		const second = verdict(other.h, { claimId: 'c2', epoch: 2, seq: 4 });
		expect(standing(due, [first, second], { records })?.state).toBe('confirmed');
		expect(standing(other, [first, second], { records })).toMatchObject({
			state: 'waiting',
			hasConflict: true
		});
	});

	it('[CP-23] lets the same one of two verdicts with one epoch and number stand, whichever came first', () => {
		const other = record(11, 'due');
		const records = [due, other];
		const one = verdict(due.h, { claimId: 'c1', epoch: 1, seq: 4 });
		const two = verdict(other.h, { claimId: 'c2', epoch: 1, seq: 4 });
		for (const said of [
			[one, two],
			[two, one]
		]) {
			expect(standing(due, said, { records })?.state).toBe('confirmed');
			expect(standing(other, said, { records })).toMatchObject({
				state: 'waiting',
				hasConflict: true
			});
		}
	});

	it('[CP-23] lets one code confirm one record, whatever the relay forgot', () => {
		const other = record(11, 'due');
		const records = [due, other];
		const by = (h: RecordHash, claimId: string, codeKey: string): LedgerSaying => ({
			...{ kind: 'claimed', h, claimId, codeKey }
		});
		const first = verdict(due.h, { claimId: 'c1', epoch: 1, seq: 4 });
		const second = verdict(other.h, { claimId: 'c2', epoch: 2, seq: 7 });
		const once = [first, second, by(due.h, 'c1', 'sheet 0 1'), by(other.h, 'c2', 'sheet 0 1')];
		expect(standing(due, once, { records })?.state).toBe('confirmed');
		expect(standing(other, once, { records })).toMatchObject({
			state: 'waiting',
			hasConflict: true
		});
		const twice = [first, second, by(due.h, 'c1', 'sheet 0 1'), by(other.h, 'c2', 'sheet 1 2')];
		expect(standing(other, twice, { records })?.state).toBe('confirmed');
		// Told twice of the same record, the code is right again.
		const again = verdict(due.h, { claimId: 'c3', epoch: 2, seq: 8 });
		const same = [first, again, by(due.h, 'c1', 'app 1'), by(due.h, 'c3', 'app 1')];
		expect(standing(due, same, { records })).toMatchObject({
			state: 'confirmed',
			hasConflict: false
		});
	});

	it('[CP-23] [CP-18] says the same of two claims with one id, whichever came first', () => {
		const other = record(11, 'due');
		const records = [due, other];
		const by = (h: RecordHash, claimId: string, codeKey: string): LedgerSaying => ({
			...{ kind: 'claimed', h, claimId, codeKey }
		});
		const verdicts = [
			verdict(due.h, { claimId: 'c1', epoch: 1, seq: 4 }),
			verdict(other.h, { claimId: 'c2', epoch: 2, seq: 7 })
		];
		const its = [by(due.h, 'c1', 'sheet 0 1'), by(other.h, 'c2', 'sheet 0 1')];
		const states = (claims: readonly LedgerSaying[]): readonly unknown[] =>
			[claims, claims.toReversed()].map((said) => {
				const standingOf = standing(other, [...verdicts, ...said], { records });
				return [standingOf?.state, standingOf?.hasConflict];
			});
		// Of the same record and of another: what the relay judged is spent with either.
		expect(states([...its, by(due.h, 'c1', 'sheet 0 9')])).toEqual([
			['waiting', true],
			['waiting', true]
		]);
		expect(states([...its, by(other.h, 'c1', 'sheet 0 9')])).toEqual([
			['evidence', true],
			['evidence', true]
		]);
		const apart = [by(due.h, 'c1', 'sheet 0 9'), by(other.h, 'c2', 'sheet 0 1')];
		// A claim of another record says nothing of this one's verdict.
		expect(states([...apart, by(other.h, 'c1', 'sheet 0 1')])).toEqual([
			['confirmed', false],
			['confirmed', false]
		]);
	});

	it('[CP-23] takes one claim’s first verdict', () => {
		const no = verdict(due.h, { result: 'used', al: 0, epoch: 1, seq: 4 });
		const yes = verdict(due.h, { epoch: 2, seq: 6 });
		expect(standing(due, [no, yes])).toMatchObject({ state: 'waiting', hasConflict: true });
		const same = verdict(due.h, { epoch: 1, seq: 4 });
		expect(standing(due, [same, { ...same }])?.state).toBe('confirmed');
	});
});

it('[CP-24] sums the same as the states say, for small sets in every order', () => {
	const undone = record(6, 'reversalOfCredit', { ref: payment.h, amount: 200 });
	const gone = record(3, 'reversalOfDebit', { ref: due.h, amount: 100 });
	const statement = record(10, 'statement', { list: [due.h, undone.h], amount: 600 });
	const records = [due, payment, undone, gone, statement];
	const pool: readonly LedgerSaying[] = [
		reply(due.h, 'accept'),
		reply(due.h, 'cancel'),
		verdict(due.h),
		verdict(statement.h, { claimId: 'c3', seq: 2 }),
		reply(undone.h, 'cancel', 3 * DAY_MS)
	];
	let sets = 0;
	for (let mask = 0; mask < 2 ** pool.length; mask += 1) {
		const sayings = pool.filter((_saying, place) => (mask & (1 << place)) !== 0);
		const states = recordStates(scope, { records, sayings, spans: LINKED }, 0);
		const of = (wanted: (standing: RecordStanding) => boolean): bigint =>
			[
				[due, 400n],
				[undone, 200n]
			].reduce((sum, [one, minor]) => {
				const found = states.get((one as StandingRecord).h);
				return found !== undefined && wanted(found) ? sum + (minor as bigint) : sum;
			}, 0n);
		for (const order of permutations(sayings)) {
			const events = ledgerEvents({ records, sayings: order, spans: LINKED });
			const [sums] = foldLedger(scope, { records, events }).values();
			expect([sums?.disputed, sums?.confirmed]).toEqual([
				of(({ isDisputed }) => isDisputed),
				of(({ state, isDisputed }) => state === 'confirmed' && !isDisputed)
			]);
			sets += 1;
		}
	}
	expect(sets).toBe(326);
});

describe('[CP-24] in every order', () => {
	const undone = record(6, 'reversalOfCredit', { ref: payment.h, amount: 200 });
	const gone = record(3, 'reversalOfDebit', { ref: due.h, amount: 500 });
	const named = record(4, 'credit', { ref: due.h, amount: 100 });
	const statement = record(10, 'statement', { list: [due.h, undone.h], amount: 700 });
	const other = record(11, 'fee', { recordId: payment.recordId });

	type Told = { readonly record: StandingRecord } | { readonly saying: LedgerSaying };
	const CATALOGUE: readonly Told[] = [
		...[due, payment, undone, gone, named, statement, other].map((one) => ({ record: one })),
		...[
			claimed(due.h),
			verdict(due.h),
			verdict(due.h, { result: 'used', al: 0, epoch: 2, seq: 3 }),
			verdict(statement.h, { claimId: 'c2', seq: 2 }),
			verdict(other.h, { claimId: 'c3', epoch: 2, seq: 2 }),
			reply(due.h, 'cancel', 0),
			reply(due.h, 'cancel', DAY_MS + DISPUTE_WINDOW_MS),
			reply(due.h, 'cancel', DAY_MS + DISPUTE_WINDOW_MS + 1),
			reply(due.h, 'accept', 4 * DAY_MS),
			reply(statement.h, 'accept'),
			reply(statement.h, 'cancel', 3 * DAY_MS),
			reply(undone.h, 'cancel'),
			{ kind: 'shopAnswer', h: due.h, way: 'insist', at: 5 * DAY_MS } as const
		].map((saying) => ({ saying }))
	];

	/** All that the two folds say, in one text. */
	function told(facts: readonly Told[]): string {
		const records = facts.flatMap((fact) => ('record' in fact ? [fact.record] : []));
		const sayings = facts.flatMap((fact) => ('saying' in fact ? [fact.saying] : []));
		const given = { records, sayings, spans: LINKED };
		const states = [...recordStates(scope, given, 40 * DAY_MS)].sort(([a], [b]) =>
			a < b ? -1 : 1
		);
		const events = ledgerEvents(given);
		agreeing(states, foldLedger(scope, { records, events }).values().next().value);
		return JSON.stringify([states, events.map(({ kind, h }) => `${h} ${kind}`).sort()]);
	}

	/** What is disputed and left stands in D, what is confirmed alone in C. */
	function agreeing(
		states: readonly (readonly [RecordHash, RecordStanding])[],
		sums: LedgerSums | undefined
	): void {
		const isIn = (wanted: (standing: RecordStanding) => boolean): boolean =>
			states.some(([h, standing]) => h !== payment.h && h !== statement.h && wanted(standing));
		const hasC = isIn(({ state, isDisputed }) => state === 'confirmed' && !isDisputed);
		if (hasC !== (sums?.confirmed ?? 0n) > 0n) expect([states, sums]).toBe('of one mind on C');
		const hasW = isIn(({ state }) => state === 'waiting' || state === 'evidence');
		if (hasW !== (sums?.waiting ?? 0n) > 0n) expect([states, sums]).toBe('of one mind on W');
		if ((sums?.disputed ?? 0n) > 0n && !isIn(({ isDisputed }) => isDisputed))
			expect([states, sums]).toBe('of one mind on D');
	}

	it('of every set of up to four, whatever came first', () => {
		let orders = 0;
		for (const set of subsets(CATALOGUE, 4)) {
			const expected = told(set);
			for (const order of permutations(set)) {
				orders += 1;
				if (told(order) !== expected) expect([order, told(order)]).toEqual([set, expected]);
			}
		}
		expect(orders).toBe(1 + 20 + 190 * 2 + 1_140 * 6 + 4_845 * 24);
	});

	it('of every story of a due and of its statement with up to four things said', () => {
		const sayings = CATALOGUE.filter((fact) => 'saying' in fact);
		const base = [{ record: due }, { record: undone }, { record: payment }, { record: statement }];
		for (const set of subsets(sayings, 4)) {
			const expected = told([...base, ...set]);
			for (const order of permutations(set)) {
				if (told([...order, ...base.toReversed()]) !== expected)
					expect([order, told(order)]).toEqual([set, expected]);
			}
		}
	});

	it('of any more, told once or several times', () => {
		const confirmed = { count: 0 };
		fc.assert(
			fc.property(
				fc.shuffledSubarray([...CATALOGUE], { minLength: 5 }),
				fc.array(fc.nat(CATALOGUE.length - 1), { maxLength: 5 }),
				(facts, again) => {
					const inOrder = CATALOGUE.filter((fact) => facts.includes(fact));
					const repeated = again.flatMap((at) => facts[at] ?? []);
					const expected = told(inOrder);
					if (expected.includes('"confirmed"')) confirmed.count += 1;
					expect(told([...repeated, ...facts])).toBe(expected);
				}
			),
			{ numRuns: 1_000 }
		);
		expect(confirmed.count).toBeGreaterThan(200);
	});
});

function subsets<T>(pool: readonly T[], sizeMax: number): readonly T[][] {
	const found: T[][] = [[]];
	for (const item of pool)
		found.push(...found.filter((set) => set.length < sizeMax).map((set) => [...set, item]));
	return found;
}
