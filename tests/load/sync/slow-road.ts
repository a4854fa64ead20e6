import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A road of TCP to a port of this machine: slow, or one on which everything is now and then cut. */
export interface Road {
	readonly port: number;
	/** How many bytes went out to the server. */
	readonly bytesOut: () => number;
	/** Cuts every connection, whatever is under way on it. */
	cut(): void;
	close(): Promise<void>;
}

/**
 * Each way takes half of `roundTripMs`. A connection's first bytes wait one round trip more: the
 * handshake of TCP, which ends here and not at the server.
 */
export async function openRoad(toPort: number, roundTripMs = 0): Promise<Road> {
	const sockets = new Set<Socket>();
	let out = 0;

	function join(from: Socket, to: Socket, { firstMs, passed }: Way): void {
		let freeAt = performance.now() + firstMs;
		sockets.add(from);
		from.setNoDelay(true);
		from.on('data', (data) => {
			passed(data.byteLength);
			freeAt = Math.max(freeAt, performance.now());
			if (roundTripMs === 0) to.write(data);
			else setTimeout(() => to.write(data), freeAt + roundTripMs / 2 - performance.now());
		});
		from.on('error', () => undefined);
		from.on('close', () => {
			sockets.delete(from);
			to.destroy();
		});
	}

	const server = createServer((near) => {
		const far = connect(toPort, '127.0.0.1');
		join(near, far, { firstMs: roundTripMs, passed: (bytes) => (out += bytes) });
		join(far, near, { firstMs: 0, passed: () => undefined });
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const cut = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port: (server.address() as AddressInfo).port,
		bytesOut: () => out,
		cut,
		close: async () => {
			const closed = once(server, 'close');
			server.close();
			cut();
			await closed;
		}
	};
}

interface Way {
	readonly firstMs: number;
	readonly passed: (bytes: number) => void;
}
