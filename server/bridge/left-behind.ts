import type { Sql } from 'postgres';
import type { CryptoParts } from '#domain/crypto.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import { readJudged } from './backfill.ts';
import { BRIDGED_DAY_MAX, dayOf, keepDays, lockDays, type DayRoom, type Way } from './day-limit.ts';
import { bring, deliver, lockForAnswers, type DeliverParts } from './deliver.ts';
import { holdPlaces } from './early-answers.ts';
import { readLacking, readNamed, SLICE_LENGTH, type FactName } from './ledger-book.ts';
import { notePassed, type Patience } from './passed.ts';
import { byOthers, carriesOf, takeWithin, type Carry } from './to-person.ts';

export interface LeftParts extends DeliverParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly patience: Patience;
	/** In the place of `BRIDGED_DAY_MAX`. */
	readonly dayMax?: number;
}

type Left = Way & { readonly business: BusinessId };

/** Acts in one transaction and tells whose feed moved. */
export type Step = (act: (transaction: Transaction) => Promise<Brought>) => Promise<Stepped>;

/** `over`: that was all for now. `broke`: what was to be brought cannot be. */
export interface Stepped {
	readonly how: 'more' | 'over' | 'broke';
	readonly fault?: unknown;
}

export interface Brought {
	readonly moved: ReadonlySet<ScopeId>;
	/** Whether there is nothing more to be brought on this way, or not today. */
	readonly isOver: boolean;
}

const OVER: Brought = { moved: new Set(), isOver: true };

/**
 * BRIDGE-8, BRIDGE-13. What was left behind on one way: read and hashed before any lock, and brought in
 * slices of a transaction each, as far as there is room today. What came meanwhile is looked for at
 * the end, under the lock of whoever else brings on this way.
 */
export async function carryLeft(parts: LeftParts, left: Left, step: Step): Promise<void> {
	const { sql } = parts;
	for (let after = 0; ;) {
		const upTo = await readEnd(sql, left);
		const names = await readLacking(sql, { ...left, after });
		for (let at = 0; at < names.length; at += SLICE_LENGTH) {
			const bringing = { left, names: names.slice(at, at + SLICE_LENGTH) };
			if ((await bringNames(parts, bringing, step)) === 'over') return;
		}
		const behind = { left, after: upTo };
		// What cannot be brought of that is among the first at the next look.
		if ((await step((tx) => bringLast(parts, tx, behind))).how !== 'more') return;
		after = upTo;
	}
}

interface Bringing {
	readonly left: Left;
	readonly names: readonly FactName[];
}

/** BRIDGE-20. A slice that cannot be brought, fact by fact: the one that cannot be alone is passed. */
async function bringNames(
	parts: LeftParts,
	{ left, names }: Bringing,
	step: Step
): Promise<'more' | 'over'> {
	const { how } = await step((tx) => bringSlice(parts, tx, { left, names }));
	const way = `${left.business} ${left.ledger} ${left.person}`;
	if (how === 'broke' && !parts.patience.isOver(way)) return 'over';
	parts.patience.begin(way);
	return how === 'broke' ? bringEach(parts, { left, names }, step) : how;
}

async function bringEach(
	parts: LeftParts,
	{ left, names }: Bringing,
	step: Step
): Promise<'more' | 'over'> {
	for (const name of names) {
		const alone = { left, names: [name] };
		const { how, fault } = await step((tx) => bringSlice(parts, tx, alone));
		if (how === 'over') return how;
		if (how === 'broke') await passName(parts, { ...left, ...name }, fault);
	}
	return 'more';
}

async function passName(
	{ sql, clock }: LeftParts,
	{ business, code, n }: Left & FactName,
	fault: unknown
): Promise<void> {
	const rows = await sql<{ s: string }[]>`
		select s from fact where business = ${business} and code = ${code} and n = ${n}`;
	for (const { s } of rows)
		await notePassed(sql, { scope: business, s: Number(s) }, { fault, day: dayOf(clock()) });
}

async function readEnd(sql: Sql, { business }: Left): Promise<number> {
	const [head] = await sql<{ s: string }[]>`select s from feed_head where business = ${business}`;
	return Number(head?.s ?? 0);
}

async function carriesIn(
	{ sql, crypto }: Pick<LeftParts, 'sql' | 'crypto'>,
	{ business, ledger, person }: Left,
	names: readonly FactName[]
): Promise<readonly Carry[]> {
	const facts = await readNamed(sql, business, names);
	const all = await carriesOf({ sql, business, crypto }, facts);
	return byOthers(sql, [{ ledger, person }], all);
}

async function bringSlice(
	parts: LeftParts,
	transaction: Transaction,
	{ left, names }: Bringing
): Promise<Brought> {
	const carries = await carriesIn({ ...parts, sql: rawSql(transaction) }, left, names);
	if (carries.length === 0) return { moved: new Set(), isOver: false };
	const room = await openWay(parts, transaction, left);
	if (room === undefined) return OVER;
	const { dayMax: max = BRIDGED_DAY_MAX } = parts;
	const fresh = await takeFor(parts, transaction, { left, room, carries });
	const isOver = !room.isFilling && room.count >= max;
	return { moved: await close(parts, transaction, { left, room, fresh }), isOver };
}

/** Whatever stands behind `after`, and what was judged; then nothing is behind any more. */
async function bringLast(
	parts: LeftParts,
	transaction: Transaction,
	{ left, after }: { readonly left: Left; readonly after: number }
): Promise<Brought> {
	const room = await openWay(parts, transaction, left);
	if (room === undefined) return OVER;
	const sql = rawSql(transaction);
	const names = await readLacking(sql, { ...left, after });
	if (names.length > SLICE_LENGTH) return { moved: new Set(), isOver: false };
	room.isBehind = false;
	const carries = await carriesIn({ ...parts, sql }, left, names);
	const fresh = await takeFor(parts, transaction, { left, room, carries });
	const judged = room.isFilling ? await readJudged({ ...parts, sql }, left) : [];
	const isOver = judged.length < SLICE_LENGTH;
	if (!isOver) room.isBehind = true;
	else if (room.isFilling) Object.assign(room, { isFilling: false, count: 0 });
	const moved = await close(parts, transaction, { left, room, fresh });
	await parts.appendRelayFacts(transaction, left.person, judged);
	return { moved: new Set([...moved, left.person]), isOver };
}

/** Locks the way, and the feeds; undefined where nothing is behind, or nobody is linked any more. */
async function openWay(
	parts: LeftParts,
	transaction: Transaction,
	{ business, ledger, person }: Left
): Promise<DayRoom | undefined> {
	const sql = rawSql(transaction);
	const of = { business, day: dayOf(parts.clock()) };
	await holdPlaces(sql, [person]);
	const [room] = await lockDays(sql, of, [{ ledger, person }]);
	if (room?.isBehind !== true) return undefined;
	await lockForAnswers(parts, { transaction, business }, [person]);
	const links = await sql`
		select 1 from ledger_link where business = ${business} and ledger = ${ledger}
			and person = ${person} and state = 'linked'`;
	if (links.length > 0) return room;
	await keepDays(sql, of, [{ ...room, isBehind: false, isFilling: false }]);
	return undefined;
}

function takeFor(
	{ clock, crypto, dayMax: max = BRIDGED_DAY_MAX }: LeftParts,
	transaction: Transaction,
	{ left: { business }, room, carries }: OnWay & { readonly carries: readonly Carry[] }
): Promise<readonly Carry[]> {
	const carry = { sql: rawSql(transaction), business, crypto };
	return takeWithin(carry, room, { carries, now: clock(), max });
}

interface OnWay {
	readonly left: Left;
	readonly room: DayRoom;
}

async function close(
	parts: LeftParts,
	transaction: Transaction,
	{ left: { business, person }, room, fresh }: OnWay & { readonly fresh: readonly Carry[] }
): Promise<ReadonlySet<ScopeId>> {
	const sql = rawSql(transaction);
	const now = parts.clock();
	await keepDays(sql, { business, day: dayOf(now) }, [room]);
	return deliver(parts, transaction, await bring({ sql, business, now }, person, fresh));
}
