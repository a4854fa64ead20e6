import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { expect, it } from 'vitest';
import { putBytes, putVarUint, varUintLength } from './exact-bytes.ts';

it('writes a number as Yjs does, in as many bytes as were counted', () => {
	fc.assert(
		fc.property(fc.oneof(fc.nat(300), fc.maxSafeNat()), (value) => {
			const bytes = new Uint8Array(varUintLength(value) + 2);
			const end = putVarUint(bytes, 1, value);
			expect(end).toBe(bytes.byteLength - 1);
			const encoder = encoding.createEncoder();
			encoding.writeVarUint(encoder, value);
			expect(bytes.subarray(1, end)).toEqual(encoding.toUint8Array(encoder));
			expect([bytes[0], bytes[end]]).toEqual([0, 0]);
		})
	);
});

it('writes bytes behind each other', () => {
	const bytes = new Uint8Array(5);
	const end = putBytes(bytes, putBytes(bytes, 0, Uint8Array.of(1, 2)), Uint8Array.of(3));
	expect([...bytes, end]).toEqual([1, 2, 3, 0, 0, 3]);
});
