import { code, codeInfo, ledgerDerivation } from '#domain/confirmation/codes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { CodesView, ShopKey, ShopView } from '#domain/person/view.ts';
import type { CodeSheet } from './device.ts';
import { codeSecret, type HeldSecret } from './secret.ts';

/**
 * The sets of a shop with their digits, made here and kept nowhere: also of what is used, so that a
 * person finds on paper what to strike.
 */
export async function codeSheets(
	{ key, codes }: Pick<ShopView, 'key' | 'codes'>,
	secrets: readonly HeldSecret[],
	crypto: CryptoParts
): Promise<readonly CodeSheet[]> {
	const sheets: CodeSheet[] = [];
	for (const set of codes) {
		const digits = await digitsOf(set, { key, secrets, crypto });
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
	readonly secrets: readonly HeldSecret[];
	readonly crypto: CryptoParts;
}

/** Whether a set has digits that cannot be made from what is held. */
export function lacksSecret(set: CodesView, secrets: readonly HeldSecret[]): boolean {
	return !isOver(set) && secretOf(set, secrets) === undefined;
}

function isOver({ isRevoked, isTooOld, isLocked }: CodesView): boolean {
	return isRevoked || isTooOld || isLocked;
}

/** A set that names none is older than the second. */
function secretOf({ secret }: CodesView, secrets: readonly HeldSecret[]): CryptoKey | undefined {
	const held = secret === undefined ? secrets.at(-1) : secrets.find(({ id }) => id === secret);
	return held?.key;
}

/** By counter; none of a set of which the relay takes nothing any more. */
async function digitsOf(
	set: CodesView,
	{ key, secrets, crypto }: Making
): Promise<ReadonlyMap<number, string>> {
	const digits = new Map<number, string>();
	const secret = secretOf(set, secrets);
	if (isOver(set) || secret === undefined) return digits;
	const scope = { businessId: key.business, ledgerId: key.ledger, epoch: set.epoch };
	const ofLedger = await codeSecret(secret).derive(ledgerDerivation(scope));
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
