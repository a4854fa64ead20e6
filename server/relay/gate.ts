/** Lets so many in at a time; the others wait their turn. */
export function createGate(most: number): (work: () => Promise<void>) => Promise<void> {
	const waiting: (() => void)[] = [];
	let inside = 0;
	return async (work) => {
		if (inside >= most) await new Promise<void>((resolve) => waiting.push(resolve));
		else inside += 1;
		try {
			await work();
		} finally {
			const next = waiting.shift();
			// Whoever waits takes over the place.
			if (next === undefined) inside -= 1;
			else next();
		}
	};
}

/** Knows what is under way, so that nothing is asked of a database that was let go. */
export function createTracker(): {
	readonly track: (work: Promise<void>) => Promise<void>;
	readonly settled: () => Promise<void>;
} {
	const open = new Set<Promise<void>>();
	return {
		track: (work) => {
			open.add(work);
			return work.finally(() => open.delete(work));
		},
		settled: async () => {
			while (open.size > 0) await Promise.all(open);
		}
	};
}
