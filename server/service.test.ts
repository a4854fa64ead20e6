import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { appendFact } from '#documents/facts.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { factId } from '#domain/ids.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import {
	ask,
	createTestKey,
	joinBody,
	openShop,
	proveDevice,
	type Shop
} from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { createService, type Service } from './service.ts';

const faults: unknown[] = [];
let database: TestDatabase;
let service: Service;
let server: Server;
const sockets = new WebSocketServer({ noServer: true });
/** Passes requests on to the server, from a page of its own origin. */
const app = new Hono();
beforeAll(async () => {
	database = await createTestDatabase();
	service = await createService({
		database,
		clock: Date.now,
		secret: new Uint8Array(32).fill(7),
		fault: (fault) => faults.push(fault)
	});
	const root = new Hono();
	root.onError((_fault, c) => c.json({}, 500));
	root.route('/api', service.api);
	root.route('/sync', service.sync);
	server = serve({
		fetch: root.fetch,
		port: 0,
		hostname: '127.0.0.1',
		websocket: { server: sockets as WebSocketServerLike }
	}) as Server;
	await once(server, 'listening');
	app.all('*', async (c) => {
		const { pathname, search } = new URL(c.req.url);
		const headers = new Headers(c.req.raw.headers);
		headers.delete('host');
		headers.set('origin', origin());
		const body = c.req.method === 'GET' ? undefined : await c.req.text();
		return fetch(`${origin()}${pathname}${search}`, {
			method: c.req.method,
			headers,
			...(body === undefined ? {} : { body })
		});
	});
});
afterAll(async () => {
	await service.close();
	server.closeAllConnections();
	server.close();
	await database.close();
});

it('takes a shop from its claim to a fact in the feed and the checkpoint', async () => {
	const { shop, bearer, text, provider } = await openTill('asha');
	provider.destroy();
	const feed = await ask(app, `/feed?epoch=${String(EPOCH)}&after=2`, { bearer });
	expect(feed.body).toEqual({ epoch: EPOCH, rows: [[3, shop.branch, text]], last: 3 });
	const checkpoint = await ask(app, `/checkpoint?branch=${shop.branch}`, { bearer });
	expect(checkpoint.body).toMatchObject({
		epoch: EPOCH,
		s: 3,
		ranges: { '0.1': [[1, 2]], A: [[1, 1]] },
		members: [{ number: 1, role: 'owner' }],
		devices: [{ code: 'A', member: 1, branch: shop.branch }],
		settings: [{ field: 'name', value: 'Mama Amina' }]
	});
	expect(faults).toEqual([]);
});

it("[RELAY-63] gives out none of the relay's numbers into a feed that is behind what is known", async () => {
	const { shop, provider } = await openTill('juma');
	const { business, cookie } = shop;
	const { sql } = database;
	const ofShop = (): Promise<readonly unknown[]> => sql`
		select code, n from fact where business = ${business} order by s`;
	// An older copy takes over, to which the device and its claim are all there is.
	await sql`delete from fact where business = ${business} and code = 'A'`;
	await sql`update feed_head set s = 2 where business = ${business}`;
	const join = async (): Promise<number> => {
		const body = await joinBody({ business }, await createTestKey());
		return (await ask(app, '/devices', { cookie, body })).status;
	};
	expect(await join()).toBe(500);
	// What it knew it knows no less where nobody is connected any more.
	provider.destroy();
	await until(() => sockets.clients.size === 0);
	await setTimeout(LEAVE_MS);
	expect(await join()).toBe(500);
	expect(await ofShop()).toHaveLength(2);
});

const EPOCH = 1;
/** The relay lets go of what a socket held once all that it said was dealt with. */
const LEAVE_MS = 200;

/** A shop whose device is connected and has written one fact. */
async function openTill(username: string): Promise<Till> {
	const shop = await openShop(app, username);
	const proved = await proveDevice(app, { ...shop, code: 'A' });
	const bearer = String(proved.body['token']);
	const wall = Date.now();
	const doc = new Y.Doc();
	const document = journalName(shop.business, shop.branch, wall);
	const text = encodeFact({
		id: factId('A', 1),
		code: 'A',
		n: 1,
		at: { wall, counter: 0 },
		on: new Date(wall).toISOString().slice(0, 10),
		by: 1,
		kind: 'setting',
		fields: { name: 'Mama Amina' }
	});
	appendFact(doc, { id: 'A-1', text });
	const provider = new WebsocketProvider(`${origin().replace('http', 'ws')}/sync`, document, doc, {
		disableBc: true,
		WebSocketPolyfill: createTicketSocket({
			getTicket: async (name) => {
				const answer = await ask(app, '/sync/tickets', { body: { document: name }, bearer });
				return { ticket: String(answer.body['ticket']) };
			},
			WebSocket: globalThis.WebSocket
		})
	});
	await until(async () => {
		const { body } = await ask(app, `/feed?epoch=${String(EPOCH)}&after=0`, { bearer });
		return Array.isArray(body['rows']) && body['rows'].length === 3;
	});
	return { shop, bearer, text, provider };
}

interface Till {
	readonly shop: Shop;
	readonly bearer: string;
	readonly text: string;
	readonly provider: WebsocketProvider;
}

function origin(): string {
	const { port } = server.address() as AddressInfo;
	return `http://127.0.0.1:${String(port)}`;
}
