import type { BusNews } from './bus.ts';

/** News on their way out: those that say of the same thing that it moved become one. */
export interface Outgoing {
	readonly add: (news: BusNews) => void;
	/** Drops what waits and resolves when nothing is being sent. */
	readonly close: () => Promise<void>;
}

export interface OutgoingParts {
	/** Sends them; a rejection loses them, and the others' own look makes it good. */
	readonly send: (batch: readonly BusNews[]) => Promise<void>;
	readonly failed: (fault: unknown) => void;
}

/** One relay's news leave at most this often. */
const COALESCE_MS = 5;
/** So many different things at a time; beyond it the others find by themselves what moved. */
const WAITING_MAX = 10_000;

/** BUS-2. Gathers for a moment, and sends one batch at a time. */
export function createOutgoing({ send, failed }: OutgoingParts): Outgoing {
	let waiting = new Map<string, BusNews>();
	let timer: NodeJS.Timeout | undefined;
	let sending: Promise<void> | undefined;
	let isClosed = false;

	async function flush(): Promise<void> {
		const batch = [...waiting.values()];
		waiting = new Map();
		try {
			await send(batch);
		} catch (fault) {
			failed(fault);
		}
		sending = undefined;
		sendSoon();
	}
	function sendSoon(): void {
		if (isClosed || timer !== undefined || sending !== undefined || waiting.size === 0) return;
		timer = setTimeout(() => {
			timer = undefined;
			sending = flush();
		}, COALESCE_MS);
	}
	return {
		add: (news) => {
			const key = `${news.scope} ${news.document ?? ''}`;
			const before = waiting.get(key);
			if (isClosed || (before === undefined && waiting.size >= WAITING_MAX)) return;
			waiting.set(key, { ...news, s: Math.max(news.s, before?.s ?? 0) });
			sendSoon();
		},
		close: async () => {
			isClosed = true;
			clearTimeout(timer);
			await sending;
		}
	};
}
