import type { Sql } from 'postgres';
import { scopeOf } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { writeJsonTexts } from '#server/database/array-text.ts';
import type { Decision } from './decide.ts';
import type { Tops } from './fact-times.ts';
import { firstColumns } from './first-names.ts';
import type { Room } from './room.ts';
import type { NewFact, Submission } from './submission.ts';

/** What a batch adds to documents and feeds. */
export interface Rows {
	readonly batch: readonly Submission[];
	/** One for each of them, in order. */
	readonly decisions: readonly Decision[];
	readonly facts: readonly NewFact[];
	/** The last update of each document and the last number of each feed; both are moved on. */
	readonly sequences: Map<Room, number>;
	readonly feeds: Map<ScopeId, number>;
	readonly tops: Tops;
}

/**
 * RELAY-11, RELAY-12. Numbers updates and facts on from what was last, writes them, and moves the
 * heads that are locked: gapless. Each document is named once in a statement.
 */
export async function writeRows(tx: Sql, rows: Rows): Promise<void> {
	const updates = numberUpdates(rows);
	// A fact comes by an update.
	if (updates.length === 0) return;
	const { facts, feeds } = rows;
	const numbers = facts.map(({ room }) => numberOn(feeds, scopeOf(room.address)));
	await Promise.all([
		insertUpdates(tx, updates, rows.sequences),
		insertFacts(tx, facts, numbers),
		moveFeeds(tx, rows)
	]);
}

/** With them their documents move on. */
async function insertUpdates(
	tx: Sql,
	updates: readonly NewUpdate[],
	sequences: ReadonlyMap<Room, number>
): Promise<void> {
	const { rooms, places } = named(updates);
	await tx`
		with room as materialized (
			select ${rooms.map(({ address }) => scopeOf(address))}::uuid[] as businesses,
				${rooms.map(({ name }) => name)}::text[] as documents,
				${rooms.map((room) => sequences.get(room) ?? 0)}::bigint[] as sequences
		), moved_document as (
			update document_head set sequence = moved.sequence
			from room, unnest(businesses, documents, sequences) as moved (business, document, sequence)
			where document_head.business = moved.business
				and document_head.document = moved.document
				and document_head.sequence < moved.sequence
		)
		insert into document_update (business, document, sequence, update)
		select businesses[at], documents[at], sequence, decode(hex, 'hex')
		from room, unnest(
			${places}::int[],
			${updates.map(({ sequence }) => sequence)}::bigint[],
			${updates.map(({ piece }) => hexOf(piece))}::text[]
		) as given (at, sequence, hex)`;
}

/** By their numbers in the feed. */
async function insertFacts(
	tx: Sql,
	facts: readonly NewFact[],
	numbers: readonly number[]
): Promise<void> {
	if (facts.length === 0) return;
	const { rooms, places } = named(facts);
	const firsts = facts.map(firstColumns);
	const result = await tx`
		with room as materialized (
			select ${rooms.map(({ address }) => scopeOf(address))}::uuid[] as businesses,
				${rooms.map(({ name }) => name)}::text[] as documents,
				${rooms.map(({ address }) => ('branch' in address ? address.branch : null))}::uuid[]
					as branches
		)
		insert into fact (business, branch, document, code, n, kind, wall, counter, on_day, member,
			text, digest, s, carried_by, was_code, was_n, first_digest)
		select businesses[at], branches[at], documents[at], code, n, kind, wall, counter, on_day, member,
			given.text, digest, s, carried_by, was_code, was_n, first_digest
		from room, unnest(
			${places}::int[],
			${facts.map(({ fact }) => fact.code)}::text[],
			${facts.map(({ fact }) => fact.n)}::bigint[],
			${facts.map(({ fact }) => fact.kind)}::text[],
			${facts.map(({ fact }) => fact.at.wall)}::bigint[],
			${facts.map(({ fact }) => fact.at.counter)}::int[],
			${facts.map(({ fact }) => fact.on)}::text[]::date[],
			${facts.map(({ fact }) => fact.by)}::int[],
			${writeJsonTexts(facts.map(({ text }) => text))}::text[],
			${facts.map(({ digest }) => signed(digest))}::bigint[],
			${numbers}::bigint[],
			${facts.map(({ carriedBy }) => carriedBy)}::text[],
			${firsts.map(({ wasCode }) => wasCode)}::text[],
			${firsts.map(({ wasN }) => wasN)}::bigint[],
			${firsts.map(({ firstDigest }) => signed(firstDigest))}::bigint[]
		) as given (at, code, n, kind, wall, counter, on_day, member, text, digest, s, carried_by,
			was_code, was_n, first_digest)
		on conflict do nothing`;
	// Looked up under the counter's lock, which every writer of facts holds.
	assert(result.count === facts.length, 'no fact came in behind the lock');
}

/** Moves the feeds on. */
export async function moveFeeds(
	tx: Sql,
	{ feeds, tops }: Pick<Rows, 'feeds' | 'tops'>
): Promise<void> {
	await tx`
		update feed_head set s = greatest(feed_head.s, moved.s),
			top_wall = greatest(feed_head.top_wall, moved.top_wall)
		from unnest(
			${Array.from(feeds.keys())}::uuid[],
			${Array.from(feeds.values())}::bigint[],
			${Array.from(feeds.keys(), (scope) => tops.get(scope) ?? 0)}::bigint[]
		) as moved (business, s, top_wall)
		where feed_head.business = moved.business
			and (feed_head.s < moved.s or feed_head.top_wall < moved.top_wall)`;
}

/** The documents of some rows, each once, and which of them each row belongs to, from 1. */
function named(rows: readonly { readonly room: Room }[]): {
	readonly rooms: readonly Room[];
	readonly places: readonly number[];
} {
	const placeOf = new Map<Room, number>();
	const places = rows.map(({ room }) => {
		const place = placeOf.get(room) ?? placeOf.size + 1;
		placeOf.set(room, place);
		return place;
	});
	return { rooms: Array.from(placeOf.keys()), places };
}

interface NewUpdate {
	readonly room: Room;
	readonly sequence: number;
	readonly piece: Uint8Array;
}

/** Numbers the pieces on from each document's last one. */
function numberUpdates({ decisions, batch, sequences }: Rows): readonly NewUpdate[] {
	return batch.flatMap(({ room }, at) => {
		const decision = decisions[at];
		if (decision?.kind !== 'accepted') return [];
		return decision.pieces.map((piece) => ({ room, piece, sequence: numberOn(sequences, room) }));
	});
}

function numberOn<Key>(lasts: Map<Key, number>, key: Key): number {
	const next = (lasts.get(key) ?? 0) + 1;
	lasts.set(key, next);
	return next;
}

function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
	return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}

function signed(digest: bigint | null): string | null {
	return digest === null ? null : String(BigInt.asIntN(64, digest));
}
