import type { Sql, TransactionSql } from 'postgres';
import { scopeOf } from '#documents/document-name.ts';
import type { Signer } from '#domain/crypto.ts';
import type { Random } from '#server/auth/random.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { checkEpoch, checkGrown } from '#server/database/went-back.ts';
import type { FactToProject, Project } from '#server/projections/effected.ts';
import { DAY_LIMITS, readAllowance, type Allowance, type DayLimits } from './allowance.ts';
import { decide, type Decision } from './decide.ts';
import {
	areInTime,
	timeFacts,
	topsOf,
	type Timed,
	type TimesParts,
	type Tops
} from './fact-times.ts';
import type { Ground } from './ground.ts';
import { holdingBack, readHeldBack, type FoldParts } from './held-back.ts';
import {
	bearerOf,
	deviceKey,
	type Device,
	type ForkedFact,
	type NewFact,
	type Submission
} from './submission.ts';
import { readFirstNames, type Told } from './first-names.ts';
import { readKnown } from './known-texts.ts';
import { readSignedOut } from './revocation.ts';
import { catchUp, type Room } from './room.ts';
import { moveFeeds, writeRows } from './write-rows.ts';

export interface BatchParts {
	readonly sql: Sql;
	readonly project: Project;
	readonly clock: () => number;
	/** Whether a restore began the current epoch, so that devices may tell what it forgot of others. */
	readonly isRestored?: boolean;
	/** The database's epoch when the relay began; needed where it was restored, and where the relay writes facts of its own. */
	readonly epoch?: number;
	/** By which the relay signs; needed where it writes facts of its own. */
	readonly relayKey?: Signer;
	/** How far the feed of a scope is known to have come. */
	readonly cameTo?: (scope: ScopeId) => number;
	/** The machine's own where none is given. */
	readonly random?: Random;
	/** In the place of `DAY_LIMITS`. */
	readonly dayLimits?: DayLimits;
	/** Without it, nobody's folding is bounded. */
	readonly folds?: FoldParts;
}

/** What a committed batch came to. */
export interface Written {
	/** One for each submission, in order. */
	readonly decisions: readonly Decision[];
	/** The feed's last number of each business that moved. */
	readonly feeds: ReadonlyMap<ScopeId, number>;
	/** The last update of each document that grew. */
	readonly sequences: ReadonlyMap<Room, number>;
	/** RELAY-75. The scopes in which the relay wrote facts of its own behind these. */
	readonly clocked: ReadonlySet<ScopeId>;
}

/** What became of a batch, of which some may have been left for another time. */
export interface WrittenBatch extends Written {
	/** Those that were decided, in order. */
	readonly taken: readonly Submission[];
	/** RELAY-84. The scopes of the others: somebody else holds their feed, or a document of theirs. */
	readonly held: ReadonlySet<ScopeId>;
}

/**
 * RELAY-11, RELAY-12. Writes a batch in one transaction: locks, looks, decides, inserts, projects. Nothing in
 * memory has changed when it resolves or rejects; the caller tells and takes over. RELAY-84. It waits for
 * nobody, or so long for whoever holds a feed or document.
 */
export async function writeBatch(
	parts: BatchParts,
	batch: readonly Submission[],
	waitMs?: number
): Promise<WrittenBatch> {
	const { sql, project, clock } = parts;
	return sql.begin(async (transaction): Promise<WrittenBatch> => {
		const tx = asSql(transaction);
		const rooms = roomsOf(batch);
		if (waitMs !== undefined) await waitForHeads(tx, rooms, waitMs);
		const looked = await lockAndLook(tx, parts, { rooms, batch, isWaiting: waitMs !== undefined });
		const { ground, feeds, sequences, tops, held, made } = looked;
		const taken = held.size === 0 ? batch : batch.filter((one) => !held.has(one.caller.scope));
		if (taken.length === 0) {
			await forgetUnwritten(tx, made);
			return { ...looked, taken, decisions: [], clocked: NONE };
		}
		const decisions = taken.map((submission) => decide(submission, ground));
		const { allowance } = ground;
		const now = clock();
		const { epoch, random, relayKey, isRestored = false } = parts;
		const times = { now, epoch, random, relayKey, isRestored, tops };
		const toKeep = { decisions, batch: taken, feeds, sequences, times, project, allowance };
		const clocked = await keep(tx, toKeep);
		await forgetUnwritten(
			tx,
			// Those of who is held are looked at no further.
			made.filter((room) => (sequences.get(room) ?? 0) === 0)
		);
		return { decisions, feeds, sequences, clocked, taken, held };
	});
}

/** The driver types a transaction apart from a pool; what we ask of both is the same. */
function asSql(transaction: TransactionSql): Sql {
	return transaction as unknown as Sql;
}

/** In the order of their keys: whoever locks several locks them in this order. */
function roomsOf(batch: readonly Submission[]): readonly Room[] {
	return Array.from(new Set(batch.map(({ room }) => room))).sort((a, b) =>
		keyOf(a) < keyOf(b) ? -1 : 1
	);
}

function keyOf({ address, name }: Room): string {
	return `${scopeOf(address)} ${name}`;
}

interface Looked {
	readonly ground: Ground;
	readonly feeds: Map<ScopeId, number>;
	readonly tops: Tops;
	readonly sequences: Map<Room, number>;
	readonly held: ReadonlySet<ScopeId>;
	/** Those that nobody wrote before. */
	readonly made: readonly Room[];
}

interface ToLookAt extends ToLock {
	readonly batch: readonly Submission[];
}

async function lockAndLook(
	tx: Sql,
	parts: BatchParts,
	{ rooms, batch, isWaiting }: ToLookAt
): Promise<Looked> {
	const { clock, isRestored = false, epoch, dayLimits = DAY_LIMITS, folds } = parts;
	const bearers = devicesOf(batch);
	const now = clock();
	// Not awaited one by one: they go out together, and PostgreSQL runs them in this order.
	const [
		{ feeds, tops, heads, held, news },
		removed,
		signedOut,
		allowance,
		heldBack,
		known,
		idByFirst
	] = await Promise.all([
		lockHeads(tx, parts, { rooms, isWaiting }),
		readRemoved(tx, bearers),
		readSignedOut(tx, sessionsOf(batch), now),
		readAllowance(tx, bearers, { batch, now, limits: dayLimits }),
		readHeldBack(tx, batch, folds),
		readKnown(tx, batch),
		readFirstNames(tx, batch.flatMap(toldIn))
	]);
	const sequences = new Map<Room, number>();
	for (const room of rooms) {
		if (held.has(scopeOf(room.address))) continue;
		// A document is made before it is read here, and so is its feed.
		const sequence = heads.get(keyOf(room)) ?? -1;
		checkGrown(room.name, sequence, room.sequence);
		// Another relay wrote: what a device may send next is known only after it.
		if (sequence > room.sequence) await catchUp(tx, room);
		sequences.set(room, sequence);
	}
	const ground = {
		textByFact: known,
		idByFirst,
		layerByRoom: new Map(),
		removed,
		signedOut,
		allowance: holdingBack(allowance, heldBack),
		restoredIn: isRestored ? epoch : undefined
	};
	const made = rooms.filter((room) => news.has(keyOf(room)));
	return { ground, feeds, sequences, tops, held, made };
}

/** By each author, for a restored relay is told of several in one update. */
function toldIn({ caller: { scope, code }, checks }: Submission): readonly Told[] {
	const textsByCode = new Map<string, string[]>([[code, []]]);
	for (const [{ text = '' }, check] of checks) {
		const author = check.ok ? check.value.code : code;
		const texts = textsByCode.get(author);
		if (texts === undefined) textsByCode.set(author, [text]);
		else texts.push(text);
	}
	return Array.from(textsByCode, ([author, texts]) => ({ scope, code: author, texts }));
}

interface ToLock {
	/** In the order in which they are locked. */
	readonly rooms: readonly Room[];
	/** Whether they were waited for, so that what is not found is not there. */
	readonly isWaiting: boolean;
}

interface Heads extends Pick<Looked, 'feeds' | 'tops' | 'held'> {
	readonly heads: ReadonlyMap<string, number>;
	/** Those of them that were not there. */
	readonly news: ReadonlySet<string>;
}

interface HeadRow {
	readonly business: ScopeId;
	readonly document: string;
	readonly s: string | null;
	readonly top_wall: string | null;
	readonly sequence: string | null;
	readonly is_new: boolean;
	readonly epoch: number | null;
}

/** RELAY-85. By statements of their own: what is read after them is as whoever held these left it. */
async function waitForHeads(tx: Sql, rooms: readonly Room[], waitMs: number): Promise<void> {
	await Promise.all([
		tx`select set_config('lock_timeout', ${String(waitMs)}, true)`,
		tx`
			select business from feed_head where business = any(${scopesOf(rooms)}::uuid[])
			order by business for update`,
		tx`
			select document from document_head
			where (business, document) in (
				select * from unnest(
					${rooms.map(({ address }) => scopeOf(address))}::uuid[],
					${rooms.map(({ name }) => name)}::text[]
				)
			)
			order by business, document for update`
	]);
}

/**
 * RELAY-84. The feeds, and the documents of those that could be had; one that nobody wrote is made. RELAY-63. Under their lock nobody
 * else moves them: one that is behind what was known went back. Who does not wait takes one that is
 * not there for one that is held, and hears better when he does.
 */
async function lockHeads(
	tx: Sql,
	{ epoch, cameTo = () => 0 }: BatchParts,
	{ rooms, isWaiting }: ToLock
): Promise<Heads> {
	const scopes = scopesOf(rooms);
	const businesses = rooms.map(({ address }) => scopeOf(address));
	const documents = rooms.map(({ name }) => name);
	const rows = await tx<HeadRow[]>`
		with asked as materialized (
			select * from unnest(${businesses}::uuid[], ${documents}::text[]) as asked (business, document)
		), feed as materialized (
			select business, s, top_wall from feed_head where business = any(${scopes}::uuid[])
			order by business
			for update skip locked
		), head as materialized (
			select business, document, sequence from document_head
			where (business, document) in (select business, document from asked)
				and business in (select business from feed)
			order by business, document
			for update skip locked
		), made as (
			insert into document_head (business, document)
			select business, document from asked
			where business in (select business from feed) and not exists (
				select from document_head as held
				where held.business = asked.business and held.document = asked.document
			)
			on conflict do nothing
			returning business, document, sequence
		)
		select asked.business, asked.document, feed.s, feed.top_wall,
			coalesce(head.sequence, made.sequence) as sequence, made.sequence is not null as is_new,
			(select max(epoch) from database_epoch) as epoch
		from asked left join feed using (business) left join head using (business, document)
			left join made using (business, document)`;
	checkEpoch(rows[0]?.epoch, epoch);
	const looked = headsIn(rows, isWaiting);
	for (const [scope, s] of looked.feeds) checkGrown(scope, s, cameTo(scope));
	return looked;
}

function headsIn(rows: readonly HeadRow[], isWaiting: boolean): Heads {
	const lacking = rows.filter(({ sequence }) => sequence === null);
	const held = new Set(isWaiting ? [] : lacking.map(({ business }) => business));
	const free = rows.filter(({ business }) => !held.has(business));
	return {
		feeds: new Map(free.map(({ business, s }) => [business, Number(s ?? -1)])),
		tops: new Map(free.map(({ business, top_wall: top }) => [business, Number(top ?? 0)])),
		heads: new Map(
			free.flatMap(({ business, document, sequence }) =>
				sequence === null ? [] : [[`${business} ${document}`, Number(sequence)]]
			)
		),
		news: new Set(rows.flatMap((row) => (row.is_new ? [`${row.business} ${row.document}`] : []))),
		held
	};
}

/** RELAY-94. A document that was made for what was refused, or said nothing, is none. */
async function forgetUnwritten(tx: Sql, rooms: readonly Room[]): Promise<void> {
	if (rooms.length === 0) return;
	await tx`
		delete from document_head using unnest(
			${rooms.map(({ address }) => scopeOf(address))}::uuid[],
			${rooms.map(({ name }) => name)}::text[]
		) as given (business, document)
		where document_head.business = given.business and document_head.document = given.document
			and sequence = 0 and relay_clock = 0`;
}

function scopesOf(rooms: readonly Room[]): readonly ScopeId[] {
	return Array.from(new Set(rooms.map(({ address }) => scopeOf(address))));
}

function sessionsOf(batch: readonly Submission[]): ReadonlySet<string> {
	return new Set(batch.flatMap(({ session }) => session ?? []));
}

/** Those on whose access the updates stand, each once. */
function devicesOf(batch: readonly Submission[]): readonly Device[] {
	const bearers = batch.map(bearerOf);
	return Array.from(new Map(bearers.map((device) => [deviceKey(device), device])).values());
}

async function readRemoved(tx: Sql, callers: readonly Device[]): Promise<ReadonlySet<string>> {
	const rows = await tx<{ business: ScopeId; code: string }[]>`
		with caller as (
			select * from unnest(
				${callers.map(({ scope }) => scope)}::uuid[],
				${callers.map(({ code }) => code)}::text[]
			) as given (business, code)
		)
		select business, code from device join caller using (business, code)
		where removed_at is not null
		union all
		select business, caller.code from phone
		join caller on caller.business = phone.person and caller.code = phone.code
		where removed_at is not null`;
	return new Set(rows.map(({ business, code }) => `${business} ${code}`));
}

interface ToKeep {
	readonly decisions: readonly Decision[];
	readonly batch: readonly Submission[];
	readonly feeds: Map<ScopeId, number>;
	readonly sequences: Map<Room, number>;
	readonly times: TimesParts;
	readonly project: Project;
	readonly allowance: Allowance;
}

async function keep(tx: Sql, toKeep: ToKeep): Promise<Timed['clocked']> {
	const { decisions, batch, feeds, sequences, project, allowance, times } = toKeep;
	const facts = decisions.flatMap((decision) =>
		decision.kind === 'accepted' ? decision.facts : []
	);
	const projected = facts.flatMap(toProject);
	const forks = decisions.flatMap((decision) => ('forks' in decision ? decision.forks : []));
	const isSimple = areInTime(projected, times);
	const tops = isSimple ? topsOf(projected, times.tops) : times.tops;
	const written = [
		writeRows(tx, { decisions, batch, facts, sequences, feeds, tops }),
		insertForks(tx, forks, times.now),
		allowance.keep(tx)
	];
	if (isSimple) {
		// All of it goes out together: what a projection reads of these facts it asks for behind them.
		if (projected.length > 0) written.push(project(tx, projected));
		await Promise.all(written);
		return NONE;
	}
	await Promise.all(written);
	const timed = await timeFacts(tx, projected, times);
	await project(tx, timed.facts);
	// What the relay wrote stands behind these, so its own statement moved the feed on.
	await moveFeeds(tx, { feeds, tops: timed.tops });
	return timed.clocked;
}

const NONE: ReadonlySet<ScopeId> = new Set();

/** What a customer's phone writes moves nothing in a shop until the bridge brings it there. */
function toProject({ room: { address }, fact }: NewFact): readonly FactToProject[] {
	if (!('business' in address)) return [];
	return [{ business: address.business, branch: address.branch, fact }];
}

async function insertForks(
	tx: Sql,
	forks: readonly ForkedFact[],
	receivedAt: number
): Promise<void> {
	if (forks.length === 0) return;
	await tx`
		insert into fork (business, code, n, digest, document, text, received_at)
		select business, code, n, digest, document, text, ${receivedAt}::bigint
		from unnest(
			${forks.map(({ room }) => scopeOf(room.address))}::uuid[],
			${forks.map(({ code }) => code)}::text[],
			${forks.map(({ n }) => n)}::bigint[],
			${forks.map(({ digest }) => String(BigInt.asIntN(64, digest)))}::bigint[],
			${forks.map(({ room }) => room.name)}::text[],
			${forks.map(({ text }) => text)}::text[]
		) as given (business, code, n, digest, document, text)
		on conflict do nothing`;
}
