import type { RelaySocket } from './relay-socket.ts';
import { NOTED_BYTES, type Unread, type UnreadLine } from './unread.ts';

/** What a piece weighs beside its bytes while it waits for the rest of its message, however short it is. */
const PIECE_BYTES = 256;
/** Of a ping or pong beside what it says: it stands between the pieces, and is heard at once. */
const CONTROL_BYTES = 6;

/**
 * RELAY-95. Counts what a socket was told of a message that does not end: until it does nobody hears of it, so
 * no other limit holds it. `scope` is the business or person whose it is.
 */
export function watchUnfinished(socket: RelaySocket, scope: string, unfinished: Unread): void {
	const said: Said = { bytes: 0, pieces: 0 };
	let line: UnreadLine | undefined;
	// Before the socket itself has it: what ends a message is none of the next.
	socket.line?.prependListener('data', ({ byteLength }: Uint8Array) => {
		said.pieces += 1;
		said.bytes += byteLength;
		// Most sockets never come here, and an idle one is to take little.
		if (weightOf(said) <= NOTED_BYTES) return;
		line ??= lineOf(socket, { scope, said, unfinished });
		unfinished.sent(line);
	});
	const heard = ({ byteLength }: Uint8Array): void => {
		said.bytes = Math.max(0, said.bytes - byteLength - CONTROL_BYTES);
		if (said.bytes === 0) said.pieces = 0;
	};
	socket.on('ping', heard);
	socket.on('pong', heard);
	socket.on('message', () => {
		said.bytes = 0;
		said.pieces = 0;
	});
}

/** Since the last message was whole. */
interface Said {
	bytes: number;
	pieces: number;
}

function weightOf({ bytes, pieces }: Said): number {
	return bytes + pieces * PIECE_BYTES;
}

interface Watched {
	readonly scope: string;
	readonly said: Said;
	readonly unfinished: Unread;
}

function lineOf(socket: RelaySocket, { scope, said, unfinished }: Watched): UnreadLine {
	let isGone = false;
	socket.on('close', () => {
		isGone = true;
		unfinished.sent(line);
	});
	const line = {
		caller: { scope },
		unreadBytes: () => (isGone ? 0 : weightOf(said)),
		cut: () => {
			isGone = true;
			socket.terminate();
		}
	};
	return line;
}
