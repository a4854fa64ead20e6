import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { checkpointRoutes } from './api/checkpoint.ts';
import { feedRoutes } from './api/feed.ts';
import { peopleRoutes } from './api/people.ts';
import { syncTicketRoutes } from './api/sync-tickets.ts';
import { createAuth, type AuthKeys } from './auth/auth.ts';
import { systemRandom } from './auth/random.ts';
import { createBackfill } from './bridge/backfill.ts';
import { createBridge } from './bridge/bridge.ts';
import { createCallerAddress } from './caller-address.ts';
import { createConnected, projectWithClaims, type Connected } from './connected.ts';
import { createGateways, NO_GATEWAYS, type GatewaySettings } from './gateways/gateway-settings.ts';
import { createMessages, type Messages } from './gateways/messages.ts';
import { createLater } from './later.ts';
import { deriveKey } from './secret.ts';
import { createVault, openRelayKey } from './vault.ts';
import { createNodeCrypto } from './crypto.ts';
import type { Database } from './database/connect.ts';
import { readEpoch } from './database/epoch.ts';
import { projectLedgerFacts } from './projections/ledgers.ts';
import { createProject } from './projections/project.ts';
import { createAppendRelayFacts, lockScopes } from './relay/relay-facts.ts';
import { createRelay, type Relay, type Timers } from './relay/relay.ts';
import { mayOpen } from './relay/rights.ts';

export interface ServiceParts {
	readonly database: Database;
	/** UTC milliseconds, as everything that is written says and everything that expires is measured. */
	readonly clock: () => number;
	/** Measures what expires, where facts are of another year than the tickets that let them in: a replay. */
	readonly expiryClock?: () => number;
	/** What every key of this server is derived from. */
	readonly secret: Uint8Array;
	/** By whom messages go; by the practice provider where it says nothing. */
	readonly gateways?: GatewaySettings;
	/** Proxies of the operator's own before this server, each of which adds to `X-Forwarded-For`. */
	readonly proxies?: number;
	/** Hears of faults that no request waits for. */
	readonly fault: (fault: unknown) => void;
}

/** People, documents and feed on one database. */
export interface Service {
	/** To be mounted at `/api`. */
	readonly api: Hono;
	/** To be mounted at `/sync`. */
	readonly sync: Hono;
	/** What is sent to people. */
	readonly messages: Messages;
	/** Ends every socket and waits for what is being written. */
	readonly close: () => Promise<void>;
}

/** Puts the service together; its tables must be up to date. */
export async function createService(given: ServiceParts): Promise<Service> {
	const { clock, fault } = given;
	const { sql } = given.database;
	const ground = await layGround(given);
	const { auth, crypto, epoch, messages } = ground;
	const { later, settle } = createLater(fault);
	// What a commit wakes is made after the relay.
	const woken: { wake(): void }[] = [];
	const relay = createRelay({
		sql,
		clock,
		timers: systemTimers,
		crypto,
		project: projectWithClaims(createProject(crypto), clock),
		tickets: auth.tickets,
		epoch,
		fault,
		committed: () => {
			for (const worker of woken) worker.wake();
		}
	});
	const { feedMoved } = relay;
	const connected = connect(given, ground, feedMoved);
	const bridge = createBridge({
		...ground,
		sql,
		clock,
		lockScopes,
		feedMoved,
		relayKey: ground.relayKey.publicKey,
		every: systemTimers.every,
		fault
	});
	woken.push(connected.judge, bridge);
	const forDevices = { sql, epoch, ...auth, mayOpen };
	const api = new Hono();
	api.route('/', peopleRoutes({ ...ground, ...auth, later, feedMoved }));
	api.route('/', connected.routes);
	api.route('/', syncTicketRoutes(forDevices));
	api.route('/', feedRoutes(forDevices));
	api.route('/', checkpointRoutes(forDevices));
	const close = async (): Promise<void> => {
		await relay.close();
		await Promise.all([connected.judge.close(), bridge.close()]);
		await settle();
		await messages.close();
	};
	return { api, sync: relay.routes, messages, close };
}

type Ground = Awaited<ReturnType<typeof layGround>>;

/** What every part stands on: proofs, messages, the relay's key and its facts. */
async function layGround(given: ServiceParts) {
	const { database, clock, expiryClock = clock, secret, fault } = given;
	const { sql, orm } = database;
	const crypto = createNodeCrypto();
	const epoch = await readEpoch(sql, clock());
	const parts = { executor: orm, clock: expiryClock, random: systemRandom, crypto };
	const vault = createVault(secret, 'second-factor/v1');
	const wait = (ms: number): Promise<void> => sleep(ms);
	const gateways = createGateways(given.gateways ?? NO_GATEWAYS, { fetch: globalThis.fetch });
	const messages = createMessages({ ...parts, gateways, random: Math.random, fault });
	messages.wake();
	return {
		...parts,
		epoch,
		auth: createAuth({ ...parts, keys: authKeys(secret), vault, wait }),
		messages,
		relayKey: await openRelayKey({ sql, secret, clock }),
		appendRelayFacts: createAppendRelayFacts({ clock, epoch, projectLedgerFacts }),
		addressOf: createCallerAddress(given.proxies ?? 0)
	};
}

function connect(
	{ clock, secret, fault }: ServiceParts,
	ground: Ground,
	feedMoved: Relay['feedMoved']
): Connected {
	const { auth, crypto, appendRelayFacts, relayKey } = ground;
	const { publicKey } = relayKey;
	return createConnected({
		...ground,
		...auth,
		clock,
		lockScopes,
		backfill: createBackfill({ clock, crypto, appendRelayFacts, relayKey: publicKey }),
		feedMoved,
		secret,
		every: systemTimers.every,
		fault
	});
}

function authKeys(secret: Uint8Array): AuthKeys {
	return {
		codes: deriveKey(secret, 'one-time-codes/v1'),
		recoveryCodes: deriveKey(secret, 'recovery-codes/v1'),
		knownDevices: deriveKey(secret, 'known-devices/v1')
	};
}

const systemTimers: Timers = {
	every: (ms, act) => {
		const timer = setInterval(act, ms);
		return () => {
			clearInterval(timer);
		};
	}
};
