import { assert, expect, it } from 'vitest';
import { encodeHex } from './bytes.ts';
import { claimStatement, deviceStatement, joinStatement } from './claim-statement.ts';
import { parseBranchId, parseBusinessId, parsePersonId } from './ids.ts';

const business = parseBusinessId('11111111-1111-4111-8111-111111111111');
const branch = parseBranchId('22222222-2222-4222-8222-222222222222');
const person = parsePersonId('33333333-3333-4333-8333-333333333333');
assert(business.ok && branch.ok && person.ok);
const publicKey = new Uint8Array(65).fill(0xab);
const nonce = new Uint8Array(32).fill(0xcd);

const TEXT = new TextDecoder('latin1');

it('[ACCOUNT-5] lays out a claim as tag, business, branch, person and key', () => {
	const claim = { business: business.value, branch: branch.value, person: person.value, publicKey };
	const bytes = claimStatement(claim);
	expect(TEXT.decode(bytes.subarray(0, 16))).toBe('daftar/claim/v1\0');
	expect(encodeHex(bytes.subarray(16))).toBe(
		'11111111111141118111111111111111' +
			'22222222222242228222222222222222' +
			'33333333333343338333333333333333' +
			'ab'.repeat(65)
	);
});

it('[ACCOUNT-5] lays out a join as tag and key, a proof as tag, nonce and business', () => {
	const join = joinStatement(publicKey);
	expect(TEXT.decode(join.subarray(0, 15))).toBe('daftar/join/v1\0');
	expect(encodeHex(join.subarray(15))).toBe('ab'.repeat(65));
	const proof = deviceStatement(nonce, business.value);
	expect(TEXT.decode(proof.subarray(0, 17))).toBe('daftar/device/v1\0');
	expect(encodeHex(proof.subarray(17))).toBe(`${'cd'.repeat(32)}11111111111141118111111111111111`);
});

it('[ACCOUNT-5] makes no statement of a field of another length', () => {
	expect(() => joinStatement(publicKey.subarray(1))).toThrow('whole public key');
	expect(() => deviceStatement(nonce.subarray(1), business.value)).toThrow('32 bytes');
});
