import type { OpenRest, TallyRow } from '#storage/device-store.ts';
import { sumsIn } from './customer-index.ts';
import type { InCurrency } from './ledger-views.ts';

const DUE_DAYS = 4;

/**
 * BOOK-18. What falls due of a person in one currency, the oldest first and each instant once. A due
 * that no day was set for falls due on none, though it ages from its own.
 */
export function dueDays(tally: TallyRow, money: InCurrency): readonly OpenRest[] {
	const open = sumsIn(tally, money)?.open ?? [];
	return open.filter(([, , hasDue]) => hasDue === 1).slice(0, DUE_DAYS);
}
