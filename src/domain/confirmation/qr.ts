import {
	concatBytes,
	decodeBase32,
	encodeBase32,
	u64,
	u8,
	utf8,
	type BytesRefusal
} from '../bytes.ts';
import { KID_BYTES, SIGNATURE_BYTES } from '../crypto.ts';
import { err, ok, type Result } from '../result.ts';
import { recordHashBytes } from './record-hash.ts';
import { CORE_BYTES } from './record.ts';
import { DECISIONS, enrolmentBytes, type Answer, type Enrolment } from './signatures.ts';
import type { SignedRecord } from './signed-record.ts';

/** A record for the phone, its signed answer for the shop, a customer's key for the shop. */
type QrLetter = 'R' | 'S' | 'K';

export interface QrContent {
	readonly letter: QrLetter;
	readonly bytes: Uint8Array;
}

export type QrRefusal = 'notOurs' | 'unknownLetter' | BytesRefusal;

const PREFIX = 'CP1';
const ANSWER_HASH_BYTES = 8;
const QR_BYTES: Readonly<Record<QrLetter, number>> = {
	R: CORE_BYTES + KID_BYTES + SIGNATURE_BYTES,
	S: 4 + 1 + 1 + ANSWER_HASH_BYTES + KID_BYTES + 8 + SIGNATURE_BYTES,
	K: 4 + 16 + 16 + 16 + 65 + SIGNATURE_BYTES
};

/** What the shop's phone shows. */
export function recordQr({ a, kid, rsig }: SignedRecord): string {
	return encodeQr('R', concatBytes(a, kid, rsig));
}

/** What the customer's phone shows back: it names H by 8 bytes, its signature covers all of it. */
export function answerQr(answer: Answer, signature: Uint8Array): string {
	return encodeQr(
		'S',
		concatBytes(
			utf8('CPS1'),
			u8(DECISIONS[answer.decision]),
			u8(answer.n),
			recordHashBytes(answer.h).subarray(0, ANSWER_HASH_BYTES),
			answer.kid,
			u64(answer.signedAt),
			signature
		)
	);
}

/** What the customer's phone shows when its key is pinned in person. */
export function enrolmentQr(enrolment: Enrolment, signature: Uint8Array): string {
	return encodeQr('K', concatBytes(utf8('CPK1'), enrolmentBytes(enrolment), signature));
}

/** Reads what a camera saw: our prefix, a letter we know, strict base 32 of that letter's length. */
export function decodeQr(text: string): Result<QrContent, QrRefusal> {
	if (!text.startsWith(PREFIX)) return err('notOurs');
	const letter = text.charAt(PREFIX.length);
	if (!isLetter(letter)) return err('unknownLetter');
	const bytes = decodeBase32(text.slice(PREFIX.length + 1));
	if (!bytes.ok) return bytes;
	return bytes.value.length === QR_BYTES[letter]
		? ok({ letter, bytes: bytes.value })
		: err('wrongLength');
}

function encodeQr(letter: QrLetter, bytes: Uint8Array): string {
	return PREFIX + letter + encodeBase32(bytes);
}

function isLetter(letter: string): letter is QrLetter {
	return Object.hasOwn(QR_BYTES, letter);
}
