import { upgradeWebSocket } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { WSContext, WSEvents } from 'hono/ws';
import type { Sql } from 'postgres';
import { WebSocket } from 'ws';
import { parseDocumentName, type DocumentAddress } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { FACT_KINDS } from '#domain/fact/fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Tickets } from '#server/auth/tickets.ts';
import type { Project } from '#server/projections/effected.ts';
import { CLOSE, type CloseCode } from '#sync/close-code.ts';
import { encodeHave, encodeHello, HEARTBEAT_FRAME } from '#sync/frames.ts';
import {
	DEVICE_SOCKETS_MAX,
	FACT_TEXT_BYTES_MAX,
	FRAME_BYTES_MAX,
	FRAME_FACTS_MAX,
	HEARTBEAT_MS,
	PENDING_BYTES_MAX,
	PIECE_BYTES_MAX
} from '#sync/limits.ts';
import { createConnection, type Connection } from './connection.ts';
import { createHaveShelf, type HaveShelf } from './have.ts';
import { createHub, type Hub } from './hub.ts';
import { mayOpen } from './rights.ts';
import { createSession, type Session } from './session.ts';
import { createWritePath, type WritePath } from './write-path.ts';

export interface RelayParts {
	readonly sql: Sql;
	/** Milliseconds UTC, as the relay tells devices. */
	readonly clock: () => number;
	readonly timers: Timers;
	readonly crypto: CryptoParts;
	readonly project: Project;
	readonly tickets: Pick<Tickets, 'take'>;
	/** The database's current epoch. */
	readonly epoch: number;
	/** Hears of faults that no caller waits for. */
	readonly fault: (fault: unknown) => void;
	/** Hears after each COMMIT, once the sockets were told. */
	readonly committed?: () => void;
}

export interface Timers {
	/** Calls `act` again and again; the answer stops it. */
	readonly every: (ms: number, act: () => void) => () => void;
}

export interface Relay {
	/** `GET /{document name}?ticket=…` as a WebSocket; to be mounted at `/sync`. */
	readonly routes: Hono;
	/** Tells the sockets of a business or person that its feed moved by something else than a document. */
	readonly feedMoved: (scope: ScopeId) => Promise<void>;
	/** Closes every socket so that it tries again elsewhere, and waits for what is being written. */
	readonly close: () => Promise<void>;
}

/** How often feeds are looked at for what came by another way than this relay's documents. */
const FEED_POLL_MS = 5_000;

/** What one relay is made of, for all its sockets. */
interface Running extends RelayParts {
	readonly hub: Hub;
	readonly shelf: HaveShelf;
	readonly writePath: WritePath;
}

export function createRelay(parts: RelayParts): Relay {
	const { sql, epoch, timers, fault } = parts;
	const shelf = createHaveShelf(sql);
	const hub = createHub({ sql, epoch, shelf });
	const writePath = createWritePath({
		...parts,
		committed: (batch, written) => {
			hub.tell(batch, written);
			parts.committed?.();
		},
		failed: fault
	});
	const running = { ...parts, hub, shelf, writePath };
	const poll = createFeedPoll(running);
	const stops = [
		timers.every(HEARTBEAT_MS, () => {
			for (const connection of hub.connections()) {
				connection.beat();
				connection.send(HEARTBEAT_FRAME);
			}
		}),
		timers.every(FEED_POLL_MS, () => {
			poll(Array.from(hub.scopes())).catch(fault);
		})
	];
	return {
		routes: createRoutes(running),
		feedMoved: (scope) => poll([scope]),
		close: async () => {
			for (const stop of stops) stop();
			for (const connection of hub.connections()) connection.close(CLOSE.tryLater, 'stopping');
			await writePath.idle();
		}
	};
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
	return !URL.canParse(origin) || new URL(origin).host !== c.req.header('host');
}

interface Entry {
	readonly caller: Caller;
	readonly name: string;
	readonly address: DocumentAddress;
}

/** Takes the ticket before the socket opens; a refusal is told by its close code, which a page can read. */
async function openEvents(running: Running, c: Context): Promise<WSEvents> {
	const name = c.req.param('document') ?? '';
	const entry = await enter(running, name, c.req.query('ticket') ?? '');
	return {
		onOpen: (_event, context) => {
			const socket = socketOf(context);
			if (!entry.ok) socket.close(entry.error, 'refused');
			else serve(running, entry.value, socket);
		}
	};
}

async function enter(
	{ tickets }: Running,
	name: string,
	ticket: string
): Promise<Result<Entry, CloseCode>> {
	const caller = await tickets.take(ticket, name);
	if (!caller.ok) return err(CLOSE.ticket);
	const address = parseDocumentName(name);
	if (!address.ok) return err(CLOSE.rights);
	if (!mayOpen(caller.value, address.value)) return err(CLOSE.rights);
	return ok({ caller: caller.value, name, address: address.value });
}

function socketOf({ raw }: WSContext): WebSocket {
	assert(raw instanceof WebSocket, 'the server was given one of ws');
	return raw;
}

/** Listens at once and answers once the document is loaded; what is said meanwhile waits. */
function serve(running: Running, entry: Entry, socket: WebSocket): void {
	let pendingBytes = 0;
	const opening = openSession(running, entry, socket);
	let turn: Promise<unknown> = opening;
	const closeLater = (fault: unknown): void => {
		running.fault(fault);
		socket.close(CLOSE.tryLater, 'try later');
	};
	opening.catch(closeLater);

	socket.on('message', (data, isBinary) => {
		const bytes = bytesOf(data);
		pendingBytes += bytes.byteLength;
		if (!isBinary) socket.close(CLOSE.forgery, 'text');
		else if (pendingBytes > PENDING_BYTES_MAX) socket.close(CLOSE.tryLater, 'too much at once');
		else {
			turn = turn
				.then(async () => (await opening).session.hear(bytes))
				.then(() => {
					pendingBytes -= bytes.byteLength;
				}, closeLater);
		}
	});
	socket.on('error', () => {
		socket.terminate();
	});
	socket.on('close', () => {
		// What was said before the end still counts.
		void turn
			.then(() => opening)
			.then(async ({ session, leave }) => {
				await session.settled();
				leave();
			})
			.catch(() => undefined);
	});
}

interface Opened {
	readonly session: Session;
	readonly leave: () => void;
}

async function openSession(running: Running, entry: Entry, socket: WebSocket): Promise<Opened> {
	const { hub, shelf, sql } = running;
	const { caller, name, address } = entry;
	const leave = (): void => {
		hub.release(name);
		shelf.close(caller);
	};
	try {
		const [room, , s] = await Promise.all([
			hub.hold(name, address),
			shelf.open(caller),
			readFeed(sql, caller.scope)
		]);
		const connection = createConnection({ caller, room, socket });
		if (hub.connectionsOf(caller).size >= DEVICE_SOCKETS_MAX) {
			socket.close(CLOSE.tryLater, 'too many sockets');
		}
		hub.join(connection);
		greet(running, connection, s);
		return {
			session: createSession(connection, running),
			leave: () => {
				hub.leave(connection);
				leave();
			}
		};
	} catch (fault) {
		leave();
		throw fault;
	}
}

/** Hello first, then everything that the relay has of this device. */
function greet(running: Running, connection: Connection, s: number): void {
	const { epoch, clock, shelf } = running;
	connection.send(encodeHello({ epoch, kinds: FACT_KINDS, now: clock(), limits: LIMITS, s }));
	const ranges = shelf.find(connection.caller)?.ranges() ?? [];
	connection.send(encodeHave({ epoch, ranges }));
}

const LIMITS = {
	frameBytes: FRAME_BYTES_MAX,
	frameFacts: FRAME_FACTS_MAX,
	pieceBytes: PIECE_BYTES_MAX,
	factBytes: FACT_TEXT_BYTES_MAX,
	deviceSockets: DEVICE_SOCKETS_MAX
};

async function readFeed(sql: Sql, scope: ScopeId): Promise<number> {
	const [row] = await sql<{ s: string }[]>`select s from feed_head where business = ${scope}`;
	return Number(row?.s ?? 0);
}

/** Tells of a feed that moved since it was last looked at, by a write that was not a document's. */
function createFeedPoll({ sql, hub }: Running): (of: readonly ScopeId[]) => Promise<void> {
	const seen = new Map<ScopeId, number>();
	return async (scopes) => {
		if (scopes.length === 0) return;
		const rows = await sql<{ business: ScopeId; s: string }[]>`
			select business, s from feed_head where business = any(${scopes}::uuid[])`;
		for (const { business, s } of rows) {
			if (Number(s) === seen.get(business)) continue;
			seen.set(business, Number(s));
			hub.tellFeed(business, Number(s));
			await hub.passOn(business);
		}
	};
}

function bytesOf(data: WebSocket.RawData): Uint8Array {
	const buffer = Array.isArray(data) ? Buffer.concat(data) : data;
	return new Uint8Array(buffer);
}
