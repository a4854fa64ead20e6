import { decodeBase64url } from '#domain/bytes.ts';
import { code, codeInfo, ledgerKey, type CodeScope } from '#domain/confirmation/codes.ts';
import type { LedgerId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import type { HostileStand, StandCustomer, StandShop } from './hostile-stand.ts';

/** Given out or not. */
const COUNTERS = [0, 1, 2, 3, 4, 5, 6, 7];
const crypto = createNodeCrypto();

export interface StandSheet {
	/** By their counters. */
	readonly codes: readonly string[];
	readonly scope: CodeScope;
	readonly info: Uint8Array;
}

/** A new set for dues up to `cap`, and its codes as the customer's phone makes them from the secret that it alone gets. */
export async function giveStandSheet(
	stand: HostileStand,
	given: {
		readonly shop: StandShop;
		readonly ledger: LedgerId;
		readonly customer: StandCustomer;
		/** Minor units of KES. */
		readonly cap: number;
	}
): Promise<StandSheet> {
	const { shop, ledger, customer, cap } = given;
	const body = {
		...{ business: shop.business, ledger },
		...{ kind: 'debit', currency: 'KES', exponent: 2, cap }
	};
	const path = `/people/${customer.person}`;
	const made = await stand.ask(`${path}/sheets`, { body, by: customer });
	if (made.status !== 201) throw new Error(`no set was made: ${made.text}`);
	const answer = await stand.ask(`${path}/secrets`, { by: customer });
	const [latest] = answer.body['secrets'] as readonly string[];
	const secret = decodeBase64url(latest ?? '');
	if (!secret.ok) throw new Error('no secret');
	const epoch = Number(made.body['epoch']);
	const scope = { businessId: shop.business, ledgerId: ledger, epoch };
	const key = await ledgerKey(secret.value, scope, crypto);
	const info = codeInfo({ way: 'sheet', kind: 'due', currency: 'KES', exponent: 2, minor: cap });
	const codes = await Promise.all(COUNTERS.map((counter) => code(key, { info, counter }, crypto)));
	return { codes, scope, info };
}
