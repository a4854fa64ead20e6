import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { CustomerFields, RecordFact } from '#domain/fact/fact.ts';
import type { EntryFact, EntryRow, RecordTender } from '#domain/fact/ledger-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import type { Result } from '#domain/result.ts';
import type { MemberRow } from '#storage/device-store.ts';
import type { App } from './app.svelte.ts';
import type { CustomerEditRefusal } from './entity-acts.ts';
import type {
	AnswerDraft,
	AnswerRefusal,
	CorrectionDraft,
	CorrectionRefusal,
	EntryRefusal,
	MergeRefusal,
	RestRefusal
} from './ledger-acts.ts';
import {
	LEDGER_TABLES,
	type LedgerPageView,
	type StatementPeriod,
	type StatementView,
	type ThreadEntry,
	type ThreadRecord,
	type TwiceQuestion,
	type TwiceView,
	type WaitingView
} from './ledger-views.ts';
import { ledgerOf } from './ledger-of.ts';
import type { Live } from './live.ts';
import type { RecordDraft, RecordOptions, RecordRefusal } from './write-records.ts';

const PAGE = 100;

/** What a cheque or transfer is worth that is under way. */
type PendingMoney = Pick<
	Extract<ThreadEntry['entry'], { readonly kind: 'pending' }>,
	'minor' | 'currency' | 'note'
>;

/** One customer's page, all cards of the person together. */
export class LedgerPage {
	readonly #app: App;
	/** The card that was opened. */
	readonly ledger: LedgerId;
	#limit = $state.raw(PAGE);
	readonly #page = $derived.by(() => {
		const limit = this.#limit;
		return this.#app.live([...LEDGER_TABLES, 'ends', 'facts'], async () => {
			const view = await ledgerOf(this.#app).page(this.ledger, limit);
			// What is looked at comes before the rest.
			if (view?.isWhole === false)
				for (const card of view.ledgers) await this.#app.device.wantLedger(card);
			return { view };
		});
	});
	#last: { readonly view: LedgerPageView | undefined } | undefined;
	readonly #read = $derived.by(() => {
		this.#last = this.#page.value ?? this.#last;
		return this.#last;
	});
	readonly #waiting: Live<readonly WaitingView[]>;
	readonly #members: Live<readonly MemberRow[]>;

	/** Undefined until it was read; then whether there is such a customer. */
	readonly isKnown = $derived.by(() =>
		this.#read === undefined ? undefined : this.#read.view !== undefined
	);
	readonly view = $derived.by(() => this.#read?.view);
	/** Oldest first, as the thread reads. */
	readonly items = $derived.by(() => this.view?.items.toReversed() ?? []);
	/** The shop's own currency first. */
	readonly total = $derived.by(() => this.view?.totals[0]);
	/** The card that new records go to. */
	readonly writesTo = $derived.by(() => this.view?.ledgers[0] ?? this.ledger);
	readonly waiting = $derived.by(() => this.#waiting.value ?? []);

	constructor(app: App, ledger: LedgerId) {
		this.#app = app;
		this.ledger = ledger;
		this.#waiting = app.live(LEDGER_TABLES, () => ledgerOf(app).waiting(ledger));
		this.#members = app.live(['members'], () => app.book.members());
	}

	showEarlier(): void {
		this.#limit += PAGE;
	}

	/** Who wrote a record, as the shop calls them; empty where it has no name for them. */
	writer(by: number): string {
		return this.#members.value?.find(({ number }) => number === by)?.name ?? '';
	}

	/** Whether `addedMinor` more would take the customer over the limit. */
	isOver(addedMinor: number): boolean {
		const limit = this.view?.limit;
		return limit !== undefined && limit.leftMinor < BigInt(addedMinor);
	}

	/** What is written may stand there already: the question of product.md E10. */
	twice(of: TwiceQuestion): Promise<TwiceView | undefined> {
		return ledgerOf(this.#app).twice(this.writesTo, of);
	}

	/** Writes what was taken and what was paid, together one act. */
	write(
		drafts: readonly RecordDraft[],
		options?: RecordOptions
	): Promise<Result<RecordFact, RecordRefusal>> {
		return this.#app.keeping(() => this.#app.device.writeRecords(this.writesTo, drafts, options));
	}

	/** Takes back what is left of `record`, under the card that it stands under. */
	reverse({
		ledger,
		kind,
		h,
		leftMinor,
		currency
	}: ThreadRecord): Promise<Result<RecordFact, RecordRefusal>> {
		const draft: RecordDraft = {
			kind: isDebit(kind) ? 'reversalOfDebit' : 'reversalOfCredit',
			minor: leftMinor,
			ref: h
		};
		return this.#app.keeping(() => this.#app.device.writeRecords(ledger, [draft], { currency }));
	}

	/** DEVICE-71. Takes back what was written a moment ago, however far behind the latest lines it stands. */
	async undo(fact: RecordFact): Promise<Result<RecordFact, RecordRefusal> | undefined> {
		const page = await ledgerOf(this.#app).page(this.ledger, Infinity);
		const written = page?.items
			.flatMap((item) => (item.kind === 'record' ? [item.record, ...item.corrections] : []))
			.filter((record) => record.factId === fact.id && record.leftMinor > 0);
		const [first] = written ?? [];
		if (written === undefined || first === undefined) return undefined;
		const drafts = written.map((record): RecordDraft => ({
			kind: isDebit(record.kind) ? 'reversalOfDebit' : 'reversalOfCredit',
			minor: record.leftMinor,
			ref: record.h
		}));
		const { ledger, currency } = first;
		let last: Result<RecordFact, RecordRefusal> | undefined;
		// A fact takes back records of one kind.
		for (const draft of drafts) {
			last = await this.#app.keeping(() =>
				this.#app.device.writeRecords(ledger, [draft], { currency })
			);
			if (!last.ok) return last;
		}
		return last;
	}

	correct(draft: CorrectionDraft): Promise<Result<RecordFact, CorrectionRefusal>> {
		return this.#app.keeping(() => this.#app.device.correct(draft));
	}

	markPaid(h: RecordHash, tender: RecordTender): Promise<Result<RecordFact, RestRefusal>> {
		return this.#app.keeping(() => this.#app.device.markPaid(h, tender));
	}

	answer(h: RecordHash, answer: AnswerDraft): Promise<Result<RecordFact, AnswerRefusal>> {
		return this.#app.keeping(() => this.#app.device.answerDispute(h, answer));
	}

	/** Ends what is left unpaid of a debit, under the card that it stands under; no more than was shown. */
	forgive({ h }: ThreadRecord, shownMinor: number): Promise<Result<RecordFact, RestRefusal>> {
		return this.#app.keeping(() => this.#app.device.forgive(h, shownMinor));
	}

	/** Moves the day on which a debit falls due, a day of the shop, under the card that it stands under. */
	moveDue(
		{ ledger, h }: ThreadRecord,
		on: string,
		reason: string
	): Promise<Result<EntryFact, EntryRefusal>> {
		const dueMs = dueMsOf(on, this.#app.settings.zone);
		return this.#app.keeping(() =>
			this.#app.device.addEntry(ledger, ['dueMove', h, dueMs, reason])
		);
	}

	/** A cheque or transfer came: it is a payment now, under the card that it stands under. */
	arrived(
		{ id, ledger }: ThreadEntry,
		{ minor, currency, note }: PendingMoney
	): Promise<Result<RecordFact, RecordRefusal>> {
		const draft: RecordDraft = { kind: 'payment', minor, note };
		const options = { tender: 'bank', currency, pending: id } as const;
		return this.#app.keeping(() => this.#app.device.writeRecords(ledger, [draft], options));
	}

	/** A cheque or transfer did not come, under the card that it stands under. */
	bounced({ ledger, id }: ThreadEntry): Promise<Result<EntryFact, EntryRefusal>> {
		return this.#app.keeping(() => this.#app.device.addEntry(ledger, ['bounced', id]));
	}

	addEntry(row: EntryRow): Promise<Result<EntryFact, EntryRefusal>> {
		return this.#app.keeping(() => this.#app.device.addEntry(this.writesTo, row));
	}

	statement(period: StatementPeriod): Promise<StatementView | undefined> {
		return ledgerOf(this.#app).statement(this.ledger, period);
	}

	change(fields: CustomerFields): Promise<Result<undefined, CustomerEditRefusal>> {
		return this.#app.keeping(() => this.#app.device.changeCustomer(this.writesTo, fields));
	}

	merge(other: LedgerId, isJoined: boolean): Promise<Result<undefined, MergeRefusal>> {
		return this.#app.keeping(() => this.#app.device.mergeCards(this.ledger, other, isJoined));
	}
}
