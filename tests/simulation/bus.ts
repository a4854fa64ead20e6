import type { Bus } from '#server/bus/bus.ts';
import { createListeners, type Listeners } from '#server/bus/listeners.ts';
import { createOutgoing } from '#server/bus/outgoing.ts';
import { createExchange } from '#server/bus/process-bus.ts';
import { decodeNews, encodeNews } from '#server/bus/wire.ts';
import type { Chance } from './chance.ts';
import type { Owner } from './network.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';

/** What joins the simulated relays: each process takes an end, which is dead when it is. */
export interface SimExchange {
	readonly join: (owner: Owner) => Bus;
}

export interface SimExchangeParts {
	readonly time: SimTime;
	readonly chance: Chance;
	readonly trace: Trace;
	readonly count: (name: string) => void;
}

const LOST_PERCENT = 30;
const TWICE_PERCENT = 15;
const LATE_PERCENT = 20;
const DELAY_MS_MAX = 20;
const LATE_MS_MAX = 10_000;

interface End {
	readonly owner: Owner;
	readonly name: string;
	readonly listeners: Listeners;
}

/** The bus of one process, that all relays of a simulation are in; it loses nothing. */
export function createGoodExchange({ count }: SimExchangeParts): SimExchange {
	const exchange = createExchange();
	return {
		join: (owner) => {
			const bus = exchange.join();
			return {
				...bus,
				publish: (news) => {
					if (!owner.isDead()) bus.publish(news);
				},
				subscribe: (heard) =>
					bus.subscribe((news) => {
						if (owner.isDead()) return;
						count('news heard');
						heard(news);
					})
			};
		}
	};
}

/**
 * A carrier as bad as one may be: of its messages three in ten are lost, the others come when they
 * come, some twice. Every end gets them, the sender's own too, as with PostgreSQL and Redis.
 */
export function createBadExchange(parts: SimExchangeParts): SimExchange {
	const { chance } = parts;
	const ends = new Set<End>();
	return {
		join: (owner) => {
			for (const end of ends) if (end.owner.isDead()) ends.delete(end);
			const end: End = { owner, name: chance.uuid(), listeners: createListeners() };
			ends.add(end);
			const outgoing = createOutgoing({
				send: (batch) => {
					for (const message of owner.isDead() ? [] : encodeNews(end.name, batch))
						for (const to of ends) carry(parts, to, message);
					return Promise.resolve();
				},
				// There is no line that could break: what is lost is lost unseen.
				failed: () => undefined
			});
			return {
				publish: outgoing.add,
				subscribe: end.listeners.subscribe,
				close: outgoing.close
			};
		}
	};
}

function carry({ time, chance, trace, count }: SimExchangeParts, to: End, message: string): void {
	if (chance.percent(LOST_PERCENT)) {
		count('news lost');
		return;
	}
	for (let left = chance.percent(TWICE_PERCENT) ? 2 : 1; left > 0; left -= 1) {
		const delay = chance.below(chance.percent(LATE_PERCENT) ? LATE_MS_MAX : DELAY_MS_MAX);
		time.after(delay, () => {
			if (to.owner.isDead()) return;
			const news = decodeNews(to.name, message);
			if (news.length === 0) return;
			count('news heard');
			trace.note('bus', time.now(), news.length);
			to.listeners.tell(news);
		});
	}
}
