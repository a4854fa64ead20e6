import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';

/**
 * Packing in the thread itself: the machine's own does it in others, which are done when they are done,
 * and a run would not be the same twice. Answers how to give it back.
 */
export function takePacking(): () => void {
	const { Blob, CompressionStream } = globalThis;
	const { gunzip } = zlib;
	globalThis.Blob = TextBlob as unknown as typeof Blob;
	globalThis.CompressionStream = GzipStream as unknown as typeof CompressionStream;
	Object.assign(zlib, { gunzip: unpack });
	syncBuiltinESMExports();
	return () => {
		globalThis.Blob = Blob;
		globalThis.CompressionStream = CompressionStream;
		Object.assign(zlib, { gunzip });
		syncBuiltinESMExports();
	};
}

/** As much of a `Blob` of texts as is streamed. */
class TextBlob {
	readonly #text: string;

	constructor(texts: readonly string[]) {
		this.#text = texts.join('');
	}

	stream(): ReadableStream<Uint8Array> {
		const bytes = new TextEncoder().encode(this.#text);
		return new ReadableStream({
			start(controller) {
				controller.enqueue(bytes);
				controller.close();
			}
		});
	}
}

/** As much of a `CompressionStream` as packs what is piped through it. */
class GzipStream extends TransformStream<Uint8Array, Uint8Array> {
	constructor() {
		const pieces: Uint8Array[] = [];
		super({
			transform(piece) {
				pieces.push(piece);
			},
			flush(controller) {
				controller.enqueue(new Uint8Array(zlib.gzipSync(Buffer.concat(pieces))));
			}
		});
	}
}

type Unpacked = (fault: Error | null, plain: Buffer) => void;

function unpack(packed: Buffer, options: zlib.ZlibOptions, told: Unpacked): void {
	try {
		told(null, zlib.gunzipSync(packed, options));
	} catch (fault) {
		told(fault instanceof Error ? fault : new Error(String(fault)), Buffer.alloc(0));
	}
}
