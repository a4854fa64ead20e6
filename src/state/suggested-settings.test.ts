import { expect, it } from 'vitest';
import { parseCurrency } from '#domain/currency.ts';
import { suggestedSettings } from './suggested-settings.ts';

it.each([
	[['en-KE'], 'Africa/Nairobi', 'KES'],
	[['en-US'], 'Asia/Baghdad', 'IQD'],
	[['ar-EG', 'en'], 'Africa/Cairo', 'EGP'],
	[['de-AT'], 'Europe/Vienna', 'EUR'],
	[['en'], 'Etc/UTC', 'USD'],
	[['no tag!'], 'Antarctica/Troll', 'USD']
])('[START-1] suggests for %o in %s the %s', (languages, zone, currency) => {
	expect(suggestedSettings({ languages, zone })).toEqual({ currency, zone });
	expect(parseCurrency(currency).ok).toBe(true);
});
