import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { ShopSettings } from '#state/book.ts';
import type { CounterQuestion } from '#state/counter-sheet.svelte.ts';
import type { ThreadItem, ThreadRecord, WaitingView } from '#state/ledger-views.ts';

/** Every record of a thread, those folded under others too. */
export function recordsOf(items: readonly ThreadItem[]): readonly ThreadRecord[] {
	return items.flatMap((item) =>
		item.kind === 'record' ? [item.record, ...item.corrections] : []
	);
}

/** One question for records of one ledger and currency that wait; undefined where none does. */
export function questionOf(
	records: readonly ThreadRecord[],
	name: string
): CounterQuestion | undefined {
	const askable = records.filter(({ isAskable }) => isAskable);
	const [first] = askable;
	if (first === undefined) return undefined;
	const same = askable.filter(
		({ ledger, currency, exponent, kind }) =>
			ledger === first.ledger &&
			currency === first.currency &&
			exponent === first.exponent &&
			isDebit(kind) === isDebit(first.kind)
	);
	return {
		ledger: first.ledger,
		hs: same.map(({ h }) => h),
		name,
		side: isDebit(first.kind) ? 'took' : 'paid',
		sumMinor: same.reduce((sum, { standsMinor }) => sum + standsMinor, 0),
		currency: first.currency,
		exponent: first.exponent
	};
}

/** One question for all that waits. */
export function questionOfAll(waiting: WaitingView, name: string): CounterQuestion {
	const { ledger, hs, currency, exponent, sumMinor } = waiting;
	return { ledger, hs, name, side: 'took', sumMinor: Number(sumMinor), currency, exponent };
}

/** Whether the shop asks at once after what was just written (F8). */
export function asksNow(
	{ ask = 'each', askAbove = 0 }: Pick<ShopSettings, 'ask' | 'askAbove'>,
	written: readonly ThreadRecord[]
): boolean {
	switch (ask) {
		case 'each':
			return true;
		case 'above':
			return written.some(({ amount, kind }) => isDebit(kind) && amount > askAbove);
		case 'payment':
			return written.some(({ kind }) => kind === 'payment');
		case 'never':
			return false;
	}
}
