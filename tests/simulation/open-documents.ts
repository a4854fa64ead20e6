import type { Sql } from 'postgres';
import type { Doc } from 'yjs';
import { readFacts } from '#documents/facts.ts';
import type { CreateProvider } from '#state/relay-provider.ts';

/** A document that a machine has open, with a line to a relay. */
export interface OpenDocument {
	readonly who: string;
	readonly name: string;
	readonly doc: Doc;
}

/** Notes which documents are open; a dead process leaves no timers of the stock provider behind. */
export function watched(
	create: CreateProvider,
	{ onDeath }: { readonly onDeath: (act: () => void) => void },
	opened: (name: string, doc: Doc) => () => void
): CreateProvider {
	return (name, doc, events) => {
		const provider = create(name, doc, events);
		const closed = opened(name, doc);
		const close = (): void => {
			closed();
			provider.close();
		};
		onDeath(close);
		return { ...provider, close };
	};
}

/**
 * Those that have not the facts that the relays' database has of them, or others. A fact that stands
 * in one document may be told again in another, as by a device whose clock went back.
 */
export async function documentsApart(
	sql: Sql,
	open: Iterable<OpenDocument>
): Promise<readonly string[]> {
	const all = [...open];
	const scopes = new Set(all.map(({ name }) => name.split('/')[1] ?? ''));
	const rows = await sql<{ scope: string; document: string | null; id: string; text: string }[]>`
		select business as scope, document, code || '-' || n as id, text from fact
		where business = any(${[...scopes]}::uuid[])`;
	const facts = new Set(rows.map(({ scope, id, text }) => `${scope} ${id} ${text}`));
	const byDocument = Map.groupBy(rows, ({ document }) => document);
	return all.flatMap(({ who, name, doc }) => {
		const scope = name.split('/')[1] ?? '';
		const expected = new Map(byDocument.get(name)?.map(({ id, text }) => [id, text]));
		const held = readFacts(doc);
		const beyond = held.filter(({ id, text }) => !facts.has(`${scope} ${id} ${text}`));
		for (const { id, text } of held) if (expected.get(id) === text) expected.delete(id);
		if (expected.size + beyond.length === 0) return [];
		const lacking = [...expected.keys()].join();
		const besides = beyond.map(({ id }) => id).join();
		return [`${name} at ${who} lacks ${lacking} and has beside ${besides}`];
	});
}
