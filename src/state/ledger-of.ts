import type { App } from './app.svelte.ts';
import { createLedgerBook, type LedgerBook } from './ledger-book.ts';
import { createShopConnections, type ShopConnections } from './connections.ts';

/** The ledger's book of this app. Screens of customers load it; selling does not need it. */
export function ledgerOf(app: App): LedgerBook {
	app.ledger ??= createLedgerBook({
		store: app.store,
		identity: () => app.identity,
		clock: app.clock
	});
	return app.ledger;
}

/** The relay's routes that connect a customer to this shop. */
export function connectionsOf(app: App): ShopConnections {
	app.connections ??= createShopConnections({
		fetch: (...request) => fetch(...request),
		origin: location.origin,
		identity: () => app.device.identity,
		signer: app.signer,
		clock: app.clock,
		pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
		region: new Intl.Locale(navigator.language).maximize().region
	});
	return app.connections;
}
