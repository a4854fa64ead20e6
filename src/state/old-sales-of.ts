import { asciiDigits } from '#domain/digits.ts';
import { receiptNumber } from '#domain/ids.ts';
import type { App } from './app.svelte.ts';
import { createDeviceAsk } from './connections.ts';
import { createOldSales, type OldSales } from './old-sales.ts';
import { createWebCrypto } from './web-crypto.ts';

/** What left this app's device, as the relay has it. Screens of receipts load it; selling does not need it. */
export function oldSalesOf(app: App): OldSales {
	app.oldSales ??= createOldSales({
		ask: createDeviceAsk({
			fetch: (...request) => fetch(...request),
			identity: () => app.device.identity,
			signer: app.signer,
			clock: app.clock
		}),
		store: app.store,
		crypto: createWebCrypto(),
		identity: () => app.identity
	});
	return app.oldSales;
}

const TYPED = /^([A-Z]{0,8})[\s-]*([0-9]{1,15})$/;

/**
 * The number that somebody means who types a receipt's: `a 12` is `A-000012`, and `12` one of this
 * device's own. Undefined where it is none.
 */
export function typedReceipt(typed: string, ownCode: string): string | undefined {
	const [all, letters = '', digits = ''] =
		TYPED.exec(asciiDigits(typed).trim().toUpperCase()) ?? [];
	if (all === undefined) return undefined;
	return receiptNumber(letters === '' ? ownCode : letters, Number(digits));
}
