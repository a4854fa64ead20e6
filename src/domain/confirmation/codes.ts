import { assert, present } from '../assert.ts';
import { concatBytes, encodeBase64url, tag, u32, u64, u8, utf8, uuidToBytes } from '../bytes.ts';
import type { CryptoParts } from '../crypto.ts';
import type { BusinessId, LedgerId } from '../ids.ts';
import { dammDigit } from './damm.ts';
import { hkdf, type KeyDerivation } from './hkdf.ts';
import { recordHashBytes, type RecordHash } from './record-hash.ts';
import { isCredit, RECORD_KINDS, type RecordKind } from './record-kind.ts';
import { encodeCurrency } from './record.ts';

/** Which ledger's codes, and which set of them: raising the epoch revokes the set. */
export interface CodeScope {
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly epoch: number;
}

/** What a code is worth: on a sheet up to `minor`, from the phone exactly `minor`. */
export interface CodeWorth {
	readonly way: 'sheet' | 'app';
	readonly kind: RecordKind;
	readonly currency: string;
	readonly exponent: number;
	readonly minor: number;
}

/** One place of the sequence that a key and an info give. */
export interface CodePlace {
	readonly info: Uint8Array;
	readonly counter: number;
}

const CODE_DIGITS = 8;
const SMS_DIGITS = 6;
const SMS_SENDS = 3;
const WAY_BYTES = { sheet: 0, app: 1 } as const;
/** A phone's counters are its number × 2³² + k. */
export const COUNTERS_PER_PHONE = 2 ** 32;

const SECRET_ID_BYTES = 8;

/** By which a phone knows which K_C is meant: it tells nothing of it. */
export async function secretId(customerKey: Uint8Array, crypto: CryptoParts): Promise<string> {
	const hash = await crypto.sha256(concatBytes(tag('cp/kc/v1'), customerKey));
	return encodeBase64url(hash.slice(0, SECRET_ID_BYTES));
}

/** K_L: what both the relay and the customer's phones derive all codes of a ledger from. */
export function ledgerKey(
	customerKey: Uint8Array,
	scope: CodeScope,
	crypto: CryptoParts
): Promise<Uint8Array> {
	return hkdf({ secret: customerKey, ...ledgerDerivation(scope) }, crypto);
}

/** Salt and info of K_L, for who keeps the customer's secret where its bytes cannot be read. */
export function ledgerDerivation({
	businessId,
	ledgerId,
	epoch
}: CodeScope): Pick<KeyDerivation, 'salt' | 'info'> {
	const salt = concatBytes(uuidToBytes(businessId), uuidToBytes(ledgerId));
	return { salt, info: concatBytes(utf8('cp/ledger/v1'), u32(epoch)) };
}

/** Binds a code to its way, kind, currency, and cap or amount. */
export function codeInfo(worth: CodeWorth): Uint8Array {
	return concatBytes(
		utf8('cp/code/v1'),
		u8(WAY_BYTES[worth.way]),
		u8(RECORD_KINDS[worth.kind].byte),
		encodeCurrency(worth),
		u64(worth.minor)
	);
}

/** For which kind a phone makes its codes, of what the customer picks there: I took, I paid, or all that waits. */
export function pickedKind(kind: RecordKind): RecordKind {
	if (kind === 'statement') return 'statement';
	return isCredit(kind) ? 'payment' : 'due';
}

/** The 8 digits of one code of a ledger. */
export async function code(
	key: Uint8Array,
	{ info, counter }: CodePlace,
	crypto: CryptoParts
): Promise<string> {
	const derived = await hkdf({ secret: key, salt: new Uint8Array(), info }, crypto);
	return hotp(derived, { counter, digits: CODE_DIGITS }, crypto);
}

/** The counter of a phone's `k`th code; `phone` is its number from the relay. */
export function phoneCounter(phone: number, k: number): number {
	assert(Number.isInteger(k) && k >= 0 && k < COUNTERS_PER_PHONE, 'k is of 32 bits');
	return phone * COUNTERS_PER_PHONE + k;
}

/** A phone's code as it is spoken: 8 digits and their Damm digit. */
export function spokenCode(digits: string): string {
	return digits + dammDigit(digits);
}

/** The first 10 bits by which a shop's device catches a mistyped sheet code, 0 … 1023. */
export async function sheetCheck(
	{ businessId, ledgerId, epoch }: CodeScope,
	{ info, counter, digits }: CodePlace & { readonly digits: string },
	crypto: CryptoParts
): Promise<number> {
	const hash = await crypto.sha256(
		concatBytes(
			tag('cp/cv/v1'),
			uuidToBytes(businessId),
			uuidToBytes(ledgerId),
			u32(epoch),
			u64(counter),
			info,
			utf8(digits)
		)
	);
	return new DataView(hash.buffer, hash.byteOffset).getUint16(0) >> 6;
}

/** The 6 digits of send 0, 1 or 2 of one record. */
export async function smsCode(
	smsKey: Uint8Array,
	{ h, send }: { readonly h: RecordHash; readonly send: number },
	crypto: CryptoParts
): Promise<string> {
	assert(send >= 0 && send < SMS_SENDS, 'a record has three sends');
	const salt = recordHashBytes(h);
	const derived = await hkdf({ secret: smsKey, salt, info: utf8('cp/sms/v1') }, crypto);
	return hotp(derived, { counter: send, digits: SMS_DIGITS }, crypto);
}

/** HOTP (RFC 4226 section 5.3) over HMAC-SHA-256: 31 bits at the place that the last byte names. */
export async function hotp(
	key: Uint8Array,
	{ counter, digits }: { readonly counter: number; readonly digits: number },
	crypto: CryptoParts
): Promise<string> {
	const mac = await crypto.hmacSha256(key, u64(counter));
	const offset = present(mac.at(-1), 'a MAC has bytes') & 0x0f;
	const number = new DataView(mac.buffer, mac.byteOffset).getUint32(offset) & 0x7fffffff;
	return String(number % 10 ** digits).padStart(digits, '0');
}
