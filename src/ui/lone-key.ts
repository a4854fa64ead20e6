import type { Stroke } from './wedge.ts';

/** Also a slow scanner has struck its next key by then. */
const ALONE_MS = 120;

/** Tells a key that a hand strikes by itself from those of a scanner, however slow. */
export class LoneKey {
	#lastAt = Number.NEGATIVE_INFINITY;
	#waiting: ReturnType<typeof setTimeout> | undefined;

	/** Hears every key. Answers whether none came just before; what waited for none to come is not done. */
	hear({ at }: Pick<Stroke, 'at'>): boolean {
		clearTimeout(this.#waiting);
		const isAlone = at - this.#lastAt > ALONE_MS;
		this.#lastAt = at;
		return isAlone;
	}

	/** Does what a key means once none has followed it. */
	act(meant: () => void): void {
		clearTimeout(this.#waiting);
		this.#waiting = setTimeout(meant, ALONE_MS);
	}

	/** What came was a whole scan: the next key is none of it. */
	cancel(): void {
		clearTimeout(this.#waiting);
		this.#lastAt = Number.NEGATIVE_INFINITY;
	}
}
