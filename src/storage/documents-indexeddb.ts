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
const WAIT_MAX_MS = 4_000;

/**
 * Documents in IndexedDB, a database for each. y-indexeddb swallows its errors, so a load or a close
 * that does not end is given up after `WAIT_MAX_MS`: the journal puts back what the document should
 * have held. A removal takes as long as another tab holds the database open.
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
		// A database that was never opened is closed when it is: a frozen tab may hold up its removal.
		await settledWithin(WAIT_MAX_MS, persistence.destroy());
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
	await settledWithin(WAIT_MAX_MS, persistence.whenSynced);
	return { opened: { name, doc }, persistence };
}

function settledWithin(ms: number, work: Promise<unknown>): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		void work.then(() => {
			clearTimeout(timer);
			resolve();
		});
	});
}
