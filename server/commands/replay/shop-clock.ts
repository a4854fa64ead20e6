import { assert } from '#domain/assert.ts';
import type { Timers } from '#state/relay-link.ts';

/** The time in the shop of a replay: it stands until it is moved, and the same for all. */
export interface ShopClock {
	/** Milliseconds UTC. */
	readonly now: () => number;
	/** Moves on to `ms`, never back, and rings what was due on the way. */
	readonly moveTo: (ms: number) => void;
	readonly timers: Timers;
}

/** What waits longer waits for the shop's time, its midnight; what is shorter for the network. */
const NETWORK_WAIT_MS_MAX = 60_000;

export function createShopClock(startMs: number): ShopClock {
	let nowMs = startMs;
	const waiting = new Set<{ readonly dueMs: number; readonly work: () => void }>();

	function moveTo(ms: number): void {
		assert(ms >= nowMs, 'time goes forward');
		nowMs = ms;
		for (const bell of [...waiting]) {
			if (bell.dueMs > nowMs) continue;
			waiting.delete(bell);
			bell.work();
		}
	}

	function after(ms: number, work: () => void): () => void {
		if (ms <= NETWORK_WAIT_MS_MAX) {
			const timer = setTimeout(work, ms);
			return () => {
				clearTimeout(timer);
			};
		}
		const bell = { dueMs: nowMs + ms, work };
		waiting.add(bell);
		return () => waiting.delete(bell);
	}

	return { now: () => nowMs, moveTo, timers: { after } };
}
