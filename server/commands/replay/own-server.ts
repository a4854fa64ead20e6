import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createApp } from '#server/app.ts';
import { migrateDatabase, openDatabase, type Database } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { listen } from '#server/listen.ts';
import { createLog } from '#server/log.ts';
import { createService } from '#server/service.ts';

const SECRET_BYTES = 32;

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
	const secret = randomBytes(SECRET_BYTES);
	const service = await createService({ database, clock, expiryClock: Date.now, secret, fault });
	running.defer(service.close);
	const app = createApp({ api: service.api, sync: service.sync, log: createLog('error') });
	const port = await listen(app, { port: 0, host: '127.0.0.1' }, running);
	return `http://127.0.0.1:${String(port)}`;
}
