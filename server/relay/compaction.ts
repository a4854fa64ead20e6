import type { Sql } from 'postgres';
import { utcDay } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { isDatabaseGone } from '#server/database/connect.ts';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import { itemBytes } from '#sync/write-update.ts';
import { readStored } from './room.ts';
import type { UpdateItem } from './update-parser.ts';
import { writePieces } from './update-writer.ts';

/** Puts the many small updates of a document together, now and then. */
export interface Compaction {
	/** Something was written: somebody else needs the database more. */
	readonly noteWrite: () => void;
	/** RELAY-33. Works for a fifth of the time where somebody writes, else all of it. Never rejects. */
	readonly run: () => Promise<void>;
	/** Waits for the document in hand. */
	readonly close: () => Promise<void>;
}

export interface CompactionParts {
	readonly sql: Sql;
	/** Milliseconds UTC. */
	readonly clock: () => number;
	readonly fault: (fault: unknown) => void;
	/** In the place of `COMPACTION_LIMITS`. */
	readonly compactionLimits?: CompactionLimits;
}

/** When and in what steps documents are put together. */
export interface CompactionLimits {
	/** A document that still grows is compacted when it has so many updates more. */
	readonly longUpdates: number;
	/** So many updates in one transaction: of 32 kB each 8 MB, and the document's writers wait for no more. */
	readonly updatesAtOnce: number;
	/** The bytes of a piece, at most those of an update. */
	readonly pieceBytes: number;
}

const COMPACTION_LIMITS: CompactionLimits = {
	longUpdates: 1_000,
	updatesAtOnce: 256,
	pieceBytes: PIECE_BYTES_MAX
};

/** How often one looks for documents that are to be compacted. */
export const COMPACT_MS = 10_000;
/** So long at one look, where nobody else was at work and where somebody was: a fifth of the time. */
const IDLE_MS = COMPACT_MS;
const BUSY_MS = COMPACT_MS / 5;
/** So many documents are looked for at once. */
const FOUND_MAX = 500;

export function createCompaction(parts: CompactionParts): Compaction {
	let hasWritten = false;
	let isClosed = false;
	let running: Promise<void> | undefined;
	// What failed once is told once, and stands in nobody's way until the relay starts anew.
	const failed = new Set<string>();

	async function compactSome(): Promise<void> {
		const { sql, clock, compactionLimits: limits = COMPACTION_LIMITS } = parts;
		const start = clock();
		let wasWritten = hasWritten;
		hasWritten = false;
		const today = utcDay(start);
		for (const name of await findDue(sql, { today, limits, most: FOUND_MAX + failed.size })) {
			if (isClosed) return;
			if (failed.has(keyOf(name))) continue;
			await compactDocument(sql, name, limits).catch((fault: unknown) => {
				if (!isDatabaseGone(fault)) failed.add(keyOf(name));
				parts.fault(fault);
			});
			wasWritten ||= hasWritten;
			if (clock() - start >= (wasWritten ? BUSY_MS : IDLE_MS)) return;
		}
	}

	return {
		noteWrite: () => {
			hasWritten = true;
		},
		run: () => {
			running ??= compactSome()
				.catch(parts.fault)
				.finally(() => {
					running = undefined;
				});
			return running;
		},
		close: async () => {
			isClosed = true;
			await running;
		}
	};
}

interface DocumentName {
	readonly business: ScopeId;
	readonly document: string;
}

function keyOf({ business, document }: DocumentName): string {
	return `${business} ${document}`;
}

interface Due {
	readonly today: string;
	readonly limits: CompactionLimits;
	readonly most: number;
}

/** Those of days and years that are over, and long ones. */
async function findDue(
	sql: Sql,
	{ today, limits: { longUpdates }, most }: Due
): Promise<readonly DocumentName[]> {
	return sql<DocumentName[]>`
		select business, document from document_head
		where sequence > compacted and (
			sequence - compacted >= ${longUpdates}
			or left(document, 1) in ('j', 'o') and right(document, 8) < ${today}
			or left(document, 1) in ('s', 'c') and right(document, 4) < ${today.slice(0, 4)}
		)
		limit ${most}`;
}

/**
 * RELAY-32. Puts neighbouring updates together in pieces of at most 32 kB, all from the database and
 * under the document's lock. A piece takes the number of the last update that it replaces: whoever
 * has come to any number finds behind it all that he lacks, and perhaps something that he has.
 */
export async function compactDocument(
	sql: Sql,
	{ business, document }: DocumentName,
	limits: CompactionLimits = COMPACTION_LIMITS
): Promise<void> {
	const { updatesAtOnce, pieceBytes } = limits;
	for (let hasMore = true; hasMore;) {
		hasMore = await sql.begin(async (transaction) => {
			const tx = transaction as unknown as Sql;
			const [head] = await tx<{ sequence: string; compacted: string }[]>`
				select sequence, compacted from document_head
				where business = ${business} and document = ${document}
				for update skip locked`;
			// Another relay is at it, or somebody writes: it is found again.
			if (head === undefined) return false;
			// Another has done it since it was found.
			if (head.sequence === head.compacted) return false;
			const from = Number(head.compacted);
			const rows = await readRows(tx, { business, document }, { from, most: updatesAtOnce });
			await replace(tx, { business, document }, groupsOf(rows, pieceBytes));
			const isAll = rows.length < updatesAtOnce;
			const upTo = isAll ? Number(head.sequence) : (rows.at(-1)?.sequence ?? 0);
			await tx`
				update document_head set compacted = ${upTo}
				where business = ${business} and document = ${document}`;
			return !isAll;
		});
	}
}

interface Row {
	readonly sequence: number;
	readonly items: readonly UpdateItem[];
}

/** From the last piece of the time before on, for that may have room. */
async function readRows(
	tx: Sql,
	{ business, document }: DocumentName,
	{ from, most }: { readonly from: number; readonly most: number }
): Promise<readonly Row[]> {
	const rows = await tx<{ sequence: string; update: Uint8Array }[]>`
		select sequence, update from document_update
		where business = ${business} and document = ${document} and sequence >= ${from}
		order by sequence limit ${most}`;
	return rows.map(({ sequence, update }) => ({
		sequence: Number(sequence),
		items: readStored(new Uint8Array(update))
	}));
}

/** Neighbours that fit into one piece. */
function groupsOf(rows: readonly Row[], pieceBytes: number): readonly (readonly Row[])[] {
	const groups: Row[][] = [];
	let bytesHeld = Infinity;
	for (const row of rows) {
		const bytes = row.items.reduce((sum, item) => sum + itemBytes(item), 0);
		const last = groups.at(-1);
		if (last === undefined || bytesHeld + bytes > pieceBytes) {
			groups.push([row]);
			bytesHeld = bytes;
		} else {
			last.push(row);
			bytesHeld += bytes;
		}
	}
	return groups.filter((group) => group.length > 1);
}

async function replace(
	tx: Sql,
	{ business, document }: DocumentName,
	groups: readonly (readonly Row[])[]
): Promise<void> {
	if (groups.length === 0) return;
	const pieces = groups.map((group) => ({ sequence: lastOf(group), piece: pieceOf(group) }));
	const replaced = groups.flatMap((group) => group.map(({ sequence }) => sequence));
	await tx`
		delete from document_update
		where business = ${business} and document = ${document}
			and sequence = any(${replaced}::bigint[])`;
	await tx`
		insert into document_update (business, document, sequence, update)
		select ${business}::uuid, ${document}, sequence, decode(hex, 'hex')
		from unnest(
			${pieces.map(({ sequence }) => sequence)}::bigint[],
			${pieces.map(({ piece }) => Buffer.from(piece).toString('hex'))}::text[]
		) as given (sequence, hex)`;
}

function lastOf(group: readonly Row[]): number {
	const last = group.at(-1);
	assert(last !== undefined, 'a group has updates');
	return last.sequence;
}

function pieceOf(group: readonly Row[]): Uint8Array {
	const items = group.flatMap((row) => row.items);
	const [piece, ...more] = writePieces(items);
	assert(piece !== undefined && more.length === 0, 'what fits into one piece makes one');
	// What is about to replace the rows is read as any reader will read it.
	assert(readStored(piece).length === items.length, 'a piece holds all that it replaces');
	return piece;
}
