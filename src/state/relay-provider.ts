import * as decoding from 'lib0/decoding';
import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import type { Doc } from 'yjs';
import {
	decodeFeedNews,
	decodeHave,
	decodeHello,
	decodeNack,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK,
	type FeedNews,
	type Have,
	type Hello,
	type Nack
} from '#sync/frames.ts';
import { createTicketSocket, type TicketAnswer } from '#sync/ticket-socket.ts';

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
	close(): void;
}

export type CreateProvider = (name: string, doc: Doc, events: ProviderEvents) => RelayProvider;

export interface WebsocketProviderParts {
	/** `ws://` or `wss://` and the host, without a path. */
	readonly origin: string;
	readonly WebSocket: typeof WebSocket;
	readonly getTicket: (document: string) => Promise<TicketAnswer>;
}

const CLOSE_LOST = 1006;
const BACKOFF_MS_MAX = 30_000;

/**
 * The stock provider, with our own messages read before it connects. Its own clock for trying again
 * is put out of work: every close ends here, and who asked for the line decides when to try.
 */
export function createWebsocketProviders(parts: WebsocketProviderParts): CreateProvider {
	const socket = createTicketSocket(parts);
	return (name, doc, events) => {
		const awareness = new Awareness(doc);
		awareness.setLocalState(null);
		const provider = new WebsocketProvider(`${parts.origin}/sync`, name, doc, {
			connect: false,
			awareness,
			disableBc: true,
			WebSocketPolyfill: socket,
			maxBackoffTime: BACKOFF_MS_MAX,
			shouldReconnect: () => false
		});
		listen(provider, events);
		return {
			connect: () => {
				provider.connect();
			},
			close: () => {
				provider.destroy();
				awareness.destroy();
			}
		};
	};
}

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
