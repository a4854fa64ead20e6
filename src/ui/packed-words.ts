import type { IntlMessageFormat } from 'intl-messageformat';

/**
 * A sentence as a phone fetches it, a third of its parsed form: a text is itself, an argument its name in
 * a list, a number the same with a 2 behind it, a plural its name and its cases, and 0 its count.
 */
export type PackedMessage = readonly PackedElement[];
export type PackedElement = string | 0 | readonly [name: string, more?: 2 | PackedCases];
export type PackedCases = Readonly<Record<string, PackedMessage>>;

/** A text without arguments, or the packed form of one with them. */
export type PackedWord = string | PackedMessage;
/** Sentences by the parts of their names. */
export type PackedWords = PackedWord | { readonly [name: string]: PackedWords };

export type ParsedMessage = Exclude<ConstructorParameters<typeof IntlMessageFormat>[0], string>;
type ParsedElement = ParsedMessage[number];

/** ICU's own numbers of what stands in a sentence. */
const LITERAL = 0;
const ARGUMENT = 1;
const NUMBER = 2;
const PLURAL = 6;
const POUND = 7;

/** The sentence of this name, undefined where there is none. */
export function wordNamed(name: string, words: PackedWords | undefined): PackedWord | undefined {
	let found = words;
	for (const part of name.split('.')) found = isWord(found) ? undefined : found[part];
	return isWord(found) ? found : wordNamed('', found);
}

function isWord(found: PackedWords | undefined): found is PackedWord | undefined {
	return typeof found !== 'object' || Array.isArray(found);
}

/** The parsed form that `packMessage` was given. */
export function unpackMessage(packed: PackedMessage): ParsedMessage {
	return packed.map((element): ParsedElement => {
		if (element === 0) return { type: POUND };
		if (typeof element === 'string') return { type: LITERAL, value: element };
		const [value, more] = element;
		if (more === undefined) return { type: ARGUMENT, value };
		if (more === NUMBER) return { type: NUMBER, value, style: null };
		const options = Object.fromEntries(
			Object.entries(more).map(([name, of]) => [name, { value: unpackMessage(of) }])
		);
		return { type: PLURAL, value, options, offset: 0, pluralType: 'cardinal' };
	});
}
