import { asciiDigits } from '#domain/digits.ts';
import type { MoneyForm } from './figures.ts';
import type { Words } from './words.svelte.ts';

/** What a slip to the customer says; amounts in minor units. */
export interface SlipOf {
	readonly shop: string;
	/** The customer as the shop calls them. */
	readonly name: string;
	/** Above zero they took, below they paid. */
	readonly signedMinor: bigint;
	/** What they owe after it: below zero they paid ahead. */
	readonly balanceMinor: bigint;
	/** `Fri 20 Nov 14:05`, already in the language of the slip. */
	readonly when: string;
	/** `K7Q2-M4XD`. */
	readonly reference: string;
	readonly note?: string | undefined;
	/** Nobody has been linked to the page: it is the shop's own book. */
	readonly isOwnBook: boolean;
	/** Another money than the shop's own. */
	readonly money?: MoneyForm | undefined;
}

/** Direction marks and isolates: right on a screen, litter in a message. */
const ISOLATES = /[\u2066-\u2069]/g;
const LINE = ' · ';

/** The slip as a short message: what was taken or paid, the new balance, when, and the reference. */
export function slipText(words: Words, of: SlipOf): string {
	const { signedMinor, balanceMinor, note, money } = of;
	const amount = words.amountWithCurrency(signedMinor < 0n ? -signedMinor : signedMinor, money);
	const balance = words.amountWithCurrency(balanceMinor < 0n ? -balanceMinor : balanceMinor, money);
	const lines = [
		of.shop,
		words.say(signedMinor < 0n ? 'slip.paid' : 'slip.took', { name: of.name, amount }),
		...(note === undefined || note === '' ? [] : [note]),
		words.say(balanceKey(balanceMinor), { balance }),
		of.when + LINE + of.reference,
		...(of.isOwnBook ? [words.say('record.book')] : [])
	];
	return lines.join('\n').replace(ISOLATES, '');
}

/** The line that is written in the customer's booklet: `500 → 3,400 · K7Q2-M4XD`. */
export function bookletLine(words: Words, of: SlipOf): string {
	const { signedMinor, balanceMinor, reference, money } = of;
	return `${words.amount(signedMinor, 'always', money)} → ${words.amount(balanceMinor, undefined, money)}${LINE}${reference}`;
}

/** Opens the phone's own messages with the text written; the shop's own card pays. */
export function smsLink(phone: string, text: string): string {
	return `sms:${dialled(phone)}?body=${encodeURIComponent(text)}`;
}

/** Opens WhatsApp with the text written; undefined where the number has no country. */
export function whatsAppLink(phone: string, text: string): string | undefined {
	const number = dialled(phone);
	if (!/^\+\d{7,15}$/.test(number)) return undefined;
	return `https://wa.me/${number.slice(1)}?text=${encodeURIComponent(text)}`;
}

function dialled(phone: string): string {
	const bare = asciiDigits(phone).replace(/[^\d+]/g, '');
	return bare.startsWith('00') ? `+${bare.slice(2)}` : bare;
}

function balanceKey(balanceMinor: bigint): 'slip.even' | 'slip.ahead' | 'slip.owes' {
	if (balanceMinor === 0n) return 'slip.even';
	return balanceMinor < 0n ? 'slip.ahead' : 'slip.owes';
}
