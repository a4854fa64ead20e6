import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { CustomerFields, RecordFact } from '#domain/fact/fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import type { MemberRow } from '#storage/device-store.ts';
import type { App } from './app.svelte.ts';
import type { CustomerWithBalance } from './book.ts';
import { searchCustomers } from './customer-search.ts';
import { entriesOf, type Entry } from './customer-thread.ts';
import type { CustomerEditRefusal } from './entity-acts.ts';
import type { Live } from './live.ts';
import type { RecordDraft, RecordRefusal } from './write-records.ts';

/** Which customers a list shows. */
export type CustomerSieve = 'all' | 'owes' | 'ahead' | 'archived';

/** The customers of the shop, as a list is searched and summed. */
export class CustomerList {
	readonly #rows: Live<readonly CustomerWithBalance[]>;
	query = $state('');
	sieve = $state.raw<CustomerSieve>('all');

	/** Undefined until the book was read. */
	readonly all = $derived.by(() => this.#rows.value);
	readonly #inUse = $derived.by(() => (this.all ?? []).filter(({ active }) => active !== false));
	/** How many each sieve lets through. */
	readonly counts = $derived.by<Readonly<Record<CustomerSieve, number>>>(() => ({
		all: this.#inUse.length,
		owes: this.#inUse.filter(({ totalMinor }) => totalMinor > 0n).length,
		ahead: this.#inUse.filter(({ totalMinor }) => totalMinor < 0n).length,
		archived: (this.all?.length ?? 0) - this.#inUse.length
	}));
	/** What all who owe, archived ones too, owe together; advances are never taken off it. */
	readonly owedMinor = $derived.by(() =>
		(this.all ?? []).reduce((sum, { totalMinor }) => (totalMinor > 0n ? sum + totalMinor : sum), 0n)
	);
	readonly owingCount = $derived.by(
		() => (this.all ?? []).filter(({ totalMinor }) => totalMinor > 0n).length
	);
	/** Who owes most first; those who owe alike by who came last. */
	readonly shown = $derived.by(() =>
		searchCustomers(this.#sifted(), this.query).toSorted(
			(a, b) => compareBig(b.totalMinor, a.totalMinor) || b.lastAt - a.lastAt || byName(a, b)
		)
	);

	constructor(app: App) {
		this.#rows = app.live(['customers', 'balances'], () => app.book.customersWithBalances());
	}

	#sifted(): readonly CustomerWithBalance[] {
		switch (this.sieve) {
			case 'all':
				return this.#inUse;
			case 'owes':
				return this.#inUse.filter(({ totalMinor }) => totalMinor > 0n);
			case 'ahead':
				return this.#inUse.filter(({ totalMinor }) => totalMinor < 0n);
			case 'archived':
				return (this.all ?? []).filter(({ active }) => active === false);
		}
	}
}

const PAGE = 100;

/** One customer's page. */
export class CustomerPage {
	readonly #app: App;
	readonly ledger: LedgerId;
	readonly #customer: Live<{ readonly found: CustomerWithBalance | undefined }>;
	readonly #members: Live<readonly MemberRow[]>;
	#limit = $state.raw(PAGE);
	readonly #page = $derived.by(() => {
		const limit = this.#limit;
		const { book } = this.#app;
		return this.#app.live(['records', 'facts', 'journal'], () =>
			book.recordsOf(this.ledger, { limit })
		);
	});

	/** Undefined until it was read. */
	readonly isKnown = $derived.by(() => {
		const read = this.#customer.value;
		return read === undefined ? undefined : read.found !== undefined;
	});
	readonly customer = $derived.by(() => this.#customer.value?.found);
	readonly isRead = $derived.by(() => this.#page.value !== undefined);
	readonly hasEarlier = $derived.by(() => this.#page.value?.before !== undefined);
	/** Oldest first, as the thread reads. */
	readonly entries = $derived.by(() => entriesOf(this.#page.value?.records ?? []));

	constructor(app: App, ledger: LedgerId) {
		this.#app = app;
		this.ledger = ledger;
		this.#customer = app.live(['customers', 'balances'], async () => ({
			found: await app.book.customer(ledger)
		}));
		this.#members = app.live(['members'], () => app.book.members());
	}

	showEarlier(): void {
		this.#limit += PAGE;
	}

	/** Who wrote a record, as the shop calls them; empty where it has no name for them. */
	writer(by: number): string {
		return this.#members.value?.find(({ number }) => number === by)?.name ?? '';
	}

	/** Whether `addedMinor` more would take the customer over their limit. */
	isOver(addedMinor: number): boolean {
		const { limit, totalMinor } = this.customer ?? { totalMinor: 0n };
		return typeof limit === 'number' && totalMinor + BigInt(addedMinor) > BigInt(limit);
	}

	/** Writes what was given or got, and answers it for the undo. */
	async write(draft: RecordDraft): Promise<Result<RecordFact, RecordRefusal>> {
		return this.#app.keeping(() => this.#app.device.writeRecords(this.ledger, [draft]));
	}

	/** Takes back what was just written, by a reversal of what is left of it. */
	async undo(fact: RecordFact): Promise<Result<RecordFact, RecordRefusal> | undefined> {
		const { records } = await this.#app.book.recordsOf(this.ledger, { limit: PAGE });
		const entry = entriesOf(records).find(({ row }) => row.factId === fact.id);
		return entry === undefined ? undefined : this.reverse(entry);
	}

	/** Writes the record that takes back what is left of `entry`. */
	async reverse({ row, leftMinor }: Entry): Promise<Result<RecordFact, RecordRefusal>> {
		const kind = isDebit(row.kind) ? 'reversalOfDebit' : 'reversalOfCredit';
		return this.write({ kind, minor: leftMinor, ref: row.h });
	}

	async change(fields: CustomerFields): Promise<Result<undefined, CustomerEditRefusal>> {
		return this.#app.keeping(() => this.#app.device.changeCustomer(this.ledger, fields));
	}
}

function compareBig(a: bigint, b: bigint): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}

function byName(a: { readonly searchKey: string }, b: { readonly searchKey: string }): number {
	if (a.searchKey === b.searchKey) return 0;
	return a.searchKey < b.searchKey ? -1 : 1;
}
