import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencySettings, type Currency } from '#domain/currency.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { settle, TENDERS_MAX, type Tender } from './tender.ts';

const GBP = currencySettings('GBP' as Currency);
const IQD = currencySettings('IQD' as Currency);

const cash = (minor: number): Tender => ({ kind: 'cash', minor });
const onAccount = (minor: number): Tender => ({ kind: 'account', minor });

describe('settle', () => {
	it('[TENDER-1] gives the change of an overpaid cash sale', () => {
		const tenders = [cash(500), cash(500)];
		expect(settle(950, tenders, GBP)).toEqual({
			ok: true,
			value: {
				tenders,
				accountMinor: 0,
				cashKeptMinor: 950,
				changeMinor: 50,
				cashRoundingMinor: 0
			}
		});
	});

	it('[TENDER-1] takes a part on account and the rest in cash, and a sale of nothing', () => {
		expect(settle(950, [onAccount(900), cash(50)], GBP)).toMatchObject({
			value: { accountMinor: 900, cashKeptMinor: 50, changeMinor: 0 }
		});
		expect(settle(950, [onAccount(950)], GBP)).toMatchObject({ value: { accountMinor: 950 } });
		expect(settle(0, [], GBP)).toMatchObject({ value: { cashKeptMinor: 0, changeMinor: 0 } });
	});

	it('[TENDER-2] says what is missing', () => {
		const shortfall = (missingMinor: number) => ({
			ok: false,
			error: { kind: 'shortfall', missingMinor }
		});
		expect(settle(950, [cash(900)], GBP)).toEqual(shortfall(50));
		expect(settle(950, [onAccount(900)], GBP)).toEqual(shortfall(50));
		expect(settle(950, [], GBP)).toEqual(shortfall(950));
		expect(settle(1_100_000, [cash(750_000)], IQD)).toEqual(shortfall(250_000));
	});

	it('[TENDER-3] gives no change against what is put on account', () => {
		expect(settle(950, [onAccount(1_000), cash(100)], GBP)).toEqual({
			ok: false,
			error: { kind: 'changeWithoutCash', changeMinor: 50 }
		});
	});

	it('[TENDER-7] rounds only what is paid in cash, once, and never what is put on account', () => {
		expect(settle(1_100_000, [cash(1_250_000)], IQD)).toMatchObject({
			value: { cashKeptMinor: 1_000_000, changeMinor: 250_000, cashRoundingMinor: -100_000 }
		});
		expect(settle(1_100_000, [onAccount(500_000), cash(500_000)], IQD)).toMatchObject({
			value: { accountMinor: 500_000, cashKeptMinor: 500_000, cashRoundingMinor: -100_000 }
		});
		expect(settle(1_100_000, [onAccount(1_100_000)], IQD)).toMatchObject({
			value: { accountMinor: 1_100_000, cashRoundingMinor: 0 }
		});
		expect(settle(1_100_000, [onAccount(1_000_000)], IQD)).toMatchObject({
			error: { kind: 'shortfall', missingMinor: 100_000 }
		});
	});

	it.each<[Tender[], object]>([
		[[cash(1), cash(0.5)], { kind: 'amountNotWhole', tenderIndex: 1 }],
		[[cash(NaN)], { kind: 'amountNotWhole', tenderIndex: 0 }],
		[[cash(0)], { kind: 'amountNotPositive', tenderIndex: 0 }],
		[[cash(2_000), onAccount(-5)], { kind: 'amountNotPositive', tenderIndex: 1 }],
		[[cash(AMOUNT_MINOR_MAX + 1)], { kind: 'amountTooLarge', tenderIndex: 0 }],
		[[onAccount(1), onAccount(1)], { kind: 'accountTwice' }]
	])('[TENDER-8] refuses %j', (tenders, error) => {
		expect(settle(950, tenders, GBP)).toEqual({ ok: false, error });
	});

	it('[TENDER-8] takes so many tenders and no more', () => {
		const coins = (count: number) => Array.from({ length: count }, () => cash(1));
		expect(settle(TENDERS_MAX, coins(TENDERS_MAX), GBP)).toMatchObject({ ok: true });
		expect(settle(950, coins(TENDERS_MAX + 1), GBP)).toEqual({
			ok: false,
			error: { kind: 'tooManyTenders', tendersMax: TENDERS_MAX }
		});
	});

	it('[TENDER-9] makes what is kept the total with its rounding, and counts every coin', () => {
		const amounts = fc.integer({ min: 1, max: 3_000_000 });
		const tenders = fc.array(fc.oneof(amounts.map(cash), amounts.map(onAccount)), { maxLength: 4 });
		let settled = 0;
		fc.assert(
			fc.property(
				fc.nat(3_000_000),
				tenders,
				fc.constantFrom(GBP, IQD),
				(total, given, settings) => {
					const settlement = settle(total, given, settings);
					if (!settlement.ok) return;
					settled += 1;
					const { cashKeptMinor, accountMinor, changeMinor, cashRoundingMinor } = settlement.value;
					expect(cashKeptMinor + accountMinor).toBe(total + cashRoundingMinor);
					const handedOver = given.reduce((a, tender) => a + tender.minor, 0);
					expect(cashKeptMinor + accountMinor + changeMinor).toBe(handedOver);
					expect(Math.min(cashKeptMinor, changeMinor)).toBeGreaterThanOrEqual(0);
				}
			),
			{ numRuns: 500 }
		);
		expect(settled).toBeGreaterThan(20);
	});
});
