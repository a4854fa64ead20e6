import { readFileSync } from 'node:fs';
import { IntlMessageFormat } from 'intl-messageformat';
import type english from '#ui/messages/en.json';

export type Language = 'en' | 'ar';
export type MessageKey = keyof typeof english;
type Arguments = Readonly<Record<string, string | number>>;

const messages = {
	en: readMessages('en'),
	ar: readMessages('ar')
};

/** What a screen says: its English sentence, with its arguments. A word that is gone does not compile. */
export function say(key: MessageKey, args: Arguments = {}): string {
	return sayIn('en', key, args);
}

export function sayIn(language: Language, key: MessageKey, args: Arguments = {}): string {
	return String(new IntlMessageFormat(messages[language][key], language).format(args));
}

function readMessages(language: string): Readonly<Record<MessageKey, string>> {
	const file = new URL(`../../src/ui/messages/${language}.json`, import.meta.url);
	return JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<MessageKey, string>>;
}
