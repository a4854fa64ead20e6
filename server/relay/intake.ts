import { DEVICE_SOCKETS_MAX, PENDING_BYTES_MAX, PENDING_BYTES_PAUSE } from '#sync/limits.ts';
import { deviceKey, type Device } from './submission.ts';
import type { RelaySocket } from './relay-socket.ts';

/** RELAY-52. What devices have open and under way at this relay, by which each is held back for itself. */
export interface Intake {
	/** Lets a device's socket in; undefined where it has as many as it may. */
	enter(device: Device, socket: Pick<RelaySocket, 'pause' | 'resume'>): Place | undefined;
}

/** The place of one socket. */
export interface Place {
	/**
	 * Counts a message of so many bytes that came in, and what it weighs beside them, until what it
	 * answers with is called, once; undefined where too much is under way. Above a limit no socket of
	 * the device is read from until less is.
	 */
	readonly take: (messageBytes: number) => (() => void) | undefined;
	readonly leave: () => void;
}

interface Held {
	readonly sockets: Set<Pick<RelaySocket, 'pause' | 'resume'>>;
	bytes: number;
	isPaused: boolean;
}

/** What a message weighs while it waits, however short it is: measured some 850 bytes. */
export const MESSAGE_BYTES = 1024;

export function createIntake(): Intake {
	const heldByDevice = new Map<string, Held>();
	return {
		enter: (device, socket) => {
			const key = deviceKey(device);
			const held = heldByDevice.get(key) ?? { sockets: new Set(), bytes: 0, isPaused: false };
			if (held.sockets.size >= DEVICE_SOCKETS_MAX) return undefined;
			heldByDevice.set(key, held);
			held.sockets.add(socket);
			if (held.isPaused) socket.pause?.();
			return {
				take: (messageBytes) => takeBytes(held, messageBytes + MESSAGE_BYTES),
				leave: () => {
					held.sockets.delete(socket);
					if (held.sockets.size === 0) heldByDevice.delete(key);
				}
			};
		}
	};
}

function takeBytes(held: Held, bytes: number): (() => void) | undefined {
	if (held.bytes + bytes > PENDING_BYTES_MAX) return undefined;
	held.bytes += bytes;
	if (!held.isPaused && held.bytes > PENDING_BYTES_PAUSE) {
		held.isPaused = true;
		for (const socket of held.sockets) socket.pause?.();
	}
	return () => {
		held.bytes -= bytes;
		if (!held.isPaused || held.bytes > PENDING_BYTES_PAUSE / 2) return;
		held.isPaused = false;
		for (const socket of held.sockets) socket.resume?.();
	};
}
