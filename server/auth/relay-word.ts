import type { Sql } from 'postgres';
import { decodeBase64url } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { RelaySignedFact } from '#domain/fact/fact.ts';
import { relayMessage } from '#domain/fact/relay-message.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { ScopeId } from './relay-fact-draft.ts';

export interface RelayKeys {
	/** Undefined where this relay never made one. */
	readonly current: Uint8Array | undefined;
	/** That, and those of which the secret was lost. */
	readonly all: readonly Uint8Array[];
}

export async function readRelayKeys(sql: Sql): Promise<RelayKeys> {
	const rows = await sql<{ place: number; key: Uint8Array }[]>`
		select place, public_key as key from relay_key order by place`;
	const [first] = rows;
	const all = rows.map(({ key }) => new Uint8Array(key));
	return { current: first?.place === 1 ? all[0] : undefined, all };
}

export interface WordParts {
	/** In whose feed it would stand. */
	readonly scope: ScopeId;
	readonly crypto: Pick<CryptoParts, 'verify'>;
	readonly relayKeys: RelayKeys;
}

/**
 * RELAY-90. Who is let in, and when a fact counts, is told as the relay told it, or by nobody: devices that
 * hold such a word go by it. So it stands by a key too of which the secret was lost.
 */
export async function isRelaysWord(
	fact: RelaySignedFact,
	{ relayKeys: { all }, crypto, scope }: WordParts
): Promise<boolean> {
	const sig = decodeBase64url(fact.sig ?? '');
	if (!sig.ok) return false;
	// Only a business has them.
	const message = relayMessage(scope as BusinessId, fact);
	for (const key of all) if (await crypto.verify(key, message, sig.value)) return true;
	return false;
}
