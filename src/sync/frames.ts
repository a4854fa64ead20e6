import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { putBytes, putVarUint, varUintLength } from './exact-bytes.ts';

/** The stock messages, as `y-protocols` numbers them. */
export const MESSAGE_SYNC = 0;
const MESSAGE_AWARENESS = 1;
/** Our own: a varuint type, then one varString of JSON. */
export const MESSAGE_HELLO = 64;
export const MESSAGE_HAVE = 65;
export const MESSAGE_NACK = 66;
export const MESSAGE_FEED = 67;

const SYNC_STEP_1 = 0;
const SYNC_STEP_2 = 1;
const SYNC_UPDATE = 2;

/** What the relay says first on each socket. */
export interface Hello {
	/** The database's epoch: raised by every restore or promotion. */
	readonly epoch: number;
	/** The fact kinds that this relay understands; a device writes no others. */
	readonly kinds: readonly string[];
	/** The relay's clock, ms UTC: a device corrects its own by the difference. */
	readonly now: number;
	readonly limits: Readonly<Record<string, number>>;
	/** The last number of the business's feed. */
	readonly s: number;
	/** How far the feed had come in epochs that a restore ended; absent where none did. */
	readonly ends?: readonly EpochEnd[];
	/** Up to which number of the feed a verified backup holds it; absent where none of this epoch does. */
	readonly backup?: number;
}

/** What survived of an epoch: of its own numbers those up to `s`, whatever was restored since. */
export type EpochEnd = readonly [epoch: number, s: number];

/** From, to (both inside), and the XOR of the facts' digests in 16 hex digits. */
export type HaveRange = readonly [from: number, to: number, digest: string];

/** Which of the socket's own device's facts the relay has committed. */
export interface Have {
	readonly epoch: number;
	readonly ranges: readonly HaveRange[];
}

/** Which facts the relay refused, each with its reason. */
export interface Nack {
	readonly refused: readonly (readonly [id: string, reason: string])[];
}

/** How far the business's feed has come. */
export interface FeedNews {
	readonly s: number;
}

/** What a relay hears on a socket. */
export type ClientFrame =
	| { readonly kind: 'step1'; readonly stateVector: ReadonlyMap<number, number> }
	| { readonly kind: 'step2' | 'update'; readonly update: Uint8Array }
	| { readonly kind: 'ignored' };

/**
 * SYNC-1. Reads a client's message; `undefined` where it is none. Never throws. Of a state vector only
 * the clients that are wanted are kept: millions of others cost their reader next to nothing.
 */
export function decodeClientFrame(
	bytes: Uint8Array,
	isWanted: (client: number) => boolean = () => true
): ClientFrame | undefined {
	try {
		const decoder = decoding.createDecoder(bytes);
		const type = decoding.readVarUint(decoder);
		return type === MESSAGE_SYNC ? readSync(decoder, isWanted) : { kind: 'ignored' };
	} catch {
		return undefined;
	}
}

/** Whether a message is a sync step 1, whatever it holds. */
export function isStep1(bytes: Uint8Array): boolean {
	return bytes[0] === MESSAGE_SYNC && bytes[1] === SYNC_STEP_1;
}

/** Sync step 1: what the sender has of each client. */
export function encodeStep1(stateVector: ReadonlyMap<number, number>): Uint8Array {
	return syncFrame(SYNC_STEP_1, encodeStateVector(stateVector));
}

/** Sync step 2: to a stock client the end of what it lacks. */
export function encodeStep2(update: Uint8Array): Uint8Array {
	return syncFrame(SYNC_STEP_2, update);
}

export function encodeUpdate(update: Uint8Array): Uint8Array {
	return syncFrame(SYNC_UPDATE, update);
}

/** An update that says nothing: no structs, no deletions. */
export const EMPTY_UPDATE: Uint8Array = Uint8Array.of(0, 0);

/** SYNC-6. An empty awareness message, so that an idle stock client does not hang up. */
export const HEARTBEAT_FRAME: Uint8Array = Uint8Array.of(MESSAGE_AWARENESS, 1, 0);

export function encodeHello(hello: Hello): Uint8Array {
	return ownFrame(MESSAGE_HELLO, hello);
}

export function encodeHave(have: Have): Uint8Array {
	return ownFrame(MESSAGE_HAVE, have);
}

export function encodeNack(nack: Nack): Uint8Array {
	return ownFrame(MESSAGE_NACK, nack);
}

export function encodeFeedNews(news: FeedNews): Uint8Array {
	return ownFrame(MESSAGE_FEED, news);
}

/** The readers take what follows the type; `undefined` where it is not of the form. */
export function decodeHello(json: string): Hello | undefined {
	const value = parseJson(json);
	return isHello(value) ? value : undefined;
}

export function decodeHave(json: string): Have | undefined {
	const value = parseJson(json);
	return isHave(value) ? value : undefined;
}

export function decodeNack(json: string): Nack | undefined {
	const value = parseJson(json);
	return isNack(value) ? value : undefined;
}

export function decodeFeedNews(json: string): FeedNews | undefined {
	const value = parseJson(json);
	return isObject(value) && isCount(value['s']) ? { s: value['s'] } : undefined;
}

function readSync(
	decoder: decoding.Decoder,
	isWanted: (client: number) => boolean
): ClientFrame | undefined {
	const step = decoding.readVarUint(decoder);
	const payload = decoding.readVarUint8Array(decoder);
	switch (step) {
		case SYNC_STEP_1:
			return { kind: 'step1', stateVector: readStateVector(payload, isWanted) };
		case SYNC_STEP_2:
			return { kind: 'step2', update: payload };
		case SYNC_UPDATE:
			return { kind: 'update', update: payload };
		default:
			return undefined;
	}
}

function readStateVector(
	bytes: Uint8Array,
	isWanted: (client: number) => boolean
): ReadonlyMap<number, number> {
	const decoder = decoding.createDecoder(bytes);
	const stateVector = new Map<number, number>();
	const clients = decoding.readVarUint(decoder);
	for (let left = clients; left > 0; left -= 1) {
		const client = decoding.readVarUint(decoder);
		const clock = decoding.readVarUint(decoder);
		if (isWanted(client)) stateVector.set(client, clock);
	}
	return stateVector;
}

function encodeStateVector(stateVector: ReadonlyMap<number, number>): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, stateVector.size);
	for (const [client, clock] of stateVector) {
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, clock);
	}
	return encoding.toUint8Array(encoder);
}

function syncFrame(step: number, payload: Uint8Array): Uint8Array {
	return frameOf([MESSAGE_SYNC, step], payload);
}

const UTF8 = new TextEncoder();

function ownFrame(type: number, body: object): Uint8Array {
	return frameOf([type], UTF8.encode(JSON.stringify(body)));
}

/** Numbers below 128, then the length of the payload and the payload. */
function frameOf(head: readonly number[], payload: Uint8Array): Uint8Array {
	const { byteLength } = payload;
	const frame = new Uint8Array(head.length + varUintLength(byteLength) + byteLength);
	frame.set(head);
	putBytes(frame, putVarUint(frame, head.length, byteLength), payload);
	return frame;
}

function parseJson(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		return undefined;
	}
}

function isHello(value: unknown): value is Hello {
	if (!isObject(value)) return false;
	const limits = value['limits'];
	return (
		isCount(value['epoch']) &&
		isTextList(value['kinds']) &&
		isCount(value['now']) &&
		isObject(limits) &&
		Object.values(limits).every(isCount) &&
		isCount(value['s']) &&
		isHelloMore(value)
	);
}

/** What an older relay does not say. */
function isHelloMore({ ends, backup }: Readonly<Record<string, unknown>>): boolean {
	return (ends === undefined || isEnds(ends)) && (backup === undefined || isCount(backup));
}

function isEnds(value: unknown): value is readonly EpochEnd[] {
	return (
		Array.isArray(value) &&
		value.every((end) => Array.isArray(end) && end.length === 2 && end.every(isCount))
	);
}

function isHave(value: unknown): value is Have {
	if (!isObject(value)) return false;
	const ranges = value['ranges'];
	return isCount(value['epoch']) && Array.isArray(ranges) && ranges.every(isHaveRange);
}

function isHaveRange(value: unknown): value is HaveRange {
	if (!Array.isArray(value) || value.length !== 3) return false;
	const [from, to, digest] = value as readonly unknown[];
	if (!isCount(from) || !isCount(to) || from > to) return false;
	return typeof digest === 'string' && /^[0-9a-f]{16}$/.test(digest);
}

function isNack(value: unknown): value is Nack {
	if (!isObject(value)) return false;
	const refused = value['refused'];
	return Array.isArray(refused) && refused.every((pair) => isTextList(pair) && pair.length === 2);
}

function isTextList(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isCount(value: unknown): value is number {
	return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
