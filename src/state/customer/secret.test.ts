import { describe, expect, it } from 'vitest';
import { code, codeInfo, ledgerDerivation, ledgerKey } from '#domain/confirmation/codes.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import type { CodesView, ShopKey } from '#domain/person/view.ts';
import { uuid } from '#tests/support/customer-stand.ts';
import { createWebCrypto } from '../web-crypto.ts';
import { codeSheets } from './code-sheets.ts';
import { codeSecret, importSecret } from './secret.ts';
import { grouped, sheetRows, sheetText } from './sheet-text.ts';

const crypto = createWebCrypto();
const bytes = Uint8Array.from({ length: 32 }, (_none, place) => place * 7);
const business = uuid(1, 0xb) as BusinessId;
const ledger = uuid(1, 0xc) as LedgerId;
const key: ShopKey = { business, ledger };
const set: CodesView = {
	kind: 'credit',
	money: { currency: 'KES', exponent: 2, shownDecimals: 0 },
	epoch: 3,
	capMinor: 500_000,
	issuedAt: 1,
	isTooOld: false,
	isLocked: false,
	isRevoked: false,
	open: [2, 3],
	used: [1]
};

describe('codes', () => {
	it('[CUSTOMER-5] are those that the relay derives from the bytes', async () => {
		const scope = { businessId: business, ledgerId: ledger, epoch: 3 };
		const secret = codeSecret(await importSecret(bytes));
		const ofLedger = await ledgerKey(bytes, scope, crypto);
		expect(await secret.derive(ledgerDerivation(scope))).toEqual(ofLedger);
		const info = codeInfo({ way: 'sheet', kind: 'payment', ...set.money, minor: 500_000 });
		const held = { id: 'one', key: await importSecret(bytes) };
		const [sheet] = await codeSheets({ key, codes: [set] }, [held], crypto);
		expect(sheet?.codes).toEqual([
			{ counter: 1, digits: await code(ofLedger, { info, counter: 1 }, crypto) },
			{ counter: 2, digits: await code(ofLedger, { info, counter: 2 }, crypto) },
			{ counter: 3, digits: await code(ofLedger, { info, counter: 3 }, crypto) }
		]);
	});

	it('[CUSTOMER-5] of a set that is locked, revoked or too old have no digits', async () => {
		const held = { id: 'one', key: await importSecret(bytes) };
		const over = [{ isLocked: true }, { isRevoked: true }, { isTooOld: true }];
		const codes = over.map((flag) => ({ ...set, ...flag }));
		const sheets = await codeSheets({ key, codes }, [held], crypto);
		expect(sheets.flatMap((sheet) => sheet.codes.flatMap(({ digits }) => digits ?? []))).toEqual(
			[]
		);
	});

	it('[CUSTOMER-5] are read in groups of four, a used one struck and not printed', () => {
		const sheet = {
			set,
			codes: [
				{ counter: 1, digits: '90210442' },
				{ counter: 2, digits: '48217730' },
				{ counter: 3, digits: '00012345' }
			]
		};
		expect(sheetRows(sheet)).toEqual([
			{ number: 1, digits: '9021 0442', isUsed: true },
			{ number: 2, digits: '4821 7730', isUsed: false },
			{ number: 3, digits: '0001 2345', isUsed: false }
		]);
		const words = { title: 'Kiosk', worth: 'up to 5,000', advice: 'Keep them.' };
		expect(sheetText(sheet, words)).toBe(
			'Kiosk\nup to 5,000\n\n2.  4821 7730\n3.  0001 2345\n\nKeep them.'
		);
		expect(grouped('')).toBe('');
	});
});
