import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestDatabase } from '#tests/support/database.ts';
import { readArray, writeArray, writeJsonTexts, writeUuids } from './array-text.ts';

it('writes each kind of element', () => {
	expect(writeArray([])).toBe('{}');
	expect(writeArray(['a', 1, 2n, true, null])).toBe('{"a",1,2,true,null}');
	expect(writeArray(['say "no"', 'C:\\', '', 'NULL'])).toBe('{"say \\"no\\"","C:\\\\","","NULL"}');
	expect(writeArray([1, -2.5, 2 ** 53])).toBe('{1,-2.5,9007199254740992}');
	expect(writeArray(['a,b', '{c}', ''])).toBe('{"a,b","{c}",""}');
	expect(() => writeArray([undefined as unknown as null])).toThrow('holes');
});

it('writes UUIDs bare, and anything else among them as any text', () => {
	const [a, b] = ['6f0f2c0e-5f0a-4b0e-8d43-0d8f6f8a1c01', '6f0f2c0e-5f0a-4b0e-8d43-0d8f6f8a1c02'];
	expect(writeUuids([])).toBe('{}');
	expect(writeUuids([a, b])).toBe(`{${a},${b}}`);
	expect(writeUuids([a, null])).toBe(`{"${a}",null}`);
	expect(writeUuids([a, 'no "id"'])).toBe(`{"${a}","no \\"id\\""}`);
});

it('writes texts that are JSON as it writes any text', () => {
	fc.assert(
		fc.property(fc.array(fc.jsonValue()), (values) => {
			const texts = values.map((value) => JSON.stringify(value));
			expect(writeJsonTexts(texts)).toBe(writeArray(texts));
		})
	);
});

it('reads what it wrote', () => {
	fc.assert(
		fc.property(fc.array(fc.option(fc.string({ unit: 'binary' }))), (texts) => {
			expect(readArray(writeArray(texts).replaceAll(/(?<=[{,])null(?=[,}])/g, 'NULL'))).toEqual(
				texts
			);
		})
	);
});

it('is understood by PostgreSQL, in both directions', async () => {
	const { sql, close } = await createTestDatabase();
	const texts = ['', 'NULL', 'a,b', '{c}', 'say "no"', 'C:\\new', '\\"', "it's", 'سكر', null];
	const [row] = await sql<{ back: (string | null)[]; held: number; of: string[] }[]>`
		select ${texts}::text[] as back, cardinality(${texts}::text[]) as held,
			${[1, 2 ** 40]}::bigint[] as of`;
	expect(row).toEqual({ back: texts, held: texts.length, of: ['1', String(2 ** 40)] });
	const [none] = await sql<{ held: number; small: number[] }[]>`
		select cardinality(${[]}::uuid[]) as held, ${[1, null, 3]}::int[] as small`;
	expect(none).toEqual({ held: 0, small: [1, null, 3] });
	await close();
});
