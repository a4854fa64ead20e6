import type { Fact } from '#domain/fact/fact.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { DeviceRow } from '#storage/device-store.ts';
import type { Answer, ApiRefusal } from './account-api.ts';
import type { App } from './app.svelte.ts';
import {
	bySessionOrKey,
	createOwnerApi,
	type LateDecision,
	type LateFacts,
	type LateState,
	type LateText,
	type OwnerApi
} from './owner-api.ts';

/** A fact of a removed device that waits for the owner. */
export interface LateFact extends Omit<LateText, 'text'> {
	readonly id: string;
	/** Undefined where this program does not know its kind yet. */
	readonly fact: Fact | undefined;
}

/**
 * INBOX-6. Whether it was written after its device was removed, as the device's own stamp says; one that
 * was set back says nothing.
 */
export function isAfterRemoval(
	{ fact }: Pick<LateFact, 'fact'>,
	devices: readonly Pick<DeviceRow, 'code' | 'removedAt'>[]
): boolean {
	const removedAt = devices.find(({ code }) => code === fact?.code)?.removedAt;
	return fact !== undefined && removedAt !== undefined && fact.at.wall > removedAt;
}

export type InboxState = LateState['state'];

/** What the relay answered for one state. */
export interface InboxList {
	readonly state: InboxState;
	readonly facts: readonly LateFact[];
	/** How many there are; `facts` may hold only the first of them. */
	readonly count: number;
}

/** What removed devices left to the owner. All of it needs the network. */
export class LateInbox {
	readonly #app: Pick<App, 'identity' | 'signer'>;
	readonly #api: OwnerApi;
	/** Which list is looked at. */
	state = $state.raw<InboxState>('waiting');
	/** The list of `state`; undefined until the relay answered for it. */
	list = $state.raw<InboxList | undefined>();
	/** Why the last question or decision came to nothing. */
	refusal = $state.raw<ApiRefusal | undefined>();
	isWorking = $state.raw(false);
	/** How often it was asked: only the last question is answered on the screen. */
	#asked = 0;

	constructor(app: Pick<App, 'identity' | 'signer'>, api: OwnerApi) {
		this.#app = app;
		this.#api = api;
	}

	async look(state: InboxState = this.state): Promise<void> {
		if (state !== this.state) this.list = undefined;
		this.state = state;
		this.refusal = undefined;
		this.#asked += 1;
		const asked = this.#asked;
		const { business } = this.#app.identity;
		const listed = await this.#ask((token) => this.#api.lateFacts({ business, state }, token));
		if (asked !== this.#asked) return;
		if (listed.ok) this.list = listOf(state, listed.value);
		else this.refusal = listed.error;
	}

	/** Counts them from now on, as they were written. */
	takeIn(ids: readonly string[]): Promise<void> {
		return this.#decide('taken', ids);
	}

	decline(ids: readonly string[]): Promise<void> {
		return this.#decide('declined', ids);
	}

	/** Takes a no back. */
	wait(ids: readonly string[]): Promise<void> {
		return this.#decide('waiting', ids);
	}

	/** One at a time, however often the button is struck. */
	async #decide(state: LateDecision['state'], ids: readonly string[]): Promise<void> {
		if (this.isWorking || ids.length === 0) return;
		this.isWorking = true;
		try {
			const { business } = this.#app.identity;
			const decision = { business, ids, state };
			const done = await this.#ask((token) => this.#api.decideLate(decision, token));
			if (done.ok) await this.look();
			else this.refusal = done.error;
		} finally {
			this.isWorking = false;
		}
	}

	#ask<T>(ask: (token?: string) => Answer<T>): Answer<T> {
		const { identity, signer } = this.#app;
		return bySessionOrKey({ api: this.#api, device: identity, signer }, ask);
	}
}

/**
 * An inbox that is asked as soon as there is a network, once; without one nothing is known of it, and
 * nothing is said. For the life of the component that begins it.
 */
export function askedInbox(app: App): LateInbox {
	const inbox = new LateInbox(app, createOwnerApi());
	let hasLooked = false;
	$effect(() => {
		if (hasLooked || !app.identity.claimed || app.sync.link !== 'online') return;
		hasLooked = true;
		void app.awaitless(inbox.look());
	});
	return inbox;
}

function listOf(state: InboxState, { count, facts }: LateFacts): InboxList {
	return {
		state,
		count,
		facts: facts.map(({ text, ...late }) => {
			const parsed = parseFact(text);
			const fact = parsed.ok ? parsed.value : undefined;
			return { id: idAtStart(text) ?? '', fact, ...late };
		})
	};
}
