// Loaded into each server before its own program, with `--expose-gc`: answers its parent what the
// process has spent and holds. Alike for all of them.
const ROUNDS = 4;

process.on('message', (asked) => {
	void answer(asked === 'collected');
});

/** What is freed by one collection is often only found free by the next. */
async function answer(isCollected: boolean): Promise<void> {
	for (let round = 0; isCollected && round < ROUNDS; round += 1) {
		globalThis.gc?.();
		await new Promise((resolve) => setImmediate(resolve));
	}
	const { user, system } = process.cpuUsage();
	const { heapUsed, external, rss } = process.memoryUsage();
	process.send?.({ cpuMicros: user + system, heldBytes: heapUsed + external, rss });
}
