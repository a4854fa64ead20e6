import type { Sql } from 'postgres';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { Result } from '#domain/result.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeClientFrame,
	encodeHave,
	encodeNack,
	encodeStep1,
	isStep1,
	type ClientFrame
} from '#sync/frames.ts';
import { FRAME_BYTES_MAX, GAPS_MAX } from '#sync/limits.ts';
import { readAncestors, type Ancestors } from './ancestors.ts';
import { createCarriedCheck } from './carried-check.ts';
import { checkFact, type CheckRefusal } from './check-fact.ts';
import type { Connection } from './connection.ts';
import { synchronise } from './delivery.ts';
import { createPersonsOf, type PersonsOf } from './persons.ts';
import type { Returned } from './returned.ts';
import type { Submission } from './submission.ts';
import { factIdsIn, namesOf, readNames } from './update-names.ts';
import { parseUpdate, type ParsedUpdate, type UpdateItem } from './update-parser.ts';
import type { Outcome, WritePath } from './write-path.ts';

export interface SessionParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly writePath: WritePath;
	/** The database's current epoch. */
	readonly epoch: number;
	/** Whether a restore began it. */
	readonly isRestored?: boolean;
	/** Who writes again since. */
	readonly returned: Returned;
}

/** What one socket says, heard in order. */
export interface Session {
	/**
	 * Answers, or resolves where something has to be asked for, when the message has been heard and, if
	 * it is to be written, stands in the queue. The next one is told after that.
	 */
	hear(bytes: Uint8Array): Heard | Promise<Heard>;
	/** Resolves when all that was heard has been decided. */
	settled(): Promise<void>;
}

export interface Heard {
	/** Resolves when it has been decided, and so holds nothing in memory any more. */
	readonly decided: Promise<void>;
}

type UpdateFrame = Extract<ClientFrame, { readonly update: Uint8Array }>;

const DONE: Heard = { decided: Promise.resolve() };

export function createSession(connection: Connection, parts: SessionParts): Session {
	const persons = createPersonsOf(parts.sql);
	const hearing = { connection, parts, persons, gaps: { found: 0, isAsked: false } };
	const asked: Asked = { waiting: undefined, isAnswering: false };
	let deciding = Promise.resolve();
	return {
		settled: () => deciding,
		hear: (bytes) => {
			if (connection.isEnded) return DONE;
			const isTooLarge = bytes.byteLength > FRAME_BYTES_MAX;
			const isUnread = isTooLarge && isStep1(bytes);
			const { state } = connection.room;
			// What the document lacks needs no keeping, however much of it is named.
			const isThere = (client: number): boolean => state.clockOf(client) > 0;
			const frame = isUnread ? undefined : decodeClientFrame(bytes, isThere);
			if (isTooLarge) refuseWhole(connection, frame, 'updateTooLarge');
			else if (frame === undefined) connection.close(CLOSE.forgery, 'malformed');
			else if (frame.kind === 'step1') answerAsked(asked, hearing, frame.stateVector);
			else if (frame.kind !== 'ignored') {
				// Decided in the order of their coming, so the last one's decision is the last.
				const note = (heard: Heard): Heard => {
					deciding = heard.decided;
					return heard;
				};
				const heard = admit(frame, hearing);
				return heard instanceof Promise ? heard.then(note) : note(heard);
			}
			return DONE;
		}
	};
}

/** State vectors are answered one at a time; of those that come meanwhile the last. */
interface Asked {
	waiting: ReadonlyMap<number, number> | undefined;
	isAnswering: boolean;
}

function answerAsked(
	asked: Asked,
	hearing: Hearing,
	stateVector: ReadonlyMap<number, number>
): void {
	asked.waiting = stateVector;
	// Not awaited: a slow reader's own facts do not wait until he has read everything.
	if (!asked.isAnswering) void answerAll(asked, hearing);
}

async function answerAll(asked: Asked, { connection, parts }: Hearing): Promise<void> {
	asked.isAnswering = true;
	try {
		while (asked.waiting !== undefined) {
			const next = asked.waiting;
			asked.waiting = undefined;
			await synchronise(parts.sql, connection, next);
		}
	} finally {
		asked.isAnswering = false;
	}
}

interface Hearing {
	readonly connection: Connection;
	readonly gaps: Gaps;
	readonly parts: SessionParts;
	readonly persons: () => PersonsOf;
}

/** Puts the update into the queue, or resolves when it stands there. */
function admit(frame: UpdateFrame, hearing: Hearing): Heard | Promise<Heard> {
	const { connection, gaps } = hearing;
	if (frame.kind === 'step2') gaps.isAsked = false;
	const parsed = parseUpdate(frame.update);
	if (!parsed.ok) {
		refuseWhole(connection, frame, parsed.error === 'tooLarge' ? 'updateTooLarge' : 'malformed');
		return DONE;
	}
	const update = parsed.value;
	if (update.items.length === 0 && update.deletions.length === 0) return DONE;
	const checks = checkItems(hearing, update);
	return checks instanceof Promise
		? checks.then((checked) => submit({ frame, update, checks: checked }, hearing))
		: submit({ frame, update, checks }, hearing);
}

type Checks = Submission['checks'];

interface Checked {
	readonly frame: UpdateFrame;
	readonly update: ParsedUpdate;
	readonly checks: Checks;
}

function submit({ frame, update, checks }: Checked, hearing: Hearing): Heard {
	const { connection, gaps, parts } = hearing;
	const { room, caller } = connection;
	// Not awaited: what this socket says next may go into the same batch.
	const decided = parts.writePath
		.submit({ room, caller, session: caller.session, update, checks, sender: connection })
		.then((outcome) => {
			if (outcome.kind === 'gap') askForGap(hearing, frame, update);
			else if (outcome.kind === 'accepted') {
				gaps.found = 0;
				if (outcome.leftOut.length > 0) connection.send(encodeNack({ refused: outcome.leftOut }));
				else if (outcome.facts.every(({ device }) => device.code !== caller.code))
					// It brought nothing new of its sender's, who hears of no fact and waits for a word.
					connection.send(encodeHave({ epoch: parts.epoch, ranges: [] }));
			} else answer(connection, outcome, update);
		});
	return { decided };
}

/** RELAY-50. Ends a socket for a message that cannot be taken, and names what can be named of it. */
function refuseWhole(
	connection: Connection,
	frame: ClientFrame | undefined,
	reason: 'updateTooLarge' | 'malformed'
): void {
	if (frame !== undefined && 'update' in frame) nack(connection, readNames(frame.update), reason);
	connection.close(reason === 'malformed' ? CLOSE.forgery : CLOSE.tooLarge, reason);
}

function nack(connection: Connection, names: readonly string[], reason: string): void {
	if (names.length > 0) connection.send(encodeNack({ refused: names.map((id) => [id, reason]) }));
}

type Bad = Exclude<Outcome, { readonly kind: 'accepted' | 'gap' }>;

/** RELAY-5. Says what became of an update that was not taken. */
function answer(connection: Connection, outcome: Bad, update: ParsedUpdate): void {
	switch (outcome.kind) {
		case 'refused':
			connection.send(encodeNack({ refused: outcome.refused }));
			return;
		case 'fork':
			connection.send(encodeNack({ refused: outcome.ids.map((id) => [id, 'fork']) }));
			connection.close(CLOSE.fork, 'fork');
			return;
		case 'forgery':
			nack(connection, factIdsIn(outcome.keys), 'forgery');
			connection.close(CLOSE.forgery, 'forgery');
			return;
		case 'removed':
			nack(connection, namesOf(update), 'removed');
			connection.close(CLOSE.rights, 'removed');
			return;
		case 'signedOut':
			// Whoever holds the device's key proves it and sends it again.
			connection.close(CLOSE.ticket, 'signed out');
			return;
		case 'unstorable':
			nack(connection, namesOf(update), 'fault');
			return;
		case 'unavailable':
			connection.close(CLOSE.tryLater, 'try later');
	}
}

/** RELAY-4. What is missing before an update is asked for once, until the client has answered. */
interface Gaps {
	/** In step 2s since the last update that was taken. */
	found: number;
	isAsked: boolean;
}

function askForGap(
	{ connection, gaps }: Hearing,
	{ kind }: UpdateFrame,
	update: ParsedUpdate
): void {
	// A step 2 tells all that a client has; an update may have been under way before we asked.
	if (kind === 'step2') gaps.found += 1;
	if (gaps.found > GAPS_MAX) {
		nack(connection, namesOf(update), 'gap');
		connection.close(CLOSE.forgery, 'gap');
	} else if (!gaps.isAsked) {
		gaps.isAsked = true;
		connection.send(encodeStep1(connection.room.state.stateVector()));
	}
}

/**
 * The verdict on the text of each item that the document does not have yet, or has by another's word:
 * at once where nothing has to be asked for.
 */
function checkItems(hearing: Hearing, { items }: ParsedUpdate): Checks | Promise<Checks> {
	const check = createCheck(hearing);
	const checks = new Map<UpdateItem, Verdict>();
	for (let at = 0; at < items.length; at += 1) {
		const item = items[at];
		const verdict = item === undefined ? undefined : check(item);
		if (item === undefined || verdict === undefined) continue;
		if (verdict instanceof Promise) {
			return checkRest(checks, { check, items: items.slice(at), first: verdict });
		}
		checks.set(item, verdict);
	}
	return checks;
}

type Verdict = Result<Fact, CheckRefusal>;
type Check = (item: UpdateItem) => Verdict | Promise<Verdict> | undefined;

interface Rest {
	readonly check: Check;
	readonly items: readonly UpdateItem[];
	/** Of the first of them. */
	readonly first: Promise<Verdict>;
}

async function checkRest(
	checks: Map<UpdateItem, Verdict>,
	{ check, items, first }: Rest
): Promise<Checks> {
	for (const [at, item] of items.entries()) {
		const verdict = await (at === 0 ? first : check(item));
		if (verdict !== undefined) checks.set(item, verdict);
	}
	return checks;
}

/** Of the items of one update: undefined where there is nothing to say of one. */
function createCheck({
	connection: { room, caller },
	persons,
	parts: { sql, crypto, clock, epoch, returned, isRestored = false }
}: Hearing): Check {
	let read: Promise<Ancestors> | undefined;
	const ancestors = (): Promise<Ancestors> => (read ??= readAncestors(sql, caller));
	const of = { caller, address: room.address, crypto, now: clock() };
	const personsOf = persons();
	const parts = { ...of, ancestors, persons: personsOf(caller) };
	const isLacking = (item: UpdateItem): boolean => item.clock >= room.state.clockOf(item.client);
	if (!isRestored) {
		return (item) =>
			item.text !== undefined && isLacking(item) ? checkFact(item.text, parts) : undefined;
	}
	const checkCarried = createCarriedCheck({ ...of, sql, epoch, personsOf, returned });
	return (item) => {
		const { text } = item;
		if (text === undefined) return undefined;
		const carried = carriedIn(text, caller);
		// Another may have told this device's own, and its text tells them apart.
		if (carried === undefined) return checkFact(text, parts);
		return isLacking(item) ? checkCarried(text, carried) : undefined;
	};
}

/** The fact, where somebody else wrote it. */
function carriedIn(text: string, { code }: Caller): Fact | undefined {
	const fact = parseFact(text);
	return fact.ok && fact.value.code !== code ? fact.value : undefined;
}
