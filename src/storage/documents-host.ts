import * as Y from 'yjs';

/** A document that is open on this device, with all that the device kept of it already inside. */
export interface OpenDocument {
	readonly name: string;
	readonly doc: Y.Doc;
}

/** Where documents live on this device. Never the only home of a fact that was not sent. */
export interface DocumentsHost {
	/** The document, loaded. Opening an open one gives the same. */
	open(name: string): Promise<OpenDocument>;
	/** Ends it here; what it holds is kept. */
	close(name: string): Promise<void>;
	/** Ends it and removes what was kept of it. */
	drop(name: string): Promise<void>;
}

/** A source of chance: whole numbers from 0 up to, not including, `limit`. */
export type Random = (limit: number) => number;

const CLIENT_ID_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * A document under a client id of 53 random bits, new for each opening and never kept: of 32-bit ids
 * two devices sooner or later draw the same, and twins lose data.
 */
export function createDocument(random: Random): Y.Doc {
	const doc = new Y.Doc({ gc: true });
	doc.clientID = 1 + random(CLIENT_ID_LIMIT - 1);
	return doc;
}

/** Documents that last as long as the program. */
export function createMemoryDocumentsHost(random: Random): DocumentsHost {
	const open = new Map<string, Y.Doc>();
	const kept = new Map<string, Uint8Array>();

	function end(name: string): Y.Doc | undefined {
		const doc = open.get(name);
		open.delete(name);
		doc?.destroy();
		return doc;
	}

	return {
		open: (name) => {
			const doc = open.get(name) ?? createDocument(random);
			const before = kept.get(name);
			if (!open.has(name) && before !== undefined) Y.applyUpdate(doc, before);
			open.set(name, doc);
			return Promise.resolve({ name, doc });
		},
		close: (name) => {
			const doc = open.get(name);
			if (doc !== undefined) kept.set(name, Y.encodeStateAsUpdate(doc));
			end(name);
			return Promise.resolve();
		},
		drop: (name) => {
			end(name);
			kept.delete(name);
			return Promise.resolve();
		}
	};
}
