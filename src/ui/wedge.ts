/** A key as a wedge scanner or a hand strikes it. */
export interface Stroke {
	readonly key: string;
	/** When, in ms of one steady clock. */
	readonly at: number;
}

/** Between two keys of a scanner; a hand needs longer, even a fast one. */
const GAP_MS_MAX = 40;
const CODE_CHARACTERS_MIN = 4;
const CODE_CHARACTERS_MAX = 64;

/**
 * Tells a scanner from a hand: keys that follow one another faster than a hand and end with Enter
 * are a code. `strike` answers the whole code at its Enter, otherwise nothing.
 */
export class WedgeReader {
	#code = '';
	#lastAt = Number.NEGATIVE_INFINITY;

	strike({ key, at }: Stroke): string | undefined {
		const isFast = at - this.#lastAt <= GAP_MS_MAX;
		if (!isFast) this.#code = '';
		this.#lastAt = at;
		if (key === 'Enter') return this.#finish(isFast);
		if (key.length === 1 && this.#code.length <= CODE_CHARACTERS_MAX) this.#code += key;
		return undefined;
	}

	/** How many keys of what may be a code have come. */
	get length(): number {
		return this.#code.length;
	}

	#finish(isFast: boolean): string | undefined {
		const code = this.#code.trim();
		this.#code = '';
		const isCode = code.length >= CODE_CHARACTERS_MIN && code.length <= CODE_CHARACTERS_MAX;
		return isFast && isCode ? code : undefined;
	}
}

/**
 * Listens to the keyboard for a scanner, wherever the focus is. A field that took the scan's keys
 * gets back what stood in it before. Returns what stops the listening.
 */
export function listenForScans(target: Window, onscan: (code: string) => void): () => void {
	const reader = new WedgeReader();
	let field: { readonly input: HTMLInputElement; readonly before: string } | undefined;

	function onkeydown(event: KeyboardEvent): void {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const code = reader.strike({ key: event.key, at: event.timeStamp });
		if (code !== undefined) {
			event.preventDefault();
			event.stopImmediatePropagation();
			if (field !== undefined) restore(field);
			onscan(code);
			return;
		}
		if (reader.length === 1) field = fieldOf(event.target);
	}

	target.addEventListener('keydown', onkeydown, { capture: true });
	return () => {
		target.removeEventListener('keydown', onkeydown, { capture: true });
	};
}

function fieldOf(
	target: EventTarget | null
): { readonly input: HTMLInputElement; readonly before: string } | undefined {
	return target instanceof HTMLInputElement ? { input: target, before: target.value } : undefined;
}

function restore({
	input,
	before
}: {
	readonly input: HTMLInputElement;
	readonly before: string;
}): void {
	input.value = before;
	input.dispatchEvent(new Event('input', { bubbles: true }));
}
