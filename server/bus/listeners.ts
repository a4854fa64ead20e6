import type { BusEvent, BusNews, TellBusEvent } from './bus.ts';

/** Who hears at one end. */
export interface Listeners {
	readonly subscribe: (heard: (news: BusNews) => void) => () => void;
	readonly tell: (news: readonly BusNews[]) => void;
}

export function createListeners(): Listeners {
	const all = new Set<(news: BusNews) => void>();
	return {
		subscribe: (heard) => {
			// Of its own, so that who subscribes twice hears twice, and stops once at a time.
			const listener = (news: BusNews): void => {
				heard(news);
			};
			all.add(listener);
			return () => {
				all.delete(listener);
			};
		},
		tell: (batch) => {
			for (const news of batch) for (const listener of [...all]) listener(news);
		}
	};
}

/** BUS-4. Passes on only what changed: the first fault of a bus that was up, and its return. */
export function createBusState(told: TellBusEvent): TellBusEvent {
	let last: BusEvent['kind'] = 'up';
	return (event) => {
		if (event.kind === last) return;
		last = event.kind;
		told(event);
	};
}
