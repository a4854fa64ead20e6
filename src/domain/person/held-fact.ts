import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { keyId } from '#domain/confirmation/signatures.ts';
import { readRecord, verifyRecord } from '#domain/confirmation/signed-record.ts';
import { isListOf } from '#domain/confirmation/statement-list.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import {
	PERSON_FACT_KINDS,
	type BookedFact,
	type CardFact,
	type DeviceKeySpan,
	type PersonFact
} from '#domain/fact/ledger-fact.ts';

/** A person's fact with what only cryptography can say of it, so that folding waits for nothing. */
export type HeldFact = HeldRecord | HeldCard | HeldOther;

/** `unchecked` until one of the shop's keys is known under the record's kid. */
export type RecordCheck = 'unchecked' | 'verified' | 'wrong';

export interface HeldRecord {
	readonly kind: 'record';
	readonly fact: BookedFact;
	readonly h: RecordHash;
	readonly check: RecordCheck;
}

export interface HeldCard {
	readonly kind: 'card';
	readonly fact: CardFact;
	/** Names of the keys that it vouches for, in their order, base64url. */
	readonly kids: readonly string[];
}

export interface HeldOther {
	readonly kind: 'other';
	readonly fact: Exclude<PersonFact, BookedFact | CardFact>;
}

/** A shop's keys by their kid, base64url. */
export type ShopKeys = ReadonlyMap<string, DeviceKeySpan>;

const PERSON_KINDS: ReadonlySet<string> = new Set(PERSON_FACT_KINDS);

export function isPersonFact(fact: Fact): fact is PersonFact {
	return PERSON_KINDS.has(fact.kind);
}

/**
 * Names the record of a fact by its H; undefined where its rest, or the list beside it, is not the one
 * it was signed with.
 */
export async function holdFact(
	fact: PersonFact,
	crypto: CryptoParts
): Promise<HeldFact | undefined> {
	if (fact.kind === 'booked') {
		const read = await readRecord(fact.record.signed, crypto);
		if (!read.ok || !(await isListOf(read.value.rest, fact.more.list ?? [], crypto)))
			return undefined;
		return { kind: 'record', fact, h: read.value.h, check: 'unchecked' };
	}
	if (fact.kind !== 'card') return { kind: 'other', fact };
	const kids: string[] = [];
	for (const [, key] of fact.fields.devices ?? []) kids.push(await kidOf(key, crypto));
	return { kind: 'card', fact, kids };
}

/** Checks a record by the shop's keys; it stays as it is where none of them bears its kid. */
export async function checkRecord(
	held: HeldRecord,
	keys: ShopKeys,
	crypto: CryptoParts
): Promise<HeldRecord> {
	const { signed } = held.fact.record;
	const span = keys.get(encodeBase64url(signed.kid));
	const point = span === undefined ? undefined : decodeBase64url(span[1]);
	if (point?.ok !== true) return held;
	const verified = await verifyRecord(signed, point.value, crypto);
	return { ...held, check: verified.ok ? 'verified' : 'wrong' };
}

async function kidOf(key: string, crypto: CryptoParts): Promise<string> {
	const point = decodeBase64url(key);
	return point.ok ? encodeBase64url(await keyId(point.value, crypto)) : '';
}
