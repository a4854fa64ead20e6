/** The first wait of a bus before it tries its connection again, ms. */
export const AGAIN_MS_MIN = 100;
const AGAIN_MS_MAX = 5_000;

/** How long a bus waits before its next try, ms, after so many that failed. */
export function againAfterMs(attempt: number): number {
	return Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** Math.min(attempt, 10));
}

/** BUS-7. How long a line may say nothing to what it was asked, ms. */
export const SILENCE_MS_MAX = 60_000;
/** BUS-7. A line of which nothing is asked is asked this often whether it is there, ms. */
const PING_MS = 10_000;

/** How often to ask so that a line is not taken for silent which was asked nothing, ms. */
export function pingEveryMs(silenceMs: number): number {
	return Math.min(PING_MS, silenceMs / 2);
}
