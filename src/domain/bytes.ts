import { assert } from './assert.ts';
import { err, ok, type Result } from './result.ts';

/** Why a text is not the bytes of an encoding; the first that applies. */
export type BytesRefusal = 'wrongCharacter' | 'wrongLength' | 'spareBitsSet';

interface Alphabet {
	readonly characters: string;
	readonly bits: number;
	readonly values: ReadonlyMap<string, number>;
}

const HEX = alphabet('0123456789abcdef');
const BASE32 = alphabet('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
const CROCKFORD = alphabet('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
const BASE64URL = alphabet('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** Lower case, two digits a byte. */
export function encodeHex(bytes: Uint8Array): string {
	return encode(bytes, HEX);
}

/** Refuses upper case and an odd number of digits. */
export function decodeHex(text: string): Result<Uint8Array, BytesRefusal> {
	return decode(text, HEX);
}

/** RFC 4648 section 5, with no padding. */
export function encodeBase64url(bytes: Uint8Array): string {
	return encode(bytes, BASE64URL);
}

/** Refuses padding, a last character too many, and spare bits that are not zero: one text a value. */
export function decodeBase64url(text: string): Result<Uint8Array, BytesRefusal> {
	return decode(text, BASE64URL);
}

/**
 * The order of the bytes of two texts of one length, by the first digit that differs: who sorts many
 * need not decode each as often as it is looked at.
 */
export function compareBase64url(a: string, b: string): number {
	for (let at = 0; at < a.length; at += 1) {
		if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
		return (BASE64URL.values.get(a.charAt(at)) ?? 0) - (BASE64URL.values.get(b.charAt(at)) ?? 0);
	}
	return 0;
}

/** RFC 4648 section 6: upper case, no padding, so that a QR code may use its alphanumeric mode. */
export function encodeBase32(bytes: Uint8Array): string {
	return encode(bytes, BASE32);
}

/** Refuses lower case, padding, a last character too many, and spare bits that are not zero. */
export function decodeBase32(text: string): Result<Uint8Array, BytesRefusal> {
	return decode(text, BASE32);
}

/** Douglas Crockford's base 32, without check symbol: no I, L, O or U, for people to read out. */
export function encodeCrockford(bytes: Uint8Array): string {
	return encode(bytes, CROCKFORD);
}

/** As strict as the others; what a person typed is made upper case and mapped before. */
export function decodeCrockford(text: string): Result<Uint8Array, BytesRefusal> {
	return decode(text, CROCKFORD);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function utf8(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

/** The text and one zero byte: what keeps a hash or signature of one thing from being of another. */
export function tag(text: string): Uint8Array {
	return utf8(`${text}\0`);
}

/** One byte, 0 … 255. */
export function u8(value: number): Uint8Array {
	assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'not one byte');
	return Uint8Array.of(value);
}

/** Four bytes, big-endian. */
export function u32(value: number): Uint8Array {
	assert(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, 'not four bytes');
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value);
	return bytes;
}

/** Eight bytes, big-endian, of a whole number that a float holds exactly. */
export function u64(value: number): Uint8Array {
	assert(value >= 0, 'an unsigned number is not negative');
	return i64(value);
}

/** Eight bytes, big-endian, two's complement. */
export function i64(value: number): Uint8Array {
	assert(Number.isSafeInteger(value), 'not a safe integer');
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigInt64(0, BigInt(value));
	return bytes;
}

/** Above 2⁵³ − 1 the nearest float, which is never below it: the caller's limit refuses it. */
export function readU64(bytes: Uint8Array, offset: number): number {
	return Number(viewOf(bytes).getBigUint64(offset));
}

/** Beyond ±(2⁵³ − 1) the nearest float, which is never within: the caller's limit refuses it. */
export function readI64(bytes: Uint8Array, offset: number): number {
	return Number(viewOf(bytes).getBigInt64(offset));
}

/** The 16 bytes of a UUID in its one lower-case form; its version is the caller's matter. */
export function uuidToBytes(uuid: string): Uint8Array {
	const bytes = decodeHex(uuid.replaceAll('-', ''));
	assert(bytes.ok && bytes.value.length === UUID_BYTES, `not a UUID: ${uuid}`);
	return bytes.value;
}

export function uuidFromBytes(bytes: Uint8Array): string {
	assert(bytes.length === UUID_BYTES, 'a UUID has 16 bytes');
	return encodeHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const UUID_BYTES = 16;

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function alphabet(characters: string): Alphabet {
	const values = new Map(Array.from(characters, (character, value) => [character, value]));
	return { characters, bits: Math.log2(characters.length), values };
}

function encode(bytes: Uint8Array, { characters, bits }: Alphabet): string {
	let text = '';
	let held = 0;
	let heldBits = 0;
	for (const byte of bytes) {
		held = (held << 8) | byte;
		heldBits += 8;
		while (heldBits >= bits) {
			heldBits -= bits;
			text += characters.charAt(held >> heldBits);
			held &= (1 << heldBits) - 1;
		}
	}
	return heldBits === 0 ? text : text + characters.charAt(held << (bits - heldBits));
}

function decode(text: string, { bits, values }: Alphabet): Result<Uint8Array, BytesRefusal> {
	const bytes = new Uint8Array((text.length * bits) >> 3);
	let at = 0;
	let held = 0;
	let heldBits = 0;
	for (let index = 0; index < text.length; index += 1) {
		const value = values.get(text.charAt(index));
		if (value === undefined) return err('wrongCharacter');
		held = (held << bits) | value;
		heldBits += bits;
		if (heldBits >= 8) {
			heldBits -= 8;
			bytes[at] = held >> heldBits;
			held &= (1 << heldBits) - 1;
			at += 1;
		}
	}
	if (heldBits >= bits) return err('wrongLength');
	return held === 0 ? ok(bytes) : err('spareBitsSet');
}
