import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { only, type JournalRow } from '#storage/device-store.ts';
import type { App } from './app.svelte.ts';
import { tryRefusedAgain } from './have.ts';
import { WITH_OWNER } from './late-facts.ts';
import type { Live } from './live.ts';
import { isTakenOut } from './unsent-at-risk.ts';

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
	readonly #sorted = $derived.by(() =>
		sortUnsent(this.#rows.value ?? [], isTakenOut(this.#app.sync))
	);
	readonly facts = $derived.by(() => this.#sorted.facts);
	/** Of a removed device: what could not be left to the owner yet, and is here alone. */
	readonly notLeft = $derived.by(() => this.#sorted.notLeft);
	/** Of a removed device: what waits with the owner. */
	readonly withOwner = $derived.by(() => this.#sorted.withOwner);
	readonly isRead = $derived.by(() => this.#rows.value !== undefined);

	constructor(app: App) {
		this.#app = app;
		this.#rows = app.live(['journal'], () =>
			app.store.read(['journal'], (rows) => rows.find('journal', only('sent', 0)))
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

interface Sorted {
	readonly facts: readonly RefusedFact[];
	readonly withOwner: readonly RefusedFact[];
	readonly notLeft: readonly RefusedFact[];
}

/** UNSENT-3. Of what is unsent: what has a reason, and all of it where the device `isOut`. */
export function sortUnsent(rows: readonly JournalRow[], isOut: boolean): Sorted {
	const all = rows.map(shown);
	return {
		facts: all.filter(({ reason }) => reason !== '' && reason !== WITH_OWNER),
		withOwner: all.filter(({ reason }) => reason === WITH_OWNER),
		notLeft: isOut ? all.filter(({ reason }) => reason === '') : []
	};
}

function shown({ id, text, at, minor, refused = '' }: JournalRow): RefusedFact {
	const parsed = parseFact(text);
	const fact = parsed.ok ? parsed.value : undefined;
	return { id, fact, at, minor, reason: refused, text };
}
