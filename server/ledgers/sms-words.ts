import { humanReference, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { formatDecimal } from '#domain/digits.ts';

export type Language = 'en' | 'ar';

/** Money as a message says it: decimals as the currency has them, then its code. */
export interface Sum {
	readonly minor: number;
	readonly currency: string;
	readonly exponent: number;
}

export interface RecordWords {
	readonly language: Language;
	readonly shop: string;
	readonly kind: RecordKind;
	readonly sum: Sum;
	readonly h: RecordHash;
	readonly code: string;
}

/** Asks the customer to look at one record, and gives the code that says it is right. */
export function recordText({ language, shop, kind, sum, h, code }: RecordWords): string {
	const what = KIND_WORDS[language][kind];
	const [amount, reference] = [money(sum), humanReference(h)];
	return language === 'ar'
		? `${plain(shop)}: ${what} ${amount}، مرجع ${reference}. الرمز ${code}، أعطه فقط إن كان هذا صحيحًا.`
		: `${plain(shop)}: ${what} ${amount}, ref ${reference}. Code ${code}: tell it only if this is right.`;
}

export interface ListWords {
	readonly language: Language;
	readonly shop: string;
	readonly cap: Sum;
	readonly codes: readonly string[];
}

/** The customer's list of one-time codes, for a purse without an app. */
export function listText({ language, shop, cap, codes }: ListWords): string {
	const list = codes.map((code) => `${code.slice(0, 4)} ${code.slice(4)}`).join(', ');
	return language === 'ar'
		? `${plain(shop)}: رموزك، كل رمز مرة واحدة حتى ${money(cap)}: ${list}. ما سبقها لم يعد يعمل.`
		: `${plain(shop)}: your codes, each works once, up to ${money(cap)}: ${list}. Older ones no longer work.`;
}

/** Tells a number without an app that somebody guessed its codes. */
export function lockedText(language: Language, shop: string): string {
	return language === 'ar'
		? `${plain(shop)}: أُدخلت رموز خاطئة باسمك، فأوقفنا رموزك. إن لم تكن أنت فاسأل المحل.`
		: `${plain(shop)}: wrong codes were typed in your name, so your codes are stopped. If it was not you, ask the shop.`;
}

function money({ minor, currency, exponent }: Sum): string {
	return `${currency} ${formatDecimal(minor, exponent, exponent)}`;
}

const SHOP_CODE_POINTS_MAX = 24;

/** A shop's name is no place for digits that could pass for a code, nor for what turns text around. */
function plain(shop: string): string {
	const letters = Array.from(shop.replace(/[\p{C}\p{Z}]+/gu, ' ').replace(/\p{Nd}/gu, '·'));
	return letters.length <= SHOP_CODE_POINTS_MAX
		? letters.join('')
		: `${letters.slice(0, SHOP_CODE_POINTS_MAX - 1).join('')}…`;
}

const KIND_WORDS: Readonly<Record<Language, Readonly<Record<RecordKind, string>>>> = {
	en: {
		due: 'you took',
		openingDebit: 'you owed before',
		fee: 'a fee of',
		advancePaidBack: 'advance paid back to you,',
		payment: 'you paid',
		credit: 'taken off your debt,',
		openingCredit: 'you had paid ahead',
		forgiveness: 'debt let go,',
		reversalOfDebit: 'taken back,',
		reversalOfCredit: 'a payment of yours taken back,',
		statement: 'all that waits for you, together'
	},
	ar: {
		due: 'أخذت',
		openingDebit: 'دين سابق',
		fee: 'رسم',
		advancePaidBack: 'رُدّ لك مقدم',
		payment: 'دفعت',
		credit: 'خُصم من دينك',
		openingCredit: 'مقدم سابق لك',
		forgiveness: 'دين أُسقط',
		reversalOfDebit: 'أُلغي',
		reversalOfCredit: 'أُلغيت دفعتك',
		statement: 'كل ما ينتظرك معًا'
	}
};
