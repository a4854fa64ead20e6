import { expect, it } from 'vitest';
import { bookletLine, slipText, smsLink, whatsAppLink, type SlipOf } from './slip-text.ts';
import { Words, type Language } from './words.svelte.ts';

async function words(language: Language): Promise<Words> {
	const load = (url: string): Promise<unknown> =>
		Promise.resolve(JSON.parse(decodeURIComponent(url.slice(url.indexOf(',') + 1))));
	const shelf = { getItem: () => null, setItem: () => undefined };
	const said = new Words({ shelf, preferred: ['en-KE'], load });
	await said.begin();
	said.money = { currency: 'KES', exponent: 2, shownDecimals: 0 };
	return said.in(language);
}

const SLIP: SlipOf = {
	shop: 'Njeri Stores',
	name: 'Amina',
	signedMinor: 50_000n,
	balanceMinor: 340_000n,
	when: 'Fri 20 Nov 14:05',
	reference: 'K7Q2-M4XD',
	note: 'Bread, milk',
	isOwnBook: false
};

it('[SLIP-1] says what was taken, what is owed now, when, and the reference', async () => {
	expect(slipText(await words('en'), SLIP)).toBe(
		[
			'Njeri Stores',
			'Amina took KES 500',
			'Bread, milk',
			'Now owes KES 3,400',
			'Fri 20 Nov 14:05 · K7Q2-M4XD'
		].join('\n')
	);
	const paid = { ...SLIP, signedMinor: -50_000n, balanceMinor: -100n, note: '', isOwnBook: true };
	expect(
		slipText(await words('en'), paid)
			.split('\n')
			.slice(1)
	).toEqual([
		'Amina paid KES 500',
		'Paid ahead KES 1',
		'Fri 20 Nov 14:05 · K7Q2-M4XD',
		'According to our book'
	]);
});

it('[SLIP-1] is written in the customer’s language, without direction marks', async () => {
	const text = slipText(await words('ar'), SLIP);
	expect(text).toContain('أخذ Amina KES 500');
	expect(text).not.toMatch(/[\u2066-\u2069]/);
});

it('[SLIP-2] is one line in the booklet', async () => {
	expect(bookletLine(await words('en'), SLIP)).toBe('+500 → 3,400 · K7Q2-M4XD');
});

it('[SLIP-2] is in the money of the line', async () => {
	const money = { currency: 'USD', exponent: 2, shownDecimals: 2 };
	const slip = { ...SLIP, signedMinor: -1_250n, balanceMinor: 100n, money };
	expect(bookletLine(await words('en'), slip)).toBe('−12.50 → 1.00 · K7Q2-M4XD');
	expect(slipText(await words('en'), slip)).toContain('Amina paid USD 12.50');
});

it('[SLIP-3] opens the phone’s own messages, and WhatsApp where the country is known', () => {
	expect(smsLink('0722 418-000', 'a & b')).toBe('sms:0722418000?body=a%20%26%20b');
	expect(whatsAppLink('+254 722 418 000', 'hi?')).toBe('https://wa.me/254722418000?text=hi%3F');
	expect(whatsAppLink('00254722418000', 'hi')).toBe('https://wa.me/254722418000?text=hi');
	expect(whatsAppLink('0722418000', 'hi')).toBeUndefined();
	expect(smsLink('٠٧٧٠ ١٢٣ ٤٥٦٧', 'hi')).toBe('sms:07701234567?body=hi');
	expect(whatsAppLink('+۹۶۴۷۷۰۱۲۳۴۵۶۷', 'hi')).toBe('https://wa.me/9647701234567?text=hi');
});
