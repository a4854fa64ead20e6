import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { TEXT_END, type JournalRow } from '#storage/device-store.ts';
import type { App } from './app.svelte.ts';
import { tryRefusedAgain } from './have.ts';
import { WITH_OWNER } from './late-facts.ts';
import type { Live } from './live.ts';

/** An own fact that the relay would not have. It stays here, and counts here. */
export interface RefusedFact {
	readonly id: string;
	readonly fact: Fact | undefined;
	/** When it was written, ms. */
	readonly at: number;
	/** Minor units. */
	readonly minor: bigint;
	readonly reason: string;
	readonly text: string;
}

/** What was not taken, and what may be done about it. */
export class RefusedFacts {
	readonly #app: App;
	readonly #rows: Live<readonly JournalRow[]>;
	readonly #all = $derived.by(() => (this.#rows.value ?? []).map(shown));
	readonly facts = $derived.by(() => this.#all.filter(({ reason }) => reason !== WITH_OWNER));
	/** Of a removed device: what waits with the owner. */
	readonly withOwner = $derived.by(() => this.#all.filter(({ reason }) => reason === WITH_OWNER));
	readonly isRead = $derived.by(() => this.#rows.value !== undefined);

	constructor(app: App) {
		this.#app = app;
		this.#rows = app.live(['journal'], () =>
			app.store.read(['journal'], (rows) =>
				rows.find('journal', { index: 'refused', from: '', to: TEXT_END })
			)
		);
	}

	/** Lets them go out again. */
	async tryAgain(ids: readonly string[]): Promise<void> {
		await this.#app.keeping(() => tryRefusedAgain(this.#app.store, ids));
		this.#app.changes.tell(['journal']);
	}

	/** The facts as they were written, for whoever helps or enters them anew. */
	file(facts: readonly RefusedFact[]): File {
		const { business, branch, code } = this.#app.identity;
		const said = { business, branch, device: code, facts: facts.map(({ text }) => text) };
		const name = `daftar-${code}-${this.#app.today()}.json`;
		return new File([JSON.stringify(said, null, '\t')], name, { type: 'application/json' });
	}
}

function shown({ id, text, at, minor, refused = '' }: JournalRow): RefusedFact {
	const parsed = parseFact(text);
	const fact = parsed.ok ? parsed.value : undefined;
	return { id, fact, at, minor, reason: refused, text };
}
