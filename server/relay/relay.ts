import { upgradeWebSocket, type HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { WSContext, WSEvents } from 'hono/ws';
import type { Sql } from 'postgres';
import { WebSocket, type RawData } from 'ws';
import { parseDocumentName, type DocumentAddress } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import { decodeBase64url, equalBytes } from '#domain/bytes.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { FACT_KINDS, type Fact } from '#domain/fact/fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { HandIn } from '#server/auth/handed-in.ts';
import { isOfHost } from '#server/auth/own-host.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { systemRandom, type Random } from '#server/auth/random.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Tickets } from '#server/auth/tickets.ts';
import type { Bus } from '#server/bus/bus.ts';
import { readBackupMark, readEpochEnds } from '#server/database/epoch.ts';
import { isWentBack } from '#server/database/went-back.ts';
import type { Project } from '#server/projections/effected.ts';
import { CLOSE, type CloseCode } from '#sync/close-code.ts';
import { encodeHave, encodeHello, HEARTBEAT_FRAME, isStep1, type Hello } from '#sync/frames.ts';
import {
	BUFFERED_BYTES_CLOSE,
	DEVICE_DAY_FACTS_MAX,
	DEVICE_SOCKETS_MAX,
	FACT_TEXT_BYTES_MAX,
	FRAME_BYTES_MAX,
	FRAME_FACTS_MAX,
	HEARTBEAT_MS,
	PENDING_BYTES_MAX,
	PHONE_DAY_FACTS_MAX,
	PIECE_BYTES_MAX,
	RECORD_ANSWERS_MAX
} from '#sync/limits.ts';
import type { DayLimits } from './allowance.ts';
import {
	COMPACT_MS,
	createCompaction,
	type Compaction,
	type CompactionLimits
} from './compaction.ts';
import { createConnection, type Connection } from './connection.ts';
import { createFollower, type Follower } from './follow.ts';
import { haveRangesFrom } from './have-book.ts';
import { createHaveShelf, type HaveShelf } from './have.ts';
import { createHandIn } from './hand-in.ts';
import type { MeteredFolds } from './held-back.ts';
import { createHub, factsOf, type Hub } from './hub.ts';
import { freshClient } from './relay-facts.ts';
import type { RelaySocket } from './relay-socket.ts';
import { createIntake, type Intake } from './intake.ts';
import { createReturned, type Returned } from './returned.ts';
import { mayOpen } from './rights.ts';
import { createSession, type Session } from './session.ts';
import { createTurns } from './turns.ts';
import { watchUnfinished } from './unfinished.ts';
import { createUnread, type Unread } from './unread.ts';
import { createWritePath, type WritePath } from './write-path.ts';

export interface RelayParts {
	readonly sql: Sql;
	/** Milliseconds UTC, as the relay tells devices. */
	readonly clock: () => number;
	readonly timers: Timers;
	readonly crypto: CryptoParts;
	/** The machine's own where none is given. */
	readonly random?: Random;
	readonly project: Project;
	readonly tickets: Pick<Tickets, 'take'>;
	/** The database's current epoch. */
	readonly epoch: number;
	/** By which the relay signs. */
	readonly relayKey: Signer;
	/** Whether a restore began it, so that devices may tell what it forgot of others. */
	readonly isRestored?: boolean;
	/** In the place of `DAY_LIMITS`. */
	readonly dayLimits?: DayLimits;
	/** Without it, nobody's folding is bounded. */
	readonly folds?: MeteredFolds;
	/** In the place of `COMPACTION_LIMITS`. */
	readonly compactionLimits?: CompactionLimits;
	/** Hears of faults that no caller waits for. */
	readonly fault: (fault: unknown) => void;
	/**
	 * RELAY-63. The database is an older one than the relay knew, or of another epoch: every socket is
	 * closed, nothing is written any more, and another relay is to be made in this one's place. Called
	 * once; a fault like others where it is absent.
	 */
	readonly wentBack?: (fault: Error) => void;
	/** Hears after each COMMIT what came in by it, once the sockets were told. */
	readonly committed?: (facts: readonly Fact[]) => void;
	/** What joins the relays of this database; absent where this is the only one. */
	readonly bus?: Bus | undefined;
}

export interface Timers {
	/** Calls `act` again and again; the answer stops it. */
	readonly every: (ms: number, act: () => void) => () => void;
}

/** What a socket's address asks for. */
export interface Asked {
	readonly document: string;
	readonly ticket: string;
	/** The device's step 1, base64url, which it will say once more when it hears that the socket is open. */
	readonly ahead?: string;
	/** `{epoch}.{n}`: of that epoch the device need not hear what is there of its facts before n. */
	readonly from?: string;
}

export interface Relay extends HandIn {
	/** `GET /{document name}?ticket=…` as a WebSocket; to be mounted at `/sync`. */
	readonly routes: Hono;
	/** Serves a socket that came by another way than `routes`; the ticket is taken as there. */
	readonly accept: (socket: RelaySocket, asked: Asked) => Promise<void>;
	/**
	 * Something else than a document moved in the database: a relay's own facts of a business or
	 * person, committed. Tells its sockets here and the other relays. Never rejects.
	 */
	readonly feedMoved: (scope: ScopeId) => Promise<void>;
	/** The same, where somebody's access ended: closes his sockets, here and at the other relays. */
	readonly revoked: (scope: ScopeId) => Promise<void>;
	/** How far the feed of a scope is known here to have come; 0 where none of it was connected lately. */
	readonly cameTo: (scope: ScopeId) => number;
	/** Closes every socket so that it tries again elsewhere, and waits for what is being written. */
	readonly close: () => Promise<void>;
}

/** RELAY-28. How often one looks at everything, whatever was told: a lost message costs no more. */
const LOOK_MS = 5_000;

/** What one relay is made of, for all its sockets. */
interface Running extends RelayParts {
	readonly hub: Hub;
	readonly shelf: HaveShelf;
	readonly writePath: WritePath;
	readonly intake: Intake;
	readonly unread: Unread;
	readonly unfinished: Unread;
	readonly follower: Follower;
	readonly returned: Returned;
}

interface Assembled extends Running {
	readonly compaction: Compaction;
}

function assemble(parts: RelayParts): Assembled {
	const { sql, epoch } = parts;
	const fault = createFaults(parts, () => {
		writePath.end();
		closeAll(hub, 'database went back');
	});
	const shelf = createHaveShelf(sql);
	const hub = createHub({ sql, epoch, shelf });
	const compaction = createCompaction(parts);
	const follower = createFollower({ ...parts, fault, bus: parts.bus, hub, shelf });
	const writePath = createWritePath({
		...parts,
		cameTo: follower.cameTo,
		committed: (batch, written) => {
			hub.tell(batch, written);
			follower.committed(batch, written);
			for (const scope of written.clocked) void follower.moved(scope);
			compaction.noteWrite();
			parts.committed?.(factsOf(written).map(({ fact }) => fact));
		},
		failed: fault
	});
	return {
		...parts,
		fault,
		hub,
		shelf,
		writePath,
		follower,
		compaction,
		returned: createReturned(parts),
		intake: createIntake(),
		unread: createUnread(),
		unfinished: createUnread()
	};
}

export function createRelay(parts: RelayParts): Relay {
	const running = assemble(parts);
	const { hub, follower, compaction, writePath, timers } = running;
	const stops = [
		beat(running),
		timers.every(LOOK_MS, () => void follower.look()),
		timers.every(COMPACT_MS, () => void compaction.run())
	];
	const { handIn } = createHandIn({
		...running,
		rooms: hub,
		freshClient: () => freshClient(parts.random ?? systemRandom),
		feedMoved: follower.moved
	});
	return {
		handIn,
		routes: createRoutes(running),
		accept: async (socket, asked) => {
			serveEntry(running, await enter(running, asked), socket);
		},
		feedMoved: follower.moved,
		revoked: follower.moved,
		cameTo: follower.cameTo,
		close: async () => {
			for (const stop of stops) stop();
			closeAll(hub, 'stopping');
			await writePath.idle();
			await Promise.all([follower.close(), compaction.close()]);
		}
	};
}

/** Tells one that ends everything from the others. */
function createFaults(
	{ fault, wentBack = fault }: RelayParts,
	end: () => void
): (found: unknown) => void {
	let hasEnded = false;
	return (found) => {
		if (!isWentBack(found)) {
			fault(found);
			return;
		}
		end();
		if (!hasEnded) wentBack(found);
		hasEnded = true;
	};
}

function closeAll(hub: Hub, why: string): void {
	for (const connection of hub.connections()) connection.close(CLOSE.tryLater, why);
}

/** RELAY-24. Asks every socket for a sign of life, and gives one to a client that is idle. */
function beat({ timers, hub }: Running): () => void {
	return timers.every(HEARTBEAT_MS, () => {
		for (const connection of hub.connections()) {
			connection.beat();
			connection.send(HEARTBEAT_FRAME);
		}
	});
}

function createRoutes(running: Running): Hono {
	const routes = new Hono();
	routes.get(
		'/:document{.+}',
		async (c, next) => (isForeign(c) ? c.body(null, 403) : next()),
		upgradeWebSocket((c) => openEvents(running, c))
	);
	return routes;
}

/** RELAY-18. A browser's page of another origin may not open a socket, whatever ticket it has. */
function isForeign(c: Context): boolean {
	const origin = c.req.header('origin');
	if (origin === undefined) return false;
	return !isOfHost(origin, c.req.header('host'));
}

interface Entry {
	readonly caller: Caller;
	readonly name: string;
	readonly address: DocumentAddress;
	/** The step 1 that came with the address. */
	readonly ahead: Uint8Array | undefined;
	/** From which of its numbers on the device is to hear what is there. */
	readonly from: number;
}

/** Takes the ticket before the socket opens; a refusal is told by its close code, which a page can read. */
async function openEvents(running: Running, c: Context): Promise<WSEvents> {
	const document = c.req.param('document') ?? '';
	const { ticket = '', ahead = '', from = '' } = c.req.query();
	const entry = await enter(running, { document, ticket, ahead, from });
	const { socket: line } = (c.env as HttpBindings).incoming;
	return {
		onOpen: (_event, context) => {
			const socket = socketOf(context);
			serveEntry(running, entry, Object.assign(socket, { line }));
			if (entry.ok) letRequestGo(socket);
		}
	};
}

const HEARD = ['message', 'close', 'error'];

/**
 * The server listens for events that are not asked for here, and holds the whole request of a socket
 * by it for as long as that is open. Called before it does, in the same turn.
 */
function letRequestGo(socket: WebSocket): void {
	const own = new Map(HEARD.map((event) => [event, new Set(socket.listeners(event))]));
	queueMicrotask(() => {
		for (const [event, listeners] of own) {
			for (const listener of socket.listeners(event)) {
				if (!listeners.has(listener)) socket.off(event, listener as () => void);
			}
		}
	});
}

/** All of whom nothing is known share what one business or person may have. */
const STRANGERS = '';

function serveEntry(running: Running, entry: Result<Entry, CloseCode>, socket: RelaySocket): void {
	const scope = entry.ok ? entry.value.caller.scope : STRANGERS;
	if (socket.line !== undefined) watchUnfinished(socket, scope, running.unfinished);
	if (!entry.ok) socket.close(entry.error, 'refused');
	else serve(running, entry.value, socket);
}

async function enter(
	{ tickets, epoch }: Running,
	{ document: name, ticket, ahead = '', from = '' }: Asked
): Promise<Result<Entry, CloseCode>> {
	const caller = await tickets.take(ticket, name);
	if (!caller.ok) return err(CLOSE.ticket);
	const address = parseDocumentName(name);
	if (!address.ok) return err(CLOSE.rights);
	if (!mayOpen(caller.value, address.value)) return err(CLOSE.rights);
	const asked = { ahead: parseAhead(ahead), from: parseFrom(from, epoch) };
	return ok({ caller: caller.value, name, address: address.value, ...asked });
}

/** RELAY-72. 0 where it says none, or none of this epoch. */
function parseFrom(text: string, epoch: number): number {
	const [, of, n] = /^([0-9]{1,15})\.([0-9]{1,15})$/.exec(text) ?? [];
	return Number(of) === epoch ? Number(n) : 0;
}

/** Undefined where it is no step 1: then one waits for the device to say it. */
function parseAhead(text: string): Uint8Array | undefined {
	const bytes = decodeBase64url(text);
	return bytes.ok && isStep1(bytes.value) ? bytes.value : undefined;
}

function socketOf({ raw }: WSContext): WebSocket {
	assert(raw instanceof WebSocket, 'the server was given one of ws');
	return raw;
}

/** Listens at once and answers once the document is loaded; what is said meanwhile waits. */
function serve(running: Running, entry: Entry, socket: RelaySocket): void {
	socket.on('error', () => {
		socket.terminate();
	});
	const place = running.intake.enter(entry.caller, socket);
	if (place === undefined) {
		socket.close(CLOSE.tryLater, 'too many sockets');
		return;
	}
	const opening = openSession(running, entry, socket);
	const turns = createTurns(opening);
	let reported: unknown;
	const closeLater = (fault: unknown): void => {
		// One that all wait for is heard of by each.
		if (fault === reported) return;
		reported = fault;
		running.fault(fault);
		socket.close(CLOSE.tryLater, 'try later');
	};
	opening.catch(closeLater);
	// RELAY-71. Answered as soon as the socket is open; said again with the same bytes it asks nothing.
	let { ahead } = entry;
	if (ahead !== undefined) turns.hear(ahead, { failed: closeLater, done: () => undefined });

	socket.on('message', (data, isBinary) => {
		const bytes = bytesOf(data);
		const isSaidAgain = ahead !== undefined && equalBytes(ahead, bytes);
		ahead = undefined;
		if (isSaidAgain) return;
		const done = isBinary ? place.take(bytes.byteLength) : undefined;
		if (!isBinary) socket.close(CLOSE.forgery, 'text');
		else if (done === undefined) socket.close(CLOSE.tryLater, 'too much at once');
		else {
			const failed = (fault: unknown): void => {
				done();
				closeLater(fault);
			};
			turns.hear(bytes, { done, failed });
		}
	});
	socket.on('close', () => {
		// What was said before the end still counts.
		void turns
			.heard()
			.then(() => opening)
			.then(({ session, leave }) => session.settled().finally(leave))
			.catch(() => undefined)
			.then(place.leave);
	});
}

interface Opened {
	readonly session: Session;
	readonly leave: () => void;
}

async function openSession(running: Running, entry: Entry, socket: RelaySocket): Promise<Opened> {
	const { hub, shelf, follower } = running;
	const { caller, name, address } = entry;
	const leaving: (() => void)[] = [];
	const leave = (): void => {
		for (const act of leaving) act();
	};
	try {
		leaving.push(() => {
			follower.leave(caller.scope);
		});
		const s = await follower.enter(caller.scope);
		leaving.push(
			() => {
				hub.release(name);
			},
			() => {
				shelf.close(caller);
			}
		);
		const { sql, epoch, isRestored } = running;
		const [room, ends, backup] = await Promise.all([
			hub.hold(name, address),
			isRestored === true ? readEpochEnds(sql, caller.scope, epoch) : [],
			readBackupMark(sql, caller.scope, epoch),
			shelf.open(caller, entry.from)
		]);
		const connection = createConnection({ caller, room, socket, unread: running.unread });
		hub.join(connection);
		leaving.push(() => {
			hub.leave(connection);
		});
		const told = { s: Math.max(s, follower.toldOf(caller.scope)), ends };
		greet(running, connection, { ...told, ...(backup !== undefined && { backup }) });
		// Then all that the relay has of this device's facts, or of those that it asks for.
		const book = shelf.find(caller);
		const ranges = book === undefined ? [] : haveRangesFrom(book, entry.from);
		connection.send(encodeHave({ epoch, ranges }));
		follower.admit(connection);
		return { session: createSession(connection, running), leave };
	} catch (fault) {
		leave();
		throw fault;
	}
}

/** Hello comes first. */
function greet(
	running: Running,
	connection: Connection,
	place: Pick<Hello, 's' | 'ends' | 'backup'>
): void {
	const { epoch, clock } = running;
	const hello = { epoch, kinds: FACT_KINDS, now: clock(), limits: LIMITS, ...place };
	connection.send(encodeHello(hello));
}

const LIMITS = {
	frameBytes: FRAME_BYTES_MAX,
	frameFacts: FRAME_FACTS_MAX,
	pieceBytes: PIECE_BYTES_MAX,
	factBytes: FACT_TEXT_BYTES_MAX,
	deviceSockets: DEVICE_SOCKETS_MAX,
	pendingBytes: PENDING_BYTES_MAX,
	unreadBytes: BUFFERED_BYTES_CLOSE,
	deviceDayFacts: DEVICE_DAY_FACTS_MAX,
	phoneDayFacts: PHONE_DAY_FACTS_MAX,
	recordAnswers: RECORD_ANSWERS_MAX
};

/** A view: what is kept of a message is copied out of it. */
function bytesOf(data: RawData): Uint8Array {
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	const buffer = Array.isArray(data) ? Buffer.concat(data) : data;
	return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
