import type { Bus } from '#server/bus/bus.ts';
import type { Timers } from '#server/relay/relay.ts';
import { seeded } from './seeded.ts';

/** A bus that loses so many of a hundred of what it hears, by a seeded chance. */
export function lossyBus(
	bus: Bus,
	{ seed, percent }: { readonly seed: number; readonly percent: number }
): Bus & { readonly lost: () => number } {
	const draw = seeded(seed);
	let lost = 0;
	return {
		publish: (news) => {
			bus.publish(news);
		},
		subscribe: (heard) =>
			bus.subscribe((news) => {
				if (draw(100) < percent) lost += 1;
				else heard(news);
			}),
		close: () => bus.close(),
		lost: () => lost
	};
}

/** Those of the machine, as the server has them. */
export const machineTimers: Timers = {
	every: (ms, act) => {
		const timer = setInterval(act, ms);
		return () => {
			clearInterval(timer);
		};
	}
};
