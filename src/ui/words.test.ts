import { expect, it } from 'vitest';
import { Words, type Shelf } from './words.svelte.ts';

function words(preferred: readonly string[], shelf = new Map<string, string>()): Words {
	const kept: Shelf = {
		getItem: (key) => shelf.get(key) ?? null,
		setItem: (key, value) => shelf.set(key, value)
	};
	const load = (url: string): Promise<unknown> =>
		Promise.resolve(JSON.parse(decodeURIComponent(url.slice(url.indexOf(',') + 1))));
	return new Words({ shelf: kept, preferred, load });
}

it('[WORDS-4] begins in the first language of the browser that it speaks', async () => {
	const said = words(['fr-FR', 'ar-EG', 'en-US']);
	await said.begin();
	expect([said.language, said.direction, said.say('tab.sell')]).toEqual(['ar', 'rtl', 'بيع']);
	const english = words(['fr-FR']);
	await english.begin();
	expect([english.language, english.direction, english.say('tab.sell')]).toEqual([
		'en',
		'ltr',
		'Sell'
	]);
});

it('[WORDS-4] speaks another language at once, and again after a reload', async () => {
	const shelf = new Map<string, string>();
	const said = words(['en-KE'], shelf);
	await said.begin();
	expect(said.say('sell.pieces', { pieces: 7 })).toBe('7 pieces');
	await said.speak('ar');
	expect(said.say('sell.pieces', { pieces: 7 })).toBe('7 قطع');
	said.useDigits('arab');
	expect(said.say('sell.pieces', { pieces: 7 })).toBe('٧ قطع');

	const again = words(['en-KE'], shelf);
	await again.begin();
	expect([again.language, again.digits]).toEqual(['ar', 'arab']);
});

it('[WORDS-4] keeps a name in its own direction inside an Arabic sentence', async () => {
	const said = words(['ar']);
	await said.begin();
	expect(said.say('charge.give', { name: 'Amina', amount: '640' })).toBe(
		'أعطِ \u2068Amina\u2069 \u2068640\u2069'
	);
});

it('[FIGURE-4] writes amounts, counts and typed figures in the digits chosen', async () => {
	const said = words(['ar-EG']);
	await said.begin();
	said.useDigits('arab');
	expect([said.amount(123_450), said.count(12), said.typed('1200.5'), said.quantity(250)]).toEqual([
		'١٬٢٣٤٫٥٠',
		'١٢',
		'١٬٢٠٠٫٥',
		'٠٫٢٥'
	]);
});
