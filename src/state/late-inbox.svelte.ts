import type { Fact } from '#domain/fact/fact.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { ok, type Result } from '#domain/result.ts';
import { listOf, reading, type Read } from './account-answers.ts';
import { createAccountApi, send, type ApiRefusal, type Sent } from './account-api.ts';
import type { App } from './app.svelte.ts';

/** A fact of a removed device that waits for the owner. */
export interface LateFact {
	readonly id: string;
	/** Undefined where this program does not know its kind yet. */
	readonly fact: Fact | undefined;
	readonly receivedAt: number;
	/** Why it could not be taken in; empty where nobody tried. */
	readonly reason: string;
}

export type InboxState = 'waiting' | 'declined';

const text: Read<string> = (value) =>
	typeof value === 'string' ? ok(value) : { ok: false, error: 'notAnAnswer' };
const whole: Read<number> = (value) =>
	typeof value === 'number' && Number.isSafeInteger(value)
		? ok(value)
		: { ok: false, error: 'notAnAnswer' };
const readList = reading<{
	readonly count: number;
	readonly facts: readonly {
		readonly text: string;
		readonly receivedAt: number;
		readonly reason: string;
	}[];
}>({ count: whole, facts: listOf(reading({ text, receivedAt: whole, reason: text })) });
const readDone = reading<object>({});

/** What removed devices left to the owner. All of it needs the network. */
export class LateInbox {
	readonly #app: App;
	/** Undefined until the relay answered. */
	facts = $state.raw<readonly LateFact[] | undefined>();
	/** How many there are; the list may hold only the first of them. */
	count = $state.raw(0);
	state = $state.raw<InboxState>('waiting');
	refusal = $state.raw<ApiRefusal | undefined>();
	isWorking = $state.raw(false);

	constructor(app: App) {
		this.#app = app;
	}

	async look(state: InboxState = this.state): Promise<void> {
		this.state = state;
		const { business } = this.#app.identity;
		const path = `/late-facts?business=${business}&state=${state}`;
		const listed = await this.#ask({ method: 'GET', path }, readList);
		if (!listed.ok) {
			this.refusal = listed.error;
			return;
		}
		this.refusal = undefined;
		this.count = listed.value.count;
		this.facts = listed.value.facts.map(({ text: body, receivedAt, reason }) => {
			const parsed = parseFact(body);
			const fact = parsed.ok ? parsed.value : undefined;
			return { id: idAtStart(body) ?? '', fact, receivedAt, reason };
		});
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

	async #decide(what: 'taken' | 'declined' | 'waiting', ids: readonly string[]): Promise<void> {
		if (this.isWorking || ids.length === 0) return;
		this.isWorking = true;
		try {
			const body = { business: this.#app.identity.business, ids };
			const done = await this.#ask({ method: 'POST', path: `/late-facts/${what}`, body }, readDone);
			if (done.ok) await this.look();
			else this.refusal = done.error;
		} finally {
			this.isWorking = false;
		}
	}

	/** By the session, else by this device's own key: a browser may have lost its cookie. */
	async #ask<T>(sent: Sent, read: Read<T>): Promise<Result<T, ApiRefusal>> {
		const parts = { fetch: (...asked: Parameters<typeof fetch>) => fetch(...asked) };
		const bySession = await send(parts, sent, read);
		if (bySession.ok || !['notSignedIn', 'notAMember'].includes(bySession.error)) return bySession;
		const { business, code } = this.#app.identity;
		const api = createAccountApi(parts);
		const bearer = await api.deviceToken({ business, code }, this.#app.signer);
		return bearer.ok ? send(parts, { ...sent, token: bearer.value.token }, read) : bearer;
	}
}
