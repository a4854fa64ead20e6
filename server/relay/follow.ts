import type { Sql } from 'postgres';
import { scopeOf } from '#documents/document-name.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Bus, BusNews } from '#server/bus/bus.ts';
import { checkEpoch, checkGrown } from '#server/database/went-back.ts';
import type { Written } from './batch.ts';
import type { Connection } from './connection.ts';
import { createGate, createTracker } from './gate.ts';
import type { Submission } from './submission.ts';
import type { HaveShelf } from './have.ts';
import type { Hub } from './hub.ts';
import { createLeftBehind, type LeftBehind } from './left-behind.ts';
import { closeRevoked } from './revocation.ts';
import type { Room } from './room.ts';

/**
 * Follows what moves in the database by another way than this relay's own sockets: other relays, the
 * relay's own facts, rights that end. Told of it by the bus, and looking itself where it was not.
 */
export interface Follower {
	/** A socket of the scope is about to open: how far the feed has come. Followed by one `leave`. */
	readonly enter: (scope: ScopeId) => Promise<number>;
	readonly leave: (scope: ScopeId) => void;
	/** How far the sockets of the scope were told that its feed has come. */
	readonly toldOf: (scope: ScopeId) => number;
	/** How far the feed of the scope is known to have come, told or not; 0 where nobody was connected lately. */
	readonly cameTo: (scope: ScopeId) => number;
	/** The socket stands among those that are told: what ended while it was opening ends it now. */
	readonly admit: (connection: Connection) => void;
	/** A batch of this relay was committed, and its own sockets were told. */
	readonly committed: (batch: readonly Submission[], written: Written) => void;
	/** RELAY-29. Something else than a document moved. Resolves when the sockets here were told; never rejects. */
	readonly moved: (scope: ScopeId) => Promise<void>;
	/** RELAY-28. Looks at all that has a socket here, whether anybody told of it or not. */
	readonly look: () => Promise<void>;
	readonly close: () => Promise<void>;
}

export interface FollowerParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly hub: Hub;
	readonly shelf: HaveShelf;
	readonly bus: Bus | undefined;
	/** In which this relay writes. */
	readonly epoch: number;
	readonly fault: (fault: unknown) => void;
}

/** So many scopes at a time: the connections to the database are for those who write. */
const AT_ONCE_MAX = 4;

/** Where this relay is in a scope that has sockets here. */
interface Place {
	sockets: number;
	/** The furthest number that its sockets heard. */
	told: number;
	/** Up to which number of the feed its devices' facts are in their have books. */
	seen: number;
	/** What is to be looked at; undefined where nothing is. */
	due: Due | undefined;
	/** Resolves when nothing is due any more. */
	running: Promise<void> | undefined;
}

interface Due {
	readonly documents: Set<string>;
	/** Whether every document is meant, and the rights too: something else than a document moved. */
	isWhole: boolean;
}

export function createFollower(parts: FollowerParts): Follower {
	const { sql, bus, fault } = parts;
	const places = new Map<ScopeId, Place>();
	const known = { places, left: createLeftBehind() };
	const { track, settled } = createTracker();
	const ask = createRounds({ ...parts, track }, places);
	const admit = createAdmission({ ...parts, track });
	const stop = bus?.subscribe(({ scope, document }) => {
		void ask(scope, document === null ? { isWhole: true } : { document });
	});
	let looking: Promise<void> | undefined;
	return {
		enter: (scope) => enter(sql, known, scope),
		leave: (scope) => {
			leave(known, scope);
		},
		toldOf: (scope) => places.get(scope)?.told ?? 0,
		cameTo: (scope) => knownOf(known, scope),
		admit,
		committed: (batch, written) => {
			noteWritten(known, written);
			for (const news of newsOf(batch, written)) bus?.publish(news);
		},
		moved: (scope) => {
			bus?.publish({ scope, document: null, s: 0 });
			return ask(scope, { isWhole: true });
		},
		look: () => {
			looking ??= lookAround(parts, known, ask)
				.catch(fault)
				.finally(() => {
					looking = undefined;
				});
			return looking;
		},
		close: async () => {
			stop?.();
			await looking;
			await settled();
		}
	};
}

/** Has something of a scope looked at. Resolves when it was; never rejects. */
type Ask = (scope: ScopeId, of: WhatMoved) => Promise<void>;

interface WhatMoved {
	readonly document?: string;
	readonly isWhole?: boolean;
}

interface RoundParts extends FollowerParts {
	readonly track: (work: Promise<void>) => Promise<void>;
}

/** One round of a scope at a time: what is asked for during one is in the next, however often it was. */
function createRounds(parts: RoundParts, places: ReadonlyMap<ScopeId, Place>): Ask {
	const gate = createGate(AT_ONCE_MAX);
	async function run(scope: ScopeId, place: Place): Promise<void> {
		while (place.due !== undefined) {
			await gate(async () => {
				const { due } = place;
				place.due = undefined;
				if (due !== undefined) await follow(parts, { scope, place, due });
			}).catch(parts.fault);
		}
		place.running = undefined;
	}
	return (scope, { document, isWhole = false }) => {
		const place = places.get(scope);
		if (place === undefined) return Promise.resolve();
		place.due ??= { documents: new Set(), isWhole: false };
		if (document !== undefined) place.due.documents.add(document);
		place.due.isWhole ||= isWhole;
		return (place.running ??= parts.track(run(scope, place)));
	};
}

/** A town that comes back at once is looked up by few statements: all that opened during the one before. */
function createAdmission({ sql, clock, fault, track }: RoundParts): Follower['admit'] {
	const opened: Connection[] = [];
	let checking: Promise<void> | undefined;
	async function check(): Promise<void> {
		while (opened.length > 0) await closeRevoked(sql, opened.splice(0), clock()).catch(fault);
		checking = undefined;
	}
	return (connection) => {
		opened.push(connection);
		checking ??= track(check());
	};
}

/** What this relay knows of the feeds. */
interface Known {
	/** Of those who are connected. */
	readonly places: Map<ScopeId, Place>;
	readonly left: LeftBehind;
}

async function enter(sql: Sql, known: Known, scope: ScopeId): Promise<number> {
	const { places, left } = known;
	const place = places.get(scope) ?? { ...UNREAD };
	places.set(scope, place);
	place.sockets += 1;
	const reached = knownOf(known, scope);
	const s = await readFeed(sql, scope);
	checkGrown(scope, s, reached);
	left.forget(scope);
	// The first socket's have book is read after this, and so holds all up to here.
	place.seen = Math.min(place.seen, s);
	return s;
}

function leave({ places, left }: Known, scope: ScopeId): void {
	const place = places.get(scope);
	if (place === undefined) return;
	place.sockets -= 1;
	if (place.sockets > 0) return;
	places.delete(scope);
	left.note(scope, cameTo(place));
}

/** Nothing is to be looked for before its feed has been read. */
const NOT_SEEN = Number.MAX_SAFE_INTEGER;

const UNREAD: Place = {
	sockets: 0,
	told: 0,
	seen: NOT_SEEN,
	due: undefined,
	running: undefined
};

/** What was told and what was seen were both committed. */
function cameTo({ told, seen }: Pick<Place, 'told' | 'seen'> = UNREAD): number {
	return Math.max(told, seen === NOT_SEEN ? 0 : seen);
}

function knownOf({ places, left }: Known, scope: ScopeId): number {
	return Math.max(cameTo(places.get(scope)), left.cameTo(scope));
}

interface Following {
	readonly scope: ScopeId;
	readonly place: Place;
	readonly due: Due;
}

/** RELAY-27. What was said of a scope is fetched: who may go on, then have, updates and feed, as after a commit of one's own. */
async function follow(parts: FollowerParts, { scope, place, due }: Following): Promise<void> {
	const { sql, hub, clock } = parts;
	const connections = [...hub.inScope(scope)];
	if (due.isWhole) await closeRevoked(sql, connections, clock());
	const s = await takeFacts(parts, scope, place);
	const rooms = new Set(connections.map(({ room }) => room));
	const named = [...rooms].filter(({ name }) => due.documents.has(name));
	for (const room of due.isWhole ? await findBehind(sql, [...rooms]) : named) {
		await hub.passOn(room);
	}
	if (s <= place.told) return;
	place.told = s;
	hub.tellFeed(scope, s);
}

/** The facts that devices connected here sent by another way, into their have books; the feed's last number. */
async function takeFacts(
	{ sql, hub, shelf }: Pick<FollowerParts, 'sql' | 'hub' | 'shelf'>,
	scope: ScopeId,
	place: Place
): Promise<number> {
	// Those too whose socket is opening: their books may have been read before this.
	const codes = shelf.codesOf(scope);
	const rows = await sql<FactRow[]>`
		select head.s, fact.code, fact.n, fact.digest
		from feed_head as head left join fact on fact.business = head.business
			and fact.s > ${place.seen} and fact.code = any(${codes as string[]}::text[])
		where head.business = ${scope}`;
	const taken = rows.flatMap(({ code, n, digest }) => {
		if (code === null) return [];
		const device = { scope, code };
		const isNew = shelf.add(device, Number(n), BigInt.asUintN(64, BigInt(digest)));
		return isNew ? [{ device, n: Number(n) }] : [];
	});
	hub.tellHave(taken);
	// One that opened meanwhile may have a book from before this, and nothing was asked of it.
	if (shelf.codesOf(scope).some((code) => !codes.includes(code))) {
		return takeFacts({ sql, hub, shelf }, scope, place);
	}
	const s = Number(rows[0]?.s ?? 0);
	place.seen = Math.max(place.seen, s);
	return s;
}

type FactRow = { readonly s: string } & (
	| { readonly code: string; readonly n: string; readonly digest: string }
	| { readonly code: null; readonly n: null; readonly digest: null }
);

function noteWritten({ places, left }: Known, written: Written): void {
	for (const [scope, count] of countFacts(written)) {
		const place = places.get(scope);
		const s = written.feeds.get(scope) ?? 0;
		if (place === undefined) left.note(scope, s);
		else noteOwn(place, s, count);
	}
}

/** An own batch's facts are in the books; where they follow what was seen, so is all up to them. */
function noteOwn(place: Place, s: number, count: number): void {
	place.told = Math.max(place.told, s);
	if (place.seen === s - count) place.seen = s;
}

function countFacts({ decisions }: Written): ReadonlyMap<ScopeId, number> {
	const counts = new Map<ScopeId, number>();
	for (const decision of decisions) {
		if (decision.kind !== 'accepted') continue;
		for (const { device } of decision.facts) {
			counts.set(device.scope, (counts.get(device.scope) ?? 0) + 1);
		}
	}
	return counts;
}

/** RELAY-26. Each document that grew, once. */
function newsOf(batch: readonly Submission[], { decisions, feeds }: Written): readonly BusNews[] {
	const rooms = new Set<Room>();
	batch.forEach(({ room }, at) => {
		const decision = decisions[at];
		if (decision?.kind === 'accepted' && decision.pieces.length > 0) rooms.add(room);
	});
	return Array.from(rooms, ({ address, name }) => {
		const scope = scopeOf(address);
		return { scope, document: name, s: feeds.get(scope) ?? 0 };
	});
}

async function lookAround(
	{ sql, hub, clock, epoch }: FollowerParts,
	known: Known,
	ask: Ask
): Promise<void> {
	const connections = [...hub.connections()];
	await closeRevoked(sql, connections, clock());
	// A batch that failed may have caught its documents up, and told nobody.
	hub.passOnHeld();
	const behind = await findBehind(sql, [...new Set(connections.map(({ room }) => room))]);
	const moved = await findMoved(sql, known, epoch);
	const asked = behind.map(({ address, name }) => ask(scopeOf(address), { document: name }));
	// Rights were looked at for all, and documents too: what is left are facts and the number.
	for (const scope of moved) asked.push(ask(scope, {}));
	await Promise.all(asked);
}

/** RELAY-63. Those of the scopes whose feed is ahead of what was told or seen here. */
async function findMoved(
	sql: Sql,
	{ places, left }: Known,
	epoch: number
): Promise<readonly ScopeId[]> {
	// As they are before it is asked: what is committed meanwhile may not be in the answer.
	const here = Array.from(places, ([scope, place]) => [scope, cameTo(place)] as const);
	const known = [...left.all(), ...here];
	const rows = await sql<{ business: ScopeId | null; s: string | null; epoch: number | null }[]>`
		select head.business, head.s, now.epoch
		from (select max(epoch) as epoch from database_epoch) as now
		left join feed_head as head on head.business = any(${known.map(([scope]) => scope)}::uuid[])`;
	checkEpoch(rows[0]?.epoch, epoch);
	const feeds = new Map(rows.map(({ business, s }) => [business, Number(s)]));
	return known.flatMap(([scope, reached]) => {
		const s = feeds.get(scope) ?? 0;
		checkGrown(scope, s, reached);
		const place = places.get(scope);
		return place !== undefined && s > Math.min(place.told, place.seen) ? [scope] : [];
	});
}

/** Those of the documents that grew behind what this relay has of them. */
async function findBehind(sql: Sql, rooms: readonly Room[]): Promise<readonly Room[]> {
	if (rooms.length === 0) return [];
	// As it is before it is asked.
	const held = rooms.map((room) => ({ room, known: room.sequence }));
	const rows = await sql<{ document: string; sequence: string }[]>`
		select head.document, head.sequence from document_head as head
		join unnest(
			${rooms.map(({ address }) => scopeOf(address))}::uuid[],
			${rooms.map(({ name }) => name)}::text[]
		) as held (business, document)
		on head.business = held.business and head.document = held.document`;
	const sequences = new Map(rows.map(({ document, sequence }) => [document, Number(sequence)]));
	return held.flatMap(({ room, known }) => {
		const sequence = sequences.get(room.name) ?? 0;
		checkGrown(room.name, sequence, known);
		return sequence > room.sequence ? [room] : [];
	});
}

async function readFeed(sql: Sql, scope: ScopeId): Promise<number> {
	const [row] = await sql<{ s: string }[]>`select s from feed_head where business = ${scope}`;
	return Number(row?.s ?? 0);
}
