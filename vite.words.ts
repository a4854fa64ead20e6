import { parse, TYPE, type PluralElement } from '@formatjs/icu-messageformat-parser';
import type {
	PackedCases,
	PackedElement,
	PackedMessage,
	PackedWord,
	PackedWords,
	ParsedMessage
} from './src/ui/packed-words.ts';

/** A language's sentences as a phone fetches them. One without an argument stays a text. */
export function packWords(json: string): string {
	const sentences = Object.entries(JSON.parse(json) as Record<string, string>);
	const packed = sentences.map(([key, text]): Named => [
		key.split('.'),
		text.includes('{') ? packMessage(parse(text)) : text
	]);
	return JSON.stringify(treeOf(packed));
}

type Named = readonly [names: readonly string[], packed: PackedWord];

/** A twelfth less than each under its whole name. One whose name begins others stands under '' among them. */
function treeOf(sentences: readonly Named[]): PackedWords {
	const [first, ...others] = sentences;
	if (others.length === 0 && first?.[0].length === 0) return first[1];
	const byName = Map.groupBy(sentences, ([[name = '']]) => name);
	return Object.fromEntries(
		Array.from(byName, ([name, of]) => [
			name,
			treeOf(of.map(([names, packed]) => [names.slice(1), packed]))
		])
	);
}

/** WORDS-5. Throws for what no sentence of ours has, as a date or a select. */
export function packMessage(parsed: ParsedMessage): PackedMessage {
	return parsed.map((element): PackedElement => {
		if (element.type === TYPE.literal) return element.value;
		if (element.type === TYPE.argument) return [element.value];
		if (element.type === TYPE.pound) return 0;
		if (element.type === TYPE.number && (element.style ?? undefined) === undefined)
			return [element.value, 2];
		if (element.type === TYPE.plural && isPlain(element))
			return [element.value, packCases(element)];
		throw new Error(`no sentence has this: ${JSON.stringify(element)}`);
	});
}

function isPlain({ offset, pluralType }: PluralElement): boolean {
	return offset === 0 && pluralType === 'cardinal';
}

function packCases({ options }: PluralElement): PackedCases {
	return Object.fromEntries(
		Object.entries(options).map(([name, { value }]) => [name, packMessage(value)])
	);
}
