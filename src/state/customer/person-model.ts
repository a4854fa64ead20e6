import type { CryptoParts } from '#domain/crypto.ts';
import { firstText } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { createPersonFold, type Looking, type PersonFold } from '#domain/person/fold-person.ts';
import {
	checkRecord,
	holdFact,
	isPersonFact,
	type HeldFact,
	type HeldRecord,
	type ShopKeys
} from '#domain/person/held-fact.ts';
import { shopKeys, type ShopFacts } from '#domain/person/shop-facts.ts';
import { shopId, type PersonView, type ShopId } from '#domain/person/view.ts';
import { followStamp } from '#domain/stamp.ts';
import type { DeviceStore, FactRow, StoreWriter } from '#storage/device-store.ts';
import type { FactText } from '../arrived-fact.ts';
import { behind } from '../copied-numbers.ts';
import { readMeta, writeMeta } from '../meta.ts';
import { heldOf, personRow, unknownRow } from './person-row.ts';

export interface PersonModelParts {
	readonly store: DeviceStore;
	readonly crypto: CryptoParts;
	readonly clock: () => number;
	/** This phone's code; undefined until it was enrolled. */
	readonly ownCode: () => string | undefined;
}

/** A person's facts in memory, beside the database that keeps them. */
export interface PersonModel {
	readonly fold: PersonFold;
	/** Takes up what the database has and this memory does not; answers whether that was anything. */
	catchUp(): Promise<boolean>;
	/** Takes what was just kept. */
	take(rows: readonly FactRow[]): Promise<void>;
	/** Keeps facts that arrived, each once, and checks what can be checked by now. */
	receive(facts: readonly FactText[]): Promise<boolean>;
	view(looking: Omit<Looking, 'newer'>): PersonView;
	/**
	 * The stamp of the latest fact of the relay that tells the person something, ms. One that bears a shop's stamp,
	 * which may be ahead, tells it from then on: what is written before may still come.
	 */
	toldUpTo(nowMs: number): number;
}

/** Facts of one transaction: enough to be quick, few enough to leave a phone its breath. */
const TRANSACTION_FACTS_MAX = 300;
/** What the relay files of the person's own answers is no news to him. By their stamps, or the shop's. */
const TELLING: ReadonlySet<string> = new Set(['booked', 'judged', 'card', 'asked', 'codes']);
const TELLING_AS_SHOP = 'told';

export async function openPersonModel(parts: PersonModelParts): Promise<PersonModel> {
	const model = createModel(parts);
	await model.catchUp();
	return model;
}

function createModel(parts: PersonModelParts): PersonModel {
	const fold = createPersonFold();
	const textById = new Map<FactId, string>();
	const acts = new Set<string>();
	const newer = new Set<FactId>();
	const told = createTold();

	function take(row: FactRow, held: HeldFact | undefined): void {
		textById.set(row.id, row.text);
		acts.add(firstText(row.text));
		if (held === undefined) newer.add(row.id);
		else {
			newer.delete(row.id);
			fold.add([held]);
		}
		told.take(row);
	}

	async function catchUp(): Promise<boolean> {
		// Nothing is ever removed: as many rows are the same rows.
		const count = await parts.store.read(['facts'], (read) => read.count('facts'));
		if (count === textById.size) return false;
		const rows = await parts.store.read(['facts'], (read) => read.all('facts'));
		const fresh = rows.filter(({ id }) => !textById.has(id));
		for (const row of fresh) take(row, await heldOf(row, parts.crypto));
		await checkAll(parts, fold, textById);
		return fresh.length > 0;
	}

	async function receive(facts: readonly FactText[]): Promise<boolean> {
		const arrived = await arrivedOf(facts, { ids: textById, acts }, parts.crypto);
		for (let start = 0; start < arrived.length; start += TRANSACTION_FACTS_MAX) {
			const piece = arrived.slice(start, start + TRANSACTION_FACTS_MAX);
			await keepArrived(
				parts,
				piece.map(({ row }) => row)
			);
			for (const { row, held } of piece) take(row, held);
		}
		const hasChecked = await checkAll(parts, fold, textById);
		return arrived.length > 0 || hasChecked;
	}

	return {
		fold,
		catchUp,
		take: async (rows) => {
			for (const row of rows) take(row, await heldOf(row, parts.crypto));
		},
		receive,
		view: (looking) => fold.view({ ...looking, newer: newer.size }),
		toldUpTo: told.upTo
	};
}

function createTold(): {
	take(row: Pick<FactRow, 'kind' | 'wall'>): void;
	readonly upTo: PersonModel['toldUpTo'];
} {
	let last = 0;
	const asShop = new Set<number>();
	return {
		take: ({ kind, wall }) => {
			if (TELLING.has(kind)) last = Math.max(last, wall);
			if (kind === TELLING_AS_SHOP) asShop.add(wall);
		},
		upTo: (nowMs) =>
			[...asShop].reduce((most, wall) => (wall > nowMs ? most : Math.max(most, wall)), last)
	};
}

interface Arrived {
	readonly row: FactRow;
	/** Undefined for a kind that this program does not know. */
	readonly held: HeldFact | undefined;
}

interface Known {
	readonly ids: ReadonlyMap<FactId, string>;
	/** By the texts that they had first: what was issued again is the same act. */
	readonly acts: ReadonlySet<string>;
}

/** Reads what is new; a text that is no fact of a person, or whose record is not whole, is left out. */
async function arrivedOf(
	facts: readonly FactText[],
	{ ids, acts }: Known,
	crypto: CryptoParts
): Promise<readonly Arrived[]> {
	const arrived = new Map<string, Arrived>();
	const names = new Set<FactId>();
	for (const { text } of facts) {
		const first = firstText(text);
		const one = acts.has(first) || arrived.has(first) ? undefined : await arrive(text, crypto);
		if (one === undefined || ids.has(one.row.id) || names.has(one.row.id)) continue;
		names.add(one.row.id);
		arrived.set(first, one);
	}
	return [...arrived.values()];
}

async function arrive(text: string, crypto: CryptoParts): Promise<Arrived | undefined> {
	const parsed = parseFact(text);
	if (!parsed.ok) {
		const row = unknownRow(text);
		return row === undefined ? undefined : { row, held: undefined };
	}
	if (!isPersonFact(parsed.value)) return undefined;
	const held = await holdFact(parsed.value, crypto);
	return held === undefined ? undefined : { row: personRow(held, text), held };
}

async function keepArrived(
	{ store, clock, ownCode }: PersonModelParts,
	rows: readonly FactRow[]
): Promise<void> {
	await store.write(['meta', 'facts'], async (write) => {
		const held = await write.getMany(
			'facts',
			rows.map(({ id }) => id)
		);
		await write.put(
			'facts',
			rows.filter((_row, place) => held[place] === undefined)
		);
		const nowMs = clock() + ((await readMeta(write, 'offset')) ?? 0);
		const before = (await readMeta(write, 'stamp')) ?? { wall: 0, counter: 0 };
		const after = rows.reduce((last, seen) => followStamp(last, seen, nowMs), before);
		await writeMeta(write, 'stamp', { wall: after.wall, counter: after.counter });
		await skipOwn(write, rows, ownCode());
	});
}

/**
 * Facts of this phone's own code that its journal does not have: the profile was restored or copied.
 * Its next fact takes a number behind theirs.
 */
async function skipOwn(
	rows: StoreWriter,
	arrived: readonly FactRow[],
	code: string | undefined
): Promise<void> {
	const before = (await readMeta(rows, 'sequence'))?.n ?? 0;
	const own = arrived.filter((row) => row.code === code);
	const last = own.reduce((most, { n }) => behind(most, n, before), before);
	if (last > before) await writeMeta(rows, 'sequence', { n: last, receipt: 0 });
}

/** CUSTOMER-23. Once for each shop: one that had its card told anew each day for years holds no other up. */
export function gatherKeys(fold: {
	readonly facts: (id: ShopId) => Pick<ShopFacts, 'cards'> | undefined;
}): (id: ShopId) => ShopKeys {
	const keysByShop = new Map<ShopId, ShopKeys>();
	return (id) => {
		const keys = keysByShop.get(id) ?? shopKeys(fold.facts(id)?.cards ?? []);
		keysByShop.set(id, keys);
		return keys;
	};
}

/** Checks each record whose key came by now, and keeps what was found out. */
async function checkAll(
	{ store, crypto }: PersonModelParts,
	fold: PersonFold,
	textById: ReadonlyMap<FactId, string>
): Promise<boolean> {
	const keysOf = gatherKeys(fold);
	const found: HeldRecord[] = [];
	for (const held of fold.unchecked()) {
		const { businessId: business, ledgerId: ledger } = held.fact;
		const checked = await checkRecord(held, keysOf(shopId({ business, ledger })), crypto);
		if (checked.check !== 'unchecked') found.push(checked);
	}
	fold.add(found);
	const rows = found.map((held) => personRow(held, textById.get(held.fact.id) ?? ''));
	if (rows.length > 0) await store.write(['facts'], (write) => write.put('facts', rows));
	return rows.length > 0;
}
