import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestDatabase } from '#tests/support/database.ts';
import { readArray, writeArray } from './array-text.ts';

it('writes each kind of element', () => {
	expect(writeArray([])).toBe('{}');
	expect(writeArray(['a', 1, 2n, true, null])).toBe('{"a",1,2,true,null}');
	expect(writeArray(['say "no"', 'C:\\', '', 'NULL'])).toBe('{"say \\"no\\"","C:\\\\","","NULL"}');
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
