import { connect } from 'node:net';
import { createForwarder } from './forwarder.ts';

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
	let upBytes = 0;
	let cuts = 0;
	let left = Number.POSITIVE_INFINITY;

	function cutAll(): void {
		cuts += 1;
		upBytes = 0;
		left = Number.POSITIVE_INFINITY;
		for (const [near, far] of forwarder.pairs) {
			near.destroy();
			// What went before the cut arrives all the same.
			far.end();
		}
		cut();
	}

	const forwarder = await createForwarder({
		connectFar: () => connect(toPort, '127.0.0.1'),
		up: (far, bytes) => {
			const passing = bytes.subarray(0, left);
			far.write(passing);
			upBytes += passing.byteLength;
			left -= passing.byteLength;
			if (left <= 0) cutAll();
		},
		down: (near, bytes) => near.write(bytes)
	});
	return {
		port: forwarder.port,
		get upBytes() {
			return upBytes;
		},
		get cuts() {
			return cuts;
		},
		cutAfter: (bytes) => {
			left = bytes;
		},
		close: forwarder.close
	};
}
