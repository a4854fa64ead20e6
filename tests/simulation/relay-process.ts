import { Hono } from 'hono';
import type { Signer } from '#domain/crypto.ts';
import type { Random } from '#server/auth/random.ts';
import type { Bus } from '#server/bus/bus.ts';
import { COMPACT_MS } from '#server/relay/compaction.ts';
import type { Timers } from '#server/relay/relay.ts';
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
import type { Far, Owner } from './network.ts';
import type { CompactionPlan } from './plan.ts';
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
	/** How far its clock is off, ms. */
	readonly clockOffMs: number;
	/** So many times rarer than by the product's own timers it looks for what nobody told it. */
	readonly looksApart: number;
	/** Undefined where it puts documents together as ever. */
	readonly compaction: CompactionPlan | undefined;
	/** Its end of what joins it to the other relay. */
	readonly bus: ((owner: Owner) => Bus) | undefined;
	/** Facts that a COMMIT made durable. */
	readonly committed: (facts: readonly CommittedFact[]) => void;
}

/** All machines are behind one address, as in a shop. */
const ADDRESS = {
	incoming: { socket: { remoteAddress: '203.0.113.7', remotePort: 443, remoteFamily: 'IPv4' } }
};
export const RELAY_SECRET = new Uint8Array(32).fill(7);

/** What comes round as often as this, or more often, is a look for what nobody told of. */
const LOOK_MS_MAX = 5_000;

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
	const bus = parts.bus?.({ isDead: () => isDead });
	const clock = (): number => time.now() + parts.clockOffMs;
	const handle = createHandle({ ...parts, kill }, parts.line);
	const random: Random = { bytes: chance.bytes, uuid: chance.uuid };
	const api = new Hono();
	api.onError((_fault, c) => c.body(null, 500));
	const ready = createService({
		database: handle,
		clock,
		secret: RELAY_SECRET,
		fault: (fault) => {
			if (!isDead) parts.fault(fault);
		},
		// It ends, and whoever keeps it running starts it anew.
		wentBack: kill,
		...(bus !== undefined && { bus }),
		...(parts.compaction !== undefined && { compactionLimits: parts.compaction.limits }),
		machine: {
			timers: timersOf(parts, stops),
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

/** Those of a process, which all stop when it ends. */
function timersOf(parts: RelayProcessParts, stops: Set<() => void>): Timers {
	const { time, looksApart, compaction, canary } = parts;
	const begin = (ms: number, act: () => void): (() => void) => {
		if (ms === COMPACT_MS && compaction !== undefined)
			return atRandom(parts, compaction.apartMs, act);
		const isLook = ms <= LOOK_MS_MAX;
		if (ms === LOOK_MS_MAX && canary.relay?.neverLooks === true) return () => undefined;
		return time.every(isLook ? ms * looksApart : ms, act);
	};
	return {
		every: (ms, act) => {
			const stop = begin(ms, act);
			stops.add(stop);
			return stop;
		}
	};
}

function atRandom(
	{ time, chance }: RelayProcessParts,
	apartMs: number,
	act: () => void
): () => void {
	const dice = chance.apart('compaction');
	let stop: () => void = () => undefined;
	const again = (): void => {
		stop = time.after(dice.below(apartMs), () => {
			act();
			again();
		});
	};
	again();
	return () => {
		stop();
	};
}
