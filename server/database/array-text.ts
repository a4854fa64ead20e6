import { assert } from '#domain/assert.ts';

/** What an element of an array may be that goes to PostgreSQL; a big number goes as its digits. */
type Element = string | number | bigint | boolean | null;

/**
 * Writes an array as PostgreSQL reads it. The driver's own goes over each text twice with regular
 * expressions; a batch has thousands of them.
 */
export function writeArray(elements: readonly Element[]): string {
	let text = '{';
	for (let at = 0; at < elements.length; at += 1) {
		const element = elements[at];
		assert(element !== undefined, 'an array for the database has no holes');
		if (at > 0) text += ',';
		text += typeof element === 'string' ? `"${escaped(element)}"` : String(element);
	}
	return `${text}}`;
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
