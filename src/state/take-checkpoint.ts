import { addDayTotals, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import { moreIn } from '#domain/fact/record-more.ts';
import { groupBy } from '#domain/group-by.ts';
import { compareFactIds, parseFactId, type FactId, type LedgerId } from '#domain/ids.ts';
import {
	only,
	type DayRow,
	type FactRow,
	type NumberRange,
	type NumberRanges,
	type RecordRow,
	type StockRow,
	type StoreReader,
	type StoreWriter
} from '#storage/device-store.ts';
import { arrive } from './arrive.ts';
import { factOf, HALF_REF, UNKNOWN_REF, type ArrivedFact } from './arrived-fact.ts';
import type { Checkpoint, CheckpointPiece } from './checkpoint.ts';
import { customerKeys, productKeys } from './entity-keys.ts';
import { compareFieldStamps } from './fold-entities.ts';
import { countedOf, foldLatest, isInside } from './fold-latest.ts';
import { heldOf } from './held-facts.ts';
import type { Identity } from './identity.ts';
import * as folds from './ledger-folds.ts';
import { readMeta, writeMeta } from './meta.ts';
import { inBoth, isInRanges, joined } from './number-ranges.ts';
import {
	addAll,
	addDayRows,
	fillIn,
	FOLDED_TABLES,
	READ_MODEL_TABLES,
	settleTimes
} from './read-model.ts';
import type { Turns } from './turns.ts';
import type { DeviceParts } from './write-path.ts';

type TakeParts = Pick<DeviceParts, 'store' | 'changes' | 'crypto'>;

/**
 * Begins with a checkpoint: what it says of products, customers, settings and records is joined with
 * what is here, what it sums stands in the place of the sums here, and the facts that it does not
 * hold are added. Where nothing was missing, no number moves. Of another epoch, and where what was
 * begun with is lost, it stands for itself: what this device folded before of facts that it does not
 * hold is forgotten.
 */
export async function takeCheckpoint(
	checkpoint: Checkpoint,
	parts: TakeParts,
	{ business }: Pick<Identity, 'business'>
): Promise<void> {
	const arrived = await arriveAll(checkpoint, parts);
	await parts.store.write(READ_MODEL_TABLES, async (rows) => {
		const isNew = await isAnew(rows, checkpoint);
		if (!isNew && (await isOlder(rows, checkpoint))) return;
		const settling = { business, folds, isBeginning: true };
		const { arrived: said } = await settleTimes(rows, arrived, settling);
		const outside = await factsOutside(rows, checkpoint.ranges);
		if (isNew) {
			for (const table of FOLDED_TABLES) await rows.clear(table);
			await forgetPruned(rows, checkpoint);
			await addAll(rows, outside, { business, folds });
		}
		await clearHalf(rows, checkpoint, isNew);
		await keepLater(rows, outside, isNew ? [UNKNOWN_REF] : [UNKNOWN_REF, HALF_REF]);
		await joinRows(rows, checkpoint, { outside, said, business });
		await dropDays(rows, checkpoint, outside);
		await keepPlace(rows, checkpoint, isNew);
	});
	parts.changes.tell(['meta', ...FOLDED_TABLES]);
}

/** DEVICE-46. What was let go and is in no sum any more is counted when the feed brings it again. */
async function forgetPruned(rows: StoreWriter, { ranges }: Checkpoint): Promise<void> {
	const pruned = await readMeta(rows, 'pruned');
	if (pruned === undefined) return;
	const left = inBoth(pruned, ranges);
	if (JSON.stringify(left) === JSON.stringify(pruned)) return;
	await writeMeta(rows, 'pruned', left);
	await rows.remove('meta', ['prunedTo']);
}

/** Rows of a piece that are put in one transaction. */
const PIECE_ROWS = 250;

/** What became of a piece: `behind`, the feed has not come as far yet; `begin`, it is to be begun anew. */
export type PieceTaken = 'taken' | 'behind' | 'begin';

/**
 * Takes a later piece of a checkpoint that was begun. It is of a later place than the first, so that
 * the feed must have come as far: then what it sums, and the facts here that it does not hold, are
 * all there is. Where it is not taken, what was put of it before is right all the same.
 */
export async function takePiece(
	given: CheckpointPiece,
	parts: TakeParts,
	{ identity, turns }: { readonly identity: Identity; readonly turns: Pick<Turns, 'quiet'> }
): Promise<PieceTaken> {
	const { business } = identity;
	const ranges =
		given.ranges ?? (await parts.store.read(['meta'], (rows) => rangesAt(rows, given)));
	if (typeof ranges === 'string') return ranges;
	const piece: Checkpoint = { ...given, ranges };
	const arrived = await arriveAll(piece, parts);
	const pieces = split(piece);
	for (const [place, some] of pieces.entries()) {
		await turns.quiet();
		const taken = await parts.store.write(READ_MODEL_TABLES, async (rows) => {
			const standing = await standingOf(rows, piece);
			if (standing !== 'taken') return standing;
			const hasSums = some.stock.length + some.days.length > 0;
			if (hasSums) await markHalf(rows, piece);
			const outside = hasSums ? await factsOutside(rows, piece.ranges) : [];
			await keepLater(rows, outside, [UNKNOWN_REF, HALF_REF]);
			const isLast = place === pieces.length - 1;
			const settling = { business, folds, isBeginning: true };
			const { arrived: said } = await settleTimes(rows, isLast ? arrived : [], settling);
			await joinRows(rows, some, { outside, said, business });
			return standing;
		});
		if (taken !== 'taken') return taken;
	}
	parts.changes.tell(movedBy(piece));
	return 'taken';
}

/** LINK-38. Which facts the relay had at the place of a piece that does not say it. */
async function rangesAt(
	rows: StoreReader,
	{ epoch, s }: CheckpointPiece
): Promise<NumberRanges | 'behind' | 'begin'> {
	const feed = await readMeta(rows, 'feed');
	const reached = await readMeta(rows, 'reached');
	// The feed may have gone on without it, by a program of before.
	if (reached?.epoch !== epoch || reached.s !== feed?.s) return 'begin';
	return reached.s === s ? reached.ranges : 'behind';
}

async function standingOf(rows: StoreReader, { epoch, s }: Checkpoint): Promise<PieceTaken> {
	const feed = await readMeta(rows, 'feed');
	const begun = await readMeta(rows, 'checkpoint');
	if (begun?.epoch !== epoch) return 'begin';
	// A tab that slept holds one of before what another tab began anew, which says more than it.
	return feed?.epoch !== epoch || feed.s < s || begun.s > s ? 'behind' : 'taken';
}

/**
 * LINK-43. The sums of a piece hold what this program kept uncounted since the first came, whose own do not:
 * it is not to be added to either one day, but the checkpoint taken anew then. Not now: where later
 * programs write all day, it would come to no end.
 */
async function markHalf(rows: StoreWriter, { ranges }: Checkpoint): Promise<void> {
	const begun = await readMeta(rows, 'checkpoint');
	const unknown = await rows.find('facts', only('refs', UNKNOWN_REF));
	const half = unknown.filter(
		(row) => isInRanges(row, ranges) && !isInside(row, begun) && !row.refs.includes(HALF_REF)
	);
	await rows.put(
		'facts',
		half.map((row) => ({ ...row, refs: [...row.refs, HALF_REF] }))
	);
}

/** Of one that is taken anew every sum holds it, or none does. */
async function clearHalf(rows: StoreWriter, { ranges }: Checkpoint, isNew: boolean): Promise<void> {
	const half = await rows.find('facts', only('refs', HALF_REF));
	await rows.put(
		'facts',
		half
			.filter((row) => isNew || isInRanges(row, ranges))
			.map((row) => ({ ...row, refs: row.refs.filter((ref) => ref !== HALF_REF) }))
	);
}

/**
 * DEVICE-25. What a tab of a later program counted, and this one cannot put on the sums that came, is kept
 * uncounted from then on.
 */
async function keepLater(
	rows: StoreWriter,
	outside: readonly ArrivedFact[],
	refs: readonly string[]
): Promise<void> {
	const later = outside.filter(({ fact, row }) => fact === null && !row.refs.includes(UNKNOWN_REF));
	await rows.put(
		'facts',
		later.map(({ row }) => ({ ...row, refs: [...row.refs, ...refs] }))
	);
}

function movedBy(piece: Checkpoint): Parameters<DeviceParts['changes']['tell']>[0] {
	return FOLDED_TABLES.filter((table) => {
		if (table === 'products') return piece.products.length > 0;
		if (table === 'stock') return piece.stock.length > 0;
		if (table === 'days') return piece.days.length > 0;
		return piece.customers.length + piece.records.length + piece.ledgerFacts.length > 0;
	});
}

/** Hashing waits, so it is done before the transaction. */
async function arriveAll(
	{ ledgerFacts }: Checkpoint,
	{ crypto }: TakeParts
): Promise<readonly ArrivedFact[]> {
	const arrived: ArrivedFact[] = [];
	for (const fact of ledgerFacts) {
		const one = await arrive(fact, crypto);
		if (one !== undefined) arrived.push(one);
	}
	return arrived;
}

/** The same piece in several, each for a short transaction; what ends it is in the last. */
function split(piece: Checkpoint): readonly Checkpoint[] {
	const { products, stock, customers, bases = [], records, days } = piece;
	const count = Math.max(
		1,
		...[products, customers, records, days].map((list) => Math.ceil(list.length / PIECE_ROWS))
	);
	const levels = groupBy([...stock], ({ product }) => product);
	const based = new Map(bases.map((base) => [base.ledger, base]));
	const { epoch, s, ranges, settings, members, devices, whole = [] } = piece;
	return Array.from({ length: count }, (_none, place): Checkpoint => {
		const part = <T>(list: readonly T[]): readonly T[] =>
			list.slice(place * PIECE_ROWS, (place + 1) * PIECE_ROWS);
		const isLast = place === count - 1;
		return {
			...{ epoch, s, ranges, settings, members, devices },
			products: part(products),
			stock: part(products).flatMap(({ id }) => levels.get(id) ?? []),
			customers: part(customers),
			bases: part(customers).flatMap(({ ledger }) => based.get(ledger) ?? []),
			records: part(records),
			days: part(days),
			ledgerFacts: isLast ? piece.ledgerFacts : [],
			...(isLast && { whole })
		};
	});
}

interface Joining {
	/** The held facts that the checkpoint is not of. */
	readonly outside: readonly ArrivedFact[];
	/** What it says of ledgers beside their records. */
	readonly said: readonly ArrivedFact[];
	readonly business: Identity['business'];
}

async function joinRows(
	rows: StoreWriter,
	checkpoint: Checkpoint,
	{ outside, said, business }: Joining
): Promise<void> {
	if (await joinEntities(rows, checkpoint)) {
		const since = await factsOutside(rows, checkpoint.ranges);
		await foldLatest(rows, since.flatMap(countedOf));
	}
	await putSums(rows, checkpoint, outside);
	await joinRecords(rows, checkpoint.records);
	await folds.attachSayings(
		rows,
		checkpoint.records.map(({ h }) => h)
	);
	await folds.addLedgerFacts(rows, said.flatMap(countedOf));
	await keepUnknown(rows, said);
	await fillIn(rows, said, { business, folds });
	const { bases = [], whole = [], ranges } = checkpoint;
	await rows.put(
		'bases',
		bases.map((base) => ({ ...base, isWanted: 0, ranges }))
	);
	await rows.remove('bases', whole);
	const touched = new Set<LedgerId>([
		...checkpoint.customers.map(({ ledger }) => ledger),
		...checkpoint.records.map(({ ledger }) => ledger),
		...(await ledgersSaid(rows, said)),
		...whole
	]);
	if (touched.size > 0) await folds.foldTallies(rows, [...touched], business);
}

/** DEVICE-25. What a later program says of ledgers comes beside the sums, and is in none of them. */
async function keepUnknown(rows: StoreWriter, said: readonly ArrivedFact[]): Promise<void> {
	const unknown = said.filter(({ fact }) => fact === null).map(({ row }) => row);
	const held = await heldOf(rows, unknown);
	await rows.put(
		'facts',
		unknown.filter(({ id }) => !held.has(id))
	);
}

async function ledgersSaid(
	rows: StoreReader,
	said: readonly ArrivedFact[]
): Promise<readonly LedgerId[]> {
	const effects = said.flatMap(countedOf).map((one) => one.effects);
	const hashes = effects.flatMap(({ sayings, list }) => [...sayings.map(({ h }) => h), ...list]);
	const records = await rows.getMany('records', [...new Set(hashes)]);
	return [
		...records.flatMap((row) => (row === undefined ? [] : [row.ledger])),
		...effects.flatMap(({ links, merges, entries }) => [
			...links.map(({ key }) => key),
			...merges.flatMap(({ a, b }) => [a, b]),
			...entries.flatMap(({ ledgerId }) => (ledgerId === 0 ? [] : [ledgerId]))
		])
	];
}

/**
 * Each field by the latest that is known of it, here or there. Answers whether something here was of
 * a fact that the checkpoint knows better: what stood behind that is then to be folded again.
 */
async function joinEntities(rows: StoreWriter, checkpoint: Checkpoint): Promise<boolean> {
	const left = [
		await join(checkpoint.products, checkpoint, {
			held: (all) =>
				rows.getMany(
					'products',
					all.map(({ id }) => id)
				),
			put: (all) =>
				rows.put(
					'products',
					all.map((row) => ({ ...row, ...productKeys(row) }))
				)
		}),
		await join(checkpoint.customers, checkpoint, {
			held: (all) =>
				rows.getMany(
					'customers',
					all.map(({ ledger }) => ledger)
				),
			put: (all) =>
				rows.put(
					'customers',
					all.map((row) => ({ ...row, ...customerKeys(row) }))
				)
		}),
		await joinPeople(rows, checkpoint)
	];
	return left.includes(true);
}

async function joinPeople(rows: StoreWriter, checkpoint: Checkpoint): Promise<boolean> {
	const left = [
		await join(checkpoint.settings, checkpoint, {
			held: (all) =>
				rows.getMany(
					'settings',
					all.map(({ field }) => field)
				),
			put: (all) => rows.put('settings', all)
		}),
		await join(checkpoint.members, checkpoint, {
			held: (all) =>
				rows.getMany(
					'members',
					all.map(({ number }) => number)
				),
			put: (all) => rows.put('members', all)
		}),
		await join(checkpoint.devices, checkpoint, {
			held: (all) =>
				rows.getMany(
					'devices',
					all.map(({ code }) => code)
				),
			put: (all) => rows.put('devices', all)
		})
	];
	return left.includes(true);
}

interface Joined<Row> {
	held(rows: readonly Row[]): Promise<readonly (Row | undefined)[]>;
	put(rows: readonly Row[]): Promise<void>;
}

async function join<Row extends { readonly stamps: NumberedStamps }>(
	fresh: readonly Row[],
	{ ranges }: Pick<Checkpoint, 'ranges'>,
	table: Joined<Row>
): Promise<boolean> {
	const held = await table.held(fresh);
	const later = fresh.map((row, place) => laterFieldsOf(row, held[place], ranges));
	await table.put(later.map(({ row }) => row));
	return later.some(({ left }) => left);
}

/** A fact that the checkpoint holds and that is not its last word was stamped ahead, and is known to be. */
function laterFieldsOf<Row extends { readonly stamps: NumberedStamps }>(
	row: Row,
	held: Row | undefined,
	ranges: NumberRanges
): { readonly row: Row; readonly left: boolean } {
	if (held === undefined) return { row, left: false };
	const all = Object.entries(held.stamps).filter(([field, stamp]) => {
		const of = row.stamps[field];
		return of === undefined || compareFieldStamps(stamp, of) > 0;
	});
	const later = all.filter(([, [, , id]]) => !isIn(id, ranges));
	const fields = later.map(([field]): [string, unknown] => [field, Reflect.get(held, field)]);
	const stamps = { ...row.stamps, ...Object.fromEntries(later) };
	return {
		row: { ...row, ...Object.fromEntries(fields), stamps },
		left: later.length < all.length
	};
}

function isIn(id: FactId, ranges: NumberRanges): boolean {
	const parsed = parseFactId(id);
	return parsed.ok && isInRanges(parsed.value, ranges);
}

type NumberedStamps = Readonly<Record<string, Parameters<typeof compareFieldStamps>[0]>>;

/** Sums as the relay has them, and on them what the facts outside do. */
async function putSums(
	rows: StoreWriter,
	{ stock, days }: Checkpoint,
	outside: readonly ArrivedFact[]
): Promise<void> {
	if (stock.length + days.length === 0) return;
	const levels = new Map<string, bigint>();
	const totals = new Map<string, DayTotals>();
	for (const { effects, branch, on } of outside.flatMap(countedOf)) {
		if (branch === '') continue;
		for (const { productId, deltaThousandths } of effects.stock) {
			const key = `${branch} ${productId}`;
			levels.set(key, (levels.get(key) ?? 0n) + BigInt(deltaThousandths));
		}
		if (effects.day === null) continue;
		const key = `${branch} ${on}`;
		totals.set(key, addDayTotals(totals.get(key) ?? DAY_ZERO, effects.day));
	}
	await rows.put(
		'stock',
		stock.map((row): StockRow => ({
			...row,
			level: row.level + (levels.get(`${row.branch} ${row.product}`) ?? 0n)
		}))
	);
	await rows.put(
		'days',
		days.map((row): DayRow => ({
			...addDayTotals(row, totals.get(`${row.branch} ${row.on}`) ?? DAY_ZERO),
			branch: row.branch,
			on: row.on
		}))
	);
}

/**
 * A day that the checkpoint would name, had anything happened on it, and does not: what was counted
 * on it here was of facts that were stamped ahead, and is elsewhere. It comes to the facts outside.
 */
async function dropDays(
	rows: StoreWriter,
	{ days, next }: Checkpoint,
	outside: readonly ArrivedFact[]
): Promise<void> {
	// The first piece has the latest days of all branches, a whole checkpoint every one.
	const from =
		next === undefined ? '' : days.reduce((least, { on }) => (on < least ? on : least), '~');
	const named = new Set(days.map(({ branch, on }) => `${branch} ${on}`));
	const held = await rows.all('days');
	const others = held.filter(({ branch, on }) => on >= from && !named.has(`${branch} ${on}`));
	await rows.remove(
		'days',
		others.map(({ branch, on }) => [branch, on])
	);
	const gone = new Set(others.map(({ branch, on }) => `${branch} ${on}`));
	await addDayRows(
		rows,
		outside.flatMap(countedOf).filter(({ branch, on }) => gone.has(`${branch} ${on}`))
	);
}

/**
 * Each H once, under the first fact that carried it; what is here may say more than what came, and so may a
 * fact that is here already, and comes no more.
 */
async function joinRecords(rows: StoreWriter, records: readonly RecordRow[]): Promise<void> {
	const held = await rows.getMany(
		'records',
		records.map(({ h }) => h)
	);
	const fresh = records.filter((row, place) => {
		const before = held[place];
		return before === undefined || compareFactIds(row.factId, before.factId) < 0;
	});
	const facts = await rows.getMany(
		'facts',
		fresh.map(({ factId }) => factId)
	);
	await rows.put(
		'records',
		fresh.map((row, place) => withFact(row, facts[place]))
	);
}

function withFact(row: RecordRow, held: FactRow | undefined): RecordRow {
	const fact = held === undefined ? null : factOf(held);
	return fact === null ? row : { ...row, ...moreIn(fact, row) };
}

/** The held facts whose numbers the checkpoint does not name. */
async function factsOutside(
	rows: StoreReader,
	ranges: NumberRanges
): Promise<readonly ArrivedFact[]> {
	const found: (readonly FactRow[])[] = [];
	for (const code of await codesHeld(rows))
		for (const [from, to] of gapsOf(ranges[code] ?? [])) {
			const span = { index: 'code+n', from: [code, from], to: [code, to] };
			found.push(await rows.find('facts', span));
		}
	// As lists: one may be of more facts than a call has arguments.
	const held = found.flat();
	const records = await rows.findAny(
		'records',
		'factId',
		held.map(({ id }) => id)
	);
	const recordsByFact = groupBy(records, ({ factId }) => factId);
	return held.map((row) => ({
		fact: factOf(row),
		row,
		records: recordsByFact.get(row.id) ?? []
	}));
}

/** From one device's last fact to the next device's first. */
async function codesHeld(rows: StoreReader): Promise<readonly string[]> {
	const codes: string[] = [];
	for (;;) {
		const last = codes.at(-1);
		const [next] = await rows.find('facts', {
			index: 'code+n',
			from: last === undefined ? ['', 0] : [last, Number.MAX_SAFE_INTEGER],
			to: ['\uffff', 0],
			limit: 1
		});
		if (next === undefined) return codes;
		codes.push(next.code);
	}
}

function gapsOf(ranges: readonly NumberRange[]): readonly NumberRange[] {
	const gaps: NumberRange[] = [];
	let from = 1;
	for (const [first, last] of joined(ranges)) {
		if (first > from) gaps.push([from, first - 1]);
		from = last + 1;
	}
	return [...gaps, [from, Number.MAX_SAFE_INTEGER]];
}

async function isAnew(rows: StoreReader, { epoch }: Checkpoint): Promise<boolean> {
	if ((await readMeta(rows, 'isCheckpointLost')) === true) return true;
	const before = (await readMeta(rows, 'checkpoint')) ?? (await readMeta(rows, 'feed'));
	return before !== undefined && before.epoch !== epoch;
}

/** FEED-15. A relay that gives none gives that of the feed's beginning, which one that goes on needs not. */
async function isOlder(rows: StoreReader, { epoch, s }: Checkpoint): Promise<boolean> {
	const begun = await readMeta(rows, 'checkpoint');
	return begun?.epoch === epoch && begun.s > s;
}

/**
 * The feed goes on behind the checkpoint, or from where it was, if that is further in one epoch and what
 * came by it still counts; what it stands for comes as history.
 */
async function keepPlace(rows: StoreWriter, checkpoint: Checkpoint, isNew: boolean): Promise<void> {
	const { epoch, s, ranges, often, next = null } = checkpoint;
	const feed = await readMeta(rows, 'feed');
	const isFurther = !isNew && feed?.epoch === epoch && feed.s > s;
	await writeMeta(rows, 'checkpoint', { epoch, s, ranges });
	await writeMeta(rows, 'reached', next && { epoch, s, ranges });
	await writeMeta(rows, 'feed', isFurther ? feed : { epoch, s });
	await writeMeta(rows, 'history', { epoch, s: s + 1 });
	await writeMeta(rows, 'isCheckpointLost', false);
	if (often !== undefined) await writeMeta(rows, 'often', often);
	await writeMeta(rows, 'checkpointNext', next && { epoch, ...next });
}
