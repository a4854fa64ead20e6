import type { Sql } from 'postgres';
import * as Y from 'yjs';
import { readFacts } from '#documents/facts.ts';
import type { BranchId, BusinessId } from '#domain/ids.ts';
import type { PlacedFact } from '#domain/fact/fold.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { rowsOfCheckpoint } from '#server/commands/replay/checkpoint-rows.ts';
import { linesOfFacts, linesOfTables } from '#server/commands/replay/lines.ts';
import { accepted } from '#server/commands/replay/player.ts';
import { differences, rowsOfFacts } from '#server/commands/replay/shop-rows.ts';
import { connectDatabase, type Database } from '#server/database/connect.ts';
import { runningUrl } from '#server/database/embedded.ts';
import { readCheckpoint } from '#server/projections/checkpoint.ts';

/** What a fact's author was told of it. */
export interface Promised {
	readonly id: string;
	readonly text: string;
}

/** What was found in the database of a relay that was killed. */
export interface Found {
	/** Facts of the business. */
	readonly facts: number;
	/** Promised facts that are not there as they were written. */
	readonly lost: readonly string[];
	/** Facts, or numbers of the feed, that are there more than once. */
	readonly doubled: number;
	/** Whatever else is not as it must be, in words. */
	readonly wrong: readonly string[];
}

const DIFFERENCES_SHOWN = 5;
const EPOCH_UNREAD = 0;

/** Connects through the socket beside the relay, as another program would. */
export function besideRelay(dataDir: string): Database {
	return connectDatabase(runningUrl(dataDir), { connectionsMax: 2 });
}

/** Looks for every promised fact, once, in a feed without a gap, with the numbers that follow from it. */
export async function checkDatabase(
	{ sql }: Database,
	business: BusinessId,
	promised: readonly Promised[]
): Promise<Found> {
	const checkpoint = await readCheckpoint(sql, business, EPOCH_UNREAD);
	const { s } = checkpoint;
	const rows = await readRows(sql, business, s);
	const textById = new Map(rows.map(({ id, text }) => [id, text]));
	const placed = rows.map(placedOf);
	const facts = placed.map(({ fact }) => fact);
	const folded = await rowsOfFacts(placed, createNodeCrypto());
	const tables = accepted('the tables', rowsOfCheckpoint(checkpoint));
	return {
		facts: rows.length,
		lost: promised.filter(({ id, text }) => textById.get(id) !== text).map(({ id }) => id),
		doubled: rows.length - textById.size,
		wrong: [
			...gapsOf(rows, s),
			...differences(folded, tables, DIFFERENCES_SHOWN),
			...(await wrongLines(sql, business, { s, counted: JSON.stringify(linesOfFacts(facts)) }))
		]
	};
}

interface FactRow {
	readonly id: string;
	readonly s: string;
	readonly branch: BranchId | null;
	readonly text: string;
}

async function readRows(sql: Sql, business: BusinessId, s: number): Promise<readonly FactRow[]> {
	return sql<FactRow[]>`
		select code || '-' || n as id, s, branch, text from fact
		where business = ${business} and s <= ${s}
		order by s`;
}

function placedOf({ text, branch }: FactRow): PlacedFact {
	return { fact: accepted('a stored fact', parseFact(text)), branch };
}

/** The feed is the numbers from 1 to its head, each once. */
function gapsOf(rows: readonly FactRow[], s: number): readonly string[] {
	const gap = rows.findIndex((row, at) => Number(row.s) !== at + 1);
	if (gap !== -1) return [`the feed has a gap or a twin at ${String(gap + 1)}`];
	return rows.length === s ? [] : [`the feed says ${String(s)} and has ${String(rows.length)}`];
}

/** Lines have tables that no checkpoint tells of; what is written meanwhile does not count. */
async function wrongLines(
	sql: Sql,
	business: BusinessId,
	{ s, counted }: { readonly s: number; readonly counted: string }
): Promise<readonly string[]> {
	const stored = await sql.begin('isolation level repeatable read read only', async (tx) => {
		const [head] = await tx<{ s: string }[]>`select s from feed_head where business = ${business}`;
		const lines = await linesOfTables(tx as unknown as Sql, business);
		return Number(head?.s) === s ? JSON.stringify(lines) : undefined;
	});
	return stored === undefined || stored === counted
		? []
		: [`lines are ${stored} and should be ${counted}`];
}

/** Compares what Yjs makes of each document's updates with the facts that are said to be in it. */
export async function checkDocuments(
	{ sql }: Database,
	business: BusinessId
): Promise<readonly string[]> {
	const documents = await sql<{ document: string }[]>`
		select document from document_head where business = ${business}`;
	const wrong: string[] = [];
	for (const { document } of documents) {
		const updates = await sql<{ update: Uint8Array }[]>`
			select update from document_update where business = ${business} and document = ${document}
			order by sequence`;
		const facts = await sql<{ id: string; text: string }[]>`
			select code || '-' || n as id, text from fact
			where business = ${business} and document = ${document}`;
		const doc = new Y.Doc();
		for (const { update } of updates) Y.applyUpdate(doc, new Uint8Array(update));
		const held = new Map(readFacts(doc).map(({ id, text }) => [id, text]));
		const isSame =
			held.size === facts.length && facts.every(({ id, text }) => held.get(id) === text);
		if (!isSame) {
			wrong.push(`${document} holds ${String(held.size)} of ${String(facts.length)} facts`);
		}
		doc.destroy();
	}
	return wrong;
}
