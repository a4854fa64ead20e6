import { createContext } from 'svelte';
import { assert } from '#domain/assert.ts';
import { businessDayOf } from '#domain/calendar.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseBusinessId, parseProductId, type ProductId } from '#domain/ids.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { isStorageFull, type DeviceStore, type TableName } from '#storage/device-store.ts';
import { createBook, type Book, type StockedProduct } from './book.ts';
import type * as BrowserLink from './browser-link.ts';
import { keysOf, leadOf, openBook } from './browser-parts.ts';
import { createChanges, type Changes } from './changes.ts';
import type { ShopConnections } from './connections.ts';
import { REGISTRY_NAME } from './database-name.ts';
import { openDevice, type Device, type DeviceParts } from './device.ts';
import { FIRST_CODE, mintIdentity, type Identity } from './identity.ts';
import type { LedgerBook } from './ledger-views.ts';
import { createJoinedReads } from './joined-reads.ts';
import { createFirstReads, keepPlace, oftenKey, takeFirstRead, TILES_FIRST } from './first-read.ts';
import { Live, type LiveParts } from './live.ts';
import { heldMeta, readMeta, writeMeta, type CartSold } from './meta.ts';
import { oftenSold } from './often.ts';
import type { OldSales } from './old-sales.ts';
import { createRegistry, type Registry } from './registry.ts';
import { shopSettings, type ShopSettings } from './shop-settings.ts';
import { suggestedSettings } from './suggested-settings.ts';
import { SyncStatus } from './sync-status.svelte.ts';
import type { TabLead } from './tab-lead.ts';
import { parseCart, Till, type CartLine } from './till.svelte.ts';
import { uuidV7 } from './uuid-v7.ts';
import { createSigner, createWebCrypto } from './web-crypto.ts';

/** What the app is made of; `openApp` makes them, and a test may hand in its own. */
export interface AppParts {
	readonly device: Device;
	readonly book: Book;
	readonly store: DeviceStore;
	readonly changes: Changes;
	/** Proves to the relay which device this is. */
	readonly signer: Signer;
	/** This device's time, ms. */
	readonly clock: () => number;
	/** Where small things of no weight are kept; the browser's `localStorage`. */
	readonly shelf: Shelf;
	/** Hears when the first screen is painted, and which tiles stand on it. */
	readonly onStanding?: (tiles: readonly StockedProduct[]) => void;
}

/** What a line takes is no part of the first load. */
type LoadLink = () => Promise<Pick<typeof BrowserLink, 'connectTill'>>;

type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

/** How the shop's money is written. */
export interface ShopMoney {
	readonly currency: string;
	readonly exponent: number;
	readonly shownDecimals: number;
}

/** What this device's screens stand on: the shop's settings, the till, and every question to the book. */
export class App {
	readonly device: Device;
	readonly book: Book;
	readonly signer: Signer;
	readonly clock: () => number;
	readonly till: Till;
	readonly sync: SyncStatus;
	/** Every product, by name. Read once it is needed, and again when a product changes; not its stock. */
	readonly catalogue: Live<readonly StockedProduct[]>;
	/** What was sold often lately, most first; another only while nobody looks, so that no tile moves under a finger. */
	often: readonly ProductId[] = [];
	/** The shop's categories, as the last whole catalogue had them. */
	categories: readonly string[] = [];
	/** The tiles that a phone shows first, as they were when the app began; undefined once it stands. */
	firstTiles: readonly StockedProduct[] | undefined;
	readonly #shelf: Shelf;
	readonly #onStanding: AppParts['onStanding'];
	readonly store: DeviceStore;
	/** Made by the first screen of customers; see `ledger-of.ts`. */
	ledger: LedgerBook | undefined;
	connections: ShopConnections | undefined;
	/** Made by the first screen of receipts; see `old-sales-of.ts`. */
	oldSales: OldSales | undefined;
	readonly changes: Changes;
	/** What to add to this device's clock to have the relay's, ms. */
	#offsetMs = $state.raw(0);
	settings: ShopSettings = $state.raw(shopSettings([]));
	identity: Identity;
	/** Who works here, as the shop calls them; empty until the business has members. */
	memberName = $state.raw('');
	/** Another tab leads. */
	#isFollower = $state.raw(false);
	/** JOIN-4. What the shop settled is on its way: in which money it sells is not known here. */
	isComing = $state.raw(false);
	/** The disk took nothing the last time; the cart is kept in this page. */
	isStorageFull = $state.raw(false);
	/** By this device's clock, once a minute. */
	#nowMs = $state.raw(0);
	/** The business day as of the last minute; reckoned where it is shown. */
	readonly day = $derived.by(() => this.#dayOf(this.#nowMs));
	/** What broke last, where no screen awaited it. */
	fault = $state.raw<unknown>();

	readonly money = $derived.by<ShopMoney>(() => {
		const { currency, exponent, shownDecimals } = this.settings.money;
		return { currency, exponent, shownDecimals };
	});
	/** Here one may look, and write nothing. */
	readonly isReadOnly = $derived(this.#isFollower || this.isComing);

	/** Undefined until the shop has a name. */
	readonly shopName = $derived.by(() =>
		this.settings.name === '' ? undefined : this.settings.name
	);

	constructor(parts: AppParts) {
		this.device = parts.device;
		this.book = parts.book;
		this.signer = parts.signer;
		this.clock = parts.clock;
		this.#nowMs = parts.clock();
		this.store = parts.store;
		this.changes = parts.changes;
		this.#shelf = parts.shelf;
		this.#onStanding = parts.onStanding;
		this.identity = $state.raw(parts.device.identity);
		this.catalogue = new Live(['products'], () => parts.book.allProducts(), {
			...this.#liveParts(),
			keeps: true
		});
		this.sync = new SyncStatus(parts.clock);
		this.till = new Till({
			sell: (draft) => this.keeping(() => parts.device.sell(draft)),
			takeBack: (draft) => this.keeping(() => parts.device.takeBack(draft)),
			keepCart: (lines, after) => this.#keepCart(lines, after),
			currency: () => this.settings.money,
			isReadOnly: () => this.isReadOnly,
			loadGoods: () => import('./without-goods.ts')
		});
	}

	/** Reads what every screen needs before the first is shown, and follows it from then on. */
	async begin(): Promise<void> {
		this.often = this.#readOften();
		this.categories = this.#kept(this.#categoriesKey()).map(String);
		const [contactAt, tiles] = await Promise.all([
			heldMeta(this.store, 'contactAt'),
			this.book.tiles(this.often, TILES_FIRST),
			this.#takeUpCart(),
			this.#follow()
		]);
		this.firstTiles = tiles;
		this.sync.lastContactAt = contactAt;
		this.changes.on((moved) => {
			if (moved.some((table) => FOLLOWED.includes(table))) void this.awaitless(this.#follow());
		});
		setInterval(() => {
			this.sync.tick();
			this.#nowMs = this.clock();
			// That it settled nothing is told by no table.
			if (this.isComing) void this.awaitless(this.#follow());
		}, MINUTE_MS);
	}

	/** The first screen is painted: what it showed is asked for anew, of the device as it is now. */
	settle(): void {
		if (this.firstTiles === undefined) return;
		this.#onStanding?.(this.firstTiles);
		this.firstTiles = undefined;
		this.changes.tell(FOLLOWED, 'arrived');
	}

	/** Goes on the network while this tab leads. What it takes is loaded only now, and until it is there. */
	async connect(lead: TabLead, load: LoadLink = () => import('./browser-link.ts')): Promise<void> {
		const loading = load();
		loading.catch(() => setTimeout(() => void this.awaitless(this.connect(lead, load)), AGAIN_MS));
		const { connectTill } = await loading;
		await connectTill(this, lead);
	}

	/** Looks only, while another tab leads. */
	follow(lead: TabLead): void {
		const look = (): void => {
			if (lead.role === 'reader') this.#isFollower = true;
			else if (this.#isFollower) void this.awaitless(this.#takeLead(lead));
		};
		lead.on(look);
		// A lock is given in a moment; until then nobody is told that another tab has it.
		setTimeout(look, LEAD_WAIT_MS);
	}

	/** What stands here may have been sold in the other tab: until the kept cart is shown one may only look. */
	async #takeLead(lead: TabLead): Promise<void> {
		try {
			await this.#takeUpCart();
		} finally {
			this.#isFollower = lead.role === 'reader';
		}
	}

	/** The business day it is now, by the corrected clock and the shop's zone and cut-off. */
	today(): string {
		return this.#dayOf(this.clock());
	}

	#dayOf(atMs: number): string {
		return businessDayOf(atMs + this.#offsetMs, this.settings.zone, this.settings.cutoff);
	}

	/** An answer of the book that stays as fresh as the tables it stands on. */
	live<T>(tables: readonly TableName[], ask: () => Promise<T>): Live<T> {
		return new Live(tables, ask, this.#liveParts());
	}

	/** Counts what is sold often, for the tiles of the next start. */
	async countOften(): Promise<void> {
		const often = oftenSold(await this.book.recentReceipts(OFTEN_RECEIPTS), OFTEN_MAX);
		this.#keep(this.#oftenKey(), often);
	}

	/** Nobody looks: tiles take the order of what is sold often by now. */
	async orderTiles(): Promise<void> {
		await this.countOften();
		const counted = this.#readOften();
		if (String(counted) === String(this.often)) return;
		this.often = counted;
		// The tiles hang on it; the whole catalogue, which is as it was, does not.
		this.changes.tell(['stock'], 'arrived');
	}

	/** Of the whole catalogue, for the next start's first screen. */
	keepCategories(names: readonly string[]): void {
		this.#keep(this.#categoriesKey(), names);
	}

	#readOften(): readonly ProductId[] {
		return this.#kept(this.#oftenKey())
			.map(parseProductId)
			.flatMap((id) => (id.ok ? id.value : []));
	}

	#kept(key: string): readonly unknown[] {
		try {
			const kept: unknown = JSON.parse(this.#shelf.getItem(key) ?? '[]');
			return Array.isArray(kept) ? kept : [];
		} catch {
			return [];
		}
	}

	/** For the next start's first screen, which does without where nothing more is kept. */
	#keep(key: string, list: readonly string[]): void {
		try {
			this.#shelf.setItem(key, JSON.stringify(list));
		} catch {
			// It begins with the tiles by name, and the categories of those.
		}
	}

	#oftenKey(): string {
		return oftenKey(this.device.identity.business);
	}

	#categoriesKey(): string {
		return `daftar.categories.${this.device.identity.business}`;
	}

	#liveParts(): LiveParts {
		return {
			changes: this.changes,
			onFault: (fault) => {
				this.fault = fault;
			}
		};
	}

	/**
	 * Runs an act that writes, and tells a full disk from success: that one is shown on every screen
	 * until something could be written again. The fault goes on to whoever awaited the act.
	 */
	async keeping<T>(act: () => Promise<T>): Promise<T> {
		try {
			const result = await act();
			this.isStorageFull = false;
			return result;
		} catch (fault) {
			if (isStorageFull(fault)) this.isStorageFull = true;
			throw fault;
		}
	}

	/** Shows a fault of what no screen awaits. */
	async awaitless(work: Promise<unknown>): Promise<void> {
		try {
			await work;
		} catch (fault) {
			this.fault = fault;
		}
	}

	async #follow(): Promise<void> {
		const [settings, unsent, members, [offset, feed]] = await Promise.all([
			this.book.settings(),
			this.book.unsent(),
			this.book.members(),
			this.store.read(['meta'], (rows) =>
				Promise.all([readMeta(rows, 'offset'), readMeta(rows, 'feed')])
			)
		]);
		this.settings = settings;
		this.#offsetMs = offset ?? 0;
		this.identity = this.device.identity;
		this.memberName = members.find(({ number }) => number === this.identity.member)?.name ?? '';
		this.sync.unsent = unsent.count;
		this.sync.unsentMinor = unsent.minorOnAccountOrCash;
		this.sync.oldestAt = unsent.oldestAt;
		this.sync.refused = unsent.refused;
		this.sync.tick();
		// Who founded a shop settled its money, or none; who joined one hears of it from the relay.
		this.isComing =
			this.identity.code !== FIRST_CODE && settings.currency === undefined && (feed?.s ?? 0) === 0;
	}

	async #takeUpCart(): Promise<void> {
		const [cart, sold] = await this.store.read(['meta'], (rows) =>
			Promise.all([readMeta(rows, 'cart'), readMeta(rows, 'cartSold')])
		);
		this.till.restore(parseCart(cart), sold?.sale ?? 0);
	}

	/** Of the leading tab alone; a fault is shown. */
	async #keepCart(lines: readonly CartLine[], after: number): Promise<CartSold | undefined> {
		if (this.isReadOnly) return undefined;
		const keeping = this.keeping(() =>
			this.store.write(['meta'], async (rows) => {
				const sold = await readMeta(rows, 'cartSold');
				if (sold !== undefined && sold.sale !== after) return sold;
				await writeMeta(rows, 'cart', lines);
				return undefined;
			})
		);
		await this.awaitless(keeping);
		return keeping.catch(() => undefined);
	}
}

const FOLLOWED: readonly TableName[] = ['meta', 'settings', 'members', 'devices', 'journal'];
const OFTEN_RECEIPTS = 200;
const OFTEN_MAX = 24;
const MINUTE_MS = 60_000;
const LEAD_WAIT_MS = 500;
/** The till is painted and the first tap may come: then the network's turn has come too. */
const CONNECT_AFTER_MS = 1_500;

/** Until what was not to be had is asked for again. */
const AGAIN_MS = 30_000;

/** Long after the first tap. */
const PRUNE_AFTER_MS = 60_000;

export const [useApp, provideApp] = createContext<App>();

let opened: Promise<App> | undefined;

/**
 * Opens this device's book once a page, or makes a new one: no server is needed for it. What could not
 * be opened is opened anew the next time.
 */
export function openApp(): Promise<App> {
	opened ??= open().catch((fault: unknown) => {
		opened = undefined;
		throw fault;
	});
	return opened;
}

async function open(): Promise<App> {
	const first = await takeFirstRead();
	const { business, book: name } = first?.place ?? (await openRegistry());
	const openStore = (): DeviceStore => createJoinedReads(openBook(name));
	const firstReads = first && createFirstReads(first, openStore);
	const store = firstReads ?? openStore();
	const changes = createChanges(new BroadcastChannel(name));
	const parts: DeviceParts = {
		store,
		changes,
		signer: await createSigner(await keysOf(store)),
		crypto: createWebCrypto(),
		clock: () => Date.now(),
		uuid: {
			v4: () => crypto.randomUUID(),
			v7: () => uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(16)))
		}
	};
	const identity = {
		...mintIdentity({ uuid: parts.uuid, publicKey: parts.signer.publicKey }),
		business
	};
	const device = await openDevice(parts, identity);
	const book = createBook({ store, identity: () => device.identity });
	if (!device.identity.claimed) await suggest(device, book);

	const app = new App({
		device,
		book,
		store,
		changes,
		signer: parts.signer,
		clock: parts.clock,
		shelf: localStorage,
		onStanding: (shown) => {
			firstReads?.end();
			const { branch } = device.identity;
			keepPlace(localStorage, { business, book: name, branch, tiles: shown.map(({ id }) => id) });
		}
	});
	await app.begin();
	goOn(app, leadOf(name));
	return app;
}

/** What is for when the till stands. */
function goOn(app: App, lead: TabLead): void {
	app.follow(lead);
	setTimeout(() => {
		app.settle();
		void app.awaitless(app.connect(lead));
		void app.awaitless(app.countOften());
	}, CONNECT_AFTER_MS);
	document.addEventListener('visibilitychange', () => {
		if (document.visibilityState === 'hidden') void app.awaitless(app.orderTiles());
	});
	setTimeout(
		() => void app.awaitless(import('./prune.ts').then(({ pruneDaily }) => pruneDaily(app))),
		PRUNE_AFTER_MS
	);
}

/** At a device's first start the business is made here. */
async function openRegistry(): ReturnType<Registry['open']> {
	const minted = parseBusinessId(crypto.randomUUID());
	assert(minted.ok, 'a browser mints UUIDs v4');
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	const place = await registry.open(minted.value);
	registry.close();
	return place;
}

/** A shop begins with what the device knows of where it is; its owner may change it. */
async function suggest(device: Device, book: Book): Promise<void> {
	const { currency, zone } = await book.settings();
	if (currency !== undefined && zone !== 'UTC') return;
	const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
	await device.changeSettings(
		suggestedSettings({ languages: navigator.languages, zone: timeZone })
	);
}
