import type { ReturnFact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { only, type StoreReader } from '#storage/device-store.ts';

/** Every return of the sale that this device knows. */
export async function readReturns(rows: StoreReader, id: FactId): Promise<readonly ReturnFact[]> {
	const found = await rows.find('facts', only('refs', `sale:${id}`));
	return found.flatMap(({ text }) => {
		const parsed = parseFact(text);
		return parsed.ok && parsed.value.kind === 'return' ? [parsed.value] : [];
	});
}
