/** Every order of `items`; for small sets, since there are n! of them. */
export function permutations<T>(items: readonly T[]): readonly T[][] {
	if (items.length === 0) return [[]];
	return items.flatMap((item, at) =>
		permutations(items.toSpliced(at, 1)).map((others) => [item, ...others])
	);
}

/** All of `items` in an order of `random`'s. */
export function shuffled<T>(items: readonly T[], random: (limit: number) => number): readonly T[] {
	const left = [...items];
	return items.flatMap(() => left.splice(random(left.length), 1));
}

/** The same in their order, cut into batches of up to `lengthMax` each. */
export function inBatches<T>(
	items: readonly T[],
	random: (limit: number) => number,
	lengthMax: number
): readonly (readonly T[])[] {
	const batches: T[][] = [];
	for (let at = 0; at < items.length; at += batches.at(-1)?.length ?? 1) {
		batches.push(items.slice(at, at + 1 + random(lengthMax)));
	}
	return batches;
}
