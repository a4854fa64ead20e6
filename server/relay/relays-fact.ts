import type { Sql } from 'postgres';
import { decodeBase64url } from '#domain/bytes.ts';
import { verdictMessage } from '#domain/confirmation/verdict.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';

export type RelaysRefusal = 'notYourKind' | 'epochNotEnded' | 'verdictUnsigned';

/** Why a fact is none that a relay of an epoch that has ended can have written; undefined where it may be. */
export async function refusalOfRelays(
	fact: Fact,
	{ isOfPerson, epoch, ...parts }: RelaysParts
): Promise<RelaysRefusal | undefined> {
	const kinds = isOfPerson ? RELAYS_OF_PERSON : RELAYS_OF_BUSINESS;
	if (!kinds.has(fact.kind)) return 'notYourKind';
	if (Number(fact.code.slice(2)) >= epoch) return 'epochNotEnded';
	return (await isSignedByRelay(fact, parts)) ? undefined : 'verdictUnsigned';
}

interface RelaysParts {
	readonly isOfPerson: boolean;
	readonly epoch: number;
	readonly crypto: CryptoParts;
	/** Undefined where this relay never made one. */
	readonly relayKey: Uint8Array | undefined;
}

/** What only a relay writes, by whose facts it is known; the rest of its code would be another's. */
const RELAYS_OF_BUSINESS: ReadonlySet<string> = new Set([
	...(['member', 'device', 'clock', 'ask', 'link', 'sheet', 'verdict', 'answered', 'saw'] as const)
]);
const RELAYS_OF_PERSON: ReadonlySet<string> = new Set([
	...(['card', 'asked', 'booked', 'judged', 'filed', 'told', 'codes'] as const)
]);

/** A verdict spends codes and confirms records, so it counts by its signature and nothing less. */
async function isSignedByRelay(
	fact: Fact,
	{ relayKey, crypto }: Pick<RelaysParts, 'relayKey' | 'crypto'>
): Promise<boolean> {
	if (fact.kind !== 'verdict' && fact.kind !== 'judged') return true;
	const [v, sig] = [decodeBase64url(fact.v), decodeBase64url(fact.sig)];
	if (!v.ok || !sig.ok || relayKey === undefined) return false;
	return crypto.verify(relayKey, verdictMessage(v.value), sig.value);
}

export async function readRelayKey(sql: Sql): Promise<Uint8Array | undefined> {
	const [row] = await sql<{ public_key: Uint8Array }[]>`select public_key from relay_key`;
	return row === undefined ? undefined : new Uint8Array(row.public_key);
}
