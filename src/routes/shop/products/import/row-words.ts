import type { RefusedRow, RowRefusal } from '#domain/catalog/import-rows.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

/** A refusal without a sentence does not compile. */
const WHYS: Readonly<Record<RowRefusal['why'], MessageKey>> = {
	empty: 'import.why.empty',
	tooLong: 'import.why.tooLong',
	ofSeveral: 'import.why.ofSeveral',
	tooMany: 'import.why.tooMany',
	rounded: 'import.why.rounded',
	ofAnother: 'import.why.ofAnother',
	exponent: 'typed.exponent',
	notANumber: 'typed.notANumber',
	negative: 'typed.negative',
	ambiguous: 'typed.ambiguous',
	tooManyDecimals: 'typed.tooManyDecimals',
	tooLarge: 'typed.tooLarge'
};

const FIELDS: Readonly<Record<RowRefusal['field'], MessageKey>> = {
	name: 'import.field.name',
	price: 'import.field.price',
	code: 'import.field.code',
	category: 'import.field.category',
	stock: 'import.field.stock'
};

/** `Price: this is no number.` */
export function rowWords(words: Words, { refusal }: Pick<RefusedRow, 'refusal'>): string {
	const why = words.say(WHYS[refusal.why], { example: words.typed('1250.5') });
	return words.say('import.why', { field: words.say(FIELDS[refusal.field]), why });
}
