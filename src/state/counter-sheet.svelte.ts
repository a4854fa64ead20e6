import { asciiDigits } from '#domain/digits.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { App } from './app.svelte.ts';
import type { Claimed, ClaimRefusal } from './ledger-acts.ts';
import { LEDGER_TABLES, type LinkView, type SheetView, type TriesLeft } from './ledger-views.ts';
import { connectionsOf, ledgerOf } from './ledger-of.ts';
import type { Live } from './live.ts';
import type { ConnectionRefusal } from './connections.ts';

/** What the customer is asked about: one record, or all that waits. */
export interface CounterQuestion {
	readonly ledger: LedgerId;
	readonly hs: readonly RecordHash[];
	readonly name: string;
	/** A payment is confirmed by codes of their own kind. */
	readonly side: 'took' | 'paid';
	readonly sumMinor: number;
	readonly currency: string;
	readonly exponent: number;
}

export type CounterStep =
	/** "Is her phone here?" */
	| { readonly kind: 'ask' }
	/** The keypad, for her paper's code or the message's. */
	| { readonly kind: 'typing'; readonly way: 'paper' | 'sms' }
	/** "Code fits, will be filed". */
	| { readonly kind: 'fits'; readonly claimed: Claimed }
	/** "She answers in her app". */
	| { readonly kind: 'app' }
	/** No more codes may be typed for this record, or for her today. */
	| { readonly kind: 'locked'; readonly of: 'record' | 'ledger' }
	| { readonly kind: 'later' };

const DIGITS_MAX = 9;

/** The one sheet on the counter: one question, one keypad, and Later as big as any other answer. */
export class CounterSheet {
	readonly #app: App;
	readonly question: CounterQuestion;
	readonly #sheets: Live<readonly SheetView[]>;
	readonly #tries: Live<TriesLeft>;
	readonly #link: Live<{ readonly link: LinkView | undefined }>;
	step = $state.raw<CounterStep>({ kind: 'ask' });
	/** As typed. */
	typed = $state('');
	refusal = $state.raw<ClaimRefusal>();
	/** Why no message went. */
	smsRefusal = $state.raw<ConnectionRefusal>();
	/** Where the message went, `…678`. */
	smsTo = $state.raw('');
	/** No message really went: the service has no gateway. */
	isPractice = $state.raw(false);
	isWorking = $state.raw(false);
	/** Of several records: the statement that was filed for the message. */
	#statement: RecordHash | undefined;

	readonly link = $derived.by(() => this.#link.value?.link);
	readonly isLinked = $derived.by(() => this.link?.state === 'linked');
	/** Her codes of the right kind and currency. */
	readonly sheet = $derived.by(() =>
		this.#sheets.value?.find(
			({ kind, currency, exponent }) =>
				kind === (this.question.side === 'took' ? 'debit' : 'credit') &&
				currency === this.question.currency &&
				exponent === this.question.exponent
		)
	);
	readonly codesLeft = $derived.by(() => this.sheet?.left ?? 0);
	/** Told before anything is typed. */
	readonly isOverCap = $derived.by(
		() => this.sheet !== undefined && this.question.sumMinor > this.sheet.capMinor
	);
	readonly tries = $derived.by(() => this.#tries.value);
	readonly canPaper = $derived.by(() => this.isLinked && this.codesLeft > 0 && !this.isOverCap);
	readonly canSms = $derived.by(
		() => this.isLinked && (this.link?.phoneEnd ?? '') !== '' && this.#app.settings.sms === true
	);
	readonly digits = $derived.by(() => asciiDigits(this.typed).replace(/\D/g, ''));
	/** `4821 7730`. */
	readonly grouped = $derived.by(() => this.digits.replace(/(.{4})(?=.)/g, '$1 '));
	readonly isWhole = $derived.by(() => this.digits.length === 6 || this.digits.length === 8);

	constructor(app: App, question: CounterQuestion) {
		this.#app = app;
		this.question = question;
		const { ledger, hs } = question;
		this.#sheets = app.live(LEDGER_TABLES, () => ledgerOf(app).sheets(ledger));
		this.#tries = app.live(['tries'], () => ledgerOf(app).triesLeft(ledger, hs));
		this.#link = app.live(['links'], async () => ({ link: await ledgerOf(app).link(ledger) }));
	}

	pickPaper(): void {
		// What takes the code is there before the first one is whole; without it `take` says so itself.
		import('./claim-act.ts').catch(() => undefined);
		this.#begin({ kind: 'typing', way: 'paper' });
	}

	pickApp(): void {
		this.#begin({ kind: 'app' });
	}

	later(): void {
		this.#begin({ kind: 'later' });
	}

	back(): void {
		this.#begin({ kind: 'ask' });
	}

	press(key: string): void {
		this.refusal = undefined;
		if (key === 'back') this.typed = this.digits.slice(0, -1);
		else if (this.digits.length < DIGITS_MAX) this.typed = this.digits + asciiDigits(key);
	}

	/** Sends the code by SMS for exactly this; of several records a statement is filed for it. */
	async pickSms(): Promise<void> {
		if (this.isWorking) return;
		this.isWorking = true;
		this.smsRefusal = undefined;
		try {
			await this.#send();
		} finally {
			this.isWorking = false;
		}
	}

	async #send(): Promise<void> {
		const { ledger, hs } = this.question;
		const asked = this.step;
		const h = await this.#oneHash(ledger, hs);
		if (h === undefined) return;
		const sent = await connectionsOf(this.#app).sendSms(ledger, h);
		if (!sent.ok) {
			this.smsRefusal = sent.error;
			return;
		}
		await this.#app.keeping(() => this.#app.device.noteSms(h, sent.value));
		this.smsTo = sent.value.to;
		this.isPractice = sent.value.practice;
		// Another way may have been taken while the network was slow; the code is good there too.
		if (this.step === asked) this.#begin({ kind: 'typing', way: 'sms' });
	}

	/** A message names one record: of several, a statement that lists them. */
	async #oneHash(ledger: LedgerId, hs: readonly RecordHash[]): Promise<RecordHash | undefined> {
		const [first] = hs;
		if (hs.length === 1) return first;
		if (this.#statement !== undefined) return this.#statement;
		const filed = await this.#app.keeping(() => this.#app.device.fileStatement(ledger, hs));
		if (!filed.ok) {
			this.refusal = filed.error.kind === 'nothingWaits' ? { kind: 'nothingWaits' } : undefined;
			return undefined;
		}
		this.#statement = await ledgerOf(this.#app).statementOf(filed.value.id);
		return this.#statement;
	}

	/** Takes what was typed. */
	async take(): Promise<void> {
		if (this.isWorking) return;
		this.isWorking = true;
		this.refusal = undefined;
		try {
			const { ledger, hs } = this.question;
			const isSms = this.digits.length === 6 && this.#statement !== undefined;
			const asked = isSms && this.#statement !== undefined ? [this.#statement] : hs;
			const claimed = await this.#app.keeping(() =>
				this.#app.device.claimByCode(ledger, asked, this.typed)
			);
			if (claimed.ok) this.step = { kind: 'fits', claimed: claimed.value };
			else this.#refuse(claimed.error);
		} finally {
			this.isWorking = false;
		}
	}

	#refuse(refusal: ClaimRefusal): void {
		this.refusal = refusal;
		if (refusal.kind === 'doesNotFit') this.typed = '';
		const isLast = refusal.kind === 'doesNotFit' && refusal.leftOfDay === 0;
		if (isLast || refusal.kind === 'ledgerLocked') this.step = { kind: 'locked', of: 'ledger' };
		else if (
			refusal.kind === 'recordLocked' ||
			(refusal.kind === 'doesNotFit' && refusal.leftOfRecord === 0)
		)
			this.step = { kind: 'locked', of: 'record' };
	}

	#begin(step: CounterStep): void {
		this.step = step;
		this.typed = '';
		this.refusal = undefined;
	}
}
