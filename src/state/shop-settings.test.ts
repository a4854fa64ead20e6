import { expect, it } from 'vitest';
import { businessDayOf } from '#domain/calendar.ts';
import { shopSettings } from './shop-settings.ts';

it('[BOOK-6] sells in a zone that this program does not know, by the zone of the device', () => {
	const { zone, cutoff } = shopSettings([{ field: 'zone', value: 'Europe/Atlantis', stamps: {} }]);
	expect(() => businessDayOf(Date.UTC(2026, 10, 20, 12), zone, cutoff)).not.toThrow();
	const known = shopSettings([{ field: 'zone', value: 'Asia/Baghdad', stamps: {} }]);
	expect(known.zone).toBe('Asia/Baghdad');
});

it('[BOOK-6] names each further currency once, and its own not at all', () => {
	const { currencies } = shopSettings([
		{ field: 'currency', value: 'KES', stamps: {} },
		{ field: 'currencies', value: ['EUR', 'KES', 'USD', 'EUR'], stamps: {} }
	]);
	expect(currencies).toEqual(['EUR', 'USD']);
});
