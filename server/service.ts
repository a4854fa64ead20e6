import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import type { CryptoParts } from '#domain/crypto.ts';
import { carriedRoutes } from './api/carried.ts';
import { checkpointRoutes } from './api/checkpoint.ts';
import { feedRoutes } from './api/feed.ts';
import { haveRoutes } from './api/have.ts';
import { lackingRoutes } from './api/lacking.ts';
import { lateFactRoutes } from './api/late-facts.ts';
import { peopleRoutes } from './api/people.ts';
import { createReads } from './api/read-turns.ts';
import { receiptRoutes } from './api/receipts.ts';
import { syncTicketRoutes } from './api/sync-tickets.ts';
import { createAuth, type AuthKeys } from './auth/auth.ts';
import { systemRandom, type Random } from './auth/random.ts';
import { createBackfill } from './bridge/backfill.ts';
import { createBridge } from './bridge/bridge.ts';
import type { Bus } from './bus/bus.ts';
import { createCallerAddress } from './caller-address.ts';
import { concernsOthers } from './concerns-others.ts';
import { createConnected, projectWithClaims, type Connected } from './connected.ts';
import { createGateways, NO_GATEWAYS, type GatewaySettings } from './gateways/gateway-settings.ts';
import { createMessages, type Messages } from './gateways/messages.ts';
import { createLater } from './later.ts';
import { deriveKey } from './secret.ts';
import { createVault, openRelayKey, type RelayKey } from './vault.ts';
import { createNodeCrypto } from './crypto.ts';
import type { Database } from './database/connect.ts';
import { isRestored, readEpoch } from './database/epoch.ts';
import { createFoldMeter, type FoldLimits } from './database/fold-meter.ts';
import { isWentBack } from './database/went-back.ts';
import { projectLedgerFacts } from './projections/ledgers.ts';
import type { CompactionLimits } from './relay/compaction.ts';
import { createAppendRelayFacts, lockScopes } from './relay/relay-facts.ts';
import { createRelay, type Relay, type RelayParts, type Timers } from './relay/relay.ts';
import { mayOpen } from './relay/rights.ts';

export interface ServiceParts {
	readonly database: Database;
	/** UTC milliseconds, as everything that is written says and everything that expires is measured. */
	readonly clock: () => number;
	/** Measures what expires, where facts are of another year than the tickets that let them in: a replay. */
	readonly expiryClock?: () => number;
	/** UTC milliseconds, alike for all servers of this database; `clock` where it is absent. */
	readonly commonClock?: () => Promise<number>;
	/** What every key of this server is derived from. */
	readonly secret: Uint8Array;
	/** By whom messages go; by the practice provider where it says nothing. */
	readonly gateways?: GatewaySettings;
	/** Proxies of the operator's own before this server, each of which adds to `X-Forwarded-For`. */
	readonly proxies?: number;
	/** What joins the servers of this database; absent where this is the only one. */
	readonly bus?: Bus;
	/** When documents are put together, where it is not as the product does it: in a simulation. */
	readonly compactionLimits?: CompactionLimits;
	/** In the place of `FOLD_LIMITS`. */
	readonly foldLimits?: FoldLimits;
	/** Hears of faults that no request waits for. */
	readonly fault: (fault: unknown) => void;
	/**
	 * Hears once that the database went back, and of which epoch it was: this service is to be closed
	 * and made anew.
	 */
	readonly wentBack?: (fault: Error, epoch: number) => void;
	/** What else the machine gives, where it is not this one: in a simulation. */
	readonly machine?: Partial<Machine>;
}

/** A machine's own timers, chance and cryptography, and the relay's key where it is not in the database. */
export interface Machine {
	readonly timers: Timers;
	readonly random: Random;
	readonly crypto: CryptoParts;
	readonly relayKey: RelayKey;
	readonly wait: (ms: number) => Promise<void>;
}

/** People, documents and feed on one database. */
export interface Service {
	/** To be mounted at `/api`. */
	readonly api: Hono;
	/** To be mounted at `/sync`. */
	readonly sync: Hono;
	/** Serves a socket that came by another way than `sync`. */
	readonly accept: Relay['accept'];
	/** What is sent to people. */
	readonly messages: Messages;
	/** Ends every socket and waits for what is being written. */
	readonly close: () => Promise<void>;
}

/** Puts the service together; its tables must be up to date. */
export async function createService(given: ServiceParts): Promise<Service> {
	const epoch = await readEpoch(given.database.sql, given.clock());
	return assemble(endingOnce(given, epoch));
}

interface InEpoch extends Omit<ServiceParts, 'wentBack'> {
	/** Of the database, as this service found it. */
	readonly epoch: number;
	readonly wentBack?: (fault: Error) => void;
}

/** RELAY-63. Whoever finds that the database went back, ends the service: the relay or another worker. */
function endingOnce({ wentBack, ...given }: ServiceParts, epoch: number): InEpoch {
	const { fault } = given;
	if (wentBack === undefined) return { ...given, epoch };
	let hasEnded = false;
	const end = (found: Error): void => {
		if (!hasEnded) wentBack(found, epoch);
		hasEnded = true;
	};
	return {
		...given,
		epoch,
		wentBack: end,
		fault: (found) => {
			if (isWentBack(found)) end(found);
			else fault(found);
		}
	};
}

async function assemble(given: InEpoch): Promise<Service> {
	const { clock, fault } = given;
	const { sql } = given.database;
	const ground = await layGround(given, (scope) => relay.cameTo(scope));
	const { auth, crypto, epoch, messages, timers, folds } = ground;
	const { later, settle } = createLater(fault);
	// What a commit wakes is made after the relay.
	const woken: { wake(): void }[] = [];
	const relay = createRelay({
		...{ sql, clock, timers, crypto, folds },
		random: ground.random,
		project: projectWithClaims({ crypto, folded: folds.take, clock }),
		tickets: auth.tickets,
		epoch,
		bus: given.bus,
		fault,
		...handedOn(given, ground),
		committed: (facts) => {
			// Most of a shop's day is for nobody else; the workers look for themselves now and then.
			if (facts.some(concernsOthers)) for (const worker of woken) worker.wake();
		}
	});
	const { feedMoved, revoked } = relay;
	const connected = connect(given, ground, feedMoved);
	const bridge = createBridge({
		...ground,
		sql,
		clock,
		lockScopes,
		feedMoved,
		relayKey: ground.relayKey.publicKey,
		sayAgain: ground.isRestored ? connected.sayAgain : undefined,
		every: timers.every,
		fault
	});
	woken.push(connected.judge, bridge);
	const api = joined([
		peopleRoutes({ ...ground, ...auth, later, feedMoved, revoked }),
		connected.routes,
		...deviceApi(given, ground, relay)
	]);
	const close = async (): Promise<void> => {
		await relay.close();
		await Promise.all([connected.judge.close(), bridge.close()]);
		await settle();
		await messages.close();
	};
	return { api, sync: relay.routes, accept: relay.accept, messages, close };
}

/** What is the relay's alone. */
function handedOn(
	{ wentBack, compactionLimits }: InEpoch,
	{ isRestored: restored, relayKey }: Ground
): Pick<RelayParts, 'wentBack' | 'compactionLimits' | 'isRestored' | 'relayKey'> {
	return {
		isRestored: restored,
		relayKey,
		...(wentBack && { wentBack }),
		...(compactionLimits && { compactionLimits })
	};
}

/** What devices and phones ask with their keys. */
function deviceApi(
	{ database: { sql } }: ServiceParts,
	ground: Ground,
	{ handIn }: Pick<Relay, 'handIn'>
): readonly Hono[] {
	const { auth, epoch } = ground;
	const forDevices = { sql, epoch, ...auth, mayOpen, reads: createReads() };
	return [
		syncTicketRoutes(forDevices),
		feedRoutes(forDevices),
		haveRoutes(forDevices),
		carriedRoutes({ ...forDevices, ...ground, handIn }),
		lackingRoutes(forDevices),
		receiptRoutes(forDevices),
		lateFactRoutes({ ...forDevices, ...ground, handIn }),
		checkpointRoutes(forDevices)
	];
}

function joined(parts: readonly Hono[]): Hono {
	const api = new Hono();
	for (const part of parts) api.route('/', part);
	return api;
}

type Ground = Awaited<ReturnType<typeof layGround>>;

/**
 * What every part stands on: proofs, messages, the relay's key and its facts. RELAY-63. Whoever writes
 * these asks the relay how far their feed has come; it is made after them, and before anybody writes.
 */
async function layGround(given: InEpoch, cameTo: Relay['cameTo']) {
	const { database, clock, expiryClock = clock, secret, fault, epoch } = given;
	const { sql, orm } = database;
	const {
		timers = systemTimers,
		random = systemRandom,
		relayKey,
		...machine
	} = given.machine ?? {};
	const crypto = machine.crypto ?? createNodeCrypto();
	const wait = machine.wait ?? ((ms: number): Promise<void> => sleep(ms));
	const key = relayKey ?? (await openRelayKey({ sql, secret, clock }));
	const folds = { ...createFoldMeter(clock, given.foldLimits), crypto };
	const restored = await isRestored(sql, epoch);
	const parts = { executor: orm, clock: expiryClock, random, crypto };
	const vault = createVault(secret, 'second-factor/v1');
	const gateways = createGateways(given.gateways ?? NO_GATEWAYS, { fetch: globalThis.fetch });
	const senders = { random: Math.random, fault, commonClock: given.commonClock };
	const messages = createMessages({ ...parts, gateways, ...senders });
	messages.wake();
	return {
		...parts,
		epoch,
		isRestored: restored,
		auth: createAuth({ ...parts, keys: authKeys(secret), vault, wait }),
		messages,
		timers,
		relayKey: key,
		folds,
		appendRelayFacts: createAppendRelayFacts({
			...{ clock, epoch, cameTo, random, relayKey: key },
			projectLedgerFacts: (tx, facts) => projectLedgerFacts(tx, facts, folds.take)
		}),
		addressOf: createCallerAddress(given.proxies ?? 0)
	};
}

function connect(
	{ clock, secret, fault }: InEpoch,
	ground: Ground,
	feedMoved: Relay['feedMoved']
): Connected {
	const { auth, crypto, appendRelayFacts, relayKey, timers } = ground;
	const { publicKey } = relayKey;
	return createConnected({
		...ground,
		...auth,
		clock,
		lockScopes,
		backfill: createBackfill({ clock, crypto, appendRelayFacts, relayKey: publicKey }),
		feedMoved,
		secret,
		every: timers.every,
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
