import { parseBusinessId } from '#domain/ids.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { BusNews } from './bus.ts';

/** Of one message, as PostgreSQL takes it: less than 8,000 bytes. */
const MESSAGE_BYTES_MAX = 7_500;
const DOCUMENT_LENGTH_MAX = 200;

type Row = readonly [scope: string, document: string | null, s: number];

/** News in as many messages as they need, each with the end that they come from. */
export function encodeNews(from: string, batch: readonly BusNews[]): readonly string[] {
	const messages: string[] = [];
	let held: Row[] = [];
	let heldBytes = 0;
	for (const { scope, document, s } of batch) {
		const row: Row = [scope, document, s];
		const bytes = Buffer.byteLength(JSON.stringify(row)) + 1;
		if (held.length > 0 && heldBytes + bytes > MESSAGE_BYTES_MAX) {
			messages.push(JSON.stringify([from, held]));
			held = [];
			heldBytes = 0;
		}
		held.push(row);
		heldBytes += bytes;
	}
	if (held.length > 0) messages.push(JSON.stringify([from, held]));
	return messages;
}

/** BUS-5. What a message holds; nothing where it came from `own` or is not one of ours. */
export function decodeNews(own: string, message: string): readonly BusNews[] {
	const parsed = parseJson(message);
	if (!Array.isArray(parsed)) return [];
	const [from, rows] = parsed as readonly unknown[];
	if (typeof from !== 'string' || from === own || !Array.isArray(rows)) return [];
	return rows.flatMap((row: unknown) => newsOf(row) ?? []);
}

function newsOf(row: unknown): BusNews | undefined {
	if (!Array.isArray(row)) return undefined;
	const [scopeText, document, s] = row as readonly unknown[];
	// Businesses and persons have ids of one form, and which it is the hearer knows.
	const scope = typeof scopeText === 'string' ? parseBusinessId(scopeText) : undefined;
	if (scope?.ok !== true || !isDocument(document) || !isNumber(s)) return undefined;
	return { scope: scope.value satisfies ScopeId, document, s };
}

function isDocument(given: unknown): given is string | null {
	return given === null || (typeof given === 'string' && given.length <= DOCUMENT_LENGTH_MAX);
}

function isNumber(given: unknown): given is number {
	return Number.isSafeInteger(given) && Number(given) >= 0;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}
