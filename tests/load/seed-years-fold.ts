import type { BusinessId } from '#domain/ids.ts';
import { foldTallies } from '#state/fold-tallies.ts';
import { allLedgers, READ_MODEL_TABLES } from '#state/read-model.ts';
import type { DeviceStore } from '#storage/device-store.ts';

const LEDGERS_AT_A_TIME = 500;

/** Folds the balances and the list from the records that were put. */
export async function foldSeeded(store: DeviceStore, business: BusinessId): Promise<void> {
	const ledgers = await store.read(['customers', 'records'], (rows) => allLedgers(rows));
	for (let start = 0; start < ledgers.length; start += LEDGERS_AT_A_TIME) {
		const some = ledgers.slice(start, start + LEDGERS_AT_A_TIME);
		await store.write(READ_MODEL_TABLES, (rows) => foldTallies(rows, some, business));
	}
}
