import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sql } from 'postgres';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import { Hono } from 'hono';
import * as decoding from 'lib0/decoding';
import { WebSocket, WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { RelaySignedFact } from '#domain/fact/fact.ts';
import { relayMessage } from '#domain/fact/relay-message.ts';
import { factId } from '#domain/ids.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createTickets, type Tickets } from '#server/auth/tickets.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import type { Project } from '#server/projections/effected.ts';
import type { Bus } from '#server/bus/bus.ts';
import { createRelay, type Relay, type RelayParts, type Timers } from '#server/relay/relay.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { PAYLOAD_BYTES_MAX } from '#sync/limits.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from './trade.ts';

export const EPOCH = 4;
const PERSON = '0192f0c1-7a00-4000-8000-0000000000e1';

/** A relay on a real database and a real port, for the business of `makeTrade`, with a clock of its own. */
export interface RelayStand {
	readonly database: TestDatabase;
	readonly tickets: Tickets;
	readonly clock: { now: number };
	readonly url: string;
	/** What the relay had nobody to tell. */
	readonly faults: unknown[];
	/** The relay that runs now. */
	relay(): Relay;
	/** The relay's ends of all sockets. */
	sockets(): ReadonlySet<WebSocket>;
	/** Fires the relay's timers of this interval. */
	tick(ms: number): void;
	/** Stops the relay and starts another on the same database, as after a crash. */
	/** Of the epoch that it had, or another one. */
	restart(epoch?: number): Promise<void>;
	addDevice(code: string): Promise<Signer>;
	/** Today's journal by the relay's clock. */
	today(): string;
	close(): Promise<void>;
}

export interface RelayStandOptions {
	/** Stands around the projections, to make a batch fail. */
	readonly wrapProject?: (project: Project) => Project;
	/** Another relay on the database of that stand. */
	readonly beside?: Neighbour;
	/** Its own; else the test fires them. */
	readonly timers?: Timers;
	readonly bus?: Bus;
	/** Hears each statement that the relay makes, without its values. */
	readonly onStatement?: (statement: string) => void;
	/** Stands around the relay's database, to make it fail. */
	readonly wrapSql?: (sql: Sql) => Sql;
	readonly relay?: Pick<RelayParts, 'isRestored' | 'dayLimits' | 'wentBack'>;
}

export interface Neighbour {
	readonly database: Pick<TestDatabase, 'url'>;
	readonly clock: { now: number };
}

export async function createRelayStand(options: RelayStandOptions = {}): Promise<RelayStand> {
	const { beside } = options;
	const database = beside === undefined ? await createTestDatabase() : poolBeside(beside);
	const clock = beside?.clock ?? { now: Date.UTC(2026, 10, 20, 9) };
	const faults: unknown[] = [];
	const timers = new Set<{ readonly ms: number; readonly act: () => void }>();
	const tickets = createTickets({
		executor: database.orm,
		clock: () => clock.now,
		random: systemRandom
	});
	const crypto = createNodeCrypto();
	const wrap = options.wrapProject ?? ((project) => project);
	const wrapSql = options.wrapSql ?? ((sql) => sql);
	if (beside === undefined) {
		await addBusiness(database, clock.now);
		await addRelayKey(database, clock.now);
	}

	async function start(port: number, epoch = EPOCH): Promise<Started> {
		const relay = createRelay({
			sql: wrapSql(overheard(database.sql, options.onStatement)),
			clock: () => clock.now,
			timers: options.timers ?? {
				every: (ms, act) => {
					const timer = { ms, act };
					timers.add(timer);
					return () => timers.delete(timer);
				}
			},
			crypto,
			project: wrap(createProject(crypto)),
			tickets,
			epoch,
			relayKey: await relayKey,
			bus: options.bus,
			...options.relay,
			fault: (fault) => faults.push(fault)
		});
		const sockets = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX });
		const server = serve({
			fetch: new Hono().route('/sync', relay.routes).fetch,
			port,
			hostname: '127.0.0.1',
			websocket: { server: sockets as WebSocketServerLike }
		}) as Server;
		await once(server, 'listening');
		return { relay, server, sockets };
	}

	let started = await start(0);
	const { port } = started.server.address() as AddressInfo;
	return {
		database,
		tickets,
		clock,
		faults,
		relay: () => started.relay,
		sockets: () => started.sockets.clients,
		url: `ws://127.0.0.1:${String(port)}/sync`,
		tick: (ms) => {
			for (const timer of timers) if (timer.ms === ms) timer.act();
		},
		restart: async (epoch) => {
			await stop(started);
			started = await start(port, epoch);
		},
		addDevice: (code) => addDevice(database, code, clock.now),
		today: () => journalName(TRADE_BUSINESS, TRADE_BRANCH, clock.now),
		close: async () => {
			await stop(started);
			await database.close();
		}
	};
}

/** One for all stands: relays that stand beside each other have the key of their database. */
const relayKey = createSigningKeys().then(createSigner);

/** What the stand's relay signed in an epoch that ended. */
export async function signedByRelay<F extends RelaySignedFact>(fact: F): Promise<F> {
	const sig = await (await relayKey).sign(relayMessage(TRADE_BUSINESS, fact));
	return { ...fact, sig: encodeBase64url(sig) };
}

async function addRelayKey({ sql }: TestDatabase, now: number): Promise<void> {
	const { kid, publicKey } = await relayKey;
	await sql`
		insert into relay_key (place, kid, public_key, sealed, created_at)
		values (1, ${encodeBase64url(kid)}, ${Buffer.from(publicKey)}, '', ${now})`;
}

/** Connections of its own, as another process has them. */
function poolBeside({ database: { url } }: Neighbour): TestDatabase {
	return { ...connectDatabase(url, { connectionsMax: 5 }), url };
}

function overheard(sql: Sql, tell: ((statement: string) => void) | undefined): Sql {
	if (tell === undefined) return sql;
	return new Proxy(sql, {
		apply: (target, self, given: Parameters<Sql>) => {
			tell(String(given[0]));
			return Reflect.apply(target, self, given) as unknown;
		}
	});
}

interface Started {
	readonly relay: Relay;
	readonly server: Server;
	readonly sockets: WebSocketServer;
}

async function stop({ relay, server, sockets }: Started): Promise<void> {
	await relay.close();
	// As the program does: one that is being opened would hold the server open.
	sockets.on('connection', (socket) => {
		socket.terminate();
	});
	for (const socket of sockets.clients) socket.terminate();
	const closed = once(server, 'close');
	server.close();
	server.closeAllConnections();
	await closed;
}

async function addBusiness({ sql }: TestDatabase, now: number): Promise<void> {
	await sql`
		insert into account (account, username, kind, name, email, password_hash, person, created_at)
		values (${PERSON}, 'asha', 'store', 'Asha', 'asha@example.org', '-', ${PERSON}, ${now})`;
	await sql`
		insert into business (business, name, last_device_code, last_member, claimed_at)
		values (${TRADE_BUSINESS}, 'Asha''s', 'A', 1, ${now})`;
	await sql`
		insert into branch (business, branch, created_at)
		values (${TRADE_BUSINESS}, ${TRADE_BRANCH}, ${now})`;
	await sql`
		insert into member (business, member, account, person, role, name, created_at)
		values (${TRADE_BUSINESS}, 1, ${PERSON}, ${PERSON}, 'owner', 'Asha', ${now})`;
}

async function addDevice({ sql }: TestDatabase, code: string, now: number): Promise<Signer> {
	const signer = await createSigner(await createSigningKeys());
	await sql`
		insert into device (business, code, branch, member, sight, public_key, joined_at)
		values (${TRADE_BUSINESS}, ${code}, ${TRADE_BRANCH}, 1, 'office',
			${Buffer.from(signer.publicKey)}, ${now})`;
	return signer;
}

export async function ticketFor(
	stand: RelayStand,
	code: string,
	document: string
): Promise<string> {
	return stand.tickets.create({ sort: 'device', scope: TRADE_BUSINESS, code }, document);
}

/** A stock provider that fetches a ticket before each open. */
export function stockProvider(
	stand: RelayStand,
	code: string,
	{ document = stand.today(), doc = new Y.Doc() } = {}
): WebsocketProvider {
	return new WebsocketProvider(stand.url, document, doc, {
		disableBc: true,
		WebSocketPolyfill: createTicketSocket({
			getTicket: async (name) => ({ ticket: await ticketFor(stand, code, name) }),
			WebSocket: globalThis.WebSocket
		})
	});
}

export async function synced(provider: WebsocketProvider): Promise<void> {
	if (provider.synced) return;
	await new Promise<void>((resolve) => {
		provider.once('sync', () => {
			resolve();
		});
	});
}

/** A socket with nothing of Yjs behind it: what is said is said byte by byte. */
export interface RawSocket {
	readonly socket: WebSocket;
	/** Every message so far, each as its bytes. */
	readonly heard: Uint8Array[];
	send(bytes: Uint8Array): void;
	/** The first message from `from` on that passes; waits for it. */
	next(passes: (bytes: Uint8Array) => boolean, from?: number): Promise<Uint8Array>;
	readonly closed: Promise<number>;
}

export async function rawSocket(
	stand: RelayStand,
	code: string,
	{ document = stand.today(), headers = {}, ticket = '', autoPong = true } = {}
): Promise<RawSocket> {
	const given = ticket === '' ? await ticketFor(stand, code, document) : ticket;
	const socket = new WebSocket(`${stand.url}/${document}?ticket=${given}`, { headers, autoPong });
	const heard: Uint8Array[] = [];
	const waiting = new Set<() => void>();
	socket.on('unexpected-response', (_request, { statusCode }) => {
		socket.emit('error', new Error(String(statusCode)));
	});
	socket.on('message', (data: Buffer) => {
		heard.push(new Uint8Array(data));
		for (const look of waiting) look();
	});
	const closed = new Promise<number>((resolve) => socket.on('close', resolve));
	await once(socket, 'open');
	return {
		socket,
		heard,
		closed,
		send: (bytes) => {
			socket.send(bytes);
		},
		next: (passes, from = 0) =>
			new Promise((resolve) => {
				const look = (): void => {
					const found = heard.slice(from).find(passes);
					if (found === undefined) return;
					waiting.delete(look);
					resolve(found);
				};
				waiting.add(look);
				look();
			})
	};
}

export function isMessage(type: number): (bytes: Uint8Array) => boolean {
	return (bytes) => bytes[0] === type;
}

/** The small facts of a device, for tests that care how they travel and not what they say. */
export function settingFact(
	stand: RelayStand,
	factName: string,
	name = `Shop ${factName}`
): { readonly id: string; readonly text: string } {
	const [code = '', number = ''] = factName.split('-');
	const n = Number(number);
	const id = factId(code, n);
	const text = encodeFact({
		id,
		code,
		n,
		at: { wall: stand.clock.now, counter: n },
		on: new Date(stand.clock.now).toISOString().slice(0, 10),
		by: 1,
		kind: 'setting',
		fields: { name }
	});
	return { id, text };
}

/** Asks until it is so. */
export async function until(
	isSo: () => boolean | Promise<boolean>,
	timeoutMs = 8_000
): Promise<void> {
	const end = Date.now() + timeoutMs;
	while (!(await isSo())) {
		if (Date.now() > end) throw new Error('it did not come to pass');
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

/** The JSON of one of the relay's own messages. */
export function jsonIn(frame: Uint8Array): string {
	const decoder = decoding.createDecoder(frame);
	decoding.readVarUint(decoder);
	return decoding.readVarString(decoder);
}
