import { appendFact, observeFacts, readFacts, type DocumentFact } from '#documents/facts.ts';
import { parseDocumentName } from '#documents/document-name.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import type { BranchId } from '#domain/ids.ts';
import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import type { DocumentsHost } from '#storage/documents-host.ts';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import type { Doc } from 'yjs';
import type { CreateProvider, ProviderEvents, RelayProvider } from './relay-provider.ts';
import type { FactText } from './arrived-fact.ts';

/** A document that is open here and has a line to the relay. */
export interface DocumentLink {
	readonly name: string;
	/** Puts own facts in at once; those of another document are left out. */
	append(rows: readonly JournalRow[]): void;
	/** Puts in what waits, where the line stands and has synchronised; else it does so by itself then. */
	putWaiting(): void;
	connect(): void;
	/**
	 * Whether something is still on its way up, or waits for its turn behind other documents; or on its
	 * way down, before it has synchronised.
	 */
	isBusy(): boolean;
	close(): Promise<void>;
}

export interface DocumentLinkParts {
	readonly store: DeviceStore;
	readonly documents: DocumentsHost;
	readonly createProvider: CreateProvider;
	/** This device's own clock, ms. */
	readonly clock: () => number;
	/** Own facts are in the journal already, and need not come in again. */
	readonly isOwn: (id: string) => boolean;
	/** Which of the waiting rows go in now; absent: all of them. */
	readonly pick?: (waiting: readonly JournalRow[]) => readonly JournalRow[];
	readonly onFault: (fault: unknown) => void;
}

export interface DocumentLinkEvents extends Omit<ProviderEvents, 'synced'> {
	/** Facts of other devices came in, or lay in what this device kept of the document. */
	arrived(facts: readonly FactText[]): void;
	/** The document holds another text under an own id. */
	forked(): void;
}

/** A piece of a document takes no longer over the slowest line. */
const PIECE_MS_MAX = 30_000;

/**
 * Opens a document and its line. Own facts that wait are put back after the first sync only: what
 * this device lost of the document may be at the relay, and comes back by itself.
 */
export async function openDocumentLink(
	name: string,
	parts: DocumentLinkParts,
	events: DocumentLinkEvents
): Promise<DocumentLink> {
	const branch = branchOf(name);
	const { doc } = await parts.documents.open(name);
	const tell = (facts: readonly DocumentFact[]): void => {
		const others = facts.filter(({ id, text }) => !parts.isOwn(id) && isUnder(id, text));
		if (others.length > 0) events.arrived(others.map(({ text }) => ({ text, branch })));
	};
	tell(readFacts(doc));
	const stop = observeFacts(doc, tell);
	const append = (rows: readonly JournalRow[]): void => {
		const own = rows.filter(({ document }) => document === name);
		if (!appendAll(doc, parts.pick?.(own) ?? own)) events.forked();
	};
	let isSynced = false;
	const isComing = watchComing(doc, parts.clock);
	const putWaiting = (): void => {
		if (isSynced) waiting(parts.store, name).then(append, parts.onFault);
	};
	const provider: RelayProvider = parts.createProvider(name, doc, {
		...events,
		synced: () => {
			isSynced = true;
			putWaiting();
		},
		closed: (code) => {
			isSynced = false;
			events.closed(code);
		}
	});
	return {
		name,
		append,
		putWaiting,
		connect: () => {
			provider.connect();
		},
		isBusy: () => provider.isSending() || (!isSynced && isComing()),
		close: async () => {
			stop();
			provider.close();
			await parts.documents.close(name);
		}
	};
}

/** Whether some of the document has just come, from wherever it is kept. */
function watchComing(doc: Doc, clock: () => number): () => boolean {
	let cameAt = -Infinity;
	doc.on('update', (...[, , , { local }]) => {
		if (!local) cameAt = clock();
	});
	return () => Math.abs(clock() - cameAt) < PIECE_MS_MAX;
}

/** A day of one branch; the device opens no others. */
function branchOf(name: string): BranchId | null {
	const address = parseDocumentName(name);
	return address.ok && 'branch' in address.value ? address.value.branch : null;
}

/** A text under another id's key is no fact; the relay lets none in, and none is taken here. */
function isUnder(id: string, text: string): boolean {
	return idAtStart(text) === id;
}

/** False where the document has other bytes under an id of ours. */
function appendAll(doc: Doc, rows: readonly JournalRow[]): boolean {
	let left = rows;
	while (left.length > 0) {
		const piece = left.slice(0, pieceLength(left));
		const outcomes = doc.transact(() => piece.map(({ id, text }) => appendFact(doc, { id, text })));
		if (outcomes.some(({ ok }) => !ok)) return false;
		left = left.slice(piece.length);
	}
	return true;
}

/** How many rows fit into one update; at least one. The relay takes larger ones, a slow line does not. */
function pieceLength(rows: readonly JournalRow[]): number {
	let bytes = 0;
	const over = rows.findIndex(({ text }) => {
		bytes += text.length;
		return bytes > PIECE_BYTES_MAX;
	});
	return over === -1 ? rows.length : Math.max(1, over);
}

/** Own facts of the document that the relay has not got and did not refuse, in their order. */
async function waiting(store: DeviceStore, name: string): Promise<readonly JournalRow[]> {
	const rows = await store.read(['journal'], (read) =>
		read.find('journal', only('document', name))
	);
	return rows.filter(({ sent, refused }) => sent === 0 && refused === undefined);
}
