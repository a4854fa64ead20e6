import type { WebSocket } from 'ws';
import type { Caller } from '#server/auth/phone-auth.ts';
import { CLOSE, type CloseCode } from '#sync/close-code.ts';
import { BUFFERED_BYTES_CLOSE, BUFFERED_BYTES_PAUSE } from '#sync/limits.ts';
import type { Room } from './room.ts';

/** One device's socket on one document. */
export interface Connection {
	readonly caller: Caller;
	readonly room: Room;
	readonly isOpen: boolean;
	/** Whether we closed it: what it still says is not heard. */
	readonly isEnded: boolean;
	/** Sends now; a reader that lets too much pile up is closed. */
	send(frame: Uint8Array): void;
	/** Sends and resolves once the frame has left, so that a long state goes at the reader's pace. */
	sendPaced(frame: Uint8Array): Promise<void>;
	/** Whether more may be pushed. */
	hasRoom(): boolean;
	close(code: CloseCode, reason: string): void;
	/** Asks for a sign of life; who gave none since the last time is cut off. */
	beat(): void;
	/** Where the reader is in the document's updates; see `Delivery`. */
	readonly reading: Reading;
}

/** What a reader has been told of the document. */
export interface Reading {
	/** The last stored update that was sent, or that it had. */
	sequence: number;
	/** What it said it has; undefined until it asks, and until then it is told nothing. */
	stateVector: ReadonlyMap<number, number> | undefined;
	/** Whether somebody is sending it stored updates; then new ones wait their turn. */
	isCatchingUp: boolean;
}

export interface ConnectionParts {
	readonly caller: Caller;
	readonly room: Room;
	readonly socket: WebSocket;
}

export function createConnection({ caller, room, socket }: ConnectionParts): Connection {
	const isOpen = (): boolean => socket.readyState === socket.OPEN;
	let isEnded = false;
	let isAlive = true;
	const close = (code: CloseCode, reason: string): void => {
		isEnded = true;
		socket.close(code, reason);
	};
	const tooSlow = (): boolean => {
		if (socket.bufferedAmount <= BUFFERED_BYTES_CLOSE) return false;
		close(CLOSE.tryLater, 'too slow');
		return true;
	};
	socket.on('pong', () => {
		isAlive = true;
	});
	return {
		caller,
		room,
		get isOpen() {
			return isOpen();
		},
		get isEnded() {
			return isEnded;
		},
		send: (frame) => {
			if (isOpen() && !tooSlow()) socket.send(frame);
		},
		sendPaced: (frame) =>
			new Promise((resolve) => {
				// Called with an error where the socket has closed meanwhile; the reader is gone then.
				if (isOpen() && !tooSlow()) {
					socket.send(frame, () => {
						resolve();
					});
				} else resolve();
			}),
		hasRoom: () => socket.bufferedAmount <= BUFFERED_BYTES_PAUSE,
		close,
		beat: () => {
			if (!isAlive) socket.terminate();
			isAlive = false;
			if (isOpen()) socket.ping();
		},
		reading: { sequence: 0, stateVector: undefined, isCatchingUp: false }
	};
}
