import { createSubscriber } from 'svelte/reactivity';
import type { TableName } from '#storage/device-store.ts';
import type { Changes } from './changes.ts';

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
 * answer; of two answers under way the later question's counts.
 */
export class Live<T> {
	readonly #subscribe: () => void;
	readonly #ask: () => Promise<T>;
	readonly #onFault: FaultTaker;
	#value: T | undefined;
	#turn = 0;

	constructor(tables: readonly TableName[], ask: () => Promise<T>, parts: LiveParts) {
		this.#ask = ask;
		this.#onFault = parts.onFault;
		const { changes, keeps = false } = parts;
		let isFresh = false;
		let tell: (() => void) | undefined;
		const moved = (names: readonly TableName[]): void => {
			if (!names.some((name) => tables.includes(name))) return;
			isFresh = false;
			if (tell !== undefined) again();
		};
		const again = (): void => {
			isFresh = true;
			this.#again(() => tell?.());
		};
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

	#again(changed: () => void): void {
		const turn = ++this.#turn;
		this.#ask().then((value) => {
			if (turn !== this.#turn) return;
			this.#value = value;
			changed();
		}, this.#onFault);
	}
}
