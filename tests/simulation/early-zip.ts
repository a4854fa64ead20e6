import { syncBuiltinESMExports } from 'node:module';
import zlib, { gunzipSync, gzipSync, type InputType, type ZlibOptions } from 'node:zlib';

/**
 * To be imported before all else: packing and unpacking is done by other threads of the process, who
 * are ready when they like. Here it is done at once, so that the same seed goes the same way.
 */
type Unpacked = (fault: unknown, bytes?: Buffer) => void;

Object.assign(zlib, {
	gunzip: (bytes: InputType, options: ZlibOptions, unpacked: Unpacked): void => {
		let plain: Buffer;
		try {
			plain = gunzipSync(bytes, options);
		} catch (fault) {
			unpacked(fault);
			return;
		}
		unpacked(null, plain);
	}
});
syncBuiltinESMExports();

/** Holds all that is written and gives it out packed at the end. */
class CompressionAtOnce extends TransformStream<Uint8Array, Uint8Array> {
	constructor() {
		const held: Uint8Array[] = [];
		super({
			transform: (bytes) => {
				held.push(bytes);
			},
			flush: (out) => {
				out.enqueue(new Uint8Array(gzipSync(Buffer.concat(held))));
			}
		});
	}
}

Object.assign(globalThis, { CompressionStream: CompressionAtOnce });
