import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** How slow a line is. */
export interface LineSpeed {
	/** Each way, of all connections together. */
	readonly bytesASecond: number;
	readonly roundTripMs: number;
}

/** A line between a browser and a server on this machine, as quick as the machine or as slow as told. */
export interface Line extends AsyncDisposable {
	readonly port: number;
	/** Undefined: as quick as it can be. */
	setSpeed(speed: LineSpeed | undefined): void;
	/** What has come down to the browser since the line was made. */
	readonly bytesDown: number;
}

const PACKET_BYTES = 1_460;
/** Beyond it the sender is told to wait, as a full window tells it. */
const WAITING_BYTES_MAX = 65_536;

/** Opens a line to a port of this machine: delay and rate are those of the bytes, whatever they carry. */
export async function openLine(to: number): Promise<Line> {
	const state: LineState = { speed: undefined, freeAt: { up: 0, down: 0 }, bytesDown: 0 };
	const sockets = new Set<Socket>();
	const server = createServer({ pauseOnConnect: true }, (near) => {
		const far = connect(to, '127.0.0.1');
		for (const socket of [near, far]) {
			sockets.add(socket);
			socket.setNoDelay(true);
			socket.once('close', () => sockets.delete(socket));
			socket.on('error', () => {
				near.destroy();
				far.destroy();
			});
		}
		// A connection costs its way there and back before anything is said.
		setTimeout(() => {
			carry({ from: near, to: far, way: 'up' }, state);
			carry({ from: far, to: near, way: 'down' }, state);
			near.resume();
		}, state.speed?.roundTripMs ?? 0);
	});
	await new Promise<void>((resolve) => {
		server.listen(0, 'localhost', resolve);
	});
	const { port } = server.address() as AddressInfo;
	return {
		port,
		setSpeed: (speed) => {
			state.speed = speed;
		},
		get bytesDown() {
			return state.bytesDown;
		},
		[Symbol.asyncDispose]: () =>
			new Promise((resolve) => {
				for (const socket of sockets) socket.destroy();
				server.close(() => {
					resolve();
				});
			})
	};
}

type Way = 'up' | 'down';

interface LineState {
	speed: LineSpeed | undefined;
	/** When the line has sent what it was given, ms. */
	readonly freeAt: Record<Way, number>;
	bytesDown: number;
}

interface Carried {
	readonly from: Socket;
	readonly to: Socket;
	readonly way: Way;
}

function carry({ from, to, way }: Carried, state: LineState): void {
	let waiting = 0;
	const later = (work: () => void, bytes: number): void => {
		const now = performance.now();
		const { bytesASecond = Infinity, roundTripMs = 0 } = state.speed ?? {};
		const sentAt = Math.max(now, state.freeAt[way]) + (bytes / bytesASecond) * 1_000;
		state.freeAt[way] = sentAt;
		const ms = sentAt + roundTripMs / 2 - now;
		if (ms < 1) work();
		else setTimeout(work, ms);
	};
	from.on('data', (data: Buffer) => {
		for (let at = 0; at < data.length; at += PACKET_BYTES) {
			const packet = data.subarray(at, at + PACKET_BYTES);
			waiting += packet.length;
			later(() => {
				waiting -= packet.length;
				if (way === 'down') state.bytesDown += packet.length;
				if (!to.destroyed) to.write(packet);
				if (waiting < WAITING_BYTES_MAX) from.resume();
			}, packet.length);
		}
		if (waiting >= WAITING_BYTES_MAX) from.pause();
	});
	from.on('end', () => {
		later(() => to.end(), 0);
	});
}
