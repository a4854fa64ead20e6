import type { Sql, TransactionSql } from 'postgres';
import { scopeOf } from '#documents/document-name.ts';
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

/**
 * RELAY-11, RELAY-12. Writes a batch in one transaction: locks, looks, decides, inserts, projects. Nothing in
 * memory has changed when it resolves or rejects; the caller tells and takes over.
 */
export async function writeBatch(
	parts: BatchParts,
	batch: readonly Submission[]
): Promise<Written> {
	const { sql, project, clock } = parts;
	const written = await sql.begin(async (transaction) => {
		const tx = asSql(transaction);
		const rooms = roomsOf(batch);
		const { ground, feeds, sequences, tops } = await lockAndLook(tx, parts, { rooms, batch });
		const decisions = batch.map((submission) => decide(submission, ground));
		const { allowance } = ground;
		const now = clock();
		const { epoch, random, isRestored = false } = parts;
		const times = { now, epoch, random, isRestored, tops };
		const toKeep = { decisions, batch, feeds, sequences, times, project, allowance };
		return { decisions, feeds, sequences, clocked: await keep(tx, toKeep) };
	});
	return written;
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
}

interface ToLookAt {
	/** In the order in which they are locked. */
	readonly rooms: readonly Room[];
	readonly batch: readonly Submission[];
}

async function lockAndLook(
	tx: Sql,
	parts: BatchParts,
	{ rooms, batch }: ToLookAt
): Promise<Looked> {
	const { clock, isRestored = false, epoch, dayLimits = DAY_LIMITS, folds } = parts;
	const bearers = devicesOf(batch);
	const now = clock();
	// Not awaited one by one: they go out together, and PostgreSQL runs them in this order.
	const [{ feeds, tops }, heads, removed, signedOut, allowance, held, known, idByFirst] =
		await Promise.all([
			lockFeeds(tx, rooms, parts),
			lockDocuments(tx, rooms),
			readRemoved(tx, bearers),
			readSignedOut(tx, sessionsOf(batch), now),
			readAllowance(tx, bearers, { batch, now, limits: dayLimits }),
			readHeldBack(tx, batch, folds),
			readKnown(tx, batch),
			readFirstNames(tx, batch.flatMap(toldIn))
		]);
	const sequences = new Map<Room, number>();
	for (const room of rooms) {
		// A document is made before it is written, and so is its feed.
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
		allowance: holdingBack(allowance, held),
		restoredIn: isRestored ? epoch : undefined
	};
	return { ground, feeds, sequences, tops };
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

async function lockDocuments(
	tx: Sql,
	rooms: readonly Room[]
): Promise<ReadonlyMap<string, number>> {
	const rows = await tx<{ business: string; document: string; sequence: string }[]>`
		select business, document, sequence from document_head
		where (business, document) in (
			select * from unnest(
				${rooms.map(({ address }) => scopeOf(address))}::uuid[],
				${rooms.map(({ name }) => name)}::text[]
			)
		)
		order by business, document
		for update`;
	return new Map(
		rows.map(({ business, document, sequence }) => [`${business} ${document}`, Number(sequence)])
	);
}

/** RELAY-63. Under their lock nobody else moves them: one that is behind what was known went back. */
async function lockFeeds(
	tx: Sql,
	rooms: readonly Room[],
	{ epoch, cameTo = () => 0 }: BatchParts
): Promise<{ readonly feeds: Map<ScopeId, number>; readonly tops: Tops }> {
	const businesses = Array.from(new Set(rooms.map(({ address }) => scopeOf(address))));
	const rows = await tx<{ business: ScopeId; s: string; top_wall: string; epoch: number | null }[]>`
		select business, s, top_wall, (select max(epoch) from database_epoch) as epoch
		from feed_head where business = any(${businesses}::uuid[])
		order by business
		for update of feed_head`;
	const feeds = new Map(rows.map(({ business, s }) => [business, Number(s)]));
	checkEpoch(rows[0]?.epoch, epoch);
	for (const scope of businesses) checkGrown(scope, feeds.get(scope) ?? -1, cameTo(scope));
	return {
		feeds,
		tops: new Map(rows.map(({ business, top_wall: top }) => [business, Number(top)]))
	};
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
