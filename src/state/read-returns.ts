import type { ReturnFact } from '#domain/fact/fact.ts';
import type { FactId } from '#domain/ids.ts';
import { only, type StoreReader } from '#storage/device-store.ts';
import { factOf } from './arrived-fact.ts';

/** Every return of the sale that this device knows. */
export async function readReturns(rows: StoreReader, id: FactId): Promise<readonly ReturnFact[]> {
	const found = await rows.find('facts', only('refs', `sale:${id}`));
	return found.flatMap((row) => {
		const fact = factOf(row);
		return fact?.kind === 'return' ? [fact] : [];
	});
}
