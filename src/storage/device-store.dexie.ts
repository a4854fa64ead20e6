import Dexie, { type Table, type Transaction } from 'dexie';
import { tileKeyOf } from '#domain/tile-key.ts';
import {
	STORE_VERSION,
	storageFull,
	TABLES,
	type DeviceStore,
	type Key,
	type Rows,
	type Span,
	type StoreReader,
	type StoreWriter,
	type TableName
} from './device-store.ts';

export interface DexieStoreOptions {
	/** The browser's own where absent. */
	readonly indexedDB?: IDBFactory;
	readonly keyRange?: typeof IDBKeyRange;
	/**
	 * Hears that the database was removed, by another tab or the browser, or is of a newer program from now
	 * on: then every read and write fails.
	 */
	readonly onRemoved?: () => void;
}

const CAUSES_MAX = 8;

/** The device store of a browser, in the IndexedDB database `name`: on disk when a write resolves. */
export function createDexieDeviceStore(name: string, options: DexieStoreOptions = {}): DeviceStore {
	const { database, isThere } = openDatabase(name, options);

	async function transact<T>(
		mode: 'r' | 'rw',
		scope: readonly TableName[],
		work: Work<T>
	): Promise<T> {
		let last: Transaction | undefined;
		try {
			const once = (): PromiseLike<T> =>
				database.transaction(mode, [...scope], (transaction) => {
					last = transaction;
					return work(transaction);
				});
			return await reopeningOnce(database, once, isThere);
		} catch (cause) {
			// A full disk aborts: the requests say so of the transaction, not of the disk.
			throw isQuota(cause) || isQuota(abortOf(last)) ? storageFull(cause) : cause;
		}
	}

	return {
		read: (tables, work) => transact('r', tables, (open) => work(createReader(open))),
		write: (tables, work) => transact('rw', tables, (open) => work(createWriter(open))),
		close: () => {
			database.close();
		}
	};
}

interface OpenDatabase {
	readonly database: Dexie;
	/** False once it was removed. */
	readonly isThere: () => boolean;
}

function openDatabase(
	name: string,
	{ indexedDB, keyRange, onRemoved }: DexieStoreOptions
): OpenDatabase {
	const database = new Dexie(name, {
		chromeTransactionDurability: 'strict',
		// Every tab reads the disk: a cache of our own would have to hear of other tabs' writes.
		cache: 'disabled',
		...(indexedDB === undefined ? {} : { indexedDB }),
		...(keyRange === undefined ? {} : { IDBKeyRange: keyRange })
	});
	database
		// It adds tables and indexes to what is there, and keeps every row.
		.version(STORE_VERSION)
		.stores(schema())
		.upgrade(async (transaction) => {
			await keyTiles(transaction);
			await nameFirst(transaction);
		});
	let wasOpen = false;
	let isRemoved = false;
	// STORAGE-13. Opened again it would be another database of that name, and an empty one.
	const end = (): void => {
		isRemoved = true;
		database.close();
		onRemoved?.();
	};
	database.on('versionchange', ({ newVersion }: IDBVersionChangeEvent) => {
		// Opened again beside a newer program, this one would write rows that lack what that one finds them by.
		if (newVersion !== null && onRemoved === undefined) return true;
		end();
		return false;
	});
	database.on('ready', () => {
		wasOpen = true;
	});
	// A browser that clears it asks nobody: it is missed when it is opened again, as it would be made anew.
	database.on('populate', () => {
		if (!wasOpen) return;
		end();
		throw new Error('the database was removed');
	});
	return { database, isThere: () => !isRemoved };
}

type Work<T> = (transaction: Transaction) => Promise<T>;

function schema(): Record<string, string> {
	return Object.fromEntries(
		Object.entries(TABLES).map(([name, { key, indexes }]) => [
			name,
			[key, ...indexes.map((index) => index.split('+'))].map(spell).join(', ')
		])
	);
}

/** Products of a program before 3 have no place among the tiles yet. */
async function keyTiles(transaction: Transaction): Promise<void> {
	const products = transaction.table<Rows['products'], Key>('products');
	const isUnkeyed = ({ tileKey }: Partial<Rows['products']>): boolean => tileKey === undefined;
	await products.filter(isUnkeyed).modify((row, of) => {
		of.value = { ...row, tileKey: tileKeyOf(row) };
	});
}

/** Facts that were issued again are not found by their first names yet. */
async function nameFirst(transaction: Transaction): Promise<void> {
	const facts = transaction.table<Rows['facts'], Key>('facts');
	await facts
		.filter(({ text }) => text.startsWith('[['))
		.modify((row, of) => {
			of.value = { ...row, refs: [...row.refs, `was:${row.text.split('"', 4)[3] ?? ''}`] };
		});
}

function spell(fields: readonly string[]): string {
	return fields.length === 1 ? (fields[0] ?? '') : `[${fields.join('+')}]`;
}

function createReader(transaction: Transaction): StoreReader {
	const open = <N extends TableName>(name: N): Table<Rows[N], Key> =>
		transaction.table<Rows[N], Key>(name);
	return {
		get: (table, key) => open(table).get(key),
		getMany: (table, keys) => open(table).bulkGet([...keys]),
		find: (table, span) => rowsOf(open(table), indexName(table, span.index), span),
		findAny: (table, index, keys) =>
			open(table)
				.where(indexName(table, index))
				.anyOf([...keys])
				.distinct()
				.toArray(),
		all: (table) => open(table).toArray(),
		count: (table) => open(table).count(),
		countIn: (table, { index, from, to }) =>
			open(table).where(indexName(table, index)).between(from, to, true, true).count()
	};
}

function createWriter(transaction: Transaction): StoreWriter {
	const open = <N extends TableName>(name: N): Table<Rows[N], Key> =>
		transaction.table<Rows[N], Key>(name);
	return {
		...createReader(transaction),
		put: async (table, rows) => {
			await open(table).bulkPut(rows);
		},
		remove: async (table, keys) => {
			await open(table).bulkDelete([...keys]);
		},
		clear: async (table) => {
			await open(table).clear();
		}
	};
}

function rowsOf<Row>(table: Table<Row, Key>, index: string, span: Span): Promise<Row[]> {
	const found = table.where(index).between(span.from, span.to, true, true);
	const inOrder = span.isReverse === true ? found.reverse() : found;
	return (span.limit === undefined ? inOrder : inOrder.limit(span.limit)).toArray();
}

function indexName(table: TableName, index: string | undefined): string {
	if (index === undefined) return TABLES[table].key.length === 1 ? ':id' : spell(TABLES[table].key);
	return spell(index.split('+'));
}

/**
 * iOS drops the connection of a page that slept. The work is done again on a new one, once; work that
 * was on disk already finds that out by what it asserts.
 */
async function reopeningOnce<T>(
	database: Dexie,
	work: () => PromiseLike<T>,
	isThere: () => boolean
): Promise<T> {
	try {
		return await work();
	} catch (fault) {
		if (!isConnectionLost(fault) || !isThere()) throw fault;
		database.close({ disableAutoOpen: false });
		await database.open();
		return await work();
	}
}

function isConnectionLost(fault: unknown): boolean {
	return causes(fault).some(
		({ name, message }) =>
			(name === 'UnknownError' || name === 'InvalidStateError' || name === 'AbortError') &&
			/connection.*(lost|clos)/i.test(message)
	);
}

function isQuota(fault: unknown): boolean {
	return causes(fault).some(({ name }) => name === 'QuotaExceededError');
}

/** Why the browser ended the transaction, where it did. */
function abortOf(transaction: Transaction | undefined): unknown {
	const inner: unknown = transaction === undefined ? null : Reflect.get(transaction, 'idbtrans');
	return inner instanceof Object ? Reflect.get(inner, 'error') : null;
}

/** A fault and what Dexie wrapped inside it. */
function causes(fault: unknown): { readonly name: string; readonly message: string }[] {
	const found: { readonly name: string; readonly message: string }[] = [];
	let next: unknown = fault;
	while (next instanceof Error || next instanceof DOMException) {
		if (found.length >= CAUSES_MAX) break;
		found.push({ name: next.name, message: next.message });
		next = Reflect.get(next, 'inner') ?? firstFailure(next) ?? Reflect.get(next, 'cause');
	}
	return found;
}

function firstFailure(fault: object): unknown {
	const failures: unknown = Reflect.get(fault, 'failures');
	return Array.isArray(failures) ? failures[0] : undefined;
}
