import type { Language } from './words.svelte.ts';

/** Each language as its own people call it. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
	en: 'English',
	ar: 'العربية'
};
