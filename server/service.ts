import { setTimeout as sleep } from 'node:timers/promises';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { checkpointRoutes } from './api/checkpoint.ts';
import { feedRoutes } from './api/feed.ts';
import { peopleRoutes } from './api/people.ts';
import { syncTicketRoutes } from './api/sync-tickets.ts';
import { createAuth } from './auth/auth.ts';
import { systemRandom } from './auth/random.ts';
import { createNodeCrypto } from './crypto.ts';
import type { Database } from './database/connect.ts';
import { readEpoch } from './database/epoch.ts';
import { createProject } from './projections/project.ts';
import { createAppendRelayFacts } from './relay/relay-facts.ts';
import { createRelay, type Timers } from './relay/relay.ts';
import { mayOpen } from './relay/rights.ts';

export interface ServiceParts {
	readonly database: Database;
	/** UTC milliseconds, as everything that is written says and everything that expires is measured. */
	readonly clock: () => number;
	/** Measures what expires, where facts are of another year than the tickets that let them in: a replay. */
	readonly expiryClock?: () => number;
	/** Hears of faults that no request waits for. */
	readonly fault: (fault: unknown) => void;
}

/** People, documents and feed on one database. */
export interface Service {
	/** To be mounted at `/api`. */
	readonly api: Hono;
	/** To be mounted at `/sync`. */
	readonly sync: Hono;
	/** Ends every socket and waits for what is being written. */
	readonly close: () => Promise<void>;
}

/** Puts the service together; its tables must be up to date. */
export async function createService(given: ServiceParts): Promise<Service> {
	const { database, clock, expiryClock = clock, fault } = given;
	const { sql, orm } = database;
	const crypto = createNodeCrypto();
	const epoch = await readEpoch(sql, clock());
	const parts = { executor: orm, clock: expiryClock, random: systemRandom, crypto };
	const auth = createAuth({ ...parts, wait: (ms) => sleep(ms) });
	const relay = createRelay({
		sql,
		clock,
		timers: systemTimers,
		crypto,
		project: createProject(crypto),
		tickets: auth.tickets,
		epoch,
		fault
	});
	const people = peopleRoutes({
		...parts,
		...auth,
		addressOf: (c) => getConnInfo(c).remote.address ?? '',
		epoch,
		appendRelayFacts: createAppendRelayFacts({ clock, epoch }),
		feedMoved: relay.feedMoved
	});
	const forDevices = { sql, epoch, ...auth, mayOpen };
	const api = new Hono();
	api.route('/', people);
	api.route('/', syncTicketRoutes(forDevices));
	api.route('/', feedRoutes(forDevices));
	api.route('/', checkpointRoutes(forDevices));
	return { api, sync: relay.routes, close: relay.close };
}

const systemTimers: Timers = {
	every: (ms, act) => {
		const timer = setInterval(act, ms);
		return () => {
			clearInterval(timer);
		};
	}
};
