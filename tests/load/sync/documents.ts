import * as Y from 'yjs';

/** The ids of the facts that these updates hold together. */
export function factIdsIn(updates: readonly Uint8Array[]): ReadonlySet<string> {
	const doc = new Y.Doc();
	for (const update of updates) Y.applyUpdate(doc, update);
	const ids = new Set(doc.getMap('f').keys());
	doc.destroy();
	return ids;
}
