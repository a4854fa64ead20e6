export interface LeftWorkParts {
	/** Hears of what broke; the work is tried again. */
	readonly fault: (fault: unknown) => void;
	readonly every: (ms: number, act: () => void) => () => void;
}

/** What commits leave to be done. */
export interface LeftWork {
	/** Something was committed. Never throws. */
	wake(): void;
	/** Whether the work in hand is the last. */
	isClosed(): boolean;
	/** Stops, after the work in hand. */
	close(): Promise<void>;
}

/** How often one looks for what others stored, or a kill left. */
const LOOK_AGAIN_MS = 2_000;

/** One worker of this process: `doAll` runs once at a time, and again where it was woken meanwhile. */
export function createLeftWork(
	{ fault, every }: LeftWorkParts,
	doAll: () => Promise<void>
): LeftWork {
	const now = { asked: 0, isClosed: false };
	let running: Promise<void> | undefined;

	async function run(): Promise<void> {
		try {
			for (let seen = -1; seen !== now.asked && !now.isClosed;) {
				seen = now.asked;
				await doAll();
			}
		} catch (broken) {
			fault(broken);
		} finally {
			running = undefined;
		}
	}
	function wake(): void {
		if (now.isClosed) return;
		now.asked += 1;
		running ??= run();
	}
	const stop = every(LOOK_AGAIN_MS, wake);
	return {
		wake,
		isClosed: () => now.isClosed,
		async close() {
			now.isClosed = true;
			stop();
			await running;
		}
	};
}
