import type { CryptoParts } from '#domain/crypto.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Project, ToldOf } from './effected.ts';
import { projectCustomers, projectProducts, projectSettings } from './entities.ts';
import { projectLedgers } from './ledgers.ts';
import { projectReceipts } from './receipts.ts';
import { projectDays, projectStock } from './sums.ts';

/**
 * PROJ-1. Moves every projection by facts whose rows are new in the transaction that `sql` is. The caller
 * holds the lock of each business's feed, so nobody else moves the same rows meanwhile.
 */
export function createProject(crypto: CryptoParts, told: ToldOf = {}): Project {
	return async (sql, facts) => {
		const effected = facts.map((given) => ({ ...given, effects: effectsOf(given.fact) }));
		await Promise.all([
			projectStock(sql, effected),
			projectDays(sql, effected),
			projectReceipts(sql, effected),
			projectProducts(sql, effected),
			projectCustomers(sql, effected),
			projectSettings(sql, effected),
			projectLedgers(sql, effected, { crypto, ...told })
		]);
	};
}
