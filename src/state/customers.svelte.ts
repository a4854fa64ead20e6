import type { CustomerFields } from '#domain/fact/fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import type { App } from './app.svelte.ts';
import type { CustomerWithBalance } from './book.ts';
import type { CustomerEditRefusal } from './entity-acts.ts';
import type { Live } from './live.ts';

/** One card, as it is filled in; its records are the page's (`LedgerPage`). */
export class CustomerPage {
	readonly #app: App;
	readonly ledger: LedgerId;
	readonly #customer: Live<{ readonly found: CustomerWithBalance | undefined }>;

	/** Undefined until it was read. */
	readonly isKnown = $derived.by(() => {
		const read = this.#customer.value;
		return read === undefined ? undefined : read.found !== undefined;
	});
	readonly customer = $derived.by(() => this.#customer.value?.found);

	constructor(app: App, ledger: LedgerId) {
		this.#app = app;
		this.ledger = ledger;
		this.#customer = app.live(['customers', 'balances'], async () => ({
			found: await app.book.customer(ledger)
		}));
	}

	async change(fields: CustomerFields): Promise<Result<undefined, CustomerEditRefusal>> {
		return this.#app.keeping(() => this.#app.device.changeCustomer(this.ledger, fields));
	}
}
