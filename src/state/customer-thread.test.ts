import { expect, it } from 'vitest';
import { recordHashOf, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { factId, parseLedgerId } from '#domain/ids.ts';
import type { MarkedRecord } from './book.ts';
import { entriesOf } from './customer-thread.ts';

function hash(byte: number): RecordHash {
	return recordHashOf(new Uint8Array(32).fill(byte));
}

function record(n: number, kind: RecordKind, of: Partial<MarkedRecord> = {}): MarkedRecord {
	const ledger = parseLedgerId('11111111-1111-4111-8111-111111111111');
	if (!ledger.ok) throw new Error('no ledger');
	return {
		h: hash(n),
		ledger: ledger.value,
		factId: factId('B', n),
		kind,
		amount: 1_000,
		currency: 'KES',
		exponent: 2,
		at: n,
		on: '2026-11-20',
		record: '',
		mark: 'saved',
		by: 1,
		...of
	};
}

it('a thread reads from the oldest, and says what took a line back', () => {
	const due = record(1, 'due');
	const part = record(3, 'credit', { ref: due.h, amount: 400 });
	const rest = record(4, 'reversalOfDebit', { ref: due.h, amount: 600 });
	const entries = entriesOf([rest, part, record(2, 'payment'), due]);
	expect(
		entries.map(({ row, signedMinor, undoes, isUndone, leftMinor, device }) => [
			row.kind,
			signedMinor,
			undoes?.kind,
			isUndone,
			leftMinor,
			device
		])
	).toEqual([
		['due', 1_000, undefined, true, 0, 'B'],
		['payment', -1_000, undefined, false, 1_000, 'B'],
		['credit', -400, undefined, false, 400, 'B'],
		['reversalOfDebit', -600, 'due', false, 0, 'B']
	]);
});

it('a sale on account goes back with its receipt, not from the thread', () => {
	expect(entriesOf([record(1, 'due', { receipt: 'A-000001' })])[0]?.leftMinor).toBe(0);
});

it('the reversal of a payment raises the debt', () => {
	const paid = record(1, 'payment');
	const back = record(2, 'reversalOfCredit', { ref: paid.h });
	expect(entriesOf([back, paid]).map(({ signedMinor }) => signedMinor)).toEqual([-1_000, 1_000]);
});
