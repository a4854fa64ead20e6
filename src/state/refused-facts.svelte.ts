import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import {
	only,
	type DeviceStore,
	type JournalRow,
	type StoreReader
} from '#storage/device-store.ts';
import { readAlone } from './alone.ts';
import type { App } from './app.svelte.ts';
import { carryAgain } from './enter-epoch.ts';
import { tryRefusedAgain } from './have.ts';
import { keepAlone } from './keep-alone.ts';
import { WITH_OWNER } from './late-facts.ts';
import type { Live } from './live.ts';
import { heldMeta, readMeta, type AloneRange } from './meta.ts';
import { isTakenOut } from './unsent-at-risk.ts';

/** A fact that the relay would not have, this device's own or another's. It stays here, and counts here. */
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
	readonly #rows: Live<readonly UnsentRow[]>;
	readonly #before: Live<readonly UnsentRow[]>;
	readonly #sorted = $derived.by(() =>
		sortUnsent(this.#rows.value ?? [], isTakenOut(this.#app.sync))
	);
	readonly facts = $derived.by(() => this.#sorted.facts);
	/** Of a removed device: what could not be left to the owner yet, and is here alone. */
	readonly notLeft = $derived.by(() => this.#sorted.notLeft);
	/** Of a removed device: what waits with the owner. */
	readonly withOwner = $derived.by(() => this.#sorted.withOwner);
	/** Of the device that this one was before, and its owner will not get: it is here alone, and counts nowhere. */
	readonly before = $derived.by(() => (this.#before.value ?? []).map(shown));
	readonly isRead = $derived.by(() => this.#rows.value !== undefined);

	constructor(app: App, openStore: OpenStore = createDexieDeviceStore) {
		this.#app = app;
		this.#before = app.live(['journal'], () => readBefore(app.store, openStore));
		this.#rows = app.live(['journal'], () =>
			app.store.read(['journal', 'facts', 'meta'], readUnsentRows)
		);
	}

	/** Lets them go out again. */
	async tryAgain(ids: readonly string[]): Promise<void> {
		await this.#app.keeping(async () => {
			await tryRefusedAgain(this.#app.store, ids);
			await carryAgain(this.#app.store);
		});
		// Of these the second lets go out what others wrote.
		this.#app.changes.tell(['journal', 'links']);
	}

	/** UNSENT-6. Somebody has the file with `given` of what was left behind: nothing tells of it any more. */
	async forgetBefore(given: ReadonlySet<string>): Promise<void> {
		await this.#app.keeping(() => forgetBefore(this.#app.store, given));
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

type UnsentRow = Pick<JournalRow, 'id' | 'text' | 'at' | 'minor' | 'refused'>;

/** The own ones, and those of others that are here alone. */
export async function readUnsentRows(rows: StoreReader): Promise<readonly UnsentRow[]> {
	const own = await rows.find('journal', only('sent', 0));
	const alone = await readAlone(rows);
	// Those in a book of before have names that no fact has.
	const held = await rows.getMany(
		'facts',
		alone.map(({ id }) => id)
	);
	const others = alone.flatMap(({ refused }, place): readonly UnsentRow[] => {
		const row = held[place];
		return row === undefined
			? []
			: [{ id: row.id, text: row.text, at: row.wall, minor: 0n, refused }];
	});
	return [...own, ...others];
}

type OpenStore = (name: string) => DeviceStore;

/** What the books of before hold that nobody else has. */
export async function readBefore(
	store: DeviceStore,
	openStore: OpenStore
): Promise<readonly UnsentRow[]> {
	const alone = (await heldMeta(store, 'alone')) ?? [];
	const found: UnsentRow[] = [];
	for (const { book, from, to, reason } of alone) {
		if (book === undefined) continue;
		const old = openStore(book);
		try {
			const held = await old.read(['journal'], (rows) => rows.find('journal', { from, to }));
			for (const row of held) found.push({ ...row, refused: reason });
		} finally {
			old.close();
		}
	}
	return found;
}

/** Nothing is forgotten where there is more by now than was `given`: that stands in no file yet. */
export async function forgetBefore(store: DeviceStore, given: ReadonlySet<string>): Promise<void> {
	await store.write(['meta'], async (rows) => {
		const alone = (await readMeta(rows, 'alone')) ?? [];
		if (!alone.every((range) => range.book === undefined || isIn(given, range))) return;
		await rows.remove('meta', ['leftBehind']);
		await keepAlone(rows, 'before', []);
	});
}

function isIn(given: ReadonlySet<string>, { code, from, to }: AloneRange): boolean {
	const length = to - from + 1;
	return Array.from({ length }, (_none, place) => `${code}-${String(from + place)}`).every((id) =>
		given.has(id)
	);
}

interface Sorted {
	readonly facts: readonly RefusedFact[];
	readonly withOwner: readonly RefusedFact[];
	readonly notLeft: readonly RefusedFact[];
}

/** UNSENT-3. Of what is unsent: what has a reason, and all of it where the device `isOut`. */
export function sortUnsent(rows: readonly UnsentRow[], isOut: boolean): Sorted {
	const all = rows.map(shown);
	return {
		facts: all.filter(({ reason }) => reason !== '' && reason !== WITH_OWNER),
		withOwner: all.filter(({ reason }) => reason === WITH_OWNER),
		notLeft: isOut ? all.filter(({ reason }) => reason === '') : []
	};
}

function shown({ id, text, at, minor, refused = '' }: UnsentRow): RefusedFact {
	const parsed = parseFact(text);
	const fact = parsed.ok ? parsed.value : undefined;
	return { id, fact, at, minor, reason: refused, text };
}
