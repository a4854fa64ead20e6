import { createContext } from 'svelte';

export interface Toast {
	readonly id: number;
	readonly text: string;
	/** The verb that takes the act back, while the toast stands. */
	readonly undo?: { readonly word: string; readonly act: () => void };
}

const TOAST_MS = 10_000;

/** One short sentence over the dock at a time, with ten seconds to take an act back. */
export class Toasts {
	current = $state.raw<Toast | undefined>();
	#next = 1;
	#timer: ReturnType<typeof setTimeout> | undefined;

	show(text: string, undo?: Toast['undo']): void {
		clearTimeout(this.#timer);
		const id = this.#next++;
		this.current = undo === undefined ? { id, text } : { id, text, undo };
		this.#timer = setTimeout(() => {
			this.close();
		}, TOAST_MS);
	}

	close(): void {
		clearTimeout(this.#timer);
		this.current = undefined;
	}
}

export const [useToasts, provideToasts] = createContext<Toasts>();
