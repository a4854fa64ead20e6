import type { App } from './app.svelte.ts';
import { LEDGER_TABLES, type DashboardView, type SlipView } from './ledger-views.ts';
import { ledgerOf } from './ledger-of.ts';
import type { Live } from './live.ts';

/** The ledger's part of the shop's day. */
export class Dashboard {
	readonly #view: Live<DashboardView>;
	readonly #slips: Live<readonly SlipView[]>;

	/** Undefined until the book was read. */
	readonly view = $derived.by(() => this.#view.value);
	/** Rough slips that wait for a name. */
	readonly slips = $derived.by(() => this.#slips.value ?? []);

	constructor(app: App) {
		this.#view = app.live(LEDGER_TABLES, () => ledgerOf(app).dashboard());
		this.#slips = app.live(['entries', 'ends'], () => ledgerOf(app).slips());
	}
}
