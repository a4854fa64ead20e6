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
 * heads that are locked: gapless. One statement, in which each document is named once.
 */
export async function writeRows(tx: Sql, rows: Rows): Promise<void> {
	const { facts, sequences, feeds } = rows;
	const updates = numberUpdates(rows);
	if (updates.length === 0 && facts.length === 0) return;
	const numbers = facts.map(({ room }) => numberOn(feeds, scopeOf(room.address)));
	const rooms = Array.from(new Set([...updates, ...facts].map(({ room }) => room)));
	const placeOf = new Map(rooms.map((room, at) => [room, at + 1]));
	const place: Place = ({ room }) => placeOf.get(room) ?? 0;
	const result = await tx`
		with room as materialized (
			select ${rooms.map(({ address }) => scopeOf(address))}::uuid[] as businesses,
				${rooms.map(({ name }) => name)}::text[] as documents,
				${rooms.map(({ address }) => ('branch' in address ? address.branch : null))}::uuid[]
					as branches,
				${rooms.map((room) => sequences.get(room) ?? 0)}::bigint[] as sequences
		), moved_document as (
			update document_head set sequence = moved.sequence
			from room, unnest(businesses, documents, sequences) as moved (business, document, sequence)
			where document_head.business = moved.business
				and document_head.document = moved.document
				and document_head.sequence < moved.sequence
		), moved_feed as (${movingFeeds(tx, rows)}
		), added_update as (
			insert into document_update (business, document, sequence, update)
			select businesses[at], documents[at], sequence, decode(hex, 'hex')
			from room, unnest(
				${updates.map(place)}::int[],
				${updates.map(({ sequence }) => sequence)}::bigint[],
				${updates.map(({ piece }) => hexOf(piece))}::text[]
			) as given (at, sequence, hex)
		)
		insert into fact (business, branch, document, code, n, kind, wall, counter, on_day, member,
			text, digest, s, carried_by, was_code, was_n, first_digest)
		select businesses[at], branches[at], documents[at], code, n, kind, wall, counter, on_day, member,
			given.text, digest, s, carried_by, was_code, was_n, first_digest
		from room, ${givenFacts(tx, { facts, numbers, place })}
		on conflict do nothing`;
	// Looked up under the counter's lock, which every writer of facts holds.
	assert(result.count === facts.length, 'no fact came in behind the lock');
}

/** Which of the statement's documents something belongs to, from 1. */
type Place = (of: { readonly room: Room }) => number;

/** Moves the feeds on. */
export function movingFeeds(
	tx: Sql,
	{ feeds, tops }: Pick<Rows, 'feeds' | 'tops'>
): ReturnType<Sql> {
	return tx`
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

interface GivenFacts {
	readonly facts: readonly NewFact[];
	/** In the feed. */
	readonly numbers: readonly number[];
	readonly place: Place;
}

function givenFacts(tx: Sql, { facts, numbers, place }: GivenFacts): ReturnType<Sql> {
	const firsts = facts.map(firstColumns);
	return tx`
		unnest(
			${facts.map(place)}::int[],
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
			${firsts.map(({ firstDigest }) => (firstDigest === null ? null : signed(firstDigest)))}::bigint[]
		) as given (at, code, n, kind, wall, counter, on_day, member, text, digest, s, carried_by,
			was_code, was_n, first_digest)`;
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

function signed(digest: bigint): string {
	return String(BigInt.asIntN(64, digest));
}
