import type { App } from '#state/app.svelte.ts';
import { listenForScans } from '#ui/wedge.ts';

export interface ScanMoreParts {
	readonly app: Pick<App, 'awaitless' | 'book' | 'till'>;
	/** Before anything else is done: keys of it were struck already. */
	readonly begins?: () => void;
	/** It stands in the cart. */
	readonly rungUp?: () => void;
	/** No product has the code, or its price is asked for at the till. */
	readonly unknown: (code: string) => void;
}

/** SCAN-3. What is scanned beside the till is rung up as it is there. Returns what stops the listening. */
export function scanMore({ app, begins, rungUp, unknown }: ScanMoreParts): () => void {
	const ringUp = async (code: string): Promise<void> => {
		const product = await app.book.productByCode(code);
		if (product?.price === undefined) unknown(code);
		else {
			app.till.add(product);
			rungUp?.();
		}
	};
	return listenForScans(window, (code) => {
		begins?.();
		void app.awaitless(ringUp(code));
	});
}
