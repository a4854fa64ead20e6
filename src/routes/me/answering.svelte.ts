import { createContext } from 'svelte';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { CancelReason } from '#domain/fact/ledger-fact.ts';
import { err, type Result } from '#domain/result.ts';
import type { CustomerApp } from '#state/customer/app.svelte.ts';
import type { Answered, AnswerRefusal } from '#state/customer/device.ts';
import { oneAtATime } from '#state/one-at-a-time.ts';
import type { Toast, Toasts } from '#ui/toasts.svelte.ts';

/** An answer that may still be taken back: nothing of it is signed yet. */
type Held =
	| { readonly decision: 'accept'; readonly hs: readonly RecordHash[] }
	| { readonly decision: 'drop'; readonly hs: readonly RecordHash[] }
	| {
			readonly decision: 'cancel';
			readonly hs: readonly RecordHash[];
			readonly reason: CancelReason;
			readonly note: string;
	  };

/** What is said over the dock while it may be taken back. */
export interface Said {
	readonly text: string;
	/** The verb that takes it back. */
	readonly undo: string;
}

/** Why a person says no. */
export interface CancelWhy {
	readonly reason: CancelReason;
	readonly note: string;
}

export type AnswerTrouble = AnswerRefusal | 'fault';

interface AnsweringParts {
	readonly customer: Pick<CustomerApp, 'accept' | 'cancel' | 'drop' | 'sync'>;
	readonly toasts: Toasts;
}

type Undo = NonNullable<Toast['undo']>;

const UNDO_MS = 10_000;

/**
 * The answers of this page. A signed yes stands for good, so an answer to several records, and every
 * answer that could not be sent now anyway, is signed only after its ten seconds to take it back;
 * leaving the page signs it at once. One answer with a network goes straight to the shop.
 */
export class Answering {
	readonly #parts: AnsweringParts;
	/** One answer at a time, so that none takes the place of another that is still held. */
	readonly #inTurn = oneAtATime();
	#held = $state.raw<Held | undefined>();
	/** The way to take back what is held, as its toast offers it. */
	#undo: Undo | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Why the last answer was not taken. */
	trouble = $state.raw<AnswerTrouble | undefined>();

	constructor(parts: AnsweringParts) {
		this.#parts = parts;
	}

	/** Whether this record was answered a moment ago, and may be taken back. */
	isHeld(h: RecordHash): boolean {
		return this.#held?.hs.includes(h) === true;
	}

	accept(hs: readonly RecordHash[], said: Said): Promise<void> {
		return this.#inTurn(() => this.#answer({ decision: 'accept', hs }, said));
	}

	cancel(h: RecordHash, why: CancelWhy, said: Said): Promise<void> {
		return this.#inTurn(() => this.#answer({ decision: 'cancel', hs: [h], ...why }, said));
	}

	/** Lets a dispute go. */
	drop(h: RecordHash, said: Said): Promise<void> {
		return this.#inTurn(() => this.#answer({ decision: 'drop', hs: [h] }, said));
	}

	/** Signs what is held, without waiting for its ten seconds. */
	flush(): Promise<void> {
		this.#endUndo();
		return this.#inTurn(() => this.#signHeld());
	}

	/** What is about to be signed is not said to be taken back. */
	#endUndo(): void {
		clearTimeout(this.#timer);
		const { toasts } = this.#parts;
		if (this.#undo !== undefined && toasts.current?.undo === this.#undo) toasts.close();
		this.#undo = undefined;
	}

	async #signHeld(): Promise<void> {
		this.#endUndo();
		if (this.#held === undefined) return;
		await this.#sign(this.#held);
		this.#held = undefined;
	}

	async #answer(held: Held, said: Said): Promise<void> {
		this.trouble = undefined;
		await this.#signHeld();
		const { customer, toasts } = this.#parts;
		if (held.hs.length === 1 && customer.sync.link === 'online') {
			if (await this.#sign(held)) toasts.show(said.text);
			return;
		}
		this.#held = held;
		this.#timer = setTimeout(() => void this.flush(), UNDO_MS);
		const undo: Undo = {
			word: said.undo,
			act: () => {
				if (this.#undo !== undo) return;
				this.#endUndo();
				this.#held = undefined;
			}
		};
		this.#undo = undo;
		toasts.show(said.text, undo);
	}

	/** Whether it was taken. Why one was not stands until the next is given. */
	async #sign(held: Held): Promise<boolean> {
		try {
			const answered = await this.#send(held);
			if (answered.ok) return true;
			this.trouble = answered.error;
		} catch {
			// Nothing was written; the record still waits, and the strip above says so.
			this.trouble = 'fault';
		}
		return false;
	}

	#send(held: Held): Promise<Result<Answered, AnswerRefusal>> {
		const { customer } = this.#parts;
		if (held.decision === 'accept') return customer.accept(held.hs);
		const [h] = held.hs;
		if (h === undefined) return Promise.resolve(err('recordUnknown'));
		if (held.decision === 'drop') return customer.drop(h);
		return customer.cancel(h, held.reason, held.note === '' ? undefined : held.note);
	}
}

/** The answers of the customer's screens. */
export const [useAnswering, provideAnswering] = createContext<Answering>();
