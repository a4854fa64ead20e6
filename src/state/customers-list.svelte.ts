import type { App } from './app.svelte.ts';
import {
	LEDGER_TABLES,
	type CustomerFilter,
	type CustomerListAnswer,
	type CustomerListRow,
	type CustomerSort
} from './ledger-views.ts';
import { ledgerOf } from './ledger-of.ts';

/** The customers of the shop, one row a person: searched, sifted, sorted. */
export class CustomersList {
	query = $state('');
	filter = $state.raw<CustomerFilter | undefined>();
	sort = $state.raw<CustomerSort>('balance');
	/** Code and exponent; the shop's own where undefined. */
	currency = $state.raw<string>();

	readonly #answer = $derived.by(() => {
		const { query, filter, sort, currency } = this;
		const of = {
			text: query,
			sort,
			...(filter !== undefined && { filter }),
			...(currency !== undefined && { currency })
		};
		return this.#app.live(LEDGER_TABLES, () => ledgerOf(this.#app).customers(of));
	});
	/** What stood before stays until the next answer is here, so that nothing blinks. */
	#last: CustomerListAnswer | undefined;
	/** Undefined until the book was read. */
	readonly answer = $derived.by(() => {
		this.#last = this.#answer.value ?? this.#last;
		return this.#last;
	});
	readonly rows = $derived.by<readonly CustomerListRow[]>(() => this.answer?.rows ?? []);
	readonly counts = $derived.by(() => this.answer?.counts);
	readonly owedMinor = $derived.by(() => this.answer?.owedMinor ?? 0n);
	readonly advancesMinor = $derived.by(() => this.answer?.advancesMinor ?? 0n);

	readonly #app: App;

	constructor(app: App) {
		this.#app = app;
	}
}
