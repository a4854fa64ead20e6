import { parseFact } from '#domain/fact/parse-fact.ts';
import { groupBy } from '#domain/group-by.ts';
import type { FactRow, StoreWriter } from '#storage/device-store.ts';
import { arrive, type ArrivedFact } from './arrived-fact.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Identity } from './identity.ts';
import * as folds from './ledger-folds.ts';
import { readMeta, writeMeta } from './meta.ts';
import {
	addAll,
	allLedgers,
	countedOf,
	isInside,
	FOLDED_TABLES,
	READ_MODEL_TABLES
} from './read-model.ts';
import type { DeviceParts } from './write-path.ts';

/**
 * Puts the relay's numbers in the place of this device's, and adds the facts that they do not hold:
 * its own that were not sent, and what came since. Where nothing was missing, no number moves.
 */
export async function takeCheckpoint(
	checkpoint: Checkpoint,
	{ store, changes, crypto }: DeviceParts,
	{ business }: Identity
): Promise<void> {
	// Hashing waits, so it is done before the transaction.
	const ofLedgers: ArrivedFact[] = [];
	for (const fact of checkpoint.ledgerFacts) {
		const one = await arrive(fact, crypto);
		if (one !== undefined) ofLedgers.push(one);
	}
	await store.write(READ_MODEL_TABLES, async (rows) => {
		const outside = await factsOutside(rows, checkpoint);
		for (const table of FOLDED_TABLES) await rows.clear(table);
		await rows.put('products', checkpoint.products);
		await rows.put('customers', checkpoint.customers);
		await rows.put('settings', checkpoint.settings);
		await rows.put('members', checkpoint.members);
		await rows.put('devices', checkpoint.devices);
		await rows.put('records', checkpoint.records);
		await rows.put('stock', checkpoint.stock);
		await rows.put('days', checkpoint.days);
		await folds.addLedgerFacts(rows, ofLedgers.flatMap(countedOf));
		await addAll(rows, outside, { business, folds });
		await folds.foldTallies(rows, await allLedgers(rows), business);
		await keepPlace(rows, checkpoint);
	});
	changes.tell(['meta', ...FOLDED_TABLES]);
}

/** The held facts that the checkpoint is not of, with the records that were hashed when they came. */
async function factsOutside(
	rows: StoreWriter,
	checkpoint: Checkpoint
): Promise<readonly ArrivedFact[]> {
	const held = await rows.all('facts');
	const outside = held.filter((row) => !isInside(row, checkpoint));
	const records = await rows.findAny(
		'records',
		'factId',
		outside.map(({ id }) => id)
	);
	const recordsByFact = groupBy(records, ({ factId }) => factId);
	return outside.map((row) => ({
		fact: factOf(row),
		row,
		records: recordsByFact.get(row.id) ?? []
	}));
}

function factOf({ text }: FactRow): ArrivedFact['fact'] {
	const parsed = parseFact(text);
	return parsed.ok ? parsed.value : null;
}

/** The feed goes on behind the checkpoint, or from where it was, if that is further in one epoch. */
async function keepPlace(rows: StoreWriter, checkpoint: Checkpoint): Promise<void> {
	const { epoch, s, ranges } = checkpoint;
	const feed = await readMeta(rows, 'feed');
	const isFurther = feed?.epoch === epoch && feed.s > s;
	await writeMeta(rows, 'checkpoint', { epoch, s, ranges });
	await writeMeta(rows, 'feed', isFurther ? feed : { epoch, s });
}
