import { businessDayOf } from '#domain/calendar.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { sumOf, toPayMinor } from '#domain/fact/document-total.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact, FactHead } from '#domain/fact/fact.ts';
import { factId } from '#domain/ids.ts';
import { ok, type Result } from '#domain/result.ts';
import { bearableMs, compareStamps, nextStamp, type Stamp } from '#domain/stamp.ts';
import { journalName } from '#documents/document-name.ts';
import type {
	DeviceStore,
	JournalRow,
	StoreReader,
	StoreWriter,
	TableName,
	TryRow
} from '#storage/device-store.ts';
import { assert } from '#domain/assert.ts';
import { factRow, type ArrivedFact } from './arrived-fact.ts';
import { throwWhereOver } from './book-end.ts';
import type { Changes } from './changes.ts';
import type { Identity } from './identity.ts';
import { digestOf } from './journal-digest.ts';
import { readMeta, writeMeta, type CartSold, type Sequence } from './meta.ts';
import { foldArrived, foldsFor, READ_MODEL_TABLES } from './read-model.ts';
import { recordRowsOf } from './record-row.ts';
import { shopSettings, type ShopSettings } from './shop-settings.ts';
import { wasWritten } from './was-written.ts';

/** What the one write path is made of. */
export interface DeviceParts {
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly crypto: CryptoParts;
	/** This device's own clock, ms; the path corrects it by the offset that the relay taught. */
	readonly clock: () => number;
	readonly uuid: { readonly v4: () => string; readonly v7: () => string };
	readonly changes: Changes;
	/** Whether the relay is in reach; a record says so of itself. */
	readonly isOnline?: () => boolean;
}

/** The moment of an act: what its facts are called, when they are written, under which settings. */
export interface Moment {
	readonly identity: Identity;
	readonly settings: ShopSettings;
	/** The number that the act's receipt would have. */
	readonly receipt: number;
	/** The act's moment by the corrected clock, ms; its stamp may be later, never earlier. */
	readonly nowMs: number;
	/** The head of the act's fact number `place`, from 0. */
	head(place: number): FactHead;
}

/** What an act looks at. */
export interface Look<Context> {
	/** Read together with the sequence, so that nothing of this device's own moves between. */
	readonly tables: readonly TableName[];
	load(rows: StoreReader): Promise<Context>;
}

/** One thing a person does: what it looks at, and what it decides from that. */
export interface Act<Context, T, E> extends Look<Context> {
	decide(context: Context, moment: Moment): Promise<Result<Decided<T>, E>>;
}

export interface Decided<T> {
	readonly facts: readonly Fact[];
	readonly value: T;
	/** What the act sells of the open cart: it is emptied with it, so that no kill between sells it twice. */
	readonly ofCart?: CartSold['lines'];
	/** Codes that were tried: kept with the act, and decided again where another tab counted too. */
	readonly tries?: TriesKept;
}

export interface TriesKept {
	/** Whose they are: of who had none yet as well. */
	readonly ledger: TryRow['ledger'];
	readonly before: TryRow | undefined;
	readonly after: TryRow | undefined;
}

export type Perform = <Context, T, E>(act: Act<Context, T, E>) => Promise<Result<T, E>>;

const ATTEMPTS_MAX = 5;
const MOMENT_TABLES: readonly TableName[] = ['meta', 'settings'];
const WRITE_TABLES: readonly TableName[] = ['journal', 'backedUp', 'tries', ...READ_MODEL_TABLES];

/**
 * The one way in which a device writes: decide, sign, then one durable transaction that holds the
 * journal, the sequence and the numbers, and that asserts the sequence to be the one decided upon.
 * Another tab may have written meanwhile: then all of it is decided again.
 */
export function createWritePath(parts: DeviceParts, identity: () => Identity): Perform {
	let last: Promise<unknown> = Promise.resolve();

	async function perform<Context, T, E>(act: Act<Context, T, E>): Promise<Result<T, E>> {
		for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
			const basis = await readBasis(parts, identity(), act);
			const decided = await act.decide(basis.context, momentOf(basis));
			if (!decided.ok) return decided;
			const written = await keep(parts, basis, decided.value);
			if (written) return ok(decided.value.value);
		}
		throw new Error('another tab keeps writing before this one');
	}

	// Acts of one tab stand in line, so that only another tab's can be in the way.
	return (act) => {
		const turn = last.then(() => perform(act));
		last = turn.catch(() => undefined);
		return turn;
	};
}

/** The moment as it stands, for a question that writes nothing. */
export async function readMoment<Context>(
	parts: DeviceParts,
	identity: Identity,
	look: Look<Context>
): Promise<{ readonly context: Context; readonly moment: Moment }> {
	const basis = await readBasis(parts, identity, look);
	return { context: basis.context, moment: momentOf(basis) };
}

interface Basis<Context> {
	readonly identity: Identity;
	readonly settings: ShopSettings;
	readonly sequence: Sequence;
	readonly stamp: Stamp;
	readonly nowMs: number;
	readonly context: Context;
}

async function readBasis<Context>(
	{ store, clock }: DeviceParts,
	identity: Identity,
	look: Look<Context>
): Promise<Basis<Context>> {
	const tables = [...new Set([...MOMENT_TABLES, ...look.tables])];
	return store.read(tables, async (rows) => {
		const sequence = (await readMeta(rows, 'sequence')) ?? { n: 0, receipt: 0 };
		const stamp = (await readMeta(rows, 'stamp')) ?? { wall: 0, counter: 0 };
		const offset = (await readMeta(rows, 'offset')) ?? 0;
		const settings = shopSettings(await rows.all('settings'));
		const context = await look.load(rows);
		return { identity, settings, sequence, stamp, nowMs: bearableMs(clock() + offset), context };
	});
}

function momentOf({ identity, settings, sequence, stamp, nowMs }: Basis<unknown>): Moment {
	const first = nextStamp(stamp, nowMs);
	return {
		identity,
		settings,
		receipt: sequence.receipt + 1,
		nowMs,
		head: (place) => {
			const n = sequence.n + 1 + place;
			const at = { wall: first.wall, counter: first.counter + place };
			// By the clock, not the stamp: a stamp that once ran ahead must not move the days to come.
			const on = businessDayOf(nowMs, settings.zone, settings.cutoff);
			const { code, member } = identity;
			return { id: factId(code, n), code, n, at, on, by: member };
		}
	};
}

interface Prepared {
	readonly journal: readonly JournalRow[];
	readonly arrived: readonly ArrivedFact[];
	readonly sequence: Sequence;
	readonly stamp: Stamp;
}

/** Writes the facts; false where the sequence is no longer the one that they were numbered by. */
async function keep(
	parts: DeviceParts,
	basis: Basis<unknown>,
	{ facts, tries, ofCart }: Decided<unknown>
): Promise<boolean> {
	if (facts.length === 0) return tries === undefined || keepTries(parts, tries);
	const prepared = await prepare(parts, basis, facts);
	const { business } = basis.identity;
	const folding = { business, folds: await foldsFor(prepared.arrived) };
	const token = parts.uuid.v4();
	const journal = prepared.journal.map((row) => ({ ...row, act: token }));
	const moved = await parts.store.write(WRITE_TABLES, async (rows) => {
		const standing = await standingOf(rows, basis.sequence, journal);
		if (standing !== 'next') return standing === 'written' ? [] : undefined;
		if (tries !== undefined && !(await areStill(rows, tries))) return undefined;
		await rows.put('journal', journal);
		await writeMeta(rows, 'sequence', prepared.sequence);
		if (ofCart !== undefined) {
			await writeMeta(rows, 'cart', []);
			await writeMeta(rows, 'cartSold', { sale: prepared.sequence.n, lines: ofCart });
		}
		const seen = (await readMeta(rows, 'stamp')) ?? prepared.stamp;
		const isLater = compareStamps(prepared.stamp, seen) > 0;
		await writeMeta(rows, 'stamp', isLater ? prepared.stamp : seen);
		const report = await foldArrived(rows, prepared.arrived, folding);
		assert(report.fresh.length === facts.length, 'an own number is used once');
		return ['meta', 'journal', ...report.moved] as const;
	});
	if (moved === undefined) return false;
	parts.changes.tell(moved);
	return true;
}

/** A code that did not fit makes no fact, and is on disk all the same before anybody is told. */
async function keepTries(
	{ store, changes, uuid }: DeviceParts,
	tries: TriesKept
): Promise<boolean> {
	const after = tries.after && { ...tries.after, act: uuid.v4() };
	const isKept = await store.write(['tries'], async (rows) => {
		// The same work once more, after its answer was lost.
		const held = after && (await rows.get('tries', after.ledger));
		if (held !== undefined && held.act === after?.act) return true;
		if (!(await areStill(rows, tries))) return false;
		if (after !== undefined) await rows.put('tries', [after]);
		return true;
	});
	if (isKept) changes.tell(['tries']);
	return isKept;
}

async function areStill(rows: StoreWriter, { ledger, before }: TriesKept): Promise<boolean> {
	const held = await rows.get('tries', ledger);
	return JSON.stringify(held) === JSON.stringify(before);
}

/**
 * A browser that lost its connection in a commit does the work again: then it may be there already,
 * with acts of another tab behind it where this one slept meanwhile.
 */
async function standingOf(
	rows: StoreWriter,
	basis: Sequence,
	journal: readonly JournalRow[]
): Promise<'next' | 'written' | 'moved'> {
	await throwWhereOver(rows, 'identity');
	const sequence = (await readMeta(rows, 'sequence')) ?? { n: 0, receipt: 0 };
	if (sequence.n === basis.n && sequence.receipt === basis.receipt) return 'next';
	return (await wasWritten(rows, journal, sequence.n)) ? 'written' : 'moved';
}

async function prepare(
	{ crypto }: DeviceParts,
	{ identity, sequence, nowMs }: Basis<unknown>,
	facts: readonly Fact[]
): Promise<Prepared> {
	const journal: JournalRow[] = [];
	const arrived: ArrivedFact[] = [];
	for (const fact of facts) {
		const text = encodeFact(fact);
		const records = await recordRowsOf(fact, crypto);
		assert(records !== undefined, 'a device writes whole records');
		arrived.push({ fact, row: factRow(fact, text, identity.branch), records });
		journal.push({
			n: fact.n,
			id: fact.id,
			document: journalName(identity.business, identity.branch, nowMs),
			text,
			digest: await digestOf(text, crypto),
			sent: 0,
			at: fact.at.wall,
			minor: minorOf(fact)
		});
	}
	const issued = facts.filter(({ kind }) => kind === 'sale' || kind === 'return').length;
	assert(issued <= 1, 'one act issues one receipt');
	const latest = facts.at(-1);
	assert(latest?.n === sequence.n + facts.length, 'facts are numbered without a gap');
	return {
		journal,
		arrived,
		sequence: { n: latest.n, receipt: sequence.receipt + issued },
		stamp: latest.at
	};
}

/** What would be missing from the books if the fact were lost, minor units, without its sign. */
function minorOf(fact: Fact): bigint {
	switch (fact.kind) {
		case 'sale':
		case 'return':
			return toPayMinor(fact);
		case 'record':
			return sumOf(fact.records, ({ core }) => core.amount);
		default:
			return 0n;
	}
}
