import { assert } from '../assert.ts';
import { concatBytes, tag, u64, u8, uuidToBytes } from '../bytes.ts';
import { KID_BYTES, PUBLIC_KEY_BYTES, type CryptoParts } from '../crypto.ts';
import type { BusinessId, LedgerId } from '../ids.ts';
import { recordHashBytes, type RecordHash } from './record-hash.ts';
import { RECORD_KINDS, type RecordKind } from './record-kind.ts';
import { encodeCurrency } from './record.ts';

/** What a customer says to one record. */
export type Decision = 'accept' | 'cancel';

export interface Answer {
	readonly decision: Decision;
	/** The customer's own count of answers to this record, 1 … 255. */
	readonly n: number;
	readonly h: RecordHash;
	readonly kid: Uint8Array;
	/** Milliseconds UTC. */
	readonly signedAt: number;
}

/** A customer's key, shown to one shop for one ledger. */
export interface Enrolment {
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	/** 16 bytes. */
	readonly invite: Uint8Array;
	readonly publicKey: Uint8Array;
}

/** What a customer confirms beforehand, up to limits in minor units. */
export interface StandingRule {
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly kind: RecordKind;
	readonly currency: string;
	readonly exponent: number;
	readonly mostPerRecord: number;
	readonly mostPerDay: number;
	/** Milliseconds UTC. */
	readonly notAfter: number;
	/** 16 random bytes. */
	readonly nonce: Uint8Array;
	readonly kid: Uint8Array;
}

export const DECISIONS = { accept: 1, cancel: 2 } as const satisfies Record<Decision, number>;

const INVITE_BYTES = 16;
const NONCE_BYTES = 16;

/** How a key is named: the first 8 bytes of the SHA-256 of its 65-byte point. */
export async function keyId(publicKey: Uint8Array, crypto: CryptoParts): Promise<Uint8Array> {
	return (await crypto.sha256(publicKey)).slice(0, KID_BYTES);
}

/** What a device signs for a record. */
export function recordMessage(h: RecordHash, kid: Uint8Array): Uint8Array {
	assert(kid.length === KID_BYTES, 'a kid has 8 bytes');
	return concatBytes(tag('cp/rsig/v1'), recordHashBytes(h), kid);
}

/** What a customer's phone signs for its answer to a record. */
export function answerMessage({ decision, n, h, kid, signedAt }: Answer): Uint8Array {
	assert(n >= 1, 'answers are counted from 1');
	assert(kid.length === KID_BYTES, 'a kid has 8 bytes');
	return concatBytes(
		tag('cp/csig/v1'),
		u8(DECISIONS[decision]),
		u8(n),
		recordHashBytes(h),
		kid,
		u64(signedAt)
	);
}

/** What a customer's phone signs to show that it holds the key it hands over. */
export function enrolmentMessage(enrolment: Enrolment): Uint8Array {
	return concatBytes(tag('cp/key/v1'), enrolmentBytes(enrolment));
}

/** The enrolment itself, as it stands in the message and in the QR code. */
export function enrolmentBytes(enrolment: Enrolment): Uint8Array {
	const { businessId, ledgerId, invite, publicKey } = enrolment;
	assert(invite.length === INVITE_BYTES, 'an invite has 16 bytes');
	assert(publicKey.length === PUBLIC_KEY_BYTES, 'a point has 65 bytes');
	return concatBytes(uuidToBytes(businessId), uuidToBytes(ledgerId), invite, publicKey);
}

/** What a customer signs once for a standing rule. A claim names the SHA-256 of these bytes. */
export function ruleMessage(rule: StandingRule): Uint8Array {
	assert(rule.nonce.length === NONCE_BYTES, 'a nonce has 16 bytes');
	assert(rule.kid.length === KID_BYTES, 'a kid has 8 bytes');
	return concatBytes(
		tag('cp/rule/v1'),
		uuidToBytes(rule.businessId),
		uuidToBytes(rule.ledgerId),
		u8(RECORD_KINDS[rule.kind].byte),
		encodeCurrency(rule),
		u64(rule.mostPerRecord),
		u64(rule.mostPerDay),
		u64(rule.notAfter),
		rule.nonce,
		rule.kid
	);
}
