import type { StoreWriter } from '#storage/device-store.ts';
import { readMeta, writeMeta, type AloneRange } from './meta.ts';

/** Whose facts they are: those that this book holds of others, or those of the devices before. */
type Whose = 'others' | 'before';

/** Keeps what is here alone, in the place of what was known of that. */
export async function keepAlone(
	rows: StoreWriter,
	whose: Whose,
	alone: readonly AloneRange[]
): Promise<void> {
	const held = (await readMeta(rows, 'alone')) ?? [];
	const rest = held.filter(({ book }) => (book === undefined) !== (whose === 'others'));
	await writeMeta(rows, 'alone', [...rest, ...alone]);
}

/** Facts that follow each other, for one reason, as one; in the order in which they come. */
export function joinedRanges(facts: readonly AloneRange[]): readonly AloneRange[] {
	const ranges: AloneRange[] = [];
	for (const fact of facts) {
		const last = ranges.at(-1);
		const isNext = last?.code === fact.code && last.to === fact.from - 1;
		if (isNext && last.reason === fact.reason) ranges[ranges.length - 1] = { ...last, to: fact.to };
		else ranges.push(fact);
	}
	return ranges;
}
