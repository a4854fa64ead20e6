import { DEVICE_SOCKETS_MAX, PENDING_BYTES_MAX, PENDING_BYTES_PAUSE } from '#sync/limits.ts';
import { deviceKey, type Device } from './submission.ts';
import type { RelaySocket } from './relay-socket.ts';

/**
 * RELAY-52. What devices have open and under way at this relay, by which each is held back for
 * itself; and who has most of it, while all together have too much.
 */
export interface Intake {
	/** Lets a device's socket in; undefined where it has as many as it may. */
	enter(device: Device, socket: HeldSocket): Place | undefined;
}

type HeldSocket = Pick<RelaySocket, 'pause' | 'resume'>;

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

/** What a message weighs while it waits, however short it is: measured some 850 bytes. */
export const MESSAGE_BYTES = 1024;
/** Received and not yet decided, of all devices: in memory it is several times that. */
export const ALL_BYTES_PAUSE = 64 * 1024 * 1024;
/** Who has no more than this under way never waits for what others have: a till sells on. */
export const LITTLE_BYTES = 256 * 1024;

interface Held {
	readonly sockets: Set<HeldSocket>;
	bytes: number;
	isPaused: boolean;
}

interface Roof {
	/** Of all devices. */
	bytes: number;
	/** Those that have more than a little under way. */
	readonly large: Set<Held>;
}

export function createIntake(): Intake {
	const heldByDevice = new Map<string, Held>();
	const roof: Roof = { bytes: 0, large: new Set() };
	return {
		enter: (device, socket) => {
			const key = deviceKey(device);
			const held = heldByDevice.get(key) ?? { sockets: new Set(), bytes: 0, isPaused: false };
			if (held.sockets.size >= DEVICE_SOCKETS_MAX) return undefined;
			heldByDevice.set(key, held);
			held.sockets.add(socket);
			if (held.isPaused) socket.pause?.();
			return {
				take: (messageBytes) => takeBytes(roof, held, messageBytes + MESSAGE_BYTES),
				leave: () => {
					held.sockets.delete(socket);
					if (held.sockets.size === 0) heldByDevice.delete(key);
				}
			};
		}
	};
}

function takeBytes(roof: Roof, held: Held, bytes: number): (() => void) | undefined {
	if (held.bytes + bytes > PENDING_BYTES_MAX) return undefined;
	move(roof, held, bytes);
	if (held.bytes > PENDING_BYTES_PAUSE) pause(held);
	else if (roof.bytes > ALL_BYTES_PAUSE) pauseLargest(roof);
	return () => {
		move(roof, held, -bytes);
		if (roof.bytes <= ALL_BYTES_PAUSE / 2) for (const large of roof.large) resume(large);
		if (held.bytes <= LITTLE_BYTES) resume(held);
	};
}

function move(roof: Roof, held: Held, bytes: number): void {
	roof.bytes += bytes;
	held.bytes += bytes;
	if (held.bytes > LITTLE_BYTES) roof.large.add(held);
	else roof.large.delete(held);
}

/** One at a time: the others may be enough. */
function pauseLargest({ large }: Roof): void {
	let largest: Held | undefined;
	for (const held of large) {
		if (!held.isPaused && held.bytes > (largest?.bytes ?? 0)) largest = held;
	}
	if (largest !== undefined) pause(largest);
}

function pause(held: Held): void {
	if (held.isPaused) return;
	held.isPaused = true;
	for (const socket of held.sockets) socket.pause?.();
}

/** Who was held back for itself waits until it has half of what it may. */
function resume(held: Held): void {
	if (!held.isPaused || held.bytes > PENDING_BYTES_PAUSE / 2) return;
	held.isPaused = false;
	for (const socket of held.sockets) socket.resume?.();
}
