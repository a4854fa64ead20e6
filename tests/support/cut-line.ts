import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A line to a port of this machine, over TCP, that can be cut at any byte. */
export interface CutLine {
	readonly port: number;
	/** Bytes that went up since the line was last cut. */
	readonly upBytes: number;
	/** How often it was cut. */
	readonly cuts: number;
	/** Cuts every connection once so many bytes more have gone up; what is behind them gets lost. */
	cutAfter(bytes: number): void;
	close(): Promise<void>;
}

export async function createCutLine(toPort: number, cut: () => void): Promise<CutLine> {
	const pairs = new Set<readonly [Socket, Socket]>();
	let upBytes = 0;
	let cuts = 0;
	let left = Number.POSITIVE_INFINITY;

	function cutAll(): void {
		cuts += 1;
		upBytes = 0;
		left = Number.POSITIVE_INFINITY;
		for (const [near, far] of pairs) {
			near.destroy();
			// What went before the cut arrives all the same.
			far.end();
		}
		pairs.clear();
		cut();
	}

	const server = createServer((near) => {
		const far = connect(toPort, '127.0.0.1');
		const pair = [near, far] as const;
		pairs.add(pair);
		for (const socket of pair) {
			socket.on('error', () => undefined);
			socket.on('close', () => {
				near.destroy();
				far.destroy();
				pairs.delete(pair);
			});
		}
		far.on('data', (bytes) => near.write(bytes));
		near.on('data', (bytes) => {
			const passing = bytes.subarray(0, left);
			far.write(passing);
			upBytes += passing.byteLength;
			left -= passing.byteLength;
			if (left <= 0) cutAll();
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		port: (server.address() as AddressInfo).port,
		get upBytes() {
			return upBytes;
		},
		get cuts() {
			return cuts;
		},
		cutAfter: (bytes) => {
			left = bytes;
		},
		close: async () => {
			const closed = once(server, 'close');
			server.close();
			for (const pair of pairs) for (const socket of pair) socket.destroy();
			await closed;
		}
	};
}
