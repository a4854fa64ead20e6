import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { encodeBase64url } from '#domain/bytes.ts';
import { parseUpdate } from '#server/relay/update-parser.ts';
import {
	decodeHave,
	decodeHello,
	EMPTY_UPDATE,
	encodeStep1,
	encodeStep2,
	encodeUpdate,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK,
	MESSAGE_SYNC
} from '#sync/frames.ts';
import type { ServerName } from './server.ts';

/** Facts from one number to another, both inside. */
export type Span = readonly [from: number, to: number];

/** What one device hears on one document. */
export interface Heard {
	/** The server said that these facts of the device are kept, in whatever way it means it. */
	readonly acknowledged?: (span: Span) => void;
	/** What somebody wrote, or what the document held. */
	readonly update?: (update: Uint8Array) => void;
	/** The server told what it has of each Yjs client, and waits for the rest. */
	readonly asked?: (stateVector: ReadonlyMap<number, number>) => void;
	/** Ours alone: where the feed is. */
	readonly hello?: (s: number) => void;
	readonly closed?: (code: number) => void;
}

export interface LineParts {
	readonly server: ServerName;
	readonly port: number;
	readonly document: string;
	/** What ours wants to see first. */
	readonly ticket?: string;
	/** What the device has already. */
	readonly stateVector?: ReadonlyMap<number, number>;
	/** Whether it says so in the address already, as ours does; the others know no such thing. */
	readonly isAhead?: boolean;
	readonly heard: Heard;
}

/** A device's socket on one document: the same messages for each server, framed as it wants them. */
export interface Line {
	/** The server's step 2 is in. */
	readonly synced: Promise<void>;
	/** Sends an update with these facts of the device. */
	send(update: Uint8Array, span: Span): void;
	readonly isOpen: boolean;
	close(): void;
}

const STEP_1 = 0;
const STEP_2 = 1;
const HOCUSPOCUS_AUTH = 2;
const HOCUSPOCUS_SYNC_REPLY = 4;
const HOCUSPOCUS_SYNC_STATUS = 8;
const HOCUSPOCUS_VERSION = '4.7.0';
const NOTHING: Span = [1, 0];

/** Opens at once and says what the stock client says: step 1, and an answer to the server's. */
export function openLine({ server, port, document, ...parts }: LineParts): Line {
	const { heard, ticket = '', stateVector = new Map<number, number>() } = parts;
	const step1 = encodeStep1(stateVector);
	const ahead = parts.isAhead === true ? `&ahead=${encodeBase64url(step1)}` : '';
	const paths = {
		daftar: `/sync/${document}?ticket=${ticket}${ahead}`,
		yWebsocket: `/${document}`,
		hocuspocus: '/'
	};
	const socket = new WebSocket(`ws://127.0.0.1:${String(port)}${paths[server]}`, {
		perMessageDeflate: false
	});
	const address = server === 'hocuspocus' ? varString(document) : new Uint8Array();
	const say = (frame: Uint8Array): void => {
		if (socket.readyState !== WebSocket.OPEN) return;
		socket.send(address.byteLength === 0 ? frame : Buffer.concat([address, frame]));
	};
	/** Hocuspocus answers each update in order, and does not say which. */
	const unanswered: Span[] = [];
	const { promise: synced, resolve, reject } = Promise.withResolvers<undefined>();
	synced.catch(() => undefined);

	socket.on('open', () => {
		if (server === 'hocuspocus') say(authentication());
		say(step1);
	});
	socket.on('message', (data: Buffer) => {
		const decoder = decoding.createDecoder(data);
		if (server === 'hocuspocus') decoding.readVarString(decoder);
		const type = decoding.readVarUint(decoder);
		if (type === MESSAGE_SYNC || type === HOCUSPOCUS_SYNC_REPLY) hearSync(decoder);
		else if (server === 'daftar') hearOurs(type, decoder);
		else if (type === HOCUSPOCUS_SYNC_STATUS) {
			const isTaken = decoding.readVarUint(decoder) === 1;
			const span = unanswered.shift() ?? NOTHING;
			if (isTaken) heard.acknowledged?.(span);
		}
	});
	socket.on('error', () => undefined);
	socket.on('close', (code: number) => {
		reject(new Error(`closed with ${String(code)}`));
		heard.closed?.(code);
	});

	function hearSync(decoder: decoding.Decoder): void {
		const step = decoding.readVarUint(decoder);
		const payload = decoding.readVarUint8Array(decoder);
		if (step === STEP_1) {
			unanswered.push(NOTHING);
			say(encodeStep2(EMPTY_UPDATE));
			if (heard.asked !== undefined) heard.asked(readStateVector(payload));
			return;
		}
		heard.update?.(payload);
		if (step === STEP_2) resolve(undefined);
	}

	function hearOurs(type: number, decoder: decoding.Decoder): void {
		if (type === MESSAGE_NACK) throw new Error(`refused: ${decoding.readVarString(decoder)}`);
		if (type === MESSAGE_HELLO) {
			heard.hello?.(decodeHello(decoding.readVarString(decoder))?.s ?? 0);
		} else if (type === MESSAGE_HAVE && heard.acknowledged !== undefined) {
			const have = decodeHave(decoding.readVarString(decoder));
			for (const [from, to] of have?.ranges ?? []) heard.acknowledged([from, to]);
		}
	}

	return {
		synced,
		send: (update, span) => {
			unanswered.push(span);
			say(encodeUpdate(update));
		},
		get isOpen() {
			return socket.readyState === WebSocket.OPEN;
		},
		close: () => {
			socket.terminate();
		}
	};
}

/** How far an update brings each of the Yjs clients in it: the clock after its last item. */
export function clocksAfter(update: Uint8Array): ReadonlyMap<number, number> {
	const parsed = parseUpdate(update);
	if (parsed.ok) return new Map(parsed.value.items.map(({ client, clock }) => [client, clock + 1]));
	// Where a server merges updates with one that it still waits for, there is a gap in between.
	const items = Y.decodeUpdate(update).structs.filter((struct) => !(struct instanceof Y.Skip));
	return new Map(items.map(({ id, length }) => [id.client, id.clock + length]));
}

function readStateVector(bytes: Uint8Array): ReadonlyMap<number, number> {
	const decoder = decoding.createDecoder(bytes);
	const length = decoding.readVarUint(decoder);
	return new Map(
		Array.from({ length }, () => [decoding.readVarUint(decoder), decoding.readVarUint(decoder)])
	);
}

function authentication(): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, HOCUSPOCUS_AUTH);
	encoding.writeVarUint(encoder, 0);
	encoding.writeVarString(encoder, 'anybody');
	encoding.writeVarString(encoder, HOCUSPOCUS_VERSION);
	return encoding.toUint8Array(encoder);
}

function varString(text: string): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarString(encoder, text);
	return encoding.toUint8Array(encoder);
}
