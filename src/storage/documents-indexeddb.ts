import { clearDocument, IndexeddbPersistence } from 'y-indexeddb';
import {
	createDocument,
	type DocumentsHost,
	type OpenDocument,
	type Random
} from './documents-host.ts';

interface Persisted {
	readonly opened: OpenDocument;
	readonly persistence: IndexeddbPersistence;
}

const PREFIX = 'daftar-document:';
const LOAD_MAX_MS = 4_000;

/**
 * Documents in IndexedDB, a database for each. y-indexeddb swallows its errors, so a load that does
 * not end is given up after `LOAD_MAX_MS`: the journal puts back what the document should have held.
 * Two books of one business, a device's and its heir's, keep theirs apart by `book`.
 */
export function createIndexeddbDocumentsHost(random: Random, book = ''): DocumentsHost {
	const open = new Map<string, Promise<Persisted>>();
	const prefix = book === '' ? PREFIX : `${PREFIX}${book}:`;

	async function end(name: string): Promise<void> {
		const held = open.get(name);
		open.delete(name);
		if (held === undefined) return;
		const { opened, persistence } = await held;
		await persistence.destroy();
		opened.doc.destroy();
	}

	return {
		open: async (name) => {
			const held = open.get(name) ?? load(name, random, prefix);
			open.set(name, held);
			return (await held).opened;
		},
		close: end,
		drop: async (name) => {
			await end(name);
			await clearDocument(`${prefix}${name}`);
		}
	};
}

async function load(name: string, random: Random, prefix: string): Promise<Persisted> {
	const doc = createDocument(random);
	const persistence = new IndexeddbPersistence(`${prefix}${name}`, doc);
	await settledWithin(LOAD_MAX_MS, persistence.whenSynced);
	return { opened: { name, doc }, persistence };
}

function settledWithin(ms: number, loaded: Promise<unknown>): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		void loaded.then(() => {
			clearTimeout(timer);
			resolve();
		});
	});
}
