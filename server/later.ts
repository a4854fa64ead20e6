export interface Later {
	/** Does `work` once the answer that is being made is out. */
	readonly later: (work: () => Promise<void>) => void;
	/** Waits for what was begun. */
	readonly settle: () => Promise<void>;
}

/** Work that no request waits for; a fault of it is told. */
export function createLater(fault: (fault: unknown) => void): Later {
	const open = new Set<Promise<void>>();
	return {
		later(work) {
			const done = new Promise<void>((resolve) => setImmediate(resolve))
				.then(work)
				.catch(fault)
				.finally(() => open.delete(done));
			open.add(done);
		},
		async settle() {
			while (open.size > 0) await Promise.all(open);
		}
	};
}
