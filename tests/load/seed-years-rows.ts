import { addDays } from '#domain/calendar.ts';
import { encodeHex, utf8 } from '#domain/bytes.ts';
import { addDayTotals, DAY_ZERO, effectsOf, type DayTotals } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { toPayMinor } from '#domain/fact/document-total.ts';
import { parseProductId, type DeviceCode } from '#domain/ids.ts';
import { journalName } from '#documents/document-name.ts';
import type { Identity } from '#state/identity.ts';
import { factRow, type ArrivedFact } from '#state/arrived-fact.ts';
import * as folds from '#state/ledger-folds.ts';
import { SALES_KEPT_DAYS } from '#state/prune.ts';
import { foldArrived, READ_MODEL_TABLES } from '#state/read-model.ts';
import { recordRowsOf } from '#state/record-row.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, JournalRow, RecordRow, Rows, TableName } from '#storage/device-store.ts';
import type { DayOfTrade, SeedShop } from './seed-years-trade.ts';

/** Rows of one table, ready to be put. */
export interface SeedPiece<N extends TableName = TableName> {
	readonly table: N;
	readonly rows: readonly Rows[N][];
}

export interface SeededDevice {
	readonly shop: SeedShop;
	/** Whose device it is. */
	readonly code: DeviceCode;
	/** The database epoch that its feed is of. */
	readonly epoch: number;
	/** What the relay numbered before the first fact of the trade. */
	readonly feedBefore: number;
}

/**
 * The rows that a device would have after this trade, without selling each sale again. What makes
 * products, customers, settings and counts goes through the device's own fold; of sales and records
 * the effects are summed as that fold sums them, and the rows are made by the functions that make
 * them there. Balances and the list are folded from the records where the rows are put
 * (`foldSeeded`). Sales older than a device keeps are let go, as `prune.ts` does.
 */
export async function* deviceRows(
	trade: AsyncIterable<DayOfTrade>,
	of: SeededDevice
): AsyncGenerator<SeedPiece> {
	const sums = createSums();
	const entities = createMemoryDeviceStore();
	const keptFrom = addDays(of.shop.lastDay, -SALES_KEPT_DAYS);
	for await (const day of trade) {
		sums.count += day.length;
		for (const fact of day) sums.add(fact, of.shop.branch);
		yield* salesOf(day, of, keptFrom);
		await foldRest(entities, day, of);
		if ((day.at(-1)?.on ?? '') < keptFrom) sums.letGo(day.filter(isLetGo));
	}
	yield* entityPieces(entities, sums, of);
	yield { table: 'meta', rows: metaRows(sums, of) };
}

function isLetGo({ kind }: Fact): boolean {
	return kind === 'sale' || kind === 'return';
}

/** Facts whose rows are made without the fold. */
function isSummed({ kind }: Fact): boolean {
	return kind === 'sale' || kind === 'record';
}

async function* salesOf(
	day: DayOfTrade,
	{ shop, code }: SeededDevice,
	keptFrom: string
): AsyncGenerator<SeedPiece> {
	const summed = day.filter(isSummed);
	const records: RecordRow[] = [];
	for (const fact of summed) records.push(...((await recordRowsOf(fact, shop.crypto)) ?? []));
	yield { table: 'records', rows: records };
	const kept = day.filter((fact) => !(isLetGo(fact) && fact.on < keptFrom));
	const texts = new Map(kept.map((fact) => [fact.id, encodeFact(fact)]));
	const textOf = ({ id }: Fact): string => texts.get(id) ?? '';
	yield {
		table: 'facts',
		rows: kept.filter(isSummed).map((fact) => factRow(fact, textOf(fact), shop.branch))
	};
	const own = kept.filter((fact) => fact.code === code && fact.on >= keptFrom);
	const journal: JournalRow[] = [];
	for (const fact of own) journal.push(await journalRow(fact, textOf(fact), shop));
	yield { table: 'journal', rows: journal };
}

async function journalRow(fact: Fact, text: string, shop: SeedShop): Promise<JournalRow> {
	const { n, id, at } = fact;
	const digest = encodeHex((await shop.crypto.sha256(utf8(text))).subarray(0, 8));
	const minor = fact.kind === 'sale' ? toPayMinor(fact) : 0n;
	const document = journalName(shop.business, shop.branch, at.wall);
	return { n, id, document, text, digest, sent: 1, at: at.wall, minor };
}

async function foldRest(
	store: DeviceStore,
	day: DayOfTrade,
	{ shop }: SeededDevice
): Promise<void> {
	const rest = day.filter((fact) => !isSummed(fact));
	const arrived = rest.map((fact): ArrivedFact => ({
		fact,
		row: factRow(fact, encodeFact(fact), shop.branch),
		records: []
	}));
	const parts = { business: shop.business, folds };
	await store.write(READ_MODEL_TABLES, (rows) => foldArrived(rows, arrived, parts));
}

const ENTITY_TABLES = ['facts', 'products', 'customers', 'settings'] as const;

async function* entityPieces(
	store: DeviceStore,
	sums: Sums,
	{ shop }: SeededDevice
): AsyncGenerator<SeedPiece> {
	for (const table of ENTITY_TABLES)
		yield { table, rows: await store.read([table], (rows) => rows.all(table)) };
	const days = [...sums.days].map(([on, totals]) => ({ ...totals, branch: shop.branch, on }));
	yield { table: 'days', rows: days };
	const levels = [...sums.levels].flatMap(([id, level]) => {
		const product = parseProductId(id);
		return product.ok ? [{ branch: shop.branch, product: product.value, level }] : [];
	});
	yield { table: 'stock', rows: levels };
}

/** What the trade adds up to while it goes by. */
interface Sums {
	count: number;
	readonly levels: Map<string, bigint>;
	readonly days: Map<string, DayTotals>;
	/** The last number of each device, and the last that was let go. */
	readonly last: Map<string, { n: number; receipt: number; wall: number }>;
	readonly pruned: Map<string, readonly [from: number, to: number]>;
	add(fact: Fact, branch: string): void;
	letGo(facts: readonly Fact[]): void;
}

function createSums(): Sums {
	const levels = new Map<string, bigint>();
	const days = new Map<string, DayTotals>();
	const last: Sums['last'] = new Map();
	const pruned: Sums['pruned'] = new Map();
	return {
		count: 0,
		levels,
		days,
		last,
		pruned,
		add: (fact) => {
			const { stock, day } = effectsOf(fact);
			for (const { productId, deltaThousandths } of stock)
				levels.set(productId, (levels.get(productId) ?? 0n) + BigInt(deltaThousandths));
			if (day !== null) days.set(fact.on, addDayTotals(days.get(fact.on) ?? DAY_ZERO, day));
			const before = last.get(fact.code);
			const receipt = fact.kind === 'sale' ? fact.receipt : (before?.receipt ?? 0);
			const wall = Math.max(before?.wall ?? 0, fact.at.wall);
			last.set(fact.code, { n: fact.n, receipt, wall });
		},
		letGo: (facts) => {
			for (const { code, n } of facts) pruned.set(code, [pruned.get(code)?.[0] ?? n, n]);
		}
	};
}

function metaRows(sums: Sums, of: SeededDevice): readonly Rows['meta'][] {
	const { shop, code, epoch, feedBefore } = of;
	const identity: Omit<Identity, 'publicKey'> = {
		business: shop.business,
		branch: shop.branch,
		person: shop.person,
		member: 1,
		code,
		sight: 'office',
		claimed: true
	};
	const { n = 0, receipt = 0 } = sums.last.get(code) ?? {};
	const wall = Math.max(0, ...[...sums.last.values()].map((last) => last.wall));
	const pruned = [...sums.pruned].map(([of, range]) => [of, [range]] as const);
	const values = {
		identity,
		sequence: { n, receipt },
		stamp: { wall, counter: 0 },
		feed: { epoch, s: feedBefore + sums.count },
		epoch,
		contactAt: wall,
		prunedTo: { [shop.branch]: addDays(shop.lastDay, -SALES_KEPT_DAYS) },
		...(pruned.length > 0 && { pruned: Object.fromEntries(pruned) })
	};
	return Object.entries(values).map(([key, value]) => ({ key, value }));
}
