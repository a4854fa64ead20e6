import type { RelaySocket } from './relay-socket.ts';
import { LITTLE_BYTES, type Unread, type UnreadLine } from './unread.ts';

/** What a piece weighs beside its bytes while it waits for the rest of its message, however short it is. */
const PIECE_BYTES = 256;
/** Of a ping or pong beside what it says: it stands between the pieces, and is heard at once. */
const CONTROL_BYTES = 6;

/**
 * RELAY-95. Counts what a socket was told of a message that does not end: until it does nobody hears of it, so
 * no other limit holds it. `scope` is the business or person whose it is.
 */
export function watchUnfinished(socket: RelaySocket, scope: string, unfinished: Unread): void {
	let bytes = 0;
	let pieces = 0;
	let line: UnreadLine | undefined;
	const weight = (): number => bytes + pieces * PIECE_BYTES;
	const count = (last: number): void => {
		bytes = Math.max(0, last);
		if (bytes === 0) pieces = 0;
	};
	// Before the socket itself has it: what ends a message is none of the next.
	socket.line?.prependListener('data', ({ byteLength }: Uint8Array) => {
		pieces += 1;
		count(bytes + byteLength);
		// Most sockets never come here, and an idle one is to take little.
		if (weight() > LITTLE_BYTES) unfinished.sent((line ??= lineOf(socket, scope, weight)));
	});
	const heard = (said: Uint8Array): void => {
		count(bytes - said.byteLength - CONTROL_BYTES);
	};
	socket.on('ping', heard);
	socket.on('pong', heard);
	socket.on('message', () => {
		count(0);
	});
}

function lineOf(socket: RelaySocket, scope: string, weight: () => number): UnreadLine {
	let isGone = false;
	socket.on('close', () => {
		isGone = true;
	});
	return {
		caller: { scope },
		unreadBytes: () => (isGone ? 0 : weight()),
		cut: () => {
			socket.terminate();
		}
	};
}
