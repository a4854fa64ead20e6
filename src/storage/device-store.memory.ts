import { assert } from '#domain/assert.ts';
import {
	storageFull,
	TABLES,
	type DeviceStore,
	type Key,
	type Rows,
	type StoreReader,
	type StoreWriter,
	type TableName
} from './device-store.ts';
import { createMemoryTable, type MemoryTable } from './memory-table.ts';
import { keyOf } from './store-key.ts';

export interface MemoryStoreOptions {
	/** What the store may hold, counted as the JSON of its rows; past it a write finds a full disk. */
	readonly bytesMax?: number;
}

type Tables = { readonly [N in TableName]: MemoryTable<Rows[N]> };
type Undo = () => void;

/** A device store that lives as long as the program. It keeps the same promises, but for the disk. */
export function createMemoryDeviceStore({ bytesMax }: MemoryStoreOptions = {}): DeviceStore {
	const tables = createTables();
	let last: Promise<unknown> = Promise.resolve();

	// One at a time, so that a read sees one moment and two writers stand in line.
	function inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = last.then(work, work);
		last = turn.catch(() => undefined);
		return turn;
	}

	return {
		read: (scope, work) =>
			inTurn(async () => {
				const moment = createMoment();
				return moment.run(() => work(createReader(tables, scope, moment)));
			}),
		write: (scope, work) =>
			inTurn(async () => {
				const undo: Undo[] = [];
				const moment = createMoment();
				try {
					const done = await moment.run(() => work(createWriter(tables, { scope, moment, undo })));
					if (bytesMax !== undefined && bytesHeld(tables) > bytesMax) {
						throw storageFull(new Error('the simulated quota is used up'));
					}
					return done;
				} catch (cause) {
					for (const back of undo.reverse()) back();
					throw cause;
				}
			}),
		close: () => undefined
	};
}

/** A transaction's time: it ends by itself when nothing of the store is waited for any more. */
interface Moment {
	call<T>(answer: () => T): Promise<T>;
	run<T>(work: () => Promise<T>): Promise<T>;
}

function createMoment(): Moment {
	let isOver = false;
	let calls = 0;
	return {
		call: (answer) => {
			if (isOver) return Promise.reject(endedEarly());
			calls += 1;
			return Promise.resolve().then(answer);
		},
		run: async (work) => {
			// Every call is answered before a timer can fire, so a tick with no new call means that
			// something else is being waited for: IndexedDB would have committed by then.
			let seen = -1;
			const watch = setInterval(() => {
				if (calls === seen) isOver = true;
				seen = calls;
			}, 0);
			try {
				const done = await work();
				if (isOver) throw endedEarly();
				return done;
			} finally {
				isOver = true;
				clearInterval(watch);
			}
		}
	};
}

function endedEarly(): Error {
	return new Error('the transaction ended while its work waited for something else than the store');
}

function createReader(tables: Tables, scope: readonly TableName[], moment: Moment): StoreReader {
	const open = <N extends TableName>(name: N): Tables[N] => {
		assert(scope.includes(name), `${name} is not among the tables of this transaction`);
		return tables[name];
	};
	return {
		get: (table, key) => moment.call(() => open(table).get(key)),
		getMany: (table, keys) => moment.call(() => keys.map((key) => open(table).get(key))),
		find: (table, span) => moment.call(() => open(table).find(span)),
		findAny: (table, index, keys) =>
			moment.call(() => [
				...new Set(keys.flatMap((key) => open(table).find({ index, from: key, to: key })))
			]),
		all: (table) => moment.call(() => open(table).all()),
		count: (table) => moment.call(() => open(table).size()),
		countIn: (table, { index, from, to }) =>
			moment.call(
				() => open(table).find({ ...(index !== undefined && { index }), from, to }).length
			)
	};
}

interface Writing {
	readonly scope: readonly TableName[];
	readonly moment: Moment;
	readonly undo: Undo[];
}

function createWriter(tables: Tables, { scope, moment, undo }: Writing): StoreWriter {
	const open = <N extends TableName>(name: N): Tables[N] => {
		assert(scope.includes(name), `${name} is not among the tables of this transaction`);
		return tables[name];
	};
	const take = (name: TableName, keys: readonly Key[]): void => {
		for (const key of keys) undo.push(takeFrom<Rows[TableName]>(open(name), key));
	};
	return {
		...createReader(tables, scope, moment),
		put: (name, rows) =>
			moment.call(() => {
				for (const row of rows) undo.push(putInto(open(name), name, row));
			}),
		remove: (name, keys) =>
			moment.call(() => {
				take(name, keys);
			}),
		clear: (name) =>
			moment.call(() => {
				const rows: readonly object[] = open(name).all();
				take(
					name,
					rows.map((row) => primaryKey(name, row))
				);
			})
	};
}

function putInto<Row extends object>(table: MemoryTable<Row>, name: TableName, row: Row): Undo {
	const before = table.put(row);
	return () => {
		if (before === undefined) table.remove(primaryKey(name, row));
		else table.put(before);
	};
}

function takeFrom<Row extends object>(table: MemoryTable<Row>, key: Key): Undo {
	const before = table.remove(key);
	return () => {
		if (before !== undefined) table.put(before);
	};
}

function primaryKey(table: TableName, row: object): Key {
	const key = keyOf(row, TABLES[table].key);
	assert(key !== undefined, `a row of ${table} has no key`);
	return key;
}

function createTables(): Tables {
	return {
		meta: createMemoryTable('meta'),
		journal: createMemoryTable('journal'),
		backedUp: createMemoryTable('backedUp'),
		facts: createMemoryTable('facts'),
		clocks: createMemoryTable('clocks'),
		products: createMemoryTable('products'),
		customers: createMemoryTable('customers'),
		settings: createMemoryTable('settings'),
		members: createMemoryTable('members'),
		devices: createMemoryTable('devices'),
		records: createMemoryTable('records'),
		balances: createMemoryTable('balances'),
		stock: createMemoryTable('stock'),
		days: createMemoryTable('days'),
		sayings: createMemoryTable('sayings'),
		links: createMemoryTable('links'),
		sheets: createMemoryTable('sheets'),
		edges: createMemoryTable('edges'),
		entries: createMemoryTable('entries'),
		ends: createMemoryTable('ends'),
		asks: createMemoryTable('asks'),
		tallies: createMemoryTable('tallies'),
		tries: createMemoryTable('tries'),
		bases: createMemoryTable('bases')
	};
}

function bytesHeld(tables: Tables): number {
	return Object.values(tables).reduce((sum, table) => sum + lengthOf(table.all()), 0);
}

function lengthOf(rows: readonly object[]): number {
	const text = JSON.stringify(rows, (_name, value: unknown) =>
		typeof value === 'bigint' ? value.toString() : value
	);
	return text.length;
}
