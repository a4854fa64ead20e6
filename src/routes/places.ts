import type { Words } from '#ui/words.svelte.ts';

interface Option {
	readonly value: string;
	readonly word: string;
}

/** Currencies by name, in the person's language. */
export function currencyOptions(words: Words, codes: readonly string[]): readonly Option[] {
	const names = new Intl.DisplayNames(words.locale, { type: 'currency' });
	return codes
		.map((value) => ({ value, word: `${names.of(value) ?? value} (${value})` }))
		.toSorted((a, b) => a.word.localeCompare(b.word, words.locale));
}

/** The zones that this browser knows, `current` always among them. */
export function zoneOptions(current: string): readonly Option[] {
	const known = Intl.supportedValuesOf('timeZone');
	const zones = current === '' || known.includes(current) ? known : [current, ...known];
	return zones.map((value) => ({ value, word: value.replaceAll('_', ' ') }));
}
