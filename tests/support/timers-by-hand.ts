import type { Timers } from '#state/relay-link.ts';

/** Timers that ring when a test says so, and know for how long each was set. */
export interface TimersByHand {
	readonly timers: Timers;
	/** How long each that waits has still to wait, ms, the next first. */
	readonly waiting: () => readonly number[];
	/** Lets all that wait ring now, however long they had to wait. */
	readonly ring: () => void;
	/**
	 * Time goes on by `ms`: what is due rings in its order, and what that sets rings too where it is due
	 * by then. `settle` is awaited first and after each, `ticks` is told how far the clock went.
	 */
	readonly pass: (ms: number, ways: PassWays) => Promise<void>;
}

export interface PassWays {
	readonly settle: () => Promise<void>;
	readonly ticks?: (ms: number) => void;
}

interface Waiting {
	readonly at: number;
	readonly work: () => void;
}

export function createTimersByHand(): TimersByHand {
	const waiting = new Set<Waiting>();
	let now = 0;

	function inOrder(): readonly Waiting[] {
		return [...waiting].toSorted((a, b) => a.at - b.at);
	}

	function ringOne(one: Waiting): void {
		if (waiting.delete(one)) one.work();
	}

	return {
		timers: {
			after: (ms, work) => {
				const one = { at: now + ms, work };
				waiting.add(one);
				return () => waiting.delete(one);
			}
		},
		waiting: () => inOrder().map(({ at }) => at - now),
		ring: () => {
			for (const one of inOrder()) ringOne(one);
		},
		pass: async (ms, { settle, ticks }) => {
			const end = now + ms;
			await settle();
			for (;;) {
				const next = inOrder().find(({ at }) => at <= end);
				const to = next === undefined ? end : Math.max(now, next.at);
				ticks?.(to - now);
				now = to;
				if (next === undefined) return;
				ringOne(next);
				await settle();
			}
		}
	};
}
