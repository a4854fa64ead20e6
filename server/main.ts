import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import path from 'node:path';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { PAYLOAD_BYTES_MAX } from '#sync/limits.ts';
import { createHealth } from './api/health.ts';
import { createApp } from './app.ts';
import { migrateDatabase, openDatabase } from './database/connect.ts';
import { codeOf } from './database/data-folder.ts';
import { startEmbeddedPostgres, type PostgresEvent } from './database/embedded.ts';
import { parseEnvironment, type Environment } from './environment.ts';
import { createLog } from './log.ts';
import { readSecret } from './secret.ts';
import { createService } from './service.ts';
import { createSite } from './site.ts';

const CLOSE_MS_MAX = 3_000;
const ROOT = path.resolve(import.meta.dirname, '..');

/** Ends this process; what for decides the exit code. Only the first call counts. */
type Stop = (why: 'asked' | Error) => void;

const environment = parseEnvironment(process.env);
if (environment.ok) await run(environment.value);
else complain(environment.error.sentence);

async function run(environment: Environment): Promise<void> {
	const log = createLog(environment.logLevel);
	const { promise: stopped, resolve: stop } = Promise.withResolvers<'asked' | Error>();
	stopWhenAsked(stop, log);

	await using running = new AsyncDisposableStack();
	try {
		const port = await start(environment, { log, stop, running });
		console.log(`Daftar is ready at http://localhost:${String(port)}`);
		const why = await stopped;
		if (why !== 'asked') throw why;
	} catch (fault) {
		log.debug({ err: fault }, 'stopping');
		complain(fault instanceof Error ? fault.message : String(fault));
	}
}

interface Run {
	readonly log: Logger;
	readonly stop: Stop;
	/** What has been started, to be stopped in the opposite order. */
	readonly running: AsyncDisposableStack;
}

/** Starts part after part and returns the port that listens. */
async function start(environment: Environment, run: Run): Promise<number> {
	const { running, log } = run;
	const databaseUrl = environment.databaseUrl ?? (await startPostgres(environment, run));
	const database = await openDatabase(databaseUrl);
	running.defer(database.close);
	await migrateDatabase(databaseUrl);
	await readSecret({ given: environment.secret, dataDir: environment.dataDir });

	const version = await readVersion();
	const api = new Hono();
	api.route('/', createHealth({ askDatabase: () => database.sql`select 1`, version }));
	const site = await createSite(path.join(ROOT, 'build'));
	const service = await createService({
		database,
		clock: Date.now,
		fault: (fault) => {
			log.error({ err: fault }, 'a fault that no request waited for');
		}
	});
	running.defer(service.close);
	api.route('/', service.api);
	const app = createApp({ api, sync: service.sync, site, log });
	return listen(app, environment, running);
}

async function startPostgres(
	{ dataDir }: Environment,
	{ log, stop, running }: Run
): Promise<string> {
	const tell = (event: PostgresEvent): void => {
		log.warn({ event: event.kind }, 'embedded PostgreSQL');
		if (event.kind === 'gaveUp') stop(event.reason);
	};
	const postgres = await startEmbeddedPostgres({ dataDir, tell });
	running.defer(postgres.stop);
	return postgres.url;
}

async function listen(
	app: Hono,
	{ port, host }: Environment,
	running: AsyncDisposableStack
): Promise<number> {
	const sockets = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX });
	const server = serve({
		fetch: app.fetch,
		port,
		...(host === undefined ? {} : { hostname: host }),
		// Its own types and those of `ws` differ in optional fields that may be undefined, and only there.
		websocket: { server: sockets as WebSocketServerLike }
	}) as Server; // No `createServer` was given, and then it is one of node:http.
	try {
		await once(server, 'listening');
	} catch (cause) {
		throw new Error(unheard(cause, port, host), { cause });
	}
	running.defer(() => close(server, sockets));
	const address = server.address();
	return typeof address === 'object' && address !== null ? address.port : port;
}

/** Lets what is under way finish, for a moment. */
async function close(server: Server, sockets: WebSocketServer): Promise<void> {
	const closed = once(server, 'close');
	server.close();
	for (const socket of sockets.clients) socket.terminate();
	server.closeIdleConnections();
	const late = setTimeout(() => {
		server.closeAllConnections();
	}, CLOSE_MS_MAX);
	await closed;
	clearTimeout(late);
}

function unheard(cause: unknown, port: number, host: string | undefined): string {
	const number = String(port);
	switch (codeOf(cause)) {
		case 'EADDRINUSE':
			return `Port ${number} is taken: stop the program that uses it, or set PORT to another.`;
		case 'EACCES':
			return `Port ${number} is not open to this user: set PORT to one above 1023.`;
		default:
			return `Nothing can listen on ${host ?? 'this machine'}, port ${number} (${codeOf(cause)}).`;
	}
}

/**
 * Ctrl-C reaches us from the terminal and once more from `npm start`, so only the first signal
 * counts. Where `npm start` itself is killed, the channel to it breaks, and we stop too.
 */
function stopWhenAsked(stop: Stop, log: Logger): void {
	const asked = (): void => {
		stop('asked');
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, asked);
	process.on('disconnect', asked);
	// Listening would else keep us alive for as long as the channel is there.
	process.channel?.unref();
	const broken = (fault: unknown): void => {
		log.fatal({ err: fault }, 'a fault that nobody caught');
		stop(fault instanceof Error ? fault : new Error(String(fault)));
	};
	process.on('uncaughtException', broken);
	process.on('unhandledRejection', broken);
}

function complain(sentence: string): void {
	process.exitCode = 1;
	console.error(sentence);
}

async function readVersion(): Promise<string> {
	const text = await readFile(path.join(ROOT, 'package.json'), 'utf8');
	const parsed: unknown = JSON.parse(text);
	const isNamed = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
	return isNamed && typeof parsed.version === 'string' ? parsed.version : 'unknown';
}
