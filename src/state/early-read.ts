import type { ProductId } from '#domain/ids.ts';
import { TILES } from '#domain/tile-key.ts';
import { only, type Key, type MetaRow, type ProductRow } from '#storage/device-store.ts';
import { answered, openThere } from '#storage/open-there.ts';
import { REGISTRY_NAME } from './database-name.ts';
import {
	chooseTiles,
	FIRST_META,
	oftenKey,
	PLACE_KEY,
	rowAsked,
	rowsAsked,
	TILES_FIRST,
	type BookPlace,
	type FirstRead
} from './first-read.ts';

/** The browser's own; a test hands in others. */
export interface EarlyParts {
	readonly indexedDB: IDBFactory;
	readonly keyRange: typeof IDBKeyRange;
	readonly shelf: Pick<Storage, 'getItem'>;
	/** The book was removed, by another tab, since it was read. */
	readonly onRemoved: () => void;
}

/** More than these wait to be sent only after a day without a network: then the page asks itself. */
const UNSENT_MAX = 64;

/**
 * Reads the till's first screen in one transaction, with nothing loaded for it: it runs while the
 * app's scripts are still on their way. Undefined where this device had no book at the last start, it
 * is another by now, or of another version; it makes and changes no database.
 */
export async function readEarly(parts: EarlyParts): Promise<FirstRead | undefined> {
	try {
		const place = placeOf(parts.shelf.getItem(PLACE_KEY));
		if (place === undefined) return undefined;
		const [isPlace, first] = await Promise.all([
			isInRegistry(place, parts),
			readBook(place, parts)
		]);
		if (isPlace) return first;
		first?.release();
		return undefined;
	} catch {
		// The app asks again, and says what is wrong.
		return undefined;
	}
}

function placeOf(text: string | null): BookPlace | undefined {
	const place: unknown = JSON.parse(text ?? 'null');
	return isPlace(place) ? place : undefined;
}

function isPlace(value: unknown): value is BookPlace {
	if (typeof value !== 'object' || value === null) return false;
	const { business, book, branch, tiles } = value as Partial<Record<keyof BookPlace, unknown>>;
	const ids: readonly unknown[] = Array.isArray(tiles) ? tiles : [undefined];
	const texts = [business, book, branch, ...ids];
	return texts.every((one) => typeof one === 'string');
}

/** Whether the book is still the one of the business that this device works in. */
async function isInRegistry({ business, book }: BookPlace, parts: EarlyParts): Promise<boolean> {
	const registry = await openThere(REGISTRY_NAME, parts.indexedDB);
	if (registry === undefined) return false;
	try {
		const meta = registry.transaction('meta').objectStore('meta');
		const current = meta.get('current') as IDBRequest<MetaRow | undefined>;
		const heir = meta.get(`heir ${business}`) as IDBRequest<MetaRow | undefined>;
		await answered(heir);
		const code = heir.result?.value;
		// An heir is named by letters; with anything else the app finds out where the book is.
		const end = typeof code === 'string' ? `-${code}` : '';
		const isRead = code === undefined || end !== '';
		return (
			isRead && current.result?.value === business && book === `${REGISTRY_NAME}-${business}${end}`
		);
	} finally {
		registry.close();
	}
}

async function readBook(place: BookPlace, parts: EarlyParts): Promise<FirstRead | undefined> {
	const book = await openThere(place.book, parts.indexedDB, parts.onRemoved);
	if (book === undefined) return undefined;
	const release = (): void => {
		book.close();
	};
	try {
		return { place, ...(await readRows(book, place, parts)), release };
	} catch (cause) {
		release();
		throw cause;
	}
}

const SCOPE = ['meta', 'journal', 'settings', 'members', 'products', 'stock'] as const;

async function readRows(
	book: IDBDatabase,
	{ business, branch, tiles: expected }: BookPlace,
	{ keyRange, shelf }: EarlyParts
): Promise<Pick<FirstRead, 'answers' | 'tiles'>> {
	const transaction = book.transaction(SCOPE);
	const asked = new Map<string, IDBRequest>();
	const table = (name: (typeof SCOPE)[number]): IDBObjectStore => transaction.objectStore(name);
	const ask = (name: (typeof SCOPE)[number], key: Key): void => {
		asked.set(rowAsked(name, key), table(name).get(toIdb(key)));
	};
	const often = idsOf(shelf.getItem(oftenKey(business)));
	for (const key of FIRST_META) ask('meta', key);
	for (const name of ['settings', 'members'] as const) asked.set(name, table(name).getAll());
	const unsent = table('journal')
		.index('sent')
		.getAll(0, UNSENT_MAX + 1);
	for (const id of often) ask('products', id);
	for (const id of expected) ask('stock', [branch, id]);
	const tiles = table('products')
		.index('tileKey')
		.getAll(keyRange.bound(TILES.from, TILES.to), TILES_FIRST) as IDBRequest<ProductRow[]>;
	asked.set(rowsAsked('products', { index: 'tileKey', ...TILES }), tiles);
	await answered(tiles);

	if (unsent.result.length <= UNSENT_MAX) asked.set(UNSENT, unsent);
	const sold = often.map(
		(id) => asked.get(rowAsked('products', id))?.result as ProductRow | undefined
	);
	const chosen = chooseTiles({ first: tiles.result, often: sold }, TILES_FIRST);
	const others = chosen.filter(({ id }) => !expected.includes(id));
	for (const { id } of others) ask('stock', [branch, id]);
	const last = [...asked.values()].at(-1);
	if (others.length > 0 && last !== undefined) await answered(last);
	return {
		answers: new Map([...asked].map(([name, { result }]) => [name, result as unknown])),
		tiles: chosen.map(({ id }) => id)
	};
}

/** Asked for by the app, and on no screen of the till. */
const UNSEEN: ReadonlySet<string> = new Set(
	(['keys', 'offset', 'contactAt', 'cartSold', 'alone'] as const).map((key) =>
		rowAsked('meta', key)
	)
);
const UNSENT = rowsAsked('journal', only('sent', 0));

/**
 * What the till's first screen is drawn from: the same where the screen is the same. Undefined where
 * more is shown than was read.
 */
export function seenOf({ place, answers, tiles }: FirstRead): string | undefined {
	if (!answers.has(UNSENT)) return undefined;
	const seen = [...answers].filter(([name]) => !UNSEEN.has(name));
	return JSON.stringify([place.book, tiles, seen], (_key, value: unknown) =>
		typeof value === 'bigint' ? `${String(value)}n` : value
	);
}

function toIdb(key: Key): IDBValidKey {
	return typeof key === 'object' ? [...key] : key;
}

/** As `App` keeps them; what is none is asked for and not found. */
function idsOf(text: string | null): readonly ProductId[] {
	const kept: unknown = JSON.parse(text ?? '[]');
	return Array.isArray(kept) ? kept.filter((id): id is ProductId => typeof id === 'string') : [];
}
