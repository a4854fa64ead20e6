/** Every order of `items`; for small sets, since there are n! of them. */
export function permutations<T>(items: readonly T[]): readonly T[][] {
	if (items.length === 0) return [[]];
	return items.flatMap((item, at) =>
		permutations(items.toSpliced(at, 1)).map((others) => [item, ...others])
	);
}
