import type { Caller } from '#server/auth/phone-auth.ts';
import { CLOSE, type CloseCode } from '#sync/close-code.ts';
import { BUFFERED_BYTES_CLOSE, BUFFERED_BYTES_PAUSE } from '#sync/limits.ts';
import type { RelaySocket } from './relay-socket.ts';
import type { Room } from './room.ts';
import { NOTED_BYTES, type Unread, type UnreadLine } from './unread.ts';

/** One device's socket on one document. */
export interface Connection {
	readonly caller: Caller;
	readonly room: Room;
	/** As it was found when something was last to be sent. */
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
	/** Asks for a sign of life; who gave none since the last time, and was listened to, is cut off. */
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
	readonly socket: RelaySocket;
	/** What all sockets have unread. */
	readonly unread?: Unread;
}

export function createConnection({ caller, room, socket, unread }: ConnectionParts): Connection {
	const gather = createGather(socket.line);
	const look = createPulse(socket);
	const isOpen = (): boolean => {
		connection.isOpen = socket.readyState === socket.OPEN;
		return connection.isOpen;
	};
	const close = (code: CloseCode, reason: string): void => {
		connection.isEnded = true;
		socket.close(code, reason);
	};
	const tooSlow = (): boolean => {
		if (socket.bufferedAmount <= BUFFERED_BYTES_CLOSE) return false;
		close(CLOSE.tryLater, 'too slow');
		return true;
	};
	const note = createNote(socket, { caller, unread, whose: () => connection });
	// Plain fields: an object with getters of its own is slow, and large.
	const connection = {
		caller,
		room,
		isOpen: true,
		isEnded: false,
		send: (frame: Uint8Array): void => {
			if (!isOpen() || tooSlow()) return;
			gather();
			socket.send(frame);
			note();
		},
		sendPaced: (frame: Uint8Array): Promise<void> =>
			new Promise((resolve) => {
				// Called with an error where the socket has closed meanwhile; the reader is gone then.
				if (isOpen() && !tooSlow()) {
					socket.send(frame, () => {
						resolve();
					});
					note();
				} else resolve();
			}),
		hasRoom: () => socket.bufferedAmount <= BUFFERED_BYTES_PAUSE,
		close,
		beat: () => {
			look();
			if (isOpen()) socket.ping();
		},
		reading: { sequence: 0, stateVector: undefined, isCatchingUp: false }
	};
	return connection;
}

/** Cuts off who gave no sign of life since the last time, and was listened to. */
function createPulse(socket: RelaySocket): () => void {
	let isAlive = true;
	const alive = (): void => {
		isAlive = true;
	};
	socket.on('pong', alive);
	// On a slow line a pong stands behind what is being sent; who sends is alive.
	socket.on('message', alive);
	return () => {
		if (!isAlive && socket.isPaused !== true) socket.terminate();
		isAlive = socket.isPaused === true;
	};
}

interface Noted {
	readonly caller: Caller;
	readonly unread: Unread | undefined;
	/** Told that it has ended before it is cut off. */
	readonly whose: () => { isEnded: boolean };
}

/** Most never have so much unread, and an idle socket is to take little. */
function createNote(socket: RelaySocket, noted: Noted): () => void {
	let line: UnreadLine | undefined;
	return () => {
		if (noted.unread === undefined || socket.bufferedAmount <= NOTED_BYTES) return;
		line ??= lineOf(socket, noted);
		noted.unread.sent(line);
	};
}

function lineOf(socket: RelaySocket, { caller, unread, whose }: Noted): UnreadLine {
	let isGone = false;
	socket.on('close', () => {
		isGone = true;
		unread?.sent(line);
	});
	const line = {
		caller,
		unreadBytes: () => (isGone ? 0 : socket.bufferedAmount),
		cut: () => {
			whose().isEnded = true;
			isGone = true;
			socket.terminate();
		}
	};
	return line;
}

/** RELAY-70. What is said in one turn of the loop leaves in one write: after a commit up to three things. */
function createGather(line: RelaySocket['line']): () => void {
	let isGathering = false;
	return () => {
		if (isGathering || line === undefined) return;
		isGathering = true;
		line.cork();
		process.nextTick(() => {
			isGathering = false;
			line.uncork();
		});
	};
}
