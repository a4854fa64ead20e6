import { describe, expect, it } from 'vitest';
import { businessId, hashOf, ledgerId } from '#tests/support/confirmation-vectors.ts';
import { permutations } from '#tests/support/permutations.ts';
import { foldLedger } from './ledger-fold.ts';
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

	it('[CP-21] flags what nobody answered for 30 days, and never takes it for a yes', () => {
		const now = due.occurredAt + UNANSWERED_AFTER_MS;
		expect(standing(due, [], { now })).toMatchObject({ state: 'waiting', isUnanswered: true });
		expect(standing(due, [], { now: now - 1 })?.isUnanswered).toBe(false);
		expect(standing(due, [claimed(due.h)], { now })?.isUnanswered).toBe(true);
		expect(standing(due, [verdict(due.h)], { now })?.isUnanswered).toBe(false);
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

describe('a statement', () => {
	const later = record(9, 'due');
	const statement = record(10, 'statement', { list: [due.h, later.h] });
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
		expect(standing(due, [reply(statement.h, 'accept'), no], { records })?.state).toBe('cancelled');
	});

	it('[CP-22] waits for what is not known yet', () => {
		const known = [due, statement];
		expect(standing(due, [yes], { records: known })?.state).toBe('confirmed');
		expect(standing(later, [yes], { records: [...known, later] })?.state).toBe('confirmed');
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
	const statement = record(10, 'statement', { list: [due.h, undone.h] });
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
