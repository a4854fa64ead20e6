import { expect, it } from 'vitest';
import { h, hashOf, vectors } from '#tests/support/confirmation-vectors.ts';
import { err, ok } from '../result.ts';
import {
	compareRecordHashes,
	humanReference,
	parseRecordHash,
	recordHashBytes,
	recordHashOf
} from './record-hash.ts';

it('[CP-5] is 32 bytes in base64url, and nothing else is', () => {
	expect(parseRecordHash(h)).toEqual(ok(h));
	expect(recordHashOf(recordHashBytes(h))).toBe(h);
	for (const bad of [undefined, 7, '', `${h}A`, h.slice(1), vectors.H, `${h.slice(1)}=`]) {
		expect(parseRecordHash(bad)).toEqual(err('notAHash'));
	}
	expect(parseRecordHash(`${h.slice(0, -1)}N`)).toEqual(err('notAHash'));
	expect(() => recordHashOf(new Uint8Array(31))).toThrow('32 bytes');
});

it('[CP-5] is ordered by its bytes, not by its text', () => {
	// In base64url 0x00… reads A…, 0xd3… reads 0…, 0xf8… reads -…, 0xff… reads _….
	const ordered = ['00', '6c', 'd3', 'f8', 'ff'].map((byte) => hashOf(byte + '00'.repeat(31)));
	expect(ordered.toSorted()).not.toEqual(ordered);
	expect(ordered.toReversed().sort(compareRecordHashes)).toEqual(ordered);
	expect(compareRecordHashes(h, h)).toBe(0);
});

it('[CP-5] is read out as eight characters', () => {
	expect(humanReference(hashOf('00'.repeat(32)))).toBe('0000-0000');
	expect(humanReference(hashOf('ff'.repeat(32)))).toBe('ZZZZ-ZZZZ');
});
