import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as b from './bytes.ts';
import { err, ok } from './result.ts';

describe.each([
	{ name: 'hex', encode: b.encodeHex, decode: b.decodeHex, inNode: 'hex' as const },
	{
		name: 'base64url',
		encode: b.encodeBase64url,
		decode: b.decodeBase64url,
		inNode: 'base64url' as const
	},
	{ name: 'base32', encode: b.encodeBase32, decode: b.decodeBase32, inNode: undefined },
	{ name: 'crockford', encode: b.encodeCrockford, decode: b.decodeCrockford, inNode: undefined }
])('$name', ({ encode, decode, inNode }) => {
	it('[CP-1] reads back what it wrote, and every text it reads is the one it writes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
				expect(decode(encode(bytes))).toEqual(ok(bytes));
				if (inNode !== undefined) expect(encode(bytes)).toBe(Buffer.from(bytes).toString(inNode));
			})
		);
		const characters = Array.from(encode(Uint8Array.from({ length: 256 }, (_gap, byte) => byte)));
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 12 }), (text) => {
				const bytes = decode(text);
				if (bytes.ok) expect(encode(bytes.value)).toBe(text);
			})
		);
	});
});

it('[CP-1] refuses other characters, a last character too many, and spare bits that are set', () => {
	expect(b.decodeHex('0A')).toEqual(err('wrongCharacter'));
	expect(b.decodeHex('0a1')).toEqual(err('wrongLength'));
	expect(b.decodeBase64url('AA==')).toEqual(err('wrongCharacter'));
	expect(b.decodeBase64url('A+A/')).toEqual(err('wrongCharacter'));
	expect(b.decodeBase64url('AAAAA')).toEqual(err('wrongLength'));
	expect(b.decodeBase64url('AB')).toEqual(err('spareBitsSet'));
	expect(b.decodeBase64url('AAB')).toEqual(err('spareBitsSet'));
	expect(b.decodeBase32('mzxw6')).toEqual(err('wrongCharacter'));
	expect(b.decodeBase32('MY======')).toEqual(err('wrongCharacter'));
	expect(b.decodeBase32('MZ')).toEqual(err('spareBitsSet'));
	for (const length of [1, 3, 6]) {
		expect(b.decodeBase32('A'.repeat(length))).toEqual(err('wrongLength'));
	}
	expect(b.decodeCrockford('O0')).toEqual(err('wrongCharacter'));
});

it('[CP-1] writes the examples of RFC 4648', () => {
	const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map(b.utf8);
	expect(texts.map(b.encodeBase32)).toEqual([
		'',
		'MY',
		'MZXQ',
		'MZXW6',
		'MZXW6YQ',
		'MZXW6YTB',
		'MZXW6YTBOI'
	]);
	expect(texts.map(b.encodeBase64url).at(-1)).toBe('Zm9vYmFy');
});

it('[CP-1] writes whole numbers big-endian, and asserts their limits', () => {
	expect(b.encodeHex(b.u8(255))).toBe('ff');
	expect(b.encodeHex(b.u32(0xfffefdfc))).toBe('fffefdfc');
	expect(b.encodeHex(b.u64(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
	expect(b.encodeHex(b.i64(-2))).toBe('fffffffffffffffe');
	for (const bad of [-1, 256, 0.5]) expect(() => b.u8(bad)).toThrow('not one byte');
	for (const bad of [-1, 2 ** 32, 0.5]) expect(() => b.u32(bad)).toThrow('not four bytes');
	expect(() => b.u64(-1)).toThrow('not negative');
	expect(() => b.i64(2 ** 53)).toThrow('not a safe integer');
});

it('[CP-1] reads numbers within a larger array, exactly while they are safe', () => {
	fc.assert(
		fc.property(fc.maxSafeInteger(), (value) => {
			const bytes = b.concatBytes(Uint8Array.of(9), b.i64(value)).subarray(1);
			expect(b.readI64(bytes, 0)).toBe(value);
			if (value >= 0) expect(b.readU64(bytes, 0)).toBe(value);
		})
	);
	const beyond = new Uint8Array(8).fill(0xff);
	expect(b.readU64(beyond, 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
	expect(b.readI64(beyond.with(0, 0x7f), 0)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
});

it('compares base64url texts as the bytes that they are of', () => {
	const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
	fc.assert(
		fc.property(bytes, bytes, (one, other) => {
			const order = b.compareBase64url(b.encodeBase64url(one), b.encodeBase64url(other));
			expect(Math.sign(order)).toBe(Buffer.compare(one, other));
			expect(b.equalBytes(one, other)).toBe(Buffer.compare(one, other) === 0);
		})
	);
});

it('ends a tag with a zero byte', () => {
	expect(b.encodeHex(b.tag('cp/é'))).toBe('63702fc3a900');
});

it('turns a UUID into 16 bytes and back', () => {
	const uuid = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10';
	expect(b.encodeHex(b.uuidToBytes(uuid))).toBe('8d3c1f525b1e4c389a571f0c2e9b7a10');
	expect(b.uuidFromBytes(b.uuidToBytes(uuid))).toBe(uuid);
	expect(() => b.uuidToBytes(uuid.toUpperCase())).toThrow('not a UUID');
	expect(() => b.uuidToBytes(uuid.slice(2))).toThrow('not a UUID');
	expect(() => b.uuidFromBytes(new Uint8Array(15))).toThrow('16 bytes');
});
