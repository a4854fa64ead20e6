import { assert } from '#domain/assert.ts';
import { addDayTotals, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import {
	compareFactIds,
	type BranchId,
	type BusinessId,
	type LedgerId,
	type ProductId
} from '#domain/ids.ts';
import type { RecordRow, StoreReader, StoreWriter, TableName } from '#storage/device-store.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { timed, UNKNOWN_REF, type ArrivedFact } from './arrived-fact.ts';
import type { TimeMove } from './fold-clocks.ts';
import { countedOf, foldLatest, isInside, type Counted, type Fold } from './fold-latest.ts';
import { heldOf } from './held-facts.ts';
import type * as Folds from './ledger-folds.ts';
import { readMeta } from './meta.ts';
import { isInRanges } from './number-ranges.ts';

/** Every table that facts are folded into. */
export const FOLDED_TABLES: readonly TableName[] = [
	'products',
	'customers',
	'settings',
	'members',
	'devices',
	'records',
	'balances',
	'stock',
	'days',
	'sayings',
	'links',
	'sheets',
	'edges',
	'entries',
	'ends',
	'asks',
	'tallies',
	'bases'
];

/** Every table that folding may read or write. */
export const READ_MODEL_TABLES: readonly TableName[] = [
	'meta',
	'facts',
	'clocks',
	...FOLDED_TABLES
];

/** How ledgers are folded; see `ledger-folds.ts`. */
export type LedgerFolds = Pick<
	typeof Folds,
	'addLedgerFacts' | 'foldTallies' | 'keepClocks' | 'moveInTime'
>;

/** Of which business, and how its ledgers are folded: `foldsFor` says for which facts that is asked. */
export interface FoldParts {
	readonly business: BusinessId;
	readonly folds: LedgerFolds | undefined;
}

/** What folding these takes beside this file; nothing where they say nothing of a ledger. */
export async function foldsFor(arrived: readonly ArrivedFact[]): Promise<LedgerFolds | undefined> {
	return arrived.every(isApart) ? undefined : loadFolds();
}

export function loadFolds(): Promise<LedgerFolds> {
	return import('./ledger-folds.ts');
}

/** Everybody who has a card or a record. */
export async function allLedgers(rows: StoreReader): Promise<readonly LedgerId[]> {
	const customers = await rows.all('customers');
	const records = await rows.all('records');
	return [...new Set([...customers, ...records].map(({ ledger }) => ledger))];
}

const KINDS_APART: ReadonlySet<string> = new Set<Fact['kind']>([
	'sale',
	'return',
	'adjust',
	'product',
	'setting',
	'member',
	'device'
]);

/** Says nothing of a ledger: a sale or return does so in its record alone. */
function isApart({ fact, records }: Pick<ArrivedFact, 'fact' | 'records'>): boolean {
	return fact === null || (KINDS_APART.has(fact.kind) && records.length === 0);
}

/**
 * Keeps facts and adds what they do to the numbers, each id once whatever came before: all of it
 * inside one transaction over `READ_MODEL_TABLES`. A fact that a checkpoint held already is kept and
 * not added again. A clock fact moves what it speaks of, here already or not. Answers which tables
 * moved, and the facts that were new.
 */
export async function foldArrived(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	parts: FoldParts
): Promise<FoldReport> {
	const byId = new Map(arrived.map((one) => [one.row.id, one]));
	const distinct = [...byId.values()];
	const held = await heldOf(
		rows,
		distinct.map(({ row }) => row)
	);
	const pruned = await readMeta(rows, 'pruned');
	const unknown = distinct.filter(({ fact, row }) => {
		const kept = held.get(row.id);
		const isLearned = fact !== null && kept?.refs.includes(UNKNOWN_REF) === true;
		return (kept === undefined || isLearned) && !isInRanges(row, pruned);
	});
	if (unknown.length === 0) return { moved: [], fresh: unknown, moves: [] };
	const { arrived: fresh, moves, moved: late } = await settleTimes(rows, unknown, parts);
	await rows.put(
		'facts',
		fresh.map(({ row }) => row)
	);

	const checkpoint = await readMeta(rows, 'checkpoint');
	const counted = fresh.filter(({ row }) => !isInside(row, checkpoint));
	const moved = await addAll(rows, counted, parts);
	const inside = fresh.filter(({ row }) => isInside(row, checkpoint));
	const whole = await fillIn(rows, inside, parts);
	// A checkpoint brings it as facts, of which a program that did not know them took nothing.
	const learned = inside.filter(({ row }) => held.has(row.id));
	const said = await addSaid(rows, learned.flatMap(countedOf), parts);
	return { moved: ['facts', ...moved, ...whole, ...said, ...late], fresh, moves };
}

/**
 * What the relay says of times, kept and done to the facts that are held, of which a checkpoint brings
 * some once more beside their clocks; and these facts when they count.
 */
export async function settleTimes(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	{ business, folds, isBeginning = false }: FoldParts & { readonly isBeginning?: boolean }
): Promise<{
	readonly arrived: readonly ArrivedFact[];
	readonly moves: readonly TimeMove[];
	readonly moved: readonly TableName[];
}> {
	const hasClocks = arrived.some(({ fact }) => fact?.kind === 'clock');
	const { moves, moved } = hasClocks
		? await clock(rows, arrived, { business, isBeginning, folds: foldsOf(folds) })
		: { moves: [], moved: [] };
	// Most shops have none at all.
	const times =
		(await rows.count('clocks')) === 0
			? []
			: await rows.getMany(
					'clocks',
					arrived.map(({ row }) => row.id)
				);
	const inOrder = arrived.map((one, place) =>
		times[place] === undefined ? one : timed(one, times[place])
	);
	return { arrived: inOrder, moves, moved };
}

async function clock(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	{ folds, ...parts }: { business: BusinessId; folds: LedgerFolds; isBeginning: boolean }
): ReturnType<LedgerFolds['moveInTime']> {
	return folds.moveInTime(rows, await folds.keepClocks(rows, arrived), parts);
}

/** A checkpoint's rows may say less of a record than its fact, which comes in idle time. */
export async function fillIn(
	rows: StoreWriter,
	inside: readonly ArrivedFact[],
	{ business, folds }: FoldParts
): Promise<readonly TableName[]> {
	const said = inside
		.flatMap(({ records }) => records)
		.filter(
			({ takenBy, allocations, isLate }) =>
				takenBy !== undefined || allocations !== undefined || isLate === true
		);
	if (said.length === 0) return [];
	const held = await rows.getMany(
		'records',
		said.map(({ h }) => h)
	);
	const filled = said.filter(({ factId }, place) => held[place]?.factId === factId);
	await rows.put('records', filled);
	const settled = filled.filter(({ allocations }) => allocations !== undefined);
	const ledgers = [...new Set(settled.map(({ ledger }) => ledger))];
	if (ledgers.length > 0) await foldsOf(folds).foldTallies(rows, ledgers, business);
	return ['records', 'tallies'];
}

export interface FoldReport {
	readonly moved: readonly TableName[];
	readonly fresh: readonly ArrivedFact[];
	/** Facts that were here and count at another time now. */
	readonly moves: readonly TimeMove[];
}

/** Adds facts that are kept already, and were not counted yet. */
export async function addAll(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	{ business, folds }: FoldParts
): Promise<readonly TableName[]> {
	const counted = arrived.flatMap(countedOf);
	const moved: TableName[] = [];
	for (const [table, fold] of SUMS) if (await fold(rows, counted)) moved.push(table);
	moved.push(...(await foldLatest(rows, counted)));
	const ofRecords = await addRecords(
		rows,
		counted.flatMap((one) => one.records)
	);
	if (ofRecords.length > 0) moved.push('records', 'balances');
	return [...moved, ...(await addSaid(rows, counted, { business, folds, ofRecords }))];
}

/** What facts say of ledgers beside their records; `ofRecords`: whose records moved. */
async function addSaid(
	rows: StoreWriter,
	counted: readonly Counted[],
	{ business, folds, ofRecords = [] }: FoldParts & { readonly ofRecords?: readonly LedgerId[] }
): Promise<readonly TableName[]> {
	if (counted.every(isApart)) return [];
	const { addLedgerFacts, foldTallies } = foldsOf(folds);
	const { ledgers, moved } = await addLedgerFacts(rows, counted);
	const ofCustomers = counted.flatMap(({ effects }) => effects.customers.map(({ key }) => key));
	const touched = [...new Set([...ofRecords, ...ledgers, ...ofCustomers])];
	if (touched.length > 0) await foldTallies(rows, touched, business);
	return [...moved, ...(touched.length > 0 ? (['tallies'] as const) : [])];
}

function foldsOf(folds: LedgerFolds | undefined): LedgerFolds {
	assert(folds !== undefined, 'the folds of ledgers are loaded before the transaction');
	return folds;
}

const SUMS: readonly (readonly [TableName, Fold])[] = [
	['stock', addStock],
	['days', addDayRows]
];
async function addStock(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	const added = new Map<string, { branch: BranchId; product: ProductId; level: bigint }>();
	for (const { effects, branch } of counted) {
		if (branch === '') continue;
		for (const { productId, deltaThousandths } of effects.stock) {
			const key = `${branch} ${productId}`;
			const level = (added.get(key)?.level ?? 0n) + BigInt(deltaThousandths);
			added.set(key, { branch, product: productId, level });
		}
	}
	const deltas = [...added.values()];
	if (deltas.length === 0) return false;
	const before = await rows.getMany(
		'stock',
		deltas.map(({ branch, product }) => [branch, product])
	);
	await rows.put(
		'stock',
		deltas.map((delta, place) => ({ ...delta, level: delta.level + (before[place]?.level ?? 0n) }))
	);
	return true;
}

export async function addDayRows(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	const added = new Map<string, { branch: BranchId; on: string; totals: DayTotals }>();
	for (const { effects, branch, on } of counted) {
		if (branch === '' || effects.day === null) continue;
		const key = `${branch} ${on}`;
		const totals = addDayTotals(added.get(key)?.totals ?? DAY_ZERO, effects.day);
		added.set(key, { branch, on, totals });
	}
	const deltas = [...added.values()];
	if (deltas.length === 0) return false;
	const before = await rows.getMany(
		'days',
		deltas.map(({ branch, on }) => [branch, on])
	);
	await rows.put(
		'days',
		deltas.map(({ branch, on, totals }, place) => ({
			...addDayTotals(before[place] ?? DAY_ZERO, totals),
			branch,
			on
		}))
	);
	return true;
}

/** Keeps each H once, under the first fact that carried it; answers the ledgers that they are of. */
async function addRecords(
	rows: StoreWriter,
	records: readonly RecordRow[]
): Promise<readonly LedgerId[]> {
	if (records.length === 0) return [];
	const hashes = [...new Set(records.map(({ h }) => h))];
	const held = await rows.getMany('records', hashes);
	const rowByHash = new Map(held.flatMap((row) => (row === undefined ? [] : [[row.h, row]])));
	for (const row of records) {
		const before = rowByHash.get(row.h);
		if (before === undefined || compareFactIds(row.factId, before.factId) <= 0) {
			rowByHash.set(row.h, row);
		}
	}
	await rows.put('records', [...rowByHash.values()]);
	return records.map(({ ledger }) => ledger);
}
