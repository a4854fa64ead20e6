import type { Sql } from 'postgres';
import { findSecret, keyIdOf, type SecretSource } from '#server/secret.ts';
import { opensRelayKey } from '#server/vault.ts';

/**
 * KEEP-5. The name of the secret under which this database's values are sealed, as it is at hand. Makes
 * none; throws one sentence where there is none, or another one.
 */
export async function nameSecret(sql: Sql, source: SecretSource): Promise<string> {
	const secret = await findSecret(source);
	const remedy = 'Set DAFTAR_SECRET, or DATA_DIR, as the servers of this database have them.';
	if (secret === undefined) {
		throw new Error(`There is no secret for the backup to name, so nothing was saved. ${remedy}`);
	}
	if (await opensRelayKey(sql, secret)) return keyIdOf(secret);
	throw new Error(
		`The secret here (${keyIdOf(secret)}) does not open what this database keeps, so nothing was saved. ${remedy}`
	);
}
