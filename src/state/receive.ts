import { idAtStart } from '#domain/fact/issued-again.ts';
import { parseFactId } from '#domain/ids.ts';
import { compareStamps, followStamp, type Stamp } from '#domain/stamp.ts';
import { only, type StoreReader, type StoreWriter, type TableName } from '#storage/device-store.ts';
import { arrive } from './arrive.ts';
import {
	factText,
	HALF_REF,
	UNKNOWN_REF,
	type ArrivedFact,
	type FactText
} from './arrived-fact.ts';
import { behind } from './copied-numbers.ts';
import { handInAgain } from './enter-epoch.ts';
import { heldOf } from './held-facts.ts';
import type { Identity } from './identity.ts';
import { readMeta, writeMeta } from './meta.ts';
import {
	allLedgers,
	foldArrived,
	foldsFor,
	loadFolds,
	READ_MODEL_TABLES,
	type FoldReport
} from './read-model.ts';
import { foldActs, type HeardFact } from './same-act.ts';
import type { Turns } from './turns.ts';
import type { DeviceParts } from './write-path.ts';

/** What became of facts that arrived. */
export interface ReceiveReport {
	/** New ones, kept. */
	readonly fresh: number;
	/** Those that are no facts, or hold a record that is not whole. */
	readonly unreadable: number;
}

/** Facts of one transaction, as many as take a moment: a sale that is rung up waits for no more. */
const PIECE = { first: 60, least: 60, most: 600, ms: 300 } as const;
/** Screens read anew so often at the most while much arrives. */
const TELL_MS = 500;

/**
 * Takes in facts in any order and any number of times. What is known already is not read again;
 * what is read is hashed before the transaction, because nothing else may be waited for inside it.
 * Between two pieces whatever a person does has its turn.
 */
export async function receiveFacts(
	facts: readonly FactText[],
	parts: DeviceParts,
	{ identity, turns }: { readonly identity: Identity; readonly turns: Pick<Turns, 'quiet'> }
): Promise<ReceiveReport> {
	const news = createNews(parts);
	let fresh = 0;
	let unreadable = 0;
	let length: number = PIECE.first;
	try {
		for (let start = 0; start < facts.length;) {
			await turns.quiet();
			const from = parts.clock();
			const piece = await unknownOf(facts.slice(start, start + length), parts, identity);
			const arrived = await arriveAll(piece, parts);
			unreadable += piece.length - arrived.length;
			if (arrived.length > 0) {
				const report = await keepArrived(arrived, parts, identity);
				fresh += report.fresh.length;
				news.moved(report.moved);
			}
			start += length;
			length = nextLength(length, parts.clock() - from);
		}
	} finally {
		// What came before a fault is known from now on, and moves nothing when it comes again.
		news.tell();
	}
	return { fresh, unreadable };
}

/** Twice as many where that was quick, half as many where it was slow. */
function nextLength(length: number, ms: number): number {
	const next = ms > PIECE.ms ? length / 2 : length * 2;
	return Math.floor(Math.min(PIECE.most, Math.max(PIECE.least, next)));
}

async function arriveAll(
	unknown: readonly FactText[],
	{ crypto }: DeviceParts
): Promise<readonly HeardFact[]> {
	// Hashing waits for another thread: all of them wait together.
	const arrived = await Promise.all(
		unknown.map(async (fact): Promise<HeardFact | undefined> => {
			const one = await arrive(fact, crypto);
			return one && { ...one, isOfFeed: fact.s !== undefined };
		})
	);
	return arrived.filter((one) => one !== undefined);
}

interface News {
	moved(tables: readonly TableName[]): void;
	tell(): void;
}

/** Tells of several pieces together. */
function createNews({ changes, clock }: DeviceParts): News {
	const waiting = new Set<TableName>();
	let toldAt = clock();
	const tell = (): void => {
		toldAt = clock();
		changes.tell([...waiting], 'arrived');
		waiting.clear();
	};
	return {
		moved: (tables) => {
			for (const table of tables) waiting.add(table);
			if (clock() - toldAt >= TELL_MS) tell();
		},
		tell
	};
}

/**
 * Those whose id is not held, and what the feed has under it instead: what this device wrote itself it
 * takes from nobody. A text that names no id is left for the parser to refuse.
 */
async function unknownOf(
	facts: readonly FactText[],
	{ store }: DeviceParts,
	{ code }: Identity
): Promise<readonly FactText[]> {
	const names = facts.map(({ text }) => parseFactId(idAtStart(text)));
	const known = names.flatMap((name) => (name.ok ? [name.value] : []));
	const held = await store.read(['facts'], (rows) => heldOf(rows, known));
	return facts.filter((fact, place) => {
		const name = names[place];
		const row = name?.ok === true ? held.get(name.value.id) : undefined;
		const isOther = row !== undefined && row.code !== code && row.text !== fact.text;
		return row === undefined || (isOther && fact.s !== undefined);
	});
}

/**
 * Facts of this device's own code that its journal does not have: it was restored from a backup, or
 * copied. Its next fact takes a number behind theirs, so that nothing written is taken for known.
 */
async function skipOwn(
	rows: StoreWriter,
	fresh: readonly ArrivedFact[],
	{ code }: Identity
): Promise<void> {
	const own = fresh.filter(({ row }) => row.code === code);
	if (own.length === 0) return;
	const sequence = (await readMeta(rows, 'sequence')) ?? { n: 0, receipt: 0 };
	const after = own.reduce(
		({ n, receipt }, { row, fact }) => ({
			n: behind(n, row.n, sequence.n),
			receipt:
				fact !== null && 'receipt' in fact
					? behind(receipt, fact.receipt, sequence.receipt)
					: receipt
		}),
		sequence
	);
	await writeMeta(rows, 'sequence', after);
}

async function keepArrived(
	arrived: readonly HeardFact[],
	{ store, clock }: DeviceParts,
	identity: Identity
): Promise<FoldReport> {
	const { business, code } = identity;
	const folding = { business, code, folds: await foldsFor(arrived) };
	return store.write(READ_MODEL_TABLES, async (rows) => {
		const folded = await foldActs(rows, arrived, folding);
		const nowMs = clock() + ((await readMeta(rows, 'offset')) ?? 0);
		const before = (await readMeta(rows, 'stamp')) ?? { wall: 0, counter: 0 };
		await writeMeta(rows, 'stamp', stampAfter(folded, before, nowMs));
		await skipOwn(rows, folded.fresh, identity);
		if (folded.fresh.some(({ row }) => row.kind === 'link')) await handInAgain(rows);
		return folded;
	});
}

/**
 * The stamp that the next own fact is later than. Where the last one was written ahead and the relay
 * said when it counts, all is as if it had been written then: one day ahead must not put every
 * later fact ahead.
 */
function stampAfter({ fresh, moves }: FoldReport, before: Stamp, nowMs: number): Stamp {
	const last = moves.find(({ own }) => compareStamps(own, before) === 0)?.now ?? before;
	const seen = fresh.map(({ row }): Stamp => ({ wall: row.wall, counter: row.counter }));
	return [...seen, ...moves.map(({ now }) => now)].reduce(
		(latest, stamp) => followStamp(latest, stamp, nowMs),
		last
	);
}

/**
 * Counts what was kept uncounted because it was of a kind or form that the program did not know, as far
 * as this one does, and makes the list of customers that a program of before kept no rows of. To be
 * done when the till stands.
 */
export async function countKept(
	{ store, crypto, changes }: Pick<DeviceParts, 'store' | 'crypto' | 'changes'>,
	identity: Identity
): Promise<void> {
	const held = await store.read(['meta', 'facts', 'customers', 'records'], async (rows) => ({
		unlisted: (await hasList(rows)) ? [] : await allLedgers(rows),
		rows: await rows.find('facts', only('refs', UNKNOWN_REF))
	}));
	const arrived: ArrivedFact[] = [];
	for (const row of held.rows) {
		const one = await arrive(factText(row), crypto);
		if (one?.fact !== undefined && one.fact !== null) arrived.push(one);
	}
	const { business } = identity;
	// In pieces: a sale that is rung up meanwhile waits for one of them.
	for (let start = 0; start < arrived.length; start += PIECE.least) {
		const piece = arrived.slice(start, start + PIECE.least);
		const folding = { business, folds: await foldsFor(piece) };
		const { moved } = await store.write(READ_MODEL_TABLES, async (rows) =>
			foldArrived(rows, await stillKept(rows, piece), folding)
		);
		changes.tell(moved, 'arrived');
	}
	if (held.unlisted.length === 0) return;
	const { foldTallies } = await loadFolds();
	await store.write(READ_MODEL_TABLES, async (rows) =>
		foldTallies(rows, await allLedgers(rows), business)
	);
	changes.tell(['tallies'], 'arrived');
}

/**
 * What the feed has under another name gave way to that one, and counts under it. LINK-43. What some sums
 * of a checkpoint hold, and others do not, is counted by one that is taken anew.
 */
async function stillKept(
	rows: StoreWriter,
	piece: readonly ArrivedFact[]
): Promise<readonly ArrivedFact[]> {
	const names = piece.map(({ row }) => row);
	const held = await heldOf(rows, names);
	const kept = piece.filter(({ row }) => held.get(row.id)?.refs.includes(UNKNOWN_REF) === true);
	const whole = kept.filter(({ row }) => held.get(row.id)?.refs.includes(HALF_REF) !== true);
	if (whole.length < kept.length) await writeMeta(rows, 'isCheckpointLost', true);
	return whole;
}

/** A program of before kept no rows of the list. */
async function hasList(rows: StoreReader): Promise<boolean> {
	return (await readMeta(rows, 'tallies')) !== undefined;
}
