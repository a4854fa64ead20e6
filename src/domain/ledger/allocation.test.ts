import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { hashOf } from '#tests/support/confirmation-vectors.ts';
import { permutations } from '#tests/support/permutations.ts';
import { allocate, type Allocation, type AllocationRecord } from './allocation.ts';

function record(
	n: number,
	[kind, minor]: readonly [RecordKind, number],
	more: Partial<AllocationRecord> = {}
): AllocationRecord {
	const h = hashOf(n.toString(16).padStart(2, '0').repeat(32));
	const on = `2026-11-${String(n).padStart(2, '0')}`;
	const recordId = `r${String(n).padStart(2, '0')}`;
	return { h, recordId, kind, on, counted: BigInt(minor), isDisputed: false, ...more };
}

/** What became of each debit, the same in every order. */
function rests(records: readonly AllocationRecord[]): readonly (readonly unknown[])[] {
	const laid = shown(allocate(records));
	for (const order of permutations(records)) expect(shown(allocate(order))).toEqual(laid);
	return laid;
}

function shown({ dues, advanceMinor }: Allocation): readonly (readonly unknown[])[] {
	const shownDues = [...dues.values()].map(({ paidMinor, restMinor, status }) => [
		paidMinor,
		restMinor,
		status
	]);
	return [...shownDues, [advanceMinor]];
}

const first = record(1, ['due', 500]);
const second = record(2, ['due', 300]);

it('[ALLOC-1] pays the oldest first, by day and then by record id', () => {
	expect(rests([second, first, record(3, ['payment', 600])])).toEqual([
		[500n, 0n, 'paid'],
		[100n, 200n, 'partPaid'],
		[0n]
	]);
	const sameDay = record(2, ['due', 300], { recordId: 'r00', on: first.on });
	expect(rests([first, sameDay, record(3, ['payment', 300])])).toEqual([
		[300n, 0n, 'paid'],
		[0n, 500n, 'pending'],
		[0n]
	]);
	const oneId = record(2, ['due', 300], { recordId: first.recordId, on: first.on });
	expect(rests([first, oneId, record(3, ['payment', 500])])[0]).toEqual([500n, 0n, 'paid']);
});

it('[ALLOC-1] pays first what a payment names, and what a credit lowers', () => {
	const named = record(3, ['payment', 400], { for: [[second.h, 250]] });
	expect(rests([first, second, named])).toEqual([
		[150n, 350n, 'partPaid'],
		[250n, 50n, 'partPaid'],
		[0n]
	]);
	const credit = record(4, ['credit', 300], { ref: second.h });
	expect(rests([first, second, credit])).toEqual([[0n, 500n, 'pending'], [300n, 0n, 'paid'], [0n]]);
	const unknown = record(5, ['payment', 100], { for: [[hashOf('ee'.repeat(32)), 100]] });
	expect(rests([first, unknown])).toEqual([[100n, 400n, 'partPaid'], [0n]]);
});

it('[ALLOC-1] leaves what nothing takes as an advance', () => {
	expect(rests([first, record(3, ['payment', 700])])).toEqual([[500n, 0n, 'paid'], [200n]]);
	expect(rests([record(3, ['openingCredit', 70])])).toEqual([[70n]]);
});

it('[ALLOC-3] skips what is disputed and what is reversed, and gives on what that frees', () => {
	const payment = record(3, ['payment', 500]);
	const disputed = { ...first, isDisputed: true };
	const reversed = { ...first, counted: 0n };
	for (const gone of [disputed, reversed])
		expect(rests([gone, second, payment])).toEqual([[300n, 0n, 'paid'], [200n]]);
	const lowers = record(4, ['credit', 100], { ref: first.h });
	expect(rests([disputed, second, lowers])).toEqual([[0n, 300n, 'pending'], [0n]]);
	expect(rests([first, record(5, ['reversalOfCredit', 200]), payment])).toEqual([
		[500n, 0n, 'paid'],
		[0n, 200n, 'pending'],
		[0n]
	]);
});

it('[ALLOC-4] takes a credit back from that credit before it pays anything', () => {
	const payment = record(3, ['payment', 500]);
	const back = record(5, ['reversalOfCredit', 500], { ref: payment.h });
	expect(rests([first, payment, back])).toEqual([[0n, 500n, 'pending'], [500n, 0n, 'paid'], [0n]]);
	const part = { ...back, counted: 200n };
	expect(rests([first, payment, part])).toEqual([
		[300n, 200n, 'partPaid'],
		[200n, 0n, 'paid'],
		[0n]
	]);
	// What lowers one debit twice counts once: taken back, it is gone from both together.
	const lowers = [300, 100].map((minor, place) =>
		record(6 + place, ['credit', minor], { ref: first.h })
	);
	const [one, two] = lowers;
	if (one === undefined || two === undefined) throw new Error('there are two');
	const undone = [
		record(8, ['reversalOfCredit', 100], { ref: one.h }),
		record(9, ['reversalOfCredit', 300], { ref: two.h })
	];
	expect(rests([first, ...lowers, ...undone])).toEqual([
		[0n, 500n, 'pending'],
		[100n, 0n, 'paid'],
		[300n, 0n, 'paid'],
		[0n]
	]);
});

it('[ALLOC-4] owes the reversal of a credit where that credit pays nothing here', () => {
	const disputed = { ...first, isDisputed: true };
	const lowers = record(3, ['credit', 100], { ref: first.h });
	const back = record(4, ['reversalOfCredit', 100], { ref: lowers.h });
	const other = record(5, ['payment', 40]);
	expect(rests([disputed, lowers, back, other])).toEqual([[40n, 60n, 'partPaid'], [0n]]);
	expect(rests([back, other])).toEqual([[40n, 60n, 'partPaid'], [0n]]);
});

it('[ALLOC-2] neither loses nor makes money', () => {
	const kinds: readonly RecordKind[] = ['due', 'fee', 'payment', 'credit', 'reversalOfCredit'];
	const entry = fc.record({
		kind: fc.constantFrom(...kinds),
		minor: fc.integer({ min: 0, max: 1_000 }),
		isDisputed: fc.boolean(),
		names: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined })
	});
	fc.assert(
		fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
			const records = entries.map(({ kind, minor, isDisputed, names }, place) => {
				const target = names === undefined ? undefined : record(names, ['due', 0]).h;
				const said =
					target === undefined
						? {}
						: kind === 'payment'
							? { for: [[target, 300] as const] }
							: { ref: target };
				return record(place + 1, [kind, minor], { isDisputed, ...said });
			});
			const { dues, parts, advanceMinor } = allocate(records);
			const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);
			const paid = sum([...dues.values()].map(({ paidMinor }) => paidMinor));
			const given = sum([...parts.values()].flatMap((part) => [...part.values()]));
			const credits = sum(records.filter(({ h }) => parts.has(h)).map(({ counted }) => counted));
			expect([paid, paid + advanceMinor]).toEqual([given, credits]);
			for (const { h, counted } of records) {
				const due = dues.get(h);
				if (due !== undefined) expect(due.paidMinor + due.restMinor).toBe(counted);
				const most = sum([...(parts.get(h) ?? new Map<unknown, bigint>()).values()]);
				expect(most <= counted).toBe(true);
			}
			if (advanceMinor > 0n)
				expect([...dues.values()].every(({ restMinor }) => restMinor === 0n)).toBe(true);
		})
	);
});
