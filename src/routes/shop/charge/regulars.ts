import type { LedgerId } from '#domain/ids.ts';

/** A customer as the charge pages read one. */
export interface Regular {
	readonly ledger: LedgerId;
	readonly name?: string;
	readonly nick?: string;
	readonly phone?: string;
	/** Most they may owe, minor units; null or absent for no limit. */
	readonly limit?: number | null;
	readonly active?: boolean;
	readonly totalMinor: bigint;
	/** When their last record happened, ms; 0 where there is none. */
	readonly lastAt: number;
}

/** Those who took or paid last, latest first: the faces at the counter. */
export function regularsOf<T extends Regular>(
	customers: readonly T[],
	limit: number
): readonly T[] {
	return customers
		.filter((customer) => customer.active !== false && customer.lastAt > 0)
		.toSorted((a, b) => b.lastAt - a.lastAt)
		.slice(0, limit);
}

/** Whether `addedMinor` more would take the customer over their limit. */
export function isOverLimit({ limit, totalMinor }: Regular, addedMinor: number): boolean {
	return typeof limit === 'number' && totalMinor + BigInt(addedMinor) > BigInt(limit);
}
