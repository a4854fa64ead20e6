import type { BranchId, BusinessId, ProductId } from '#domain/ids.ts';
import type { DeviceStore, Key, Span, StoreReader, TableName } from '#storage/device-store.ts';

/** What the page read of the book before its program was there: the till's first screen. All of one moment. */
export interface FirstRead {
	readonly place: BookPlace;
	/** What was answered, by the name of the question (`rowAsked`, `rowsAsked`). */
	readonly answers: ReadonlyMap<string, unknown>;
	/** Which tiles the till begins with. */
	readonly tiles: readonly ProductId[];
	/** Closes what it was read from; until then the page hears when the book is removed. */
	readonly release: () => void;
}

/** Where the book of the shop lies that this device works in; kept from one start to the next. */
export interface BookPlace {
	readonly business: BusinessId;
	readonly book: string;
	readonly branch: BranchId;
	/** The first tiles of that start, whose stock is read with the rest; others are read behind it. */
	readonly tiles: readonly ProductId[];
}

export const PLACE_KEY = 'daftar.place';

/** Keeps it for the next start. Where nothing more is kept that one asks, as the first of all did. */
export function keepPlace(shelf: Pick<Storage, 'setItem'>, place: BookPlace): void {
	try {
		shelf.setItem(PLACE_KEY, JSON.stringify(place));
	} catch {
		// The book lies where it lay, or is not found there and asked for.
	}
}

/** As many tiles as a phone shows, at the most. */
export const TILES_FIRST = 14;

export const FIRST_META = [
	'identity',
	'keys',
	'offset',
	'contactAt',
	'cart',
	'cartSold',
	'alone'
] as const;

/** Under which name the ids of what is sold often lie. */
export function oftenKey(business: BusinessId): string {
	return `daftar.often.${business}`;
}

const FIRST_READ = 'daftarFirstRead';

/** Keeps for the app what the page's first script reads. */
export function offerFirstRead(read: Promise<FirstRead | undefined>): void {
	Reflect.set(globalThis, FIRST_READ, read);
}

/** What the page's first script read; once, and undefined where it read nothing. */
export async function takeFirstRead(): Promise<FirstRead | undefined> {
	const read: unknown = Reflect.get(globalThis, FIRST_READ);
	Reflect.deleteProperty(globalThis, FIRST_READ);
	return read instanceof Promise ? (read as Promise<FirstRead | undefined>) : undefined;
}

/** A store that answers from a first read until it ends, or until something is written. */
export interface FirstReads extends DeviceStore {
	/** From now on everything is asked of the device; once. */
	end(): void;
}

/** Questions that the first read cannot answer, or no more, are asked of the store that `open` opens then. */
export function createFirstReads(first: FirstRead, open: () => DeviceStore): FirstReads {
	let opened: DeviceStore | undefined;
	let rows: StoreReader | undefined = readerOf(first);
	const store = (): DeviceStore => (opened ??= open());

	return {
		async read(tables, work) {
			if (rows === undefined) return store().read(tables, work);
			try {
				return await work(rows);
			} catch (fault) {
				if (fault !== MISSED) throw fault;
				return store().read(tables, work);
			}
		},
		write(tables, work) {
			rows = undefined;
			return store().write(tables, work);
		},
		close() {
			first.release();
			opened?.close();
		},
		end() {
			rows = undefined;
			// The store is open, and hears from now on when it is removed.
			void store()
				.read(['meta'], (open) => open.count('meta'))
				.catch(() => undefined)
				.then(first.release);
		}
	};
}

/** No fault: what the first read did not read. */
const MISSED = new Error('not in the first read');

function missed(): Promise<never> {
	return Promise.reject(MISSED);
}

function readerOf({ answers }: FirstRead): StoreReader {
	const answer = <T>(names: readonly string[]): Promise<readonly T[]> =>
		names.every((name) => answers.has(name))
			? Promise.resolve(names.map((name) => answers.get(name) as T))
			: missed();
	return {
		get: async (table, key) => (await answer<never>([rowAsked(table, key)]))[0],
		getMany: (table, keys) => answer(keys.map((key) => rowAsked(table, key))),
		find: async (table, span) => {
			const { limit = Infinity } = span;
			const [rows = []] = await answer<readonly never[]>([rowsAsked(table, span)]);
			if (table === 'products' && limit > TILES_FIRST) throw MISSED;
			return rows.slice(0, limit);
		},
		all: async (table) => (await answer<readonly never[]>([table]))[0] ?? [],
		findAny: missed,
		count: missed,
		countIn: missed
	};
}

/** The name of the question for a row. */
export function rowAsked(table: TableName, key: Key): string {
	return `${table} ${String(key)}`;
}

/** The name of the question for rows of a span; for all of a table it is the table's own. */
export function rowsAsked(table: TableName, { index, from, to }: Span): string {
	return `${table} ${index ?? ''} ${String(from)} ${String(to)}`;
}

/** The order of tiles: favourites, then what is often sold, then the rest by name. */
export function chooseTiles<P extends Tiled>(
	{ first, often }: { readonly first: readonly P[]; readonly often: readonly (P | undefined)[] },
	limit: number
): readonly P[] {
	const sold = often.filter((product) => product !== undefined && product.active !== false);
	const favourites = first.filter(({ favourite }) => favourite === true);
	const tiles = new Map(
		[...favourites, ...sold, ...first].flatMap((product) =>
			product === undefined ? [] : [[product.id, product] as const]
		)
	);
	return [...tiles.values()].slice(0, limit);
}

interface Tiled {
	readonly id: ProductId;
	readonly active?: boolean;
	readonly favourite?: boolean;
}
