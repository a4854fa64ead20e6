import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandUpcE, parseGtin } from './gtin.ts';

describe('parseGtin', () => {
	it.each([
		['4006381333931', '04006381333931'],
		['036000291452', '00036000291452'],
		['96385074', '00000096385074'],
		['10012345678902', '10012345678902'],
		['00036000291452', '00036000291452'],
		[' ٤٠٠٦٣٨١٣٣٣٩٣١ ', '04006381333931']
	])('[GTIN-1] reads %s with fourteen digits', (scanned, gtin) => {
		expect(parseGtin(scanned)).toEqual({ ok: true, value: gtin });
	});

	it('[GTIN-1] refuses what has no length of a GTIN', () => {
		for (const scanned of ['1', '1234567', '123456789', '123456789012345'])
			expect(parseGtin(scanned)).toEqual({ ok: false, error: 'wrongLength' });
		for (const scanned of ['', '85123A', '4006381-33393', '²2345678', '4006381333931\u0000'])
			expect(parseGtin(scanned)).toEqual({ ok: false, error: 'notDigits' });
	});

	it('[GTIN-2] notices any one wrong digit', () => {
		const codes = fc.constantFrom('4006381333931', '036000291452', '96385074', '10012345678902');
		fc.assert(
			fc.property(codes, fc.nat(13), fc.integer({ min: 1, max: 9 }), (code, at, delta) => {
				const digits = Array.from(code);
				const index = at % digits.length;
				digits[index] = String((Number(digits[index]) + delta) % 10);
				// Eight digits that begin with 0 are another code altogether, a UPC-E.
				fc.pre(!(digits.length === 8 && digits[0] === '0'));
				expect(parseGtin(digits.join(''))).toEqual({ ok: false, error: 'wrongCheckDigit' });
			})
		);
	});

	it.each([
		'2012345678903',
		'0212345678909',
		'212345678909',
		'412345678903',
		'20123451',
		'00000000'
	])('[GTIN-4] refuses %s, which a shop gave itself', (scanned) => {
		expect(parseGtin(scanned)).toEqual({ ok: false, error: 'inHouse' });
	});
});

describe('expandUpcE', () => {
	it.each([
		['04252614', '00042100005264'],
		['425261', '00042100005264'],
		['01234505', '00012000003455'],
		['123453', '00012300000451'],
		['123454', '00012340000053'],
		['123455', '00012345000058'],
		['123459', '00012345000096']
	])('[GTIN-3] expands %s to %s', (scanned, gtin) => {
		expect(expandUpcE(scanned)).toEqual({ ok: true, value: gtin });
		expect(parseGtin(gtin)).toEqual({ ok: true, value: gtin });
	});

	it('[GTIN-3] is what eight digits beginning with 0 are', () => {
		expect(parseGtin('04252614')).toEqual({ ok: true, value: '00042100005264' });
		expect(parseGtin('04252615')).toEqual({ ok: false, error: 'wrongCheckDigit' });
	});

	it('[GTIN-3] refuses another length, number system or check digit', () => {
		expect(expandUpcE('1234567')).toEqual({ ok: false, error: 'wrongLength' });
		expect(expandUpcE('24252614')).toEqual({ ok: false, error: 'wrongLength' });
		expect(expandUpcE('4252a1')).toEqual({ ok: false, error: 'notDigits' });
		expect(expandUpcE('04252615')).toEqual({ ok: false, error: 'wrongCheckDigit' });
		expect(expandUpcE('000000')).toEqual({ ok: false, error: 'inHouse' });
	});
});
