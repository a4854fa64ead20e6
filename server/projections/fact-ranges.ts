import type { Sql } from 'postgres';
import type { BusinessId } from '#domain/ids.ts';

/** The numbers of a business's facts, by device code, each range with both its ends. */
export type FactRanges = Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;

interface Counted {
	readonly s: number;
	readonly ranges: FactRanges;
}

/** Of as many businesses the last answer is kept, so that the next counts only what came since. */
const BUSINESSES_MAX = 500;

/**
 * The numbers of all facts up to a place in the feed. Facts stay for ever and the feed has no gap,
 * so what was counted once is counted for good: after years of trade it is not gone through again
 * for each page of a checkpoint.
 */
export function createFactRanges(): (
	tx: Sql,
	business: BusinessId,
	s: number
) => Promise<FactRanges> {
	const counted = new Map<BusinessId, Counted>();
	return async (tx, business, s) => {
		const held = counted.get(business);
		// A restore may have brought the feed back behind what was counted.
		const from = held !== undefined && held.s <= s ? held : undefined;
		const ranges =
			from === undefined
				? await readFactRanges(tx, business)
				: withRanges(from.ranges, await readSince(tx, business, from.s));
		if (counted.size >= BUSINESSES_MAX) counted.clear();
		counted.set(business, { s, ranges });
		return ranges;
	};
}

/** From all facts: one look at the ends where a device's numbers have no gap, as they nearly always have. */
export async function readFactRanges(tx: Sql, business: BusinessId): Promise<FactRanges> {
	const codes = await tx<{ code: string; from: string; to: string; count: string }[]>`
		select code, min(n) as from, max(n) as to, count(*) as count
		from fact where business = ${business} group by code order by code`;
	const ranges: Record<string, FactRanges[string]> = {};
	for (const { code, from, to, count } of codes) {
		const isGapless = Number(to) - Number(from) + 1 === Number(count);
		ranges[code] = isGapless ? [[Number(from), Number(to)]] : await readIslands(tx, business, code);
	}
	return ranges;
}

async function readIslands(
	tx: Sql,
	business: BusinessId,
	code: string
): Promise<FactRanges[string]> {
	const rows = await tx<{ from: string; to: string }[]>`
		select min(n) as from, max(n) as to
		from (
			select n, n - row_number() over (order by n) as island
			from fact where business = ${business} and code = ${code}
		) as numbered
		group by island order by min(n)`;
	return rows.map(({ from, to }) => [Number(from), Number(to)]);
}

interface Numbered {
	readonly code: string;
	readonly n: number;
}

async function readSince(
	tx: Sql,
	business: BusinessId,
	after: number
): Promise<readonly Numbered[]> {
	const rows = await tx<{ code: string; n: string }[]>`
		select code, n from fact where business = ${business} and s > ${after} order by code, n`;
	return rows.map(({ code, n }) => ({ code, n: Number(n) }));
}

function withRanges(held: FactRanges, fresh: readonly Numbered[]): FactRanges {
	const ranges = { ...held };
	for (const [code, ofCode] of Map.groupBy(fresh, (one) => one.code)) {
		const all = [...(ranges[code] ?? []), ...ofCode.map(({ n }) => [n, n] as const)];
		const whole: (readonly [number, number])[] = [];
		for (const [from, to] of all.toSorted(([a], [b]) => a - b)) {
			const last = whole.at(-1);
			if (last !== undefined && from <= last[1] + 1)
				whole[whole.length - 1] = [last[0], Math.max(last[1], to)];
			else whole.push([from, to]);
		}
		ranges[code] = whole;
	}
	return ranges;
}
