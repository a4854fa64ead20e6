import { code, codeInfo, ledgerDerivation } from '#domain/confirmation/codes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { CodesView, ShopKey, ShopView } from '#domain/person/view.ts';
import type { CodeSheet } from './device.ts';
import type { CodeSecret } from './secret.ts';

/**
 * The sets of a shop with their digits, made here and kept nowhere: also of what is used, so that a
 * person finds on paper what to strike.
 */
export async function codeSheets(
	{ key, codes }: Pick<ShopView, 'key' | 'codes'>,
	secret: CodeSecret,
	crypto: CryptoParts
): Promise<readonly CodeSheet[]> {
	const sheets: CodeSheet[] = [];
	for (const set of codes) {
		const digits = await digitsOf(set, { key, secret, crypto });
		const counters = [...set.open, ...set.used].toSorted((a, b) => a - b);
		sheets.push({
			set,
			codes: counters.map((counter) => ({ counter, digits: digits.get(counter) }))
		});
	}
	return sheets;
}

interface Making {
	readonly key: ShopKey;
	readonly secret: CodeSecret;
	readonly crypto: CryptoParts;
}

/** By counter; none of a set of which the relay takes nothing any more. */
async function digitsOf(
	set: CodesView,
	{ key, secret, crypto }: Making
): Promise<ReadonlyMap<number, string>> {
	const digits = new Map<number, string>();
	if (set.isRevoked || set.isTooOld || set.isLocked) return digits;
	const scope = { businessId: key.business, ledgerId: key.ledger, epoch: set.epoch };
	const ofLedger = await secret.derive(ledgerDerivation(scope));
	const info = codeInfo({
		way: 'sheet',
		// The kind of a sheet is a class: every debit, or every credit.
		kind: set.kind === 'debit' ? 'due' : 'payment',
		currency: set.money.currency,
		exponent: set.money.exponent,
		minor: set.capMinor
	});
	for (const counter of [...set.open, ...set.used])
		digits.set(counter, await code(ofLedger, { info, counter }, crypto));
	return digits;
}
