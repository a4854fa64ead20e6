const LATEST_MS = 1_000;

/**
 * Does `work` when the browser has painted and nothing else waits, a second from now at the latest.
 * Returns the way to leave it.
 */
export function whenIdle(work: () => void): () => void {
	if ('requestIdleCallback' in window) {
		const asked = requestIdleCallback(work, { timeout: LATEST_MS });
		return () => {
			cancelIdleCallback(asked);
		};
	}
	// Safari has none.
	const timer = setTimeout(work, AFTER_PAINT_MS);
	return () => {
		clearTimeout(timer);
	};
}

const AFTER_PAINT_MS = 50;
