import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { bytes, crypto, h, hashOf } from '#tests/support/confirmation-vectors.ts';
import { recordHashBytes, type RecordHash } from './record-hash.ts';
import { isListOf, statementList } from './statement-list.ts';

const low = hashOf('00'.repeat(31) + '01');
const high = hashOf('ff'.repeat(32));
const many = Array.from({ length: 500 }, (_, n) => hashOf(n.toString(16).padStart(64, '0')));

it('[CP-29] names its records by one hash over their bytes, sorted, and by their count', async () => {
	const hash = createHash('sha256')
		.update(Buffer.concat([low, h, high].map(recordHashBytes)))
		.digest('base64url');
	for (const hs of [
		[low, h, high],
		[high, low, h]
	])
		expect(await statementList(hs, crypto)).toEqual([3, hash]);
	expect(await statementList([h], crypto)).toEqual([1, createHashOf(h)]);
	expect((await statementList(many, crypto))[0]).toBe(500);
});

it('[CP-29] is told from every other list', async () => {
	const list = await statementList([low, h], crypto);
	expect(await isListOf({ list }, [h, low], crypto)).toBe(true);
	const others: readonly (readonly RecordHash[])[] = [
		[],
		[h],
		[h, h],
		[h, high],
		[low, h, high],
		[low, h, h]
	];
	for (const other of others) expect(await isListOf({ list }, other, crypto)).toBe(false);
	const [, hash] = list;
	expect(await isListOf({ list: [3, hash] }, [h, low], crypto)).toBe(false);
	expect(await isListOf({}, [], crypto)).toBe(true);
	expect(await isListOf({}, [h], crypto)).toBe(false);
});

it('[CP-29] of none, of one twice or of too many is a bug of ours', async () => {
	for (const hs of [[], [h, h], [...many, high]])
		await expect(statementList(hs, crypto)).rejects.toThrow('1 to 500');
	const list = [501, createHashOf(h)] as const;
	await expect(isListOf({ list }, [...many, high], crypto)).rejects.toThrow('1 to 500');
});

function createHashOf(of: RecordHash): string {
	return createHash('sha256').update(recordHashBytes(of)).digest('base64url');
}

it('[CP-29] hashes the bytes and not their texts', async () => {
	const [, hash] = await statementList([hashOf('11'.repeat(32))], crypto);
	expect(hash).toBe(
		createHash('sha256')
			.update(bytes('11'.repeat(32)))
			.digest('base64url')
	);
});
