import type { AmountRefusal } from '#domain/digits.ts';
import type { FieldWhy, StockRefusal, TypedNumbers } from '#state/products.svelte.ts';
import type { SettingWhy } from '#state/settings-form.svelte.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

type TypedRefusal = AmountRefusal | FieldWhy | SettingWhy | StockRefusal;

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<TypedRefusal, MessageKey>> = {
	empty: 'refused.field.empty',
	tooLong: 'refused.field.tooLong',
	wrong: 'refused.field.wrong',
	exponent: 'typed.exponent',
	notANumber: 'typed.notANumber',
	negative: 'typed.negative',
	ambiguous: 'typed.ambiguous',
	tooManyDecimals: 'typed.tooManyDecimals',
	tooLarge: 'typed.tooLarge',
	taken: 'typed.taken',
	zero: 'refused.amount',
	currencyFixed: 'refused.currencyFixed',
	noRows: 'refused.noRows',
	amountRefused: 'refused.amount',
	unknownProduct: 'refused.unknownProduct'
};

/** What is wrong with what was typed, and what would be right; undefined where nothing is. */
export function typedWords(words: Words, why: TypedRefusal | undefined): string | undefined {
	if (why === undefined) return undefined;
	// The example is written as this person writes.
	return words.say(SENTENCES[why], { example: words.typed('1250.5') });
}

/** By which money and separators this person's figures are read. */
export function typedNumbers(words: Words): TypedNumbers {
	const { locale, decimalMark } = words;
	return { exponent: words.money.exponent, locale, decimalMark };
}
