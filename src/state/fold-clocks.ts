import { dayFromNumber } from '#domain/calendar.ts';
import {
	clockedTime,
	inTime,
	isSameTime,
	rulingTime,
	type FactTime
} from '#domain/fact/clock-fact.ts';
import { DAY_TOTAL_NAMES, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import { parseFactId, type BusinessId, type FactId, type LedgerId } from '#domain/ids.ts';
import { compareStamps, type Stamp } from '#domain/stamp.ts';
import {
	only,
	type ClockRow,
	type FactRow,
	type FieldStamp,
	type FieldStamps,
	type StoreReader,
	type StoreWriter,
	type TableName
} from '#storage/device-store.ts';
import { factOf, type ArrivedFact } from './arrived-fact.ts';
import { countedOf, foldLatest, isInside, type Counted } from './fold-latest.ts';
import { addLedgerFacts } from './fold-ledger-facts.ts';
import { foldTallies } from './fold-tallies.ts';
import { readMeta, writeMeta, type CheckpointPlace } from './meta.ts';

/** A fact that counts at another time than before. */
export interface TimeMove {
	/** As its device stamped it. */
	readonly own: Stamp;
	readonly now: Stamp;
}

/** Keeps the relay's words on times, of several on one fact the ruling one; answers those that rule anew. */
export async function keepClocks(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[]
): Promise<readonly ClockRow[]> {
	const said = arrived.flatMap(({ fact }): readonly ClockRow[] =>
		fact?.kind === 'clock' ? [{ id: fact.factId, ...clockedTime(fact) }] : []
	);
	const ids = [...new Set(said.map(({ id }) => id))];
	const held = await rows.getMany('clocks', ids);
	const ruling = ids.flatMap((id, place) => {
		const before = held[place];
		const row = rulingTime(before, ...said.filter((one) => one.id === id));
		return row === undefined || row.by === before?.by ? [] : [row];
	});
	await rows.put('clocks', ruling);
	return ruling;
}

interface MovedInTime {
	readonly moves: readonly TimeMove[];
	readonly moved: readonly TableName[];
}

interface MoveParts {
	readonly business: BusinessId;
	/** A checkpoint is being taken, which says all of it anew. */
	readonly isBeginning?: boolean;
}

/** A fact that is held, at the time before and now. */
interface Moving {
	/** As its device stamped it. */
	readonly own: Stamp;
	readonly before: FactTime;
	readonly row: FactRow;
}

/**
 * DEVICE-60. What these words change of facts that are kept: a day's totals go from the day that was
 * to the day that is, and what goes by the order of facts is folded anew with all that stand between.
 * A word on what a checkpoint counted without it is nothing that can be done here: the checkpoint is
 * taken anew.
 */
export async function moveInTime(
	rows: StoreWriter,
	clocks: readonly ClockRow[],
	{ business, isBeginning = false }: MoveParts
): Promise<MovedInTime> {
	if (clocks.length === 0) return { moves: [], moved: [] };
	const checkpoint = await readMeta(rows, 'checkpoint');
	const isLost = clocks.some(({ id, by }) => isIn(id, checkpoint) && !isIn(by, checkpoint));
	if (isLost && !isBeginning) await writeMeta(rows, 'isCheckpointLost', true);
	const held = await rows.getMany(
		'facts',
		clocks.map(({ id }) => id)
	);
	const moving = clocks.flatMap((clock, place) => movingOf(held[place], clock));
	await rows.put(
		'facts',
		moving.map(({ row }) => row)
	);
	const inside = moving.filter(({ row }) => isInside(row, checkpoint));
	// They may have been the last word here before the checkpoint came that counted them.
	for (const one of countedOfRows(inside.map(({ row }) => row))) await restamp(rows, one);
	const left = await dropLeft(rows, inside);
	const outside = moving.filter(({ row }) => !isInside(row, checkpoint));
	const moved = outside.length === 0 ? [] : await foldMoved(rows, outside, business);
	const moves = moving.map(({ own, row: { wall, counter } }) => ({ own, now: { wall, counter } }));
	return { moves, moved: ['facts', ...left, ...moved] };
}

/** Nothing of what is not here, or stays where it was. */
function movingOf(row: FactRow | undefined, clock: ClockRow): readonly Moving[] {
	if (row === undefined) return [];
	const own = ownTime(row);
	const before = { at: { wall: row.wall, counter: row.counter }, on: row.on };
	const { at, on } = inTime(own, clock);
	return isSameTime(before, { at, on })
		? []
		: [{ own: own.at, before, row: { ...row, ...at, on } }];
}

/** What is in a fact's text, also of a kind that this program does not know. */
function ownTime({ text }: FactRow): FactTime {
	const [, , wall, counter, on] = JSON.parse(text) as readonly unknown[];
	return { at: { wall: Number(wall), counter: Number(counter) }, on: dayFromNumber(Number(on)) };
}

function isIn(id: FactId, checkpoint: CheckpointPlace | undefined): boolean {
	const parsed = parseFactId(id);
	return parsed.ok && isInside(parsed.value, checkpoint);
}

async function foldMoved(
	rows: StoreWriter,
	moving: readonly Moving[],
	business: BusinessId
): Promise<readonly TableName[]> {
	const moved = await moveDays(rows, moving);
	const counted = countedOfRows(moving.map(({ row }) => row));
	for (const one of counted) await restamp(rows, one);
	const all = [...counted, ...countedOfRows(await rivalsOf(rows, moving, counted))];
	moved.push(...(await foldLatest(rows, all)));
	const { ledgers, moved: ofLedgers } = await addLedgerFacts(rows, all);
	const customers = counted.flatMap(({ effects }) => effects.customers.map(({ key }) => key));
	const touched = new Set<LedgerId>([...ledgers, ...customers]);
	if (touched.size > 0) await foldTallies(rows, [...touched], business);
	return [...moved, ...ofLedgers, 'balances', 'tallies'];
}

/** Records are by their own signed time, whoever carries them when. */
function countedOfRows(held: readonly FactRow[]): readonly Counted[] {
	return held.flatMap((row) => countedOf({ fact: factOf(row), row, records: [] }));
}

async function moveDays(rows: StoreWriter, moving: readonly Moving[]): Promise<TableName[]> {
	let isMoved = false;
	for (const { before, row } of moving) {
		const [counted] = countedOfRows([row]);
		const { branch, on } = row;
		const day = counted?.effects.day ?? null;
		if (day === null || branch === '' || before.on === on) continue;
		isMoved = true;
		const from = (await rows.get('days', [branch, before.on])) ?? DAY_ZERO;
		await rows.put('days', [{ ...plus(from, day, -1n), branch, on: before.on }]);
		const to = (await rows.get('days', [branch, on])) ?? DAY_ZERO;
		await rows.put('days', [{ ...plus(to, day, 1n), branch, on }]);
		await dropEmpty(rows, [branch, before.on]);
	}
	return isMoved ? ['days'] : [];
}

function plus(a: DayTotals, b: DayTotals, sign: bigint): DayTotals {
	return Object.fromEntries(
		DAY_TOTAL_NAMES.map((name) => [name, a[name] + sign * b[name]])
	) as unknown as DayTotals;
}

/**
 * A fact that a checkpoint counted on another day is on the day of its own stamp here until its clock
 * fact comes, and keeps that day: what was moved away before it left the day empty, and stayed.
 */
async function dropLeft(
	rows: StoreWriter,
	inside: readonly Moving[]
): Promise<readonly TableName[]> {
	const left = inside.filter(({ before, row }) => row.branch !== '' && before.on !== row.on);
	for (const { before, row } of left) await dropEmpty(rows, [row.branch, before.on]);
	return left.length > 0 ? ['days'] : [];
}

/** A day on which nothing happened after all is none. */
async function dropEmpty(rows: StoreWriter, key: readonly [string, string]): Promise<void> {
	const day = await rows.get('days', key);
	if (day === undefined || DAY_TOTAL_NAMES.some((name) => day[name] !== 0n)) return;
	const ofDay = await rows.find('facts', only('branch+on', key));
	if (countedOfRows(ofDay).every(({ effects }) => effects.day === null))
		await rows.remove('days', [key]);
}

/** Where a fact is the last word, or the first, it is so at its new place. */
async function restamp(rows: StoreWriter, { effects, stamp }: Counted): Promise<void> {
	const [wall, counter, id] = stamp;
	const fields = <Row extends { readonly stamps: FieldStamps }>(
		found: readonly (Row | undefined)[]
	): readonly Row[] =>
		found.flatMap((row) =>
			row === undefined ? [] : [{ ...row, stamps: restamped(row.stamps, stamp) }]
		);
	const products = effects.products.map(({ key }) => key);
	await rows.put('products', fields(await rows.getMany('products', products)));
	const customers = effects.customers.map(({ key }) => key);
	await rows.put('customers', fields(await rows.getMany('customers', customers)));
	const settings = Object.keys(effects.settings ?? {});
	await rows.put('settings', fields(await rows.getMany('settings', settings)));
	const edges = await rows.getMany(
		'edges',
		effects.merges.map(({ a, b }) => [a, b])
	);
	await rows.put(
		'edges',
		edges.flatMap((row) => (row?.stamp[2] === id ? [{ ...row, stamp }] : []))
	);
	const ends = await rows.getMany('ends', effects.ends);
	await rows.put(
		'ends',
		ends.flatMap((row) => (row?.factId === id ? [{ ...row, wall, counter }] : []))
	);
}

function restamped(stamps: FieldStamps, stamp: FieldStamp): FieldStamps {
	return Object.fromEntries(
		Object.entries(stamps).map(([field, held]) => [field, held[2] === stamp[2] ? stamp : held])
	);
}

/**
 * The facts here that speak of the same. What a checkpoint counted is in its rows, and a fact that came
 * after it is never moved before it: the relay stamps behind all that it has.
 */
async function rivalsOf(
	rows: StoreReader,
	moving: readonly Moving[],
	counted: readonly Counted[]
): Promise<readonly FactRow[]> {
	const checkpoint = await readMeta(rows, 'checkpoint');
	const keys = counted.flatMap(({ effects: { products, customers } }) => [
		...products.map(({ key }) => key),
		...customers.map(({ key }) => key)
	]);
	const kinds = new Set<string>();
	for (const { effects } of counted) {
		if (effects.settings !== null) kinds.add('setting');
		if (effects.merges.length > 0) kinds.add('merge');
		// What ends something stays the first that did when it moves back.
		if (effects.ends.length > 0 && moving.some(isLater)) kinds.add('entry').add('record');
	}
	const named = keys.length === 0 ? [] : await rows.findAny('facts', 'refs', keys);
	const alike = kinds.size === 0 ? [] : await rows.findAny('facts', 'kind', [...kinds]);
	return [
		...named.filter(({ kind }) => kind === 'product' || kind === 'customer'),
		...alike
	].filter((row) => !isInside(row, checkpoint));
}

function isLater({ before, row }: Moving): boolean {
	return compareStamps(row, before.at) > 0;
}
