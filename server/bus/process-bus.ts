import type { Bus } from './bus.ts';
import { createListeners, type Listeners } from './listeners.ts';
import { createOutgoing } from './outgoing.ts';

/** What joins relays of one process. */
export interface Exchange {
	/** One more relay's end. */
	join(): Bus;
}

export function createExchange(): Exchange {
	const ends = new Set<Listeners>();
	return {
		join: () => {
			const own = createListeners();
			ends.add(own);
			const outgoing = createOutgoing({
				send: (batch) => {
					for (const end of ends) if (end !== own) end.tell(batch);
					return Promise.resolve();
				},
				// There is no line that could break, and who hears does not throw.
				failed: () => undefined
			});
			return {
				publish: (news) => {
					if (ends.size > 1) outgoing.add(news);
				},
				subscribe: own.subscribe,
				close: async () => {
					ends.delete(own);
					await outgoing.close();
				}
			};
		}
	};
}
