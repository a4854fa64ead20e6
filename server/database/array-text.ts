import { assert } from '#domain/assert.ts';

/** What an element of an array may be that goes to PostgreSQL; a big number goes as its digits. */
type Element = string | number | bigint | boolean | null;

/**
 * Writes an array as PostgreSQL reads it. The driver's own goes over each text twice with regular
 * expressions; a batch has thousands of them, and nearly none with anything to escape.
 */
export function writeArray(elements: readonly Element[]): string {
	if (elements.every(isNumber)) return `{${elements.join(',')}}`;
	if (elements.every(isPlainText)) return `{"${elements.join('","')}"}`;
	return `{${elements.map(written).join(',')}}`;
}

function isNumber(element: Element): element is number {
	return typeof element === 'number';
}

function isPlainText(element: Element): element is string {
	return typeof element === 'string' && !element.includes('\\') && !element.includes('"');
}

function written(element: Element | undefined): string {
	assert(element !== undefined, 'an array for the database has no holes');
	return typeof element === 'string' ? `"${escaped(element)}"` : String(element);
}

/** The same of UUIDs: nothing in one has to be escaped. */
export function writeUuids(elements: readonly Element[]): string {
	const joined = elements.join(',');
	// Else one of them is NULL, or is none: the database says so.
	const isWhole = joined.length === elements.length * (UUID_LENGTH + 1) - 1;
	return isWhole ? `{${joined}}` : writeArray(elements);
}

const UUID_LENGTH = 36;

/** The same of texts that are JSON, each: JSON escapes quotes and backslashes as an array does, and the rest is not there. */
export function writeJsonTexts(texts: readonly string[]): string {
	return `{${JSON.stringify(texts).slice(1, -1)}}`;
}

function escaped(text: string): string {
	const slashed = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text;
	return slashed.includes('"') ? slashed.replaceAll('"', '\\"') : slashed;
}

/** Reads an array of one dimension as PostgreSQL writes it: each element's text, null for NULL. */
export function readArray(text: string): readonly (string | null)[] {
	return Array.from(text.matchAll(ELEMENT), ([, quoted, plain]) => {
		if (quoted !== undefined) return quoted.replaceAll(ESCAPED, '$1');
		return plain === undefined || plain === 'NULL' ? null : plain;
	});
}

const ELEMENT = /(?<=[{,])(?:"((?:[^"\\]|\\.)*)"|([^"{},]+))(?=[,}])/gs;
const ESCAPED = /\\(.)/gs;
