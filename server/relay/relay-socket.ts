import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';

/** As much of a server's socket as the relay uses: one of `ws`, or another that keeps its order. */
export interface RelaySocket {
	readonly OPEN: number;
	readonly readyState: number;
	/** Bytes that wait for the reader. */
	readonly bufferedAmount: number;
	/** `sent` is called when the frame has left, or with the fault that kept it. */
	send(frame: Uint8Array, sent?: (fault?: Error) => void): void;
	ping(): void;
	/** Stops reading what the other side says, where it can be held back, and goes on. */
	pause?(): void;
	resume?(): void;
	/** Whether it is held back: then no sign of life can be heard either. */
	readonly isPaused?: boolean;
	/** What it reads from and writes to, where that can hold writes back and send them as one. */
	readonly line?: Pick<Duplex, 'cork' | 'uncork' | 'prependListener'>;
	close(code: number, reason: string): void;
	/** Ends at once, with no closing words. */
	terminate(): void;
	on(event: 'message', heard: (data: RawData, isBinary: boolean) => void): unknown;
	on(event: 'ping' | 'pong', heard: (said: Uint8Array) => void): unknown;
	on(event: 'close' | 'error', heard: () => void): unknown;
}
