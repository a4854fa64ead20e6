import type { Timers } from '#state/relay-link.ts';

/** Real timers for tests that wait out what a device waits for: none is longer than `msMax`. */
export function shortTimers(msMax: number): Timers {
	return {
		after: (ms, work) => {
			const timer = setTimeout(work, Math.min(ms, msMax));
			return () => {
				clearTimeout(timer);
			};
		}
	};
}
