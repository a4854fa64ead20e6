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

/** Those that have not the facts that the relays' database has of them, or others. */
export async function documentsApart(
	sql: Sql,
	open: Iterable<OpenDocument>
): Promise<readonly string[]> {
	const all = [...open];
	const rows = await sql<{ document: string; id: string; text: string }[]>`
		select document, code || '-' || n as id, text from fact
		where document = any(${[...new Set(all.map(({ name }) => name))]}::text[])`;
	const byDocument = Map.groupBy(rows, ({ document }) => document);
	return all.flatMap(({ who, name, doc }) => {
		const expected = new Map(byDocument.get(name)?.map(({ id, text }) => [id, text]));
		const held = readFacts(doc);
		const beyond = held.filter(({ id, text }) => expected.get(id) !== text).map(({ id }) => id);
		for (const { id } of held) expected.delete(id);
		if (expected.size + beyond.length === 0) return [];
		const lacking = [...expected.keys()].join();
		return [`${name} at ${who} lacks ${lacking} and has beside ${beyond.join()}`];
	});
}
