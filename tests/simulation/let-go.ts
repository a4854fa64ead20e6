import { parseFact } from '#domain/fact/parse-fact.ts';
import { heldMeta } from '#state/meta.ts';
import type { DeviceStore } from '#storage/device-store.ts';

/** The names of what was let go here, and of what lies between. */
export async function letGoBy(store: DeviceStore): Promise<ReadonlySet<string>> {
	const pruned = await heldMeta(store, 'pruned');
	const ids = Object.entries(pruned ?? {}).flatMap(([code, ranges]) =>
		ranges.flatMap(([from, to]) =>
			Array.from({ length: to - from + 1 }, (_none, at) => `${code}-${String(from + at)}`)
		)
	);
	return new Set(ids);
}

/** Nothing else is ever let go. */
export function isReceipt(text: string): boolean {
	const fact = parseFact(text);
	return fact.ok && (fact.value.kind === 'sale' || fact.value.kind === 'return');
}
