import { Hono } from 'hono';
import type { Signer } from '#domain/crypto.ts';
import type { Random } from '#server/auth/random.ts';
import { createService, type Service } from '#server/service.ts';
import type { Canary } from './canary.ts';
import type { Chance } from './chance.ts';
import { simCrypto } from './crypto.ts';
import {
	createHandle,
	type CommittedFact,
	type Fate,
	type Line,
	type SimServer
} from './database.ts';
import type { Far } from './network.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';

/** One relay's process: the whole service on the simulated machine. */
export interface RelayProcess extends Far {
	readonly isDead: () => boolean;
	/** Ends it at once, as `kill -9` does. */
	readonly kill: () => void;
}

export interface RelayProcessParts {
	readonly server: SimServer;
	readonly line: Line;
	readonly time: SimTime;
	readonly chance: Chance;
	readonly trace: Trace;
	readonly relayKey: Signer;
	readonly fate: (what: 'statement' | 'commit') => Fate;
	/** Hears that it died by its fate. */
	readonly died: () => void;
	readonly fault: (fault: unknown) => void;
	readonly canary: Canary;
	/** Facts that a COMMIT made durable. */
	readonly committed: (facts: readonly CommittedFact[]) => void;
}

/** All machines are behind one address, as in a shop. */
const ADDRESS = {
	incoming: { socket: { remoteAddress: '203.0.113.7', remotePort: 443, remoteFamily: 'IPv4' } }
};
export const RELAY_SECRET = new Uint8Array(32).fill(7);

/** Looking for what nobody told of is rare here: news alone must do, or late. */
const LOOK_MS_MAX = 5_000;
const LOOKS_APART = 6;

/** Resolves when it serves; undefined where it died before. */
export function startRelay(parts: RelayProcessParts): {
	readonly process: RelayProcess;
	readonly ready: Promise<void>;
} {
	const { time, chance, trace } = parts;
	let isDead = false;
	let service: Service | undefined;
	const stops = new Set<() => void>();
	const kill = (): void => {
		if (isDead) return;
		isDead = true;
		trace.note('relay dies', time.now());
		for (const stop of stops) stop();
		handle.die();
		parts.died();
	};
	const handle = createHandle({ ...parts, kill }, parts.line);
	const random: Random = { bytes: chance.bytes, uuid: chance.uuid };
	const api = new Hono();
	api.onError((_fault, c) => c.body(null, 500));
	const ready = createService({
		database: handle,
		clock: time.now,
		secret: RELAY_SECRET,
		fault: (fault) => {
			if (!isDead) parts.fault(fault);
		},
		machine: {
			timers: {
				every: (ms, act) => {
					const stop = time.every(ms <= LOOK_MS_MAX ? ms * LOOKS_APART : ms, act);
					stops.add(stop);
					return stop;
				}
			},
			random,
			crypto: simCrypto,
			relayKey: parts.relayKey,
			wait: (ms) =>
				new Promise((resolve) => {
					time.after(ms, resolve);
				})
		}
	}).then((made) => {
		service = made;
		api.route('/api', made.api);
	});
	return {
		ready,
		process: {
			isDead: () => isDead,
			kill,
			accept: async (socket, asked) => {
				await service?.accept(socket, asked);
			},
			answer: async (request) => {
				if (service === undefined) throw new Error('the relay is not ready');
				return api.fetch(request, ADDRESS);
			}
		}
	};
}
