import type { Sql } from 'postgres';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { Result } from '#domain/result.ts';
import { CLOSE } from '#sync/close-code.ts';
import { decodeClientFrame, encodeNack, encodeStep1, type ClientFrame } from '#sync/frames.ts';
import { FRAME_BYTES_MAX } from '#sync/limits.ts';
import { checkFact, type CheckRefusal } from './check-fact.ts';
import type { Connection } from './connection.ts';
import { synchronise } from './delivery.ts';
import { parseUpdate, type ParsedUpdate, type UpdateItem } from './update-parser.ts';
import type { Outcome, WritePath } from './write-path.ts';

export interface SessionParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly writePath: WritePath;
}

/** What one socket says, heard in order. */
export interface Session {
	/** Resolves when the message has been heard and, if it is to be written, stands in the queue. */
	hear(bytes: Uint8Array): Promise<void>;
	/** Resolves when all that was heard has been decided. */
	settled(): Promise<void>;
}

type UpdateFrame = Extract<ClientFrame, { readonly update: Uint8Array }>;

/** So many answers to our state vector may lack something before we take it for bad faith. */
const GAPS_MAX = 3;

export function createSession(connection: Connection, parts: SessionParts): Session {
	const hearing = { connection, parts, gaps: createGapKeeper(connection) };
	let deciding = Promise.resolve();
	let syncing = Promise.resolve();
	return {
		settled: () => deciding,
		hear: async (bytes) => {
			if (connection.isEnded) return;
			if (bytes.byteLength > FRAME_BYTES_MAX) {
				connection.close(CLOSE.tooLarge, 'frame');
				return;
			}
			const frame = decodeClientFrame(bytes);
			if (frame === undefined) connection.close(CLOSE.forgery, 'malformed');
			else if (frame.kind === 'step1') {
				// Not awaited: a slow reader's own facts do not wait until he has read everything.
				const { stateVector } = frame;
				syncing = syncing.then(() => synchronise(parts.sql, connection, stateVector));
			} else if (frame.kind !== 'ignored') {
				// Decided in the order of their coming, so the last one's decision is the last.
				deciding = (await admit(frame, hearing)).decided;
			}
		}
	};
}

interface Hearing {
	readonly connection: Connection;
	readonly gaps: GapKeeper;
	readonly parts: SessionParts;
}

/** Resolves when the update stands in the queue; `decided` when it has been answered. */
async function admit(frame: UpdateFrame, hearing: Hearing): Promise<Queued> {
	const { connection, gaps, parts } = hearing;
	if (frame.kind === 'step2') gaps.answered();
	const parsed = parseUpdate(frame.update);
	if (!parsed.ok) {
		const code = parsed.error === 'tooLarge' ? CLOSE.tooLarge : CLOSE.forgery;
		connection.close(code, parsed.error);
		return NOTHING;
	}
	const update = parsed.value;
	if (update.items.length === 0 && update.deletions.length === 0) return NOTHING;
	const checks = await checkItems(connection, update, parts);
	const { room, caller } = connection;
	// Not awaited: what this socket says next may go into the same batch.
	const decided = parts.writePath
		.submit({ room, caller, update, checks, sender: connection })
		.then((outcome) => {
			if (outcome.kind === 'gap') gaps.found(frame);
			else if (outcome.kind === 'accepted') gaps.closed();
			else answer(connection, outcome, update);
		});
	return { decided };
}

interface Queued {
	readonly decided: Promise<void>;
}

const NOTHING: Queued = { decided: Promise.resolve() };

type Bad = Exclude<Outcome, { readonly kind: 'accepted' | 'gap' }>;

/** RELAY-5. Says what became of an update that was not taken. */
function answer(connection: Connection, outcome: Bad, update: ParsedUpdate): void {
	switch (outcome.kind) {
		case 'refused':
			connection.send(encodeNack({ refused: outcome.refused }));
			return;
		case 'fork':
			connection.send(encodeNack({ refused: outcome.forks.map(({ id }) => [id, 'fork']) }));
			connection.close(CLOSE.fork, 'fork');
			return;
		case 'forgery':
			connection.send(encodeNack({ refused: namesOf(update).map((id) => [id, 'forgery']) }));
			connection.close(CLOSE.forgery, 'forgery');
			return;
		case 'removed':
			connection.close(CLOSE.rights, 'removed');
			return;
		case 'unstorable':
			connection.send(encodeNack({ refused: namesOf(update).map((id) => [id, 'fault']) }));
			return;
		case 'unavailable':
			connection.close(CLOSE.tryLater, 'try later');
	}
}

/** RELAY-4. Asks for what is missing before an update, once until the client has answered. */
interface GapKeeper {
	found(frame: UpdateFrame): void;
	answered(): void;
	closed(): void;
}

function createGapKeeper(connection: Connection): GapKeeper {
	let gaps = 0;
	let isAsked = false;
	return {
		found: ({ kind }) => {
			// A step 2 tells all that a client has; an update may have been under way before we asked.
			if (kind === 'step2') gaps += 1;
			if (gaps > GAPS_MAX) connection.close(CLOSE.forgery, 'gap');
			else if (!isAsked) {
				isAsked = true;
				connection.send(encodeStep1(connection.room.state.stateVector()));
			}
		},
		answered: () => {
			isAsked = false;
		},
		closed: () => {
			gaps = 0;
		}
	};
}

/** The verdict on the text of each item that the document does not have yet. */
async function checkItems(
	{ room, caller }: Connection,
	{ items }: ParsedUpdate,
	{ crypto, clock }: SessionParts
): Promise<ReadonlyMap<UpdateItem, Result<Fact, CheckRefusal>>> {
	const parts = { caller, address: room.address, crypto, now: clock() };
	const checks = new Map<UpdateItem, Result<Fact, CheckRefusal>>();
	for (const item of items) {
		if (item.text === undefined || item.clock < room.state.clockOf(item.client)) continue;
		checks.set(item, await checkFact(item.text, parts));
	}
	return checks;
}

function namesOf({ items }: ParsedUpdate): readonly string[] {
	return items.flatMap(({ key }) => key ?? []);
}
