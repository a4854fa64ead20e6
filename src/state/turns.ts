/** What a person does goes before what arrives. */
export interface Turns {
	/** Work that somebody waits for. */
	during<T>(work: () => Promise<T>): Promise<T>;
	/** Resolves when nobody waits for anything. */
	quiet(): Promise<void>;
}

export function createTurns(): Turns {
	const waiting = new Set<Promise<unknown>>();
	return {
		during: async (work) => {
			const turn = work();
			waiting.add(turn);
			try {
				return await turn;
			} finally {
				waiting.delete(turn);
			}
		},
		quiet: async () => {
			while (waiting.size > 0) await Promise.allSettled(waiting);
		}
	};
}
