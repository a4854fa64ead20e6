import type { Sql } from 'postgres';
import type { BusinessId } from '#domain/ids.ts';

/** The numbers of a business's facts, by device code, each range with both its ends. */
export type FactRanges = Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;

/** The ranges of all facts up to a place in the feed; undefined where they are more than anybody is told. */
export type ReadRanges = (
	tx: Sql,
	business: BusinessId,
	s: number
) => Promise<FactRanges | undefined>;

interface Counted {
	readonly s: number;
	readonly ranges: FactRanges | undefined;
	readonly count: number;
}

/** Of as many businesses the last answer is kept, so that the next counts only what came since. */
const BUSINESSES_MAX = 500;
/** Of all of these together. */
const KEPT_RANGES_MAX = 300_000;
/**
 * Of one business. A device's numbers follow each other, but for the few that were refused: whose do not
 * says the more to every new device the more it writes. So many are said in less than 1 MB.
 */
export const RANGES_MAX = 30_000;
/** More came since than is added one by one; and so many must come until too many are counted anew. */
const SINCE_MAX = 20_000;

/**
 * The numbers of all facts up to a place in the feed. Facts stay for ever and the feed has no gap,
 * so what was counted once is counted for good: after years of trade it is not gone through again
 * for each new device.
 */
export function createFactRanges(rangesMax = RANGES_MAX): ReadRanges {
	const counted = new Map<BusinessId, Counted>();
	let kept = 0;

	function keep(business: BusinessId, now: Counted): void {
		kept += now.count - (counted.get(business)?.count ?? 0);
		if (counted.size >= BUSINESSES_MAX || kept > KEPT_RANGES_MAX) {
			counted.clear();
			kept = now.count;
		}
		counted.set(business, now);
	}
	return async (tx, business, s) => {
		const near = isNear(counted.get(business), s) ? counted.get(business) : undefined;
		if (near !== undefined && near.ranges === undefined) return undefined;
		const found =
			near?.ranges === undefined
				? await readFactRanges(tx, business, rangesMax)
				: withRanges(near.ranges, await readSince(tx, business, near.s));
		const count = countRanges(found ?? {});
		const ranges = count > rangesMax ? undefined : found;
		keep(business, { s, ranges, count: ranges === undefined ? 0 : count });
		return ranges;
	};
}

/** A restore may have brought the feed back behind what was counted. */
function isNear(held: Counted | undefined, s: number): boolean {
	return held !== undefined && held.s <= s && s - held.s <= SINCE_MAX;
}

function countRanges(ranges: FactRanges): number {
	return Object.values(ranges).reduce((sum, of) => sum + of.length, 0);
}

/**
 * From all facts: one look at the ends where a device's numbers have no gap, as they nearly always have.
 * Undefined where they are in more ranges than that.
 */
export async function readFactRanges(
	tx: Sql,
	business: BusinessId,
	rangesMax = RANGES_MAX
): Promise<FactRanges | undefined> {
	const codes = await tx<{ code: string; from: string; to: string; count: string }[]>`
		select code, min(n) as from, max(n) as to, count(*) as count
		from fact where business = ${business} group by code order by code`;
	const ranges: Record<string, FactRanges[string]> = {};
	let room = rangesMax;
	for (const { code, from, to, count } of codes) {
		const isGapless = Number(to) - Number(from) + 1 === Number(count);
		const of: FactRanges[string] = isGapless
			? [[Number(from), Number(to)]]
			: await readIslands(tx, { business, code, limit: room + 1 });
		room -= of.length;
		if (room < 0) return undefined;
		ranges[code] = of;
	}
	return ranges;
}

interface IslandsAsked {
	readonly business: BusinessId;
	readonly code: string;
	readonly limit: number;
}

async function readIslands(
	tx: Sql,
	{ business, code, limit }: IslandsAsked
): Promise<FactRanges[string]> {
	const rows = await tx<{ from: string; to: string }[]>`
		select min(n) as from, max(n) as to
		from (
			select n, n - row_number() over (order by n) as island
			from fact where business = ${business} and code = ${code}
		) as numbered
		group by island order by min(n) limit ${limit}`;
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
