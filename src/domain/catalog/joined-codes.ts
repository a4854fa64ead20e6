import { codeKey } from '#domain/text.ts';

/** The codes of a product with those that come in addition, each once, however it is written. */
export function joinedCodes(held: readonly string[], codes: readonly string[]): readonly string[] {
	const keys = new Set(held.map(codeKey));
	return [...held, ...codes.filter((code) => !keys.has(codeKey(code)))];
}
