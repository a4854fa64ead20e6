import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { Awareness } from 'y-protocols/awareness';
import { writeSyncStep1 } from 'y-protocols/sync';
import { WebsocketProvider } from 'y-websocket';
import type { Doc } from 'yjs';
import { encodeBase64url } from '#domain/bytes.ts';
import {
	decodeFeedNews,
	decodeHave,
	decodeHello,
	decodeNack,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK,
	MESSAGE_SYNC,
	type FeedNews,
	type Have,
	type Hello,
	type Nack
} from '#sync/frames.ts';
import { createTicketSocket, type TicketAnswer } from '#sync/ticket-socket.ts';
import {
	createUploadPace,
	type PaceTimers,
	type UploadLane,
	type UploadPace
} from '#sync/upload-pace.ts';

/** What a document hears from the relay. */
export interface ProviderEvents {
	hello(hello: Hello): void;
	have(have: Have): void;
	nack(nack: Nack): void;
	feed(news: FeedNews): void;
	/** The relay's state is in, on every connection anew. */
	synced(): void;
	/** The socket ended; nothing tries again until `connect`. */
	closed(code: number): void;
}

/** The line of one document to the relay. */
export interface RelayProvider {
	connect(): void;
	/** Whether something is still on its way up, or waits for its turn behind other documents. */
	isSending(): boolean;
	close(): void;
}

export type CreateProvider = (name: string, doc: Doc, events: ProviderEvents) => RelayProvider;

export interface WebsocketProviderParts {
	/** `ws://` or `wss://` and the host, without a path. */
	readonly origin: string;
	readonly WebSocket: typeof WebSocket;
	readonly getTicket: (document: string) => Promise<TicketAnswer>;
	/** By which the device's facts are named: of these alone it hears that they are there. */
	readonly code?: () => string;
	/** By which uploads are paced; the platform's where none are given. */
	readonly timers?: PaceTimers;
	readonly clock?: () => number;
}

const CLOSE_LOST = 1006;

/**
 * The stock provider, with our own messages read before it connects. Its own clock for trying again
 * is put out of work: every close ends here, and who asked for the line decides when to try.
 */
export function createWebsocketProviders(parts: WebsocketProviderParts): CreateProvider {
	const socket = createTicketSocket(parts);
	const { timers = platformTimers, clock = () => performance.now() } = parts;
	// One for all documents: they share the line.
	const pace = createUploadPace({ timers, clock, code: parts.code });
	return (name, doc, events) => {
		const upload = createUpload(socket, pace);
		const awareness = new Awareness(doc);
		awareness.setLocalState(null);
		const provider = new WebsocketProvider(`${parts.origin}/sync`, name, doc, {
			connect: false,
			awareness,
			disableBc: true,
			WebSocketPolyfill: upload.Socket,
			shouldReconnect: () => false
		});
		listen(provider, upload.heard(events));
		provider.on('connection-close', () => {
			upload.close();
		});
		return {
			connect: () => {
				provider.params = aheadOf(doc);
				provider.connect();
			},
			isSending: () => upload.isSending(),
			close: () => {
				// It takes leave under the document's client, which Yjs changes where somebody else uses it.
				awareness.meta.set(doc.clientID, { clock: 0, lastUpdated: 0 });
				provider.destroy();
				awareness.destroy();
			}
		};
	};
}

/** Many clients wrote into the document: then its step 1 waits until the socket is open. */
const AHEAD_BYTES_MAX = 1_024;

/** SYNC-11. The step 1 that the provider will say, for the address: a round trip saved on every line. */
function aheadOf(doc: Doc): Record<string, string> {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, MESSAGE_SYNC);
	writeSyncStep1(encoder, doc);
	const bytes = encoding.toUint8Array(encoder);
	return bytes.length > AHEAD_BYTES_MAX ? {} : { ahead: encodeBase64url(bytes) };
}

/** What one document sends, over one socket after the other. */
interface Upload {
	/** The platform's, but what it is given to send takes its turn. */
	readonly Socket: typeof WebSocket;
	/** The same events, heard for the answers in them. */
	heard(events: ProviderEvents): ProviderEvents;
	isSending(): boolean;
	close(): void;
}

function createUpload(Socket: typeof WebSocket, pace: UploadPace): Upload {
	let lane: UploadLane | undefined;
	function openPaced(address: string | URL, protocols?: string | string[]): WebSocket {
		const socket = new Socket(address, protocols);
		const sendNow = socket.send.bind(socket);
		lane?.close();
		const own = pace.open((frame) => {
			// Of a buffer of its own, as a socket's type asks for.
			sendNow(new Uint8Array(frame));
		});
		lane = own;
		socket.send = (data) => {
			if (data instanceof Uint8Array) own.send(data);
			else sendNow(data);
		};
		return socket;
	}
	return {
		// A function that returns an object is a constructor; the provider uses no more of it than `new`.
		Socket: openPaced as unknown as typeof WebSocket,
		heard: (events) => ({
			...events,
			have: (have) => {
				lane?.have(have.ranges);
				events.have(have);
			},
			nack: (nack) => {
				lane?.answered();
				events.nack(nack);
			}
		}),
		isSending: () => lane?.isBusy() === true,
		close: () => {
			lane?.close();
			lane = undefined;
		}
	};
}

const platformTimers: PaceTimers = {
	after: (ms, work) => {
		const timer = setTimeout(work, ms);
		return () => {
			clearTimeout(timer);
		};
	}
};

function listen(provider: WebsocketProvider, events: ProviderEvents): void {
	const own = <T>(
		type: number,
		decode: (json: string) => T | undefined,
		tell: (of: T) => void
	): void => {
		provider.messageHandlers[type] = (_encoder, decoder) => {
			const message = decode(decoding.readVarString(decoder));
			if (message !== undefined) tell(message);
		};
	};
	own(MESSAGE_HELLO, decodeHello, (hello) => {
		events.hello(hello);
	});
	own(MESSAGE_HAVE, decodeHave, (have) => {
		events.have(have);
	});
	own(MESSAGE_NACK, decodeNack, (nack) => {
		events.nack(nack);
	});
	own(MESSAGE_FEED, decodeFeedNews, (news) => {
		events.feed(news);
	});
	provider.on('sync', (isSynced: boolean) => {
		if (isSynced) events.synced();
	});
	provider.on('closed', ({ code }: { readonly code: number }) => {
		events.closed(code === 0 ? CLOSE_LOST : code);
	});
}
