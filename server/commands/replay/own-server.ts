import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { createApp } from '#server/app.ts';
import { migrateDatabase, openDatabase, type Database } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { createLog } from '#server/log.ts';
import { createService } from '#server/service.ts';
import { PAYLOAD_BYTES_MAX } from '#sync/limits.ts';

export interface OwnServer {
	/** Its origin. */
	readonly url: string;
	readonly database: Database;
}

export interface OwnServerParts {
	/** The shop's time, which facts bear; what is handed out expires by the machine's. */
	readonly clock: () => number;
	readonly fault: (fault: unknown) => void;
	/** Ends what was started, in the opposite order. */
	readonly running: AsyncDisposableStack;
}

/** Starts a whole server on a PostgreSQL of its own, in a folder that goes when it ends. */
export async function startOwnServer(parts: OwnServerParts): Promise<OwnServer> {
	const { running } = parts;
	const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-replay-'));
	running.defer(() => rm(folder, { recursive: true, force: true }));
	const postgres = await startEmbeddedPostgres({ dataDir: folder });
	running.defer(postgres.stop);
	await migrateDatabase(postgres.url);
	const database = await openDatabase(postgres.url);
	running.defer(database.close);

	return { url: await listenOn(database, parts), database };
}

/** Puts the server on a database and any free port of this machine; its origin. */
export async function listenOn(
	database: Database,
	{ clock, fault, running }: OwnServerParts
): Promise<string> {
	const service = await createService({ database, clock, expiryClock: Date.now, fault });
	running.defer(service.close);
	const app = createApp({ api: service.api, sync: service.sync, log: createLog('error') });
	const sockets = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX });
	const server = serve({
		fetch: app.fetch,
		port: 0,
		hostname: '127.0.0.1',
		// Its own types and those of `ws` differ in optional fields that may be undefined, and only there.
		websocket: { server: sockets as WebSocketServerLike }
	}) as Server; // No `createServer` was given, and then it is one of node:http.
	await once(server, 'listening');
	running.defer(() => close(server, sockets));
	const address = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	return `http://127.0.0.1:${String(port)}`;
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
	const closed = once(server, 'close');
	server.close();
	for (const socket of sockets.clients) socket.terminate();
	server.closeAllConnections();
	await closed;
}
