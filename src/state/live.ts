import { createSubscriber } from 'svelte/reactivity';
import type { TableName } from '#storage/device-store.ts';
import type { Changes } from './changes.ts';
import { createPace } from './pace.ts';

/** What the app does with a fault that no screen awaited. */
export type FaultTaker = (fault: unknown) => void;

export interface LiveParts {
	readonly changes: Pick<Changes, 'on'>;
	readonly onFault: FaultTaker;
	/** Goes on listening while nobody reads, so that coming back asks only where something moved. */
	readonly keeps?: boolean;
}

/**
 * The answer to a query over the device's tables, as fresh as they are while a screen reads it:
 * asked when first read, asked again when a table it stands on moves. `undefined` until the first
 * answer. One question is under way at a time, and where tables move all the while (a phone that
 * comes back after months) it is asked in a fifth of the time at the most, whatever it costs. What
 * a person does is answered at once; what faulted is asked again while a screen reads it.
 */
export class Live<T> {
	readonly #subscribe: () => void;
	#value: T | undefined;

	constructor(tables: readonly TableName[], ask: () => Promise<T>, parts: LiveParts) {
		const { changes, onFault, keeps = false } = parts;
		let isFresh = false;
		let tell: (() => void) | undefined;
		const moved = (names: readonly TableName[], how?: 'arrived'): void => {
			if (!names.some((name) => tables.includes(name))) return;
			isFresh = false;
			if (tell !== undefined) again(how);
		};
		const again = (how?: 'arrived'): void => {
			isFresh = true;
			askAtPace(how === undefined ? 'now' : undefined);
		};
		const askAtPace = createPace(
			async () => {
				// Nobody reads it any more: whoever does next asks.
				if (tell === undefined) isFresh = false;
				else this.#value = await ask();
				tell?.();
			},
			{ now: () => performance.now(), after: (ms, work) => void setTimeout(work, ms), onFault }
		);
		let stop: (() => void) | undefined;
		this.#subscribe = createSubscriber((update) => {
			tell = update;
			stop ??= changes.on(moved);
			if (!isFresh) again();
			return () => {
				tell = undefined;
				if (keeps) return;
				stop?.();
				stop = undefined;
				isFresh = false;
			};
		});
	}

	get value(): T | undefined {
		this.#subscribe();
		return this.#value;
	}
}
