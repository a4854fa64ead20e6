import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { createHealth } from './api/health.ts';
import { createApp } from './app.ts';
import type { Bus } from './bus/bus.ts';
import { openBus } from './bus/open-bus.ts';
import { beginAfterLoss } from './commands/keeping/put-back.ts';
import { migrateDatabase, openDatabase, type Database } from './database/connect.ts';
import { readClock } from './database/clock.ts';
import { startEmbeddedPostgres, type PostgresEvent } from './database/embedded.ts';
import { parseEnvironment, type Environment } from './environment.ts';
import { listen } from './listen.ts';
import { createLog } from './log.ts';
import { createOutboxPage } from './outbox-page.ts';
import { readSecret } from './secret.ts';
import { createService } from './service.ts';
import { createSite } from './site.ts';

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
	const { running, log, stop } = run;
	const databaseUrl = environment.databaseUrl ?? (await startPostgres(environment, run));
	const database = await openDatabase(databaseUrl);
	running.defer(database.close);
	await migrateDatabase(databaseUrl);
	const secret = await readSecret({ given: environment.secret, dataDir: environment.dataDir });

	const bus = startBus(environment, run);

	const version = await readVersion();
	const api = new Hono();
	api.route('/', createHealth({ askDatabase: () => database.sql`select 1`, version }));
	const site = await createSite(path.join(ROOT, 'build'));
	const service = await createService({
		database,
		clock: Date.now,
		commonClock: () => readClock(database.sql),
		secret,
		gateways: environment.gateways,
		proxies: environment.proxies,
		bus,
		fault: (fault) => {
			log.error({ err: fault }, 'a fault that no request waited for');
		},
		wentBack: (fault, epoch) => {
			// What starts it again reads everything anew.
			void declareLoss(database, epoch, log).finally(() => {
				stop(fault);
			});
		}
	});
	running.defer(service.close);
	api.route('/', service.api);
	const outbox = environment.isProduction ? undefined : createOutboxPage(database.orm);
	const app = createApp({ api, sync: service.sync, site, log, ...(outbox && { outbox }) });
	return listen(app, environment, running);
}

/** Whoever waits for a database that is silent as well ends no process, and serves nobody. */
const DECLARE_MS_MAX = 10_000;

/** Devices hand in what was lost in a new epoch alone, and who starts next knows nothing of a loss. */
async function declareLoss(database: Database, epoch: number, log: Logger): Promise<void> {
	try {
		const begun = await Promise.race([
			beginAfterLoss(database, { epoch, now: Date.now() }),
			silence(DECLARE_MS_MAX)
		]);
		log.error({ epoch, begun }, 'the database lacks what was committed: devices hand it in again');
	} catch (fault) {
		log.fatal(
			{ err: fault },
			'the database lacks what was committed: run npm run restore -- --put-back before you start'
		);
	}
}

async function silence(ms: number): Promise<never> {
	await setTimeout(ms, undefined, { ref: false });
	throw new Error(`the database did not answer within ${String(ms)} ms`);
}

/** Goes on without: what it would tell, the other servers find by themselves some seconds later. */
function startBus(environment: Environment, { log, running }: Run): Bus {
	const bus = openBus(environment, (event) => {
		if (event.kind === 'up') log.warn('the servers hear of each other at once again');
		else log.warn({ err: event.fault }, 'the bus is down: servers see each other seconds later');
	});
	running.defer(() => bus.close());
	return bus;
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
