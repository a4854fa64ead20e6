import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { dayNumber } from '#domain/calendar.ts';
import { claimMessage, encodeClaim, type Claim } from '#domain/confirmation/claim.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { parseRecordId } from '#domain/confirmation/record.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import { answerMessage, type Decision } from '#domain/confirmation/signatures.ts';
import { statementList } from '#domain/confirmation/statement-list.ts';
import { encodeSignedRecord, readRecord, signRecord } from '#domain/confirmation/signed-record.ts';
import type { Signer } from '#domain/crypto.ts';
import type { CancelReason } from '#domain/fact/ledger-fact.ts';
import {
	parseDeviceCode,
	type BranchId,
	type BusinessId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import {
	decodeHave,
	decodeNack,
	encodeUpdate,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK
} from '#sync/frames.ts';
import { jsonIn } from './relay-stand.ts';
import { sure } from './sure.ts';

/** Somebody who writes facts by hand: as a device or phone would, or as none ever would. */
export interface Author {
	readonly code: string;
	readonly signer: Signer;
	readonly clock: { readonly now: number };
	/** The number of its last fact. */
	n: number;
}

/** An author inside a shop. */
export interface ShopAuthor extends Author {
	readonly business: BusinessId;
	readonly branch: BranchId;
	/** Whose hand is on the device. */
	readonly person: PersonId;
}

export interface HandFact {
	readonly id: string;
	readonly text: string;
}

const ANSWER_MS_MAX = 3_000;
const crypto = createNodeCrypto();
let minted = 0;

/** The author's next fact of any kind and body. */
export function handFact(author: Author, kind: string, ...body: readonly unknown[]): HandFact {
	author.n += 1;
	return factAs(author, author.n, [kind, ...body]);
}

/** A fact under a name of one's choice. */
export function factAs(
	{ code, clock }: Pick<Author, 'code' | 'clock'>,
	n: number,
	[kind, ...body]: readonly unknown[]
): HandFact {
	const id = `${code}-${String(n)}`;
	const day = dayNumber(dayOf(clock.now));
	const member = code.startsWith('0.') ? 0 : 1;
	return { id, text: JSON.stringify([id, kind, clock.now, n, day, member, ...body]) };
}

function dayOf(now: number): string {
	return new Date(now).toISOString().slice(0, 10);
}

export interface HandRecord {
	readonly ledger: LedgerId;
	readonly kind?: RecordKind;
	readonly minor?: number;
	readonly currency?: string;
	readonly ref?: RecordHash;
	readonly list?: readonly RecordHash[];
	readonly note?: string;
	/** Of another record, to write a second text for it. */
	readonly record?: string;
	/** Beside the records of the fact. */
	readonly more?: Readonly<Record<string, unknown>>;
	/** In the place of the author's own. */
	readonly business?: BusinessId;
	readonly signer?: Signer;
}

export interface HandRecordFact extends HandFact {
	readonly h: RecordHash;
}

/** A fact with one signed record. */
export async function recordFact(author: ShopAuthor, draft: HandRecord): Promise<HandRecordFact> {
	author.n += 1;
	const { n } = author;
	const { list, more = {} } = draft;
	const rest: RecordRest = {
		br: author.branch,
		d: sure(parseDeviceCode(author.code)),
		n,
		u: author.person,
		on: dayOf(author.clock.now),
		...(draft.ref !== undefined && { ref: draft.ref }),
		...(draft.note !== undefined && { note: draft.note }),
		...(list !== undefined && { list: await statementList(list, crypto) })
	};
	const core = {
		kind: draft.kind ?? 'due',
		isMadeOffline: false,
		currency: draft.currency ?? 'KES',
		exponent: 2,
		amount: draft.minor ?? 500,
		occurredAt: author.clock.now,
		businessId: draft.business ?? author.business,
		ledgerId: draft.ledger,
		recordId: sure(parseRecordId(draft.record ?? uuidV7())),
		balanceAfter: 0
	};
	const signed = await signRecord({ core, rest }, draft.signer ?? author.signer, crypto);
	const { h } = sure(await readRecord(signed, crypto));
	const beside = { ...more, ...(list !== undefined && { list }) };
	const parts = Object.keys(beside).length === 0 ? [] : [beside];
	return { h, ...factAs(author, n, ['record', [encodeSignedRecord(signed)], ...parts]) };
}

/** UUIDs v7 that rise, as a device mints them. */
export function uuidV7(): string {
	minted += 1;
	const hex = (0x19aa_0000_0000 + minted).toString(16).padStart(12, '0');
	return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${systemRandom.uuid().slice(24)}`;
}

export type HandClaim = Pick<Claim, 'h' | 'way' | 'code' | 'counter'> &
	Partial<Pick<Claim, 'id' | 'd'>>;

/** A fact with a claim; `signer` in the place of the author. */
export async function claimFact(
	author: ShopAuthor,
	draft: HandClaim,
	signer: Signer = author.signer
): Promise<HandFact> {
	const whole = {
		id: uuidV7(),
		d: sure(parseDeviceCode(author.code)),
		u: author.person,
		at: author.clock.now,
		...draft
	};
	const json = encodeClaim(whole);
	const sig = encodeBase64url(await signer.sign(claimMessage(json)));
	return handFact(author, 'claim', JSON.parse(json), sig);
}

export interface HandReply {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly h: RecordHash;
	readonly decision: Decision;
	readonly n?: number;
	readonly reason?: CancelReason;
}

/** A fact with a customer's answer; `signer` in the place of the author. */
export async function replyFact(
	author: Author,
	draft: HandReply,
	signer: Signer = author.signer
): Promise<HandFact> {
	const { business, ledger, h, decision, n = 1, reason } = draft;
	const signedAt = author.clock.now;
	const { kid } = signer;
	const sig = await signer.sign(answerMessage({ decision, n, h, kid, signedAt }));
	const signature = [encodeBase64url(sig), encodeBase64url(kid)];
	const said = [decision, n, signedAt, ...signature, reason ?? 0, ''];
	return handFact(author, 'reply', business, ledger, h, ...said);
}

/** What became of an update: taken, refused for a reason, the socket closed by a code, or no word. */
export type PutOutcome = 'taken' | (string & {});

/**
 * Sends facts in one update of a client of its own over the socket at `address`, which names document
 * and ticket, and waits for the answer.
 */
export async function putFacts(address: string, facts: readonly HandFact[]): Promise<PutOutcome> {
	const doc = new Y.Doc();
	for (const fact of facts) appendFact(doc, fact);
	const socket = new WebSocket(address);
	let isSent = false;
	try {
		return await new Promise<PutOutcome>((resolve, reject) => {
			const late = setTimeout(resolve, ANSWER_MS_MAX, 'silence');
			late.unref();
			socket.on('error', reject);
			socket.on('close', (code) => {
				resolve(`closed ${String(code)}`);
			});
			socket.on('message', (data: Buffer) => {
				const frame = new Uint8Array(data);
				if (frame[0] === MESSAGE_HELLO) return;
				if (frame[0] === MESSAGE_NACK) resolve(reasonIn(frame));
				if (frame[0] !== MESSAGE_HAVE) return;
				// Every socket of a device hears of what the others sent.
				if (isSent && facts.every(({ id }) => isHeld(frame, id))) resolve('taken');
				if (isSent) return;
				isSent = true;
				socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
			});
		});
	} finally {
		socket.close();
	}
}

function isHeld(have: Uint8Array, id: string): boolean {
	const n = Number(id.split('-').at(-1));
	const ranges = decodeHave(jsonIn(have))?.ranges ?? [];
	return ranges.some(([from, to]) => from <= n && n <= to);
}

function reasonIn(frame: Uint8Array): string {
	const [first] = decodeNack(jsonIn(frame))?.refused ?? [];
	return first?.[1] ?? 'refused';
}
