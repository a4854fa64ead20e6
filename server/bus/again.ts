/** The first wait of a bus before it tries its connection again, ms. */
export const AGAIN_MS_MIN = 100;
const AGAIN_MS_MAX = 5_000;

/** How long a bus waits before its next try, ms, after so many that failed. */
export function againAfterMs(attempt: number): number {
	return Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** Math.min(attempt, 10));
}

/** BUS-7. How long a line may say nothing to what it was asked, ms. */
export const SILENCE_MS_MAX = 60_000;
