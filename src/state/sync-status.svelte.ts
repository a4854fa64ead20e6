import type { WITH_OWNER } from './late-facts.ts';
import type { LinkStatus } from './relay-link.ts';

type LinkNews = Pick<LinkStatus, 'state' | 'lastContactAt' | 'clockOffMs' | 'halted'>;

/** What the quiet indicator and the page behind it tell of what is still only on this device. */
export class SyncStatus {
	readonly #clock: () => number;
	/** Own facts that wait to be sent, and go by themselves. */
	unsent = $state.raw(0);
	/** What they come to, minor units. */
	unsentMinor = $state.raw(0n);
	oldestAt = $state.raw<number | undefined>();
	/** From the last real round trip; a browser's own word for it is not believed. */
	link = $state.raw<'offline' | 'connecting' | 'online' | 'notJoined'>('notJoined');
	lastContactAt = $state.raw<number | undefined>();
	/** How far this device's clock stands from the relay's, ms; undefined until it was asked. */
	clockOffMs = $state.raw<number | undefined>();
	/** Own facts that the relay would not have, with its reasons; they wait for a person. */
	refused = $state.raw<readonly { readonly id: string; readonly reason: string }[]>([]);
	/** Why the link waits for a person; undefined while it goes by itself. */
	halted = $state.raw<LinkNews['halted']>();
	/** Moves once a minute, so that a day passes without anything else happening. */
	#now = $state.raw(0);

	/** How many were not taken and wait with nobody else: they are here alone for good. */
	readonly apart = $derived.by(() => this.refused.filter((one) => !isWithOwner(one)).length);

	readonly tone = $derived.by<'quiet' | 'apart' | 'waiting' | 'late'>(() => {
		if (this.unsent === 0) return this.apart === 0 ? 'quiet' : 'apart';
		const isLate = this.oldestAt !== undefined && this.#now - this.oldestAt > DAY_MS;
		return isLate && this.link !== 'notJoined' ? 'late' : 'waiting';
	});

	constructor(clock: () => number) {
		this.#clock = clock;
		this.#now = clock();
	}

	/** Takes what the link says of the last round trip. */
	take({ state, lastContactAt, clockOffMs, halted }: LinkNews): void {
		this.link = state;
		// A link that just began has not met the relay; what was kept of the last time stands.
		this.lastContactAt = lastContactAt ?? this.lastContactAt;
		this.clockOffMs = clockOffMs;
		this.halted = halted;
		this.tick();
	}

	/** Looks at the clock again. */
	tick(): void {
		this.#now = this.#clock();
	}
}

const DAY_MS = 86_400_000;

/** Whether it waits with the owner: a removed device left it to him. */
export function isWithOwner({ reason }: { readonly reason: string }): boolean {
	return reason === ('withOwner' satisfies typeof WITH_OWNER);
}
