import { describe, expect, it } from 'vitest';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { recordKinds } from '#domain/confirmation/record-kind.ts';
import { maskedPhone, parsePhone } from './phone-number.ts';
import { listText, lockedText, recordText } from './sms-words.ts';

const SUM = { minor: 65_050, currency: 'KES', exponent: 2 };
const RECORD = {
	shop: 'Mama Amina',
	sum: SUM,
	h: recordHashOf(new Uint8Array(32)),
	code: '048215'
};
/** One SMS of 7-bit letters; two of Arabic ones joined. */
const ENGLISH_LETTERS_MAX = 160;
const ARABIC_LETTERS_MAX = 134;

describe('the message for a record', () => {
	it.each(recordKinds())(
		'[CODES-6] says what a %s is, in both languages, within its length',
		(kind) => {
			const english = recordText({ ...RECORD, kind, language: 'en' });
			for (const part of [
				'Mama Amina',
				'KES 650.50',
				'0000-0000',
				'048215',
				'only if this is right'
			]) {
				expect(english).toContain(part);
			}
			const arabic = recordText({ ...RECORD, kind, language: 'ar' });
			for (const part of ['KES 650.50', '0000-0000', '048215']) expect(arabic).toContain(part);
			expect(english.length).toBeLessThanOrEqual(ENGLISH_LETTERS_MAX);
			expect(arabic.length).toBeLessThanOrEqual(ARABIC_LETTERS_MAX);
		}
	);

	it('[CODES-6] lets no shop’s name pass for a code, turn the text around, or push it out', () => {
		const evil = `999999 \u202e${'x'.repeat(200)}\n٣٣٣٣٣٣`;
		const text = recordText({ ...RECORD, shop: evil, kind: 'due', language: 'en' });
		expect(text.match(/\d{6}/g)).toEqual(['048215']);
		expect(text).not.toMatch(/[\u202e\n٣]/u);
		expect(text.length).toBeLessThanOrEqual(ENGLISH_LETTERS_MAX);
	});
});

it('[CODES-4] a list groups its codes, names the cap, and says that older ones ended', () => {
	const codes = ['48217730', '00000001'];
	const text = listText({ language: 'en', shop: 'Duka', cap: SUM, codes });
	expect(text).toBe(
		'Duka: your codes, each works once, up to KES 650.50: 4821 7730, 0000 0001. Older ones no longer work.'
	);
	expect(listText({ language: 'ar', shop: 'Duka', cap: SUM, codes })).toContain('4821 7730');
	expect(lockedText('ar', 'Duka')).toContain('Duka');
});

it('[CONNECT-11] a number is read by the country of the device where it names none', () => {
	const numbers = [
		['+254 712 345 678', undefined, '+254712345678'],
		['0712-345-678', 'ke', '+254712345678'],
		['٠٧١٢٣٤٥٦٧٨', 'KE', '+254712345678'],
		['০১৭১২৩৪৫৬৭৮', 'BD', '+8801712345678']
	] as const;
	for (const [typed, region, number] of numbers) {
		expect(parsePhone(typed, region)).toEqual({ ok: true, value: number });
	}
	for (const typed of ['0712 345 678', '12', 'call +254712345678 now', '+', `+${'1'.repeat(60)}`]) {
		expect(parsePhone(typed)).toEqual({ ok: false, error: 'phoneInvalid' });
	}
	expect(parsePhone('0712345678', 'XX').ok).toBe(false);
	expect(maskedPhone('+254712345678')).toBe('…678');
});
