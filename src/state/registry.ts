import { parseBusinessId, parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';
import type { DeviceStore, StoreReader, StoreWriter } from '#storage/device-store.ts';
import { databaseName } from './database-name.ts';

/** Which businesses have a database on this device, and which of them it is working in. */
export interface Registry {
	current(): Promise<BusinessId | undefined>;
	/** The current business; where there is none yet, `first` becomes it. Two tabs get the same answer. */
	begin(first: BusinessId): Promise<BusinessId>;
	all(): Promise<readonly BusinessId[]>;
	/**
	 * Adds the business where it is new, and makes it the current one. With a code its book is from now
	 * on the one of that heir.
	 */
	enter(business: BusinessId, heir?: DeviceCode): Promise<void>;
	/**
	 * Makes the book of `heir` the business's where `before` is, by the name of its database. A page that
	 * slept through that, and comes late with it, changes nothing.
	 */
	succeed(business: BusinessId, before: string, heir: DeviceCode): Promise<void>;
	/**
	 * Puts `business` in the place of `before`, whose database stays where it is; once only, and beside it where
	 * this device joined `before` since, with a book of its own.
	 */
	replace(before: BusinessId, business: BusinessId): Promise<void>;
	/** What `begin` answers, and the database in which that business's book lies. */
	open(first: BusinessId): Promise<{ readonly business: BusinessId; readonly book: string }>;
	/** The database in which the business's book lies. */
	bookOf(business: BusinessId): Promise<string>;
	close(): void;
}

const CURRENT = 'current';
const BUSINESSES = 'businesses';

/** The registry lies in a small database of its own, in the form that every store has. */
export function createRegistry(store: DeviceStore): Registry {
	async function all(): Promise<readonly BusinessId[]> {
		return businessesOf(await store.read(['meta'], (rows) => rows.get('meta', BUSINESSES)));
	}

	return {
		all,
		begin: (first) => begin(store, first),
		open: (first) => openBook(store, first),
		async current() {
			const row = await store.read(['meta'], (rows) => rows.get('meta', CURRENT));
			return asBusiness(row?.value)[0];
		},
		async replace(before, business) {
			await store.write(['meta'], async (rows) => {
				const held = businessesOf(await rows.get('meta', BUSINESSES));
				if (!held.includes(before)) return;
				if ((await bookIn(rows, before)) !== databaseName(before)) {
					await rows.put('meta', [{ key: BUSINESSES, value: [...new Set([...held, business])] }]);
					return;
				}
				const others = held.filter((one) => one !== before && one !== business);
				await rows.put('meta', [
					{ key: CURRENT, value: business },
					{ key: BUSINESSES, value: [...others, business] }
				]);
			});
		},
		bookOf: (business) => store.read(['meta'], (rows) => bookIn(rows, business)),
		succeed: (business, before, heir) =>
			store.write(['meta'], (rows) => keepHeir(rows, { business, before, heir })),
		async enter(business, heir) {
			await store.write(['meta'], async (rows) => {
				const businesses = new Set([...businessesOf(await rows.get('meta', BUSINESSES)), business]);
				await rows.put('meta', [
					{ key: CURRENT, value: business },
					{ key: BUSINESSES, value: [...businesses] },
					...(heir === undefined ? [] : [{ key: heirKey(business), value: heir }])
				]);
			});
		},
		close: () => {
			store.close();
		}
	};
}

async function begin(store: DeviceStore, first: BusinessId): Promise<BusinessId> {
	return store.write(['meta'], async (rows) => {
		const [held] = asBusiness((await rows.get('meta', CURRENT))?.value);
		if (held !== undefined) return held;
		await rows.put('meta', [
			{ key: CURRENT, value: first },
			{ key: BUSINESSES, value: [first] }
		]);
		return first;
	});
}

/** At each start but the first there is nothing to write, and all is asked for at once. */
async function openBook(store: DeviceStore, first: BusinessId): ReturnType<Registry['open']> {
	const held = await store.read(['meta'], async (rows) => {
		const [business] = asBusiness((await rows.get('meta', CURRENT))?.value);
		return business && { business, book: await bookIn(rows, business) };
	});
	if (held !== undefined) return held;
	const business = await begin(store, first);
	return { business, book: await store.read(['meta'], (rows) => bookIn(rows, business)) };
}

interface Succession {
	readonly business: BusinessId;
	readonly before: string;
	readonly heir: DeviceCode;
}

async function keepHeir(rows: StoreWriter, { business, before, heir }: Succession): Promise<void> {
	if ((await bookIn(rows, business)) !== before) return;
	await rows.put('meta', [{ key: heirKey(business), value: heir }]);
}

async function bookIn(rows: StoreReader, business: BusinessId): Promise<string> {
	const row = await rows.get('meta', heirKey(business));
	const heir = parseDeviceCode(row?.value);
	return databaseName(business, heir.ok ? heir.value : undefined);
}

function heirKey(business: BusinessId): string {
	return `heir ${business}`;
}

function businessesOf(row: { readonly value: unknown } | undefined): readonly BusinessId[] {
	return Array.isArray(row?.value) ? row.value.flatMap(asBusiness) : [];
}

function asBusiness(value: unknown): readonly BusinessId[] {
	const parsed = parseBusinessId(value);
	return parsed.ok ? [parsed.value] : [];
}
