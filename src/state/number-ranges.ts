import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import type { NumberRange, NumberRanges } from '#storage/device-store.ts';

/** Have ranges never cross from one block of numbers into the next. */
export function blockOf(n: number): number {
	return Math.floor(n / HAVE_RANGE_LENGTH);
}

/** Whether the numbers of a device that `ranges` names hold this fact's. */
export function isInRanges(
	{ code, n }: { readonly code: string; readonly n: number },
	ranges: NumberRanges | undefined
): boolean {
	return ranges?.[code]?.some(([from, to]) => n >= from && n <= to) === true;
}

/** The ranges with these numbers of one device, as few as say it. */
export function withNumbers(
	ranges: readonly NumberRange[],
	numbers: readonly number[]
): readonly NumberRange[] {
	return joined([...ranges, ...numbers.map((n): NumberRange => [n, n])]);
}

/** The numbers of each device that stand in both. */
export function inBoth(a: NumberRanges, b: NumberRanges): NumberRanges {
	return Object.fromEntries(
		Object.entries(a).flatMap(([code, ranges]) => {
			const both = ranges.flatMap((range) => within(range, b[code] ?? []));
			return both.length === 0 ? [] : [[code, joined(both)]];
		})
	);
}

function within([from, to]: NumberRange, others: readonly NumberRange[]): readonly NumberRange[] {
	return others
		.filter(([first, last]) => first <= to && last >= from)
		.map(([first, last]) => [Math.max(first, from), Math.min(last, to)]);
}

/** Ranges that touch or overlap as one, in order. */
export function joined(ranges: readonly NumberRange[]): readonly NumberRange[] {
	const whole: NumberRange[] = [];
	for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
		const last = whole.at(-1);
		if (last !== undefined && from <= last[1] + 1)
			whole[whole.length - 1] = [last[0], Math.max(last[1], to)];
		else whole.push([from, to]);
	}
	return whole;
}
