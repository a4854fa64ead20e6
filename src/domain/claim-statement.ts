import { assert } from './assert.ts';
import { concatBytes, tag, utf8, uuidToBytes } from './bytes.ts';
import { PUBLIC_KEY_BYTES } from './crypto.ts';
import type { SheetFields } from './fact/ledger-fact.ts';
import type { BranchId, BusinessId, LedgerId, PersonId } from './ids.ts';

export const NONCE_BYTES = 32;
export const DIGEST_BYTES = 32;

export interface Claim {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	/** The uncompressed point, 65 bytes. */
	readonly publicKey: Uint8Array;
}

/** What the key of a business's first device signs when its owner signs up: these ids are mine. */
export function claimStatement({ business, branch, person, publicKey }: Claim): Uint8Array {
	assert(publicKey.length === PUBLIC_KEY_BYTES, 'a claim names a whole public key');
	const ids = [business, branch, person].map(uuidToBytes);
	return concatBytes(tag('daftar/claim/v1'), ...ids, publicKey);
}

/** What a joining device signs: it holds the private half of the key it brings. */
export function joinStatement(publicKey: Uint8Array): Uint8Array {
	assert(publicKey.length === PUBLIC_KEY_BYTES, 'a joining device brings a whole public key');
	return concatBytes(tag('daftar/join/v1'), publicKey);
}

/** What a device signs to be known again: a nonce of the relay's, so that it cannot be replayed. */
export function deviceStatement(nonce: Uint8Array, scope: BusinessId | PersonId): Uint8Array {
	assert(nonce.length === NONCE_BYTES, 'a nonce has 32 bytes');
	return concatBytes(tag('daftar/device/v1'), nonce, uuidToBytes(scope));
}

/** Who takes the place of whom: a device of a business, or a phone of a person. */
export interface Heir {
	readonly scope: BusinessId | PersonId;
	/** Of the device or phone whose numbers are used by two. */
	readonly code: string;
	/** The heir's own uncompressed point, 65 bytes. */
	readonly publicKey: Uint8Array;
}

/** What both keys sign, the old one and the heir's, over a nonce of the relay's. */
export function heirStatement(nonce: Uint8Array, { scope, code, publicKey }: Heir): Uint8Array {
	assert(nonce.length === NONCE_BYTES, 'a nonce has 32 bytes');
	assert(publicKey.length === PUBLIC_KEY_BYTES, 'an heir brings a whole public key');
	return concatBytes(tag('daftar/heir/v1'), nonce, uuidToBytes(scope), publicKey, utf8(code));
}

/** What a removed device signs, once for each lot of late facts: the SHA-256 of the lot's bytes. */
export function lateFactsStatement(
	nonce: Uint8Array,
	business: BusinessId,
	digest: Uint8Array
): Uint8Array {
	assert(nonce.length === NONCE_BYTES, 'a nonce has 32 bytes');
	assert(digest.length === DIGEST_BYTES, 'a lot is known by its whole digest');
	return concatBytes(tag('daftar/late/v1'), nonce, uuidToBytes(business), digest);
}

/** What a customer's phone signs when it is enrolled: it holds the private half of this key. */
export function phoneStatement(person: PersonId, publicKey: Uint8Array): Uint8Array {
	assert(publicKey.length === PUBLIC_KEY_BYTES, 'a phone brings a whole public key');
	return concatBytes(tag('daftar/phone/v1'), uuidToBytes(person), publicKey);
}

/** What the relay signs of a set of codes: whoever restores a backup may take it back by this. */
export function sheetStatement(
	business: BusinessId,
	ledger: LedgerId,
	set: Omit<SheetFields, 'kid' | 'sig'>
): Uint8Array {
	const { epoch, kind, currency, exponent, cap, issuedAt, open } = set;
	const said = [business, ledger, epoch, kind, currency, exponent, cap, issuedAt, open];
	return concatBytes(tag('daftar/sheet/v1'), utf8(JSON.stringify(said)));
}
