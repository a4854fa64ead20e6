import { IntlMessageFormat } from 'intl-messageformat';
import { createContext } from 'svelte';
import arUrl from './messages/ar.json?words';
import enUrl from './messages/en.json?words';
import type english from './messages/en.json';
import {
	decimalMark,
	formatMinor,
	formatThousandths,
	keepFigureForm,
	learnFigureForm,
	parseFigureForm,
	type MoneyForm,
	type SignShown
} from './figures.ts';
import { unpackMessage, wordNamed, type PackedMessage, type PackedWords } from './packed-words.ts';

/** A sentence's name. A name that en.json lacks does not compile; a test holds ar.json to the same. */
export type MessageKey = keyof typeof english;
export type MessageArguments = Readonly<Record<string, string | number>>;

export const LANGUAGES = ['en', 'ar'] as const;
export type Language = (typeof LANGUAGES)[number];
/** The digits a person reads: 123 or ١٢٣. */
export type Digits = 'latn' | 'arab';

/** Where a device keeps what its person chose; the browser's `localStorage` will do. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

const MESSAGE_URLS: Readonly<Record<Language, string>> = { en: enUrl, ar: arUrl };
const RIGHT_TO_LEFT: ReadonlySet<Language> = new Set<Language>(['ar']);
/** First strong isolate and its end (Unicode, UAX 9). */
const ISOLATE = String.fromCodePoint(0x2068);
const ISOLATE_END = String.fromCodePoint(0x2069);
const LANGUAGE_KEY = 'daftar.language';
const DIGITS_KEY = 'daftar.digits';
const FIGURES_KEY = 'daftar.figures';
const WHOLE: MoneyForm = { currency: '', exponent: 0, shownDecimals: 0 };

export interface WordsParts {
	readonly shelf: Shelf;
	/** What the browser's person reads, best first. */
	readonly preferred: readonly string[];
	readonly load: (url: string) => Promise<unknown>;
}

/** Everything this device says to its person: sentences, figures, days, in one language at a time. */
export class Words {
	readonly #parts: WordsParts;
	#messages = $state.raw<PackedWords | undefined>();
	#formats = new Map<MessageKey, IntlMessageFormat>();
	language = $state.raw<Language>('en');
	digits = $state.raw<Digits>('latn');
	/** How the shop's money is written; the app sets it from the shop's settings. */
	money = $state.raw<MoneyForm>({ currency: 'USD', exponent: 2, shownDecimals: 2 });
	/** The shop's IANA zone, asked where a time is written; undefined means the device's. */
	zone = $state.raw<() => string | undefined>(() => undefined);

	readonly direction = $derived<'ltr' | 'rtl'>(RIGHT_TO_LEFT.has(this.language) ? 'rtl' : 'ltr');
	/** BCP 47 with the chosen digits, for `Intl`. */
	readonly locale = $derived.by(() => this.#localeOf(this.language, this.digits));

	constructor(parts: WordsParts) {
		this.#parts = parts;
		this.digits = parts.shelf.getItem(DIGITS_KEY) === 'arab' ? 'arab' : 'latn';
	}

	/** Loads the language this person chose here, else the first of the browser's that we speak. */
	async begin(): Promise<void> {
		const chosen = this.#parts.shelf.getItem(LANGUAGE_KEY);
		await this.#speak(asLanguage(chosen) ?? this.#preferredLanguage());
		this.#takeFigures();
	}

	/** Speaks another language from now on, without a reload. Rejects where its words cannot be had. */
	async speak(language: Language): Promise<void> {
		await this.#speak(language);
		this.#parts.shelf.setItem(LANGUAGE_KEY, language);
	}

	/** The same words in another language, for a text that another person reads. Rejects as `speak`. */
	async in(language: Language): Promise<Words> {
		if (language === this.language) return this;
		const others = new Words(this.#parts);
		await others.#speak(language);
		others.money = this.money;
		others.zone = this.zone;
		return others;
	}

	useDigits(digits: Digits): void {
		this.digits = digits;
		this.#parts.shelf.setItem(DIGITS_KEY, digits);
	}

	/** The sentence of `key` with its arguments; amounts go in already written (`amount`, `money`). */
	say(key: MessageKey, args?: MessageArguments): string {
		const message = wordNamed(key, this.#messages) ?? key;
		if (typeof message === 'string') return message;
		return String(this.#format(key, message).format(this.#isolated(args)));
	}

	/** Minor units as figures alone, `1,500`; of the shop's money where no other is named. */
	amount(minor: number | bigint, sign?: SignShown, money: MoneyForm = this.money): string {
		const { locale } = this;
		return formatMinor(minor, money, sign === undefined ? { locale } : { locale, sign });
	}

	/** Minor units with their currency, `KES 1,500`, for a sentence that leaves this screen. */
	amountWithCurrency(minor: number | bigint, money: MoneyForm = this.money): string {
		return `${money.currency} ${this.amount(minor, undefined, money)}`;
	}

	/** Thousandths as people write a count or a weight: `2`, `0.75`. */
	quantity(thousandths: number | bigint): string {
		return formatThousandths(thousandths, this.locale);
	}

	/** The mark that this person writes before decimals. */
	get decimalMark(): string {
		return decimalMark(this.locale);
	}

	/** Latin digits and `.` as typed, in the person's own: `1200.5` → `1,200.5`, `١٬٢٠٠٫٥`. */
	typed(latin: string): string {
		const [whole = '', fraction] = latin.split('.');
		const shown = this.count(BigInt(whole));
		if (fraction === undefined) return shown;
		return shown + this.decimalMark + fraction.replace(/\d/g, (digit) => this.count(Number(digit)));
	}

	/** A whole number in the person's digits. */
	count(value: number | bigint): string {
		return formatMinor(value, WHOLE, { locale: this.locale });
	}

	/** Learns anew how this browser writes numbers, for the next start. For idle time. */
	keepFigures(): void {
		const { locale } = this;
		const form = learnFigureForm(locale);
		keepFigureForm(locale, form);
		this.#parts.shelf.setItem(FIGURES_KEY, JSON.stringify([locale, form]));
	}

	#takeFigures(): void {
		try {
			const kept: unknown = JSON.parse(this.#parts.shelf.getItem(FIGURES_KEY) ?? '[]');
			const [locale, value] = [kept].flat();
			const form = parseFigureForm(value);
			if (form !== undefined && locale === this.locale) keepFigureForm(this.locale, form);
		} catch {
			// What another program kept there, or a hand, is none of ours.
		}
	}

	/** A business day, `'2026-11-20'`, as `Friday, 20 November`. */
	day(on: string, style: keyof typeof DAY_STYLES = 'long'): string {
		const format = new Intl.DateTimeFormat(this.locale, { timeZone: 'UTC', ...DAY_STYLES[style] });
		return format.format(new Date(`${on}T00:00:00Z`));
	}

	/** An instant's time of day in the shop's zone, `14:05`. */
	time(at: number): string {
		return new Intl.DateTimeFormat(this.locale, {
			hour: '2-digit',
			minute: '2-digit',
			hourCycle: 'h23',
			timeZone: this.zone()
		}).format(at);
	}

	/** An instant's day and time in the shop's zone. */
	dayAndTime(at: number, style: keyof typeof DAY_STYLES = 'short'): string {
		const day = new Intl.DateTimeFormat(this.locale, {
			...DAY_STYLES[style],
			timeZone: this.zone()
		});
		return `${day.format(at)} ${this.time(at)}`;
	}

	async #speak(language: Language): Promise<void> {
		const messages = (await this.#parts.load(MESSAGE_URLS[language])) as PackedWords;
		this.#formats.clear();
		this.language = language;
		this.#messages = messages;
	}

	#format(key: MessageKey, message: PackedMessage): IntlMessageFormat {
		let format = this.#formats.get(key);
		if (format?.resolvedOptions().locale !== this.locale) {
			format = new IntlMessageFormat(unpackMessage(message), this.locale);
			this.#formats.set(key, format);
		}
		return format;
	}

	// A Latin name or a figure inside an Arabic sentence keeps its own direction.
	#isolated(args: MessageArguments = {}): MessageArguments {
		if (this.direction === 'ltr') return args;
		const entries = Object.entries(args).map(([name, value]) => [
			name,
			typeof value === 'string' ? ISOLATE + value + ISOLATE_END : value
		]);
		return Object.fromEntries(entries) as MessageArguments;
	}

	#preferredLanguage(): Language {
		for (const tag of this.#parts.preferred) {
			const language = asLanguage(tag.split('-')[0] ?? '');
			if (language !== undefined) return language;
		}
		return 'en';
	}

	#localeOf(language: Language, digits: Digits): string {
		const regional = this.#parts.preferred.find((tag) => tag.split('-')[0] === language);
		return `${regional?.split('-u-')[0] ?? (language === 'en' ? 'en-GB' : language)}-u-nu-${digits}`;
	}
}

const DAY_STYLES = {
	long: { weekday: 'long', day: 'numeric', month: 'long' },
	short: { weekday: 'short', day: 'numeric', month: 'short' },
	dated: { day: 'numeric', month: 'short', year: 'numeric' },
	weekday: { weekday: 'short' }
} as const satisfies Readonly<Record<string, Intl.DateTimeFormatOptions>>;

function asLanguage(text: string | null): Language | undefined {
	return LANGUAGES.find((language) => language === text);
}

/** The words of this page, from the root layout down. */
export const [useWords, provideWords] = createContext<Words>();
