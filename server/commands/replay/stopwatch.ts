/** Where the time of a run goes: one phase at a time. */
export interface Stopwatch {
	/** Ends the phase that runs and begins another. */
	enter(phase: string): void;
	/** Since it was made, to a tenth. */
	seconds(): number;
	/** Seconds of each phase that took any. */
	split(): string;
}

export function createStopwatch(): Stopwatch {
	const startedAt = performance.now();
	const spentMs = new Map<string, number>();
	let running = { phase: 'start', sinceMs: startedAt };

	function enter(phase: string): void {
		const now = performance.now();
		const before = spentMs.get(running.phase) ?? 0;
		spentMs.set(running.phase, before + now - running.sinceMs);
		running = { phase, sinceMs: now };
	}

	return {
		enter,
		seconds: () => tenths(performance.now() - startedAt),
		split: () => {
			enter(running.phase);
			return Array.from(spentMs, ([phase, ms]) => `${phase} ${String(tenths(ms))} s`).join(', ');
		}
	};
}

function tenths(ms: number): number {
	return Math.round(ms / 100) / 10;
}
