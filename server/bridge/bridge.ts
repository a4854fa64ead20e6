import type { Sql } from 'postgres';
import type { CryptoParts } from '#domain/crypto.ts';
import type { BranchId, BusinessId, PersonId } from '#domain/ids.ts';
import type { AppendRelayFacts, LockScopes, ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import { createLeftWork, type LeftWorkParts } from '#server/database/left-work.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import { rawSql, type Executor, type Transaction } from '#server/database/transaction.ts';
import type { ToldConnection } from '#server/ledgers/said-again.ts';
import {
	BRIDGED_DAY_MAX,
	dayOf,
	findLeftBehind,
	keepDays,
	lockDays,
	type Way
} from './day-limit.ts';
import { bring, deliver, lockForAnswers, type OfShop } from './deliver.ts';
import { holdPlaces, type Brought } from './early-answers.ts';
import {
	createHeldAnswers,
	passAnswered,
	readAnswered,
	readAnswerers,
	type AnswerWay,
	type HeldAnswers
} from './held-answers.ts';
import { carryLeft, type Step } from './left-behind.ts';
import {
	createPatience,
	findPassed,
	isOfFact,
	notePassed,
	takePassed,
	type FactPlace,
	type Patience
} from './passed.ts';
import { findCards, noteCard, readCard, tellCard } from './told-cards.ts';
import { byOthers, carriesOf, takeWithin, type ShopFact } from './to-person.ts';
import { deliveriesOf, earlyDeliveriesOf, type Delivery } from './to-shop.ts';
import { readCarried } from './carried-links.ts';

/** Carries what a shop wrote to its linked customers, and their answers to the shop. */
export interface Bridge {
	/** Something was committed. Never throws. */
	wake(): void;
	/** Carries all that is there, and resolves when nothing is left. */
	carryAll(): Promise<void>;
	/** Stops, after the feed in hand. */
	close(): Promise<void>;
}

export interface BridgeParts extends LeftWorkParts {
	readonly executor: Executor;
	readonly sql: Sql;
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly appendRelayFacts: AppendRelayFacts;
	readonly lockScopes: LockScopes;
	readonly feedMoved: (scope: ScopeId) => Promise<void>;
	/** The relay's point, 65 bytes. */
	readonly relayKey: Uint8Array;
	/** In the place of `BRIDGED_DAY_MAX`. */
	readonly dayMax?: number;
	/** RELAY-82. An answer folds its ledger anew. */
	readonly folds?: Pick<FoldMeter, 'isSpent'>;
	/** Hears of each connection of which something was carried in; left out where nothing is. */
	readonly sayAgain?: ((told: ToldConnection) => Promise<void>) | undefined;
}

/** With what one worker remembers. */
interface Working extends BridgeParts {
	readonly held: HeldAnswers;
	readonly patience: Patience;
	readonly isClosed: () => boolean;
}

const SCOPES_LENGTH = 100;
const FACTS_LENGTH = 300;

/**
 * BRIDGE-1. Each feed has a place up to which it was carried, which moves in the transaction that
 * carries: whatever is killed, everything is carried once. BRIDGE-13. What was left behind may be long,
 * and is brought by a worker of its own.
 */
export function createBridge(given: BridgeParts): Bridge {
	const held = createHeldAnswers(given);
	const patience = createPatience(given.clock);
	const parts = { ...given, held, patience, isClosed: (): boolean => work.isClosed() };
	const work = createLeftWork(parts, carryFeeds);
	const later = createLeftWork(parts, carryLeftBehind);
	async function carryFeeds(): Promise<void> {
		for (let moved = 1; moved > 0 && !work.isClosed();) {
			moved = 0;
			await passUnlinked(parts);
			for await (const scope of findBehind(parts.sql)) {
				if (work.isClosed()) return;
				moved += await carryOne(parts, scope);
			}
			moved += await tellCards(parts);
			for (const business of await parts.held.ready()) moved += await carryHeld(parts, business);
			moved += await carryPassed(parts);
		}
	}
	async function carryLeftBehind(): Promise<void> {
		const { dayMax: max = BRIDGED_DAY_MAX } = parts;
		for await (const left of findLeftBehind(parts.sql, { day: dayOf(parts.clock()), max })) {
			if (later.isClosed()) return;
			if (parts.folds?.isSpent(left.business) === true) continue;
			const step: Step = async (act) => {
				const stepped = await stepIn(parts, act);
				return later.isClosed() ? { how: 'over' } : stepped;
			};
			await carryLeft(parts, left, step).catch(parts.fault);
		}
	}
	return {
		wake: () => {
			work.wake();
			later.wake();
		},
		carryAll: async () => {
			await carryFeeds();
			await carryLeftBehind();
		},
		close: async () => {
			await Promise.all([work.close(), later.close()]);
		}
	};
}

/**
 * BRIDGE-7. The feed of a shop to which nobody is linked has nothing to carry: its place moves on,
 * many shops in one statement. Whoever links holds the shop's feed before he reads what stood in
 * the ledger, so what is passed here was written down by then or is written down by him. A place
 * that a broken disk forgets is only looked at again, so nobody waits for the disk.
 */
async function passUnlinked({ sql, sayAgain }: BridgeParts): Promise<void> {
	const isHeard = sayAgain === undefined ? sql`` : sql`and ${nothingCarried(sql)}`;
	await sql.begin(async (transaction) => {
		await Promise.all([
			transaction`set local synchronous_commit = off`,
			transaction`
				insert into bridge_cursor as held (scope, s)
				select feed_head.business, feed_head.s from feed_head
				join business on business.business = feed_head.business
				left join bridge_cursor on bridge_cursor.scope = feed_head.business
				where feed_head.s > coalesce(bridge_cursor.s, 0) ${isHeard} and not exists (
					select from ledger_link
					where ledger_link.business = feed_head.business
						and ledger_link.state = 'linked' and ledger_link.person is not null
				)
				order by feed_head.business
				on conflict (scope) do update set s = greatest(held.s, excluded.s)`
		]);
	});
}

/** Looked for in each feed that is behind by itself: there may be many in others. */
function nothingCarried(sql: Sql): ReturnType<Sql> {
	return sql`(
		select fact.s from fact where fact.business = feed_head.business
			and carried_by is not null and kind = 'link' and fact.s > coalesce(bridge_cursor.s, 0)
		limit 1
	) is null`;
}

/** All of them, each once: however many cannot be carried, the others are come to. */
async function* findBehind(sql: Sql): AsyncGenerator<ScopeId, undefined> {
	for (let after: ScopeId | undefined; ;) {
		const rows = await sql<{ business: ScopeId }[]>`
			select feed_head.business from feed_head
			left join bridge_cursor on bridge_cursor.scope = feed_head.business
			where feed_head.s > coalesce(bridge_cursor.s, 0)
				and (${after ?? null}::uuid is null or feed_head.business > ${after ?? null}::uuid)
			order by feed_head.business limit ${SCOPES_LENGTH}`;
		for (const { business } of rows) yield business;
		after = rows.at(-1)?.business;
		if (rows.length < SCOPES_LENGTH) return undefined;
	}
}

/** A feed that cannot be carried stops nobody else's; it is tried again at the next look. */
async function carryOne(parts: Working, scope: ScopeId): Promise<0 | 1> {
	// What is brought may have been answered already, and the shop hears of it at once.
	if (parts.folds?.isSpent(scope) === true) return 0;
	const heard = await hearCarried(parts, scope);
	if (heard === undefined) return 0;
	const place = { scope, length: FACTS_LENGTH, heard, after: 0, upTo: 0 };
	const { outcome } = await tryIn(parts, (transaction) => carryPage(parts, transaction, place));
	const name = placeName(scope, place.after);
	if (outcome === 'still' || (outcome === 'broke' && !parts.patience.isOver(name))) return 0;
	if (outcome === 'broke') await carryEach(parts, scope, heard);
	parts.patience.begin(name);
	return 1;
}

/** What is ill behind one place says nothing of what is behind another: another relay may have carried it since. */
function placeName(scope: ScopeId, after: number): string {
	return `${scope} ${String(after)}`;
}

/**
 * CONNECT-19. What the next page holds of connections is heard before the place moves on, in transactions
 * that lock as all do who link: killed in between, it is heard once more. Up to where that was looked;
 * undefined where it is to be heard again first. What cannot be heard holds the page up no longer than
 * what cannot be carried.
 */
async function hearCarried(parts: Working, scope: ScopeId): Promise<number | undefined> {
	const { sql, sayAgain, patience } = parts;
	if (sayAgain === undefined) return Number.MAX_SAFE_INTEGER;
	const hear = async (one: ToldConnection, after: number): Promise<void> => {
		try {
			await sayAgain(one);
		} catch (fault) {
			if (!isOfFact(fault) || !patience.isOver(placeName(scope, after))) throw fault;
			parts.fault(fault);
		}
	};
	try {
		const { told, after, upTo } = await readCarried(sql, scope, FACTS_LENGTH);
		for (const one of told) await hear(one, after);
		return upTo;
	} catch (fault) {
		// The other feeds are carried all the same.
		parts.fault(fault);
		return undefined;
	}
}

/** BRIDGE-20. A page that cannot be carried, fact by fact: the one that cannot be carried alone is passed. */
async function carryEach(parts: Working, scope: ScopeId, heard: number): Promise<void> {
	for (let left = FACTS_LENGTH; left > 0 && !parts.isClosed(); left -= 1) {
		const alone = { scope, length: 1, heard, after: 0, upTo: 0 };
		let tried = await tryIn(parts, (transaction) => carryPage(parts, transaction, alone));
		if (tried.outcome === 'broke') {
			const passing = { scope, s: alone.upTo, fault: tried.fault };
			tried = await tryIn(parts, (transaction) => passOne(parts, transaction, passing));
		}
		if (tried.outcome !== 'moved') return;
	}
}

/** Where it is still the next. */
async function passOne(
	parts: BridgeParts,
	transaction: Transaction,
	{ scope, s, fault }: FactPlace & { readonly fault: unknown }
): Promise<ReadonlySet<ScopeId> | undefined> {
	const sql = rawSql(transaction);
	const cursor = await takeCursor(sql, scope);
	if (cursor === undefined) return undefined;
	const rows = await readPage(sql, scope, { after: cursor, heard: s, length: 1 });
	if (endOf(rows) !== s) return undefined;
	await notePassed(sql, { scope, s }, { fault, day: dayOf(parts.clock()) });
	await sql`update bridge_cursor set s = ${s} where scope = ${scope}`;
	return new Set();
}

/** What was passed on an earlier day, alone; it waits longer where it cannot be carried now. */
async function carryPassed(parts: Working): Promise<number> {
	const day = dayOf(parts.clock());
	let moved = 0;
	for (const place of await findPassed(parts.sql, day)) {
		if (parts.isClosed() || parts.folds?.isSpent(place.scope) === true) continue;
		const tried = await tryIn(parts, async (transaction) => {
			const sql = rawSql(transaction);
			if (!(await takePassed(sql, place))) return undefined;
			const { scope, s } = place;
			return carryFacts(parts, transaction, {
				scope,
				rows: await readPage(sql, scope, { after: s - 1, heard: s, length: 1 })
			});
		});
		const { outcome, fault } = tried;
		if (outcome === 'broke') await notePassed(parts.sql, place, { fault, day });
		if (outcome !== 'still') moved += 1;
	}
	return moved;
}

/** A hundred people of each shop: others' feeds are carried before the next. */
async function tellCards(parts: BridgeParts): Promise<number> {
	const day = dayOf(parts.clock());
	let moved = 0;
	for (const business of await findCards(parts.sql, day)) {
		const of = { business, day };
		const { outcome } = await tryIn(parts, (transaction) => tellCard(parts, transaction, of));
		if (outcome === 'moved') moved += 1;
	}
	return moved;
}

async function stepIn(parts: BridgeParts, act: Parameters<Step>[0]): ReturnType<Step> {
	const found = { isOver: true };
	const { outcome, fault } = await tryIn(parts, async (transaction) => {
		const { moved, isOver } = await act(transaction);
		found.isOver = isOver;
		return moved;
	});
	if (outcome === 'broke') return { how: outcome, fault };
	return { how: outcome === 'still' || found.isOver ? 'over' : 'more' };
}

/**
 * `broke`: by what was to be carried, and would again. `still`: there is nothing to do, or not now, as where the
 * database was away.
 */
interface Tried {
	readonly outcome: 'moved' | 'still' | 'broke';
	readonly fault?: unknown;
}

async function tryIn(
	parts: BridgeParts,
	carry: (transaction: Transaction) => Promise<ReadonlySet<ScopeId> | undefined>
): Promise<Tried> {
	try {
		const moved = await parts.executor.transaction(carry);
		if (moved === undefined) return { outcome: 'still' };
		await Promise.all(Array.from(moved, (other) => parts.feedMoved(other)));
		return { outcome: 'moved' };
	} catch (fault) {
		parts.fault(fault);
		return isOfFact(fault) ? { outcome: 'broke', fault } : { outcome: 'still' };
	}
}

/**
 * RELAY-82. What was answered to a shop while it was beyond what is folded for it, person by person
 * until it is again. BRIDGE-20. What cannot be carried alone is passed.
 */
async function carryHeld(parts: Working, business: BusinessId): Promise<0 | 1> {
	let moved: 0 | 1 = 0;
	let isDone = true;
	for (const person of await readAnswerers(parts.sql, business)) {
		if (parts.folds?.isSpent(business) === true) return moved;
		const way = { business, person };
		if (await carryAnswersOf(parts, way)) moved = 1;
		else isDone = false;
	}
	// What broke is tried again at the next look.
	if (isDone) parts.held.done(business);
	return moved;
}

/** Whether none of them waits any more. */
async function carryAnswersOf(parts: Working, way: AnswerWay): Promise<boolean> {
	const { patience, sql } = parts;
	const name = `${way.business} ${way.person}`;
	const { outcome } = await carryAnswers(parts, way);
	if (outcome === 'still' || (outcome === 'broke' && !patience.isOver(name))) return false;
	patience.begin(name);
	if (outcome === 'moved') return true;
	for (const one of await readAnswered(sql, way)) {
		const alone = await carryAnswers(parts, way, one);
		const { fault } = alone;
		const passing = { day: dayOf(parts.clock()), fault };
		const tried =
			alone.outcome === 'broke'
				? await tryIn(parts, (tx) => passAnswered(rawSql(tx), { ...way, ...one }, passing))
				: alone;
		if (tried.outcome !== 'moved') return false;
	}
	return true;
}

/** All that waits on this way, or what is to one record. */
async function carryAnswers(parts: Working, way: AnswerWay, only?: Brought): Promise<Tried> {
	const { business, person } = way;
	return tryIn(parts, async (transaction) => {
		const sql = rawSql(transaction);
		await holdPlaces(sql, [person]);
		await parts.lockScopes(transaction, [business, person]);
		const early = only === undefined ? await readAnswered(sql, way) : [only];
		const answers = await earlyDeliveriesOf(sql, { ...way, now: parts.clock() }, early);
		return deliver(parts, transaction, answers);
	});
}

interface PageAsked {
	readonly scope: ScopeId;
	readonly length: number;
	/** No further: up to there it was heard what was carried in of connections. */
	readonly heard: number;
	/** Is given the place up to which the feed was carried, and the number of the last fact that was read. */
	after: number;
	upTo: number;
}

/** The scopes that were written; undefined where another has this feed in hand, or nothing is new. */
async function carryPage(
	parts: Working,
	transaction: Transaction,
	asked: PageAsked
): Promise<ReadonlySet<ScopeId> | undefined> {
	const { scope, length, heard } = asked;
	const sql = rawSql(transaction);
	const cursor = await takeCursor(sql, scope);
	if (cursor === undefined) return undefined;
	asked.after = cursor;
	const rows = await readPage(sql, scope, { after: cursor, heard, length });
	const upTo = endOf(rows);
	if (upTo === undefined) return undefined;
	asked.upTo = upTo;
	await sql`update bridge_cursor set s = ${upTo} where scope = ${scope}`;
	return carryFacts(parts, transaction, { scope, rows });
}

async function takeCursor(sql: Sql, scope: ScopeId): Promise<number | undefined> {
	await sql`insert into bridge_cursor (scope, s) values (${scope}, 0) on conflict do nothing`;
	const [cursor] = await sql<{ s: string }[]>`
		select s from bridge_cursor where scope = ${scope} for update skip locked`;
	return cursor && Number(cursor.s);
}

async function carryFacts(
	parts: Working,
	transaction: Transaction,
	{ scope, rows }: { readonly scope: ScopeId; readonly rows: readonly PageRow[] }
): Promise<ReadonlySet<ScopeId>> {
	const brought = rows.filter(({ kind }) => OF_SHOPS.includes(kind) || OF_PHONES.includes(kind));
	const facts = brought.map((row): ShopFact => ({ branch: row.branch, fact: storedFact(row) }));
	const deliveries = brought.some(({ kind }) => OF_PHONES.includes(kind))
		? await deliveriesOf(rawSql(transaction), scope as PersonId, {
				facts: facts.map(({ fact }) => fact),
				now: parts.clock(),
				isHeldBack: parts.held.isHeldBack
			})
		: await forCustomers(parts, { transaction, business: scope as BusinessId }, facts);
	return deliver(parts, transaction, deliveries);
}

/** A fact as it is stored: BRIDGE-20, one that this program cannot read has its place in the feed all the same. */
interface PageRow extends StoredText {
	readonly s: string;
	readonly kind: string;
	readonly branch: BranchId | null;
}

/** Kinds that anybody on the other side hears of. */
const OF_SHOPS = ['sale', 'return', 'record', 'entry', 'answered', 'setting', 'device'];
const OF_PHONES = ['reply', 'seen'];

async function readPage(
	sql: Sql,
	scope: ScopeId,
	{
		after,
		heard,
		length
	}: { readonly after: number; readonly heard: number; readonly length: number }
): Promise<readonly PageRow[]> {
	return sql<PageRow[]>`
		select s, kind, branch, text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where business = ${scope} and s > ${after} and s <= ${heard} order by s limit ${length}`;
}

function endOf(rows: readonly PageRow[]): number | undefined {
	const last = rows.at(-1);
	return last === undefined ? undefined : Number(last.s);
}

/** BRIDGE-2. What these facts of a shop hold for those who are linked to it now. */
async function forCustomers(
	parts: BridgeParts,
	{ transaction, business }: OfShop,
	facts: readonly ShopFact[]
): Promise<readonly Delivery[]> {
	const sql = rawSql(transaction);
	// What the shop shows of itself may have moved.
	if (facts.some(({ fact }) => fact.kind === 'setting' || fact.kind === 'device')) {
		await noteCard(sql, business, (await readCard(sql, business, parts)).key);
	}
	const carry = { sql, business, crypto: parts.crypto };
	const all = await carriesOf(carry, facts);
	const links = await sql<Way[]>`
		select ledger, person from ledger_link
		where business = ${business} and state = 'linked' and person is not null
			and ledger = any(${all.map(({ ledger }) => ledger)}::uuid[])`;
	const carriesByLedger = Map.groupBy(await byOthers(sql, links, all), ({ ledger }) => ledger);
	const ways = links.filter(({ ledger }) => carriesByLedger.has(ledger));
	const now = parts.clock();
	const of = { business, day: dayOf(now) };
	const people = Array.from(new Set(ways.map(({ person }) => person)));
	await holdPlaces(sql, people);
	const rooms = await lockDays(sql, of, ways);
	// Whoever links holds these locks before he writes down what was carried, and so do we.
	await lockForAnswers(parts, { transaction, business }, people);
	const deliveries: Delivery[] = [];
	const { dayMax: max = BRIDGED_DAY_MAX } = parts;
	for (const room of rooms) {
		const carries = carriesByLedger.get(room.ledger) ?? [];
		const fresh = await takeWithin(carry, room, { carries, now, max });
		deliveries.push(...(await bring({ sql, business, now }, room.person, fresh)));
	}
	await keepDays(sql, of, rooms);
	return deliveries;
}
