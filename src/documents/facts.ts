import type * as Y from 'yjs';
import { err, ok, type Result } from '#domain/result.ts';

/** A fact as a document holds it: its id is the key, its text the value. */
export interface DocumentFact {
	readonly id: string;
	readonly text: string;
}

/** The root map's name. */
const ROOT = 'f';

/** DOC-3. Every fact that the document holds; what is no text under a key is not a fact, and left out. */
export function readFacts(doc: Y.Doc): readonly DocumentFact[] {
	return Array.from(rootOf(doc).entries()).flatMap(([id, text]) => asFact(id, text));
}

/**
 * DOC-4. Puts a fact in under an absent key. `'appended'` where it was absent, `'known'` where the
 * same text stands there; nothing is ever overwritten: another text under the id is a fork.
 */
export function appendFact(
	doc: Y.Doc,
	{ id, text }: DocumentFact
): Result<'appended' | 'known', 'fork'> {
	const root = rootOf(doc);
	const held = root.get(id);
	if (held === text) return ok('known');
	if (held !== undefined) return err('fork');
	root.set(id, text);
	return ok('appended');
}

/** DOC-5. Calls with the facts of each change, local or remote, as they come in. Returns the way to stop. */
export function observeFacts(
	doc: Y.Doc,
	callback: (facts: readonly DocumentFact[]) => void
): () => void {
	const root = rootOf(doc);
	const tell = (event: Y.YMapEvent<unknown>): void => {
		const facts = Array.from(event.changes.keys.keys()).flatMap((id) => asFact(id, root.get(id)));
		if (facts.length > 0) callback(facts);
	};
	root.observe(tell);
	return () => {
		root.unobserve(tell);
	};
}

function rootOf(doc: Y.Doc): Y.Map<unknown> {
	return doc.getMap<unknown>(ROOT);
}

function asFact(id: string, text: unknown): readonly DocumentFact[] {
	return typeof text === 'string' ? [{ id, text }] : [];
}
