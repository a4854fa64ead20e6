import type { Sql } from 'postgres';
import { parseDocumentName } from '#documents/document-name.ts';
import { parseFactId } from '#domain/ids.ts';
import { catchUp, readUpdates, type Room } from '#server/relay/room.ts';
import { createRoomState } from '#server/relay/room-state.ts';
import type { Difference } from './differences.ts';

/**
 * Every fact that stands in a document is in that document's updates with its text, and every text in
 * them is a fact of the scope. Notes what differs after each document; returns how many there are.
 */
export async function verifyDocuments(
	tx: Sql,
	scope: string,
	note: (differences: readonly Difference[]) => void
): Promise<number> {
	const rows = await tx<{ document: string; sequence: string | null }[]>`
		select document, document_head.sequence from (
			select document from document_head where business = ${scope}
			union select document from document_update where business = ${scope}
			union select document from fact where business = ${scope} and document is not null
		) as named
		left join document_head using (document)
		where document_head.business is null or document_head.business = ${scope}
		order by document`;
	for (const { document, sequence } of rows) {
		const found = await verifyDocument(tx, scope, { document, sequence });
		note(found.map((what) => ({ check: 'documents', scope, what: `${document}: ${what}` })));
	}
	return rows.length;
}

interface Head {
	readonly document: string;
	readonly sequence: string | null;
}

async function verifyDocument(
	tx: Sql,
	scope: string,
	{ document, sequence }: Head
): Promise<readonly string[]> {
	const address = parseDocumentName(document);
	if (!address.ok) return ['it has no name of a document'];
	const room = { name: document, address: address.value, state: createRoomState(), sequence: 0 };
	const fault = await catchUp(tx, room).then(
		() => undefined,
		(cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
	);
	if (fault !== undefined) return [`its updates cannot be read (${fault})`];
	const inDocument = await textsOf(tx, room);
	const ofFacts = await readFacts(tx, scope, { document, ids: Array.from(inDocument.keys()) });
	return [
		...(Number(sequence ?? 0) === room.sequence
			? []
			: [`the head says update ${String(sequence)}, the last is ${String(room.sequence)}`]),
		...Array.from(inDocument).flatMap(([id, text]) => differenceOf(id, text, ofFacts.get(id))),
		...Array.from(ofFacts).flatMap(([id, fact]) =>
			fact.document === document && !inDocument.has(id) ? [`fact ${id} is not in it`] : []
		)
	];
}

/** The text under each key; of twins any, since all must be the same. */
async function textsOf(tx: Sql, room: Room): Promise<ReadonlyMap<string, string>> {
	const texts = new Map<string, string>();
	for await (const { items } of readUpdates(tx, room, 0)) {
		for (const { key, origin, text } of items) {
			const id = key ?? (origin === undefined ? undefined : room.state.keyAt(origin));
			if (id !== undefined && text !== undefined) texts.set(id, text);
		}
	}
	return texts;
}

interface HeldFact {
	readonly text: string;
	readonly document: string | null;
}

function differenceOf(id: string, text: string, fact: HeldFact | undefined): readonly string[] {
	if (fact === undefined) return [`${id} is no fact`];
	return fact.text === text ? [] : [`${id} has another text than its fact`];
}

async function readFacts(
	tx: Sql,
	scope: string,
	{ document, ids }: { readonly document: string; readonly ids: readonly string[] }
): Promise<ReadonlyMap<string, HeldFact>> {
	const names = ids.flatMap((id) => {
		const parsed = parseFactId(id);
		return parsed.ok ? [parsed.value] : [];
	});
	const rows = await tx<(HeldFact & { id: string })[]>`
		select code || '-' || n as id, text, document from fact
		where business = ${scope} and document = ${document}
		union
		select fact.code || '-' || fact.n, fact.text, fact.document from fact
		join unnest(
			${names.map(({ code }) => code)}::text[],
			${names.map(({ n }) => n)}::bigint[]
		) as asked (code, n)
		on fact.business = ${scope} and fact.code = asked.code collate "C" and fact.n = asked.n`;
	return new Map(rows.map(({ id, text, document: of }) => [id, { text, document: of }]));
}
