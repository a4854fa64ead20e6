import { CLOSE } from './close-code.ts';

/** What fetching a ticket came to; a rejection means that the relay was not reached. */
export type TicketAnswer =
	| {
			readonly ticket: string;
			/** `{epoch}.{n}`: from which of its own numbers on the device is to hear what is there. */
			readonly from?: string | undefined;
	  }
	/** The relay knows the device and says no: `ticket` sign in anew, `rights` never. */
	| { readonly refused: 'ticket' | 'rights' };

export interface TicketSocketParts {
	/** Fetches a ticket of single use for the document that the address names. */
	readonly getTicket: (document: string) => Promise<TicketAnswer>;
	/** The platform's socket. */
	readonly WebSocket: typeof WebSocket;
	/** The platform's where none are given. */
	readonly timers?: { after(ms: number, work: () => void): () => void };
}

/** A platform may wait for ever for a machine that is gone; a line of seconds opens well before. */
export const OPENING_MS_MAX = 60_000;

const PATH = '/sync/';
const CLOSE_UNREACHED = 1006;
const CLOSE_NORMAL = 1000;

/**
 * SYNC-4. A `WebSocketPolyfill` for the stock provider: each open fetches a ticket first and puts it into
 * the address. A relay that is not reached looks like a socket that failed (the provider tries
 * again); a refused ticket like a final close.
 */
export function createTicketSocket(parts: TicketSocketParts): typeof WebSocket {
	function openTicketSocket(address: string | URL, protocols?: string | string[]): WebSocket {
		return new TicketSocket(parts, String(address), protocols) as unknown as WebSocket;
	}
	// A function that returns an object is a constructor; the provider uses no more of it than `new`.
	return openTicketSocket as unknown as typeof WebSocket;
}

type Listener<Event> = ((event: Event) => void) | null;

/** As much of a `WebSocket` as the stock provider uses. */
class TicketSocket {
	readonly OPEN = 1;
	binaryType: BinaryType = 'arraybuffer';
	onopen: Listener<unknown> = null;
	onmessage: Listener<{ readonly data: unknown }> = null;
	onerror: Listener<unknown> = null;
	onclose: Listener<{ readonly code: number; readonly reason: string }> = null;
	#socket: WebSocket | undefined;
	#isClosed = false;
	#stopWaiting: (() => void) | undefined;

	constructor(parts: TicketSocketParts, address: string, protocols?: string | string[]) {
		parts.getTicket(documentOf(address)).then(
			(answer) => {
				if (this.#isClosed) return;
				if ('refused' in answer) this.#end(CLOSE[answer.refused], answer.refused);
				else this.#open(new parts.WebSocket(withTicket(address, answer), protocols), parts);
			},
			(error: unknown) => {
				this.onerror?.(error);
				this.#end(CLOSE_UNREACHED, 'no ticket');
			}
		);
	}

	get readyState(): number {
		if (this.#isClosed) return 3;
		return this.#socket?.readyState ?? 0;
	}

	get bufferedAmount(): number {
		return this.#socket?.bufferedAmount ?? 0;
	}

	send(bytes: Parameters<WebSocket['send']>[0]): void {
		this.#socket?.send(bytes);
	}

	close(code = CLOSE_NORMAL, reason = ''): void {
		if (this.#socket !== undefined) this.#socket.close(code, reason);
		else this.#end(code, reason);
	}

	#open(socket: WebSocket, { timers = platformTimers }: TicketSocketParts): void {
		this.#socket = socket;
		this.#stopWaiting = timers.after(OPENING_MS_MAX, () => {
			this.#end(CLOSE_UNREACHED, 'not opened');
			socket.close();
		});
		socket.binaryType = this.binaryType;
		socket.onopen = (event) => {
			this.#stopWaiting?.();
			// It may open in the moment in which we gave it up.
			if (!this.#isClosed) this.onopen?.(event);
		};
		socket.onmessage = (event) => this.onmessage?.(event);
		socket.onerror = (event) => this.onerror?.(event);
		socket.onclose = ({ code, reason }) => {
			this.#end(code, reason);
		};
	}

	#end(code: number, reason: string): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#stopWaiting?.();
		this.onclose?.({ code, reason });
	}
}

const platformTimers = {
	after(ms: number, work: () => void): () => void {
		const timer = setTimeout(work, ms);
		return () => {
			clearTimeout(timer);
		};
	}
};

function documentOf(address: string): string {
	const { pathname } = new URL(address);
	const start = pathname.indexOf(PATH);
	return start === -1 ? '' : decodeURIComponent(pathname.slice(start + PATH.length));
}

function withTicket(
	address: string,
	{ ticket, from }: Extract<TicketAnswer, { readonly ticket: string }>
): string {
	const url = new URL(address);
	url.searchParams.set('ticket', ticket);
	if (from !== undefined) url.searchParams.set('from', from);
	return url.href;
}
