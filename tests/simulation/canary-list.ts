import { appendFact } from '#documents/facts.ts';
import {
	only,
	type DeviceStore,
	type Key,
	type StoreReader,
	type StoreWriter,
	type TableName
} from '#storage/device-store.ts';
import type { MetaValues } from '#state/meta.ts';
import { NO_CANARY, type Canary } from './canary.ts';
import { copyDisk } from './disk.ts';
import type { Disk } from './disk-contents.ts';

const PROJECTIONS =
	/insert into (day_total|stock|sale|sale_line|tender|product|customer|setting|record|balance)\b/;

/** The deliberate faults that a simulation worth its name must catch. */
export const CANARIES: readonly Canary[] = [
	{
		name: 'ack before commit',
		transaction: { answersBeforeCommit: true }
	},
	{
		name: 'sequence outside the transaction',
		store: (store) => ({
			...store,
			write: async (tables, work) => {
				const late: Parameters<StoreWriter['put']>[1][] = [];
				const done = await store.write(tables, (rows) => work(without('sequence', rows, late)));
				for (const row of late)
					await store.write(['meta'], (rows) => rows.put('meta', row as never));
				return done;
			}
		})
	},
	{
		name: 'last-writer-wins balance',
		statement: (text) => text.replace(/\b(?:held|stock)\.\w+ \+ excluded\./g, 'excluded.')
	},
	{
		name: 'relaxed journal',
		disk: createRelaxedDisk()
	},
	{
		name: 'missing uniqueness',
		store: (store) => ({
			...store,
			read: (tables, work) => store.read(tables, (rows) => work(forgetful(rows))),
			write: (tables, work) => store.write(tables, (rows) => work(forgetful(rows)))
		})
	},
	{
		name: 'swallowed abort',
		disk: { swallowsAbort: true }
	},
	{
		name: 'state-vector ack',
		provider: (create, disk) => (name, doc, events) =>
			create(name, doc, {
				...events,
				synced: () => {
					events.synced();
					void markAll(disk, name);
				}
			})
	},
	{
		name: 'projection outside the transaction',
		transaction: { commitsBefore: PROJECTIONS }
	},
	{
		name: 'put-back before sync',
		documents: (host, disk) => ({
			...host,
			open: async (name) => {
				const opened = await host.open(name);
				const waiting = await disk.store.read(['journal'], (read) =>
					read.find('journal', only('document', name))
				);
				for (const { id, text, sent } of waiting)
					if (sent === 0) appendFact(opened.doc, { id, text });
				return opened;
			}
		})
	},
	{
		name: 'feed number outside the transaction',
		transaction: { keepsFeedNumbers: true }
	},
	{
		name: 'news is never lost',
		relay: { neverLooks: true }
	},
	{
		name: 'compaction by range',
		statement: (text) => text.replace('and sequence = any(', 'and sequence <= any(')
	},
	{
		name: 'what was let go is forgotten',
		store: (store) => ({
			...store,
			write: (tables, work) => store.write(tables, (rows) => work(without('pruned', rows, [])))
		})
	}
];

export function canaryCalled(name: string | undefined): Canary {
	return CANARIES.find((canary) => canary.name === name) ?? NO_CANARY;
}

/** Whoever asks which facts are here already is told that none is. */
function forgetful<Rows extends StoreReader>(rows: Rows): Rows {
	return {
		...rows,
		getMany: (table: TableName, keys: readonly Key[]) =>
			table === 'facts' ? Promise.resolve(keys.map(() => undefined)) : rows.getMany(table, keys)
	};
}

/** One row of meta is put into `late` instead. */
function without(key: keyof MetaValues, rows: StoreWriter, late: unknown[]): StoreWriter {
	return {
		...rows,
		put: (table, given) => {
			const isIt = (row: object): boolean => 'key' in row && row.key === key;
			const held = given.filter((row) => table === 'meta' && isIt(row));
			if (held.length === 0) return rows.put(table, given);
			late.push(held);
			return Promise.resolve();
		}
	};
}

/** What was written last is not on disk yet when the machine dies. */
function createRelaxedDisk(): NonNullable<Canary['disk']> {
	const before = new WeakMap<Disk, DeviceStore>();
	return {
		beforeWrite: async (disk) => {
			before.set(disk, (await copyDisk(disk)).store);
		},
		onDeath: (disk) => {
			disk.store = before.get(disk) ?? disk.store;
		}
	};
}

/** The document is in step, so all that is in it must be at the relay: it need not be. */
async function markAll({ store }: Disk, name: string): Promise<void> {
	await store.write(['journal'], async (rows) => {
		const found = await rows.find('journal', only('document', name));
		await rows.put(
			'journal',
			found.map((row) => ({ ...row, sent: 1 as const }))
		);
	});
}
