import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { readCut, type Cut } from './cut-rows.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

interface Row {
	readonly at: number;
	readonly text: string;
}

const ROWS: readonly Row[] = [20, 4, 6, 11, 10].map((length, at) => {
	return { at, text: 'x'.repeat(length) };
});

/** Of the rows behind one. */
function cut(after: number, limit = 10): Promise<Cut<Row>> {
	const { sql } = database;
	return readCut<Row>(sql, {
		rows: sql`
			select at::int, text from unnest(
				${ROWS.map(({ at }) => at)}::int[], ${ROWS.map(({ text }) => text)}::text[]
			) as given (at, text) where at > ${after} order by at limit ${limit}`,
		...{ limit, order: sql`at`, bytes: sql`octet_length(text)`, bytesMax: 10 }
	});
}

it('[FEED-9] has so many bytes, but one row however long it is, until nothing follows', async () => {
	const pages: (readonly Row[])[] = [];
	for (let after: number | undefined = -1; after !== undefined;) {
		const { rows, last }: Cut<Row> = await cut(after);
		pages.push(rows);
		after = last?.at;
	}
	expect(pages).toEqual([[0], [1, 2], [3], [4]].map((page) => page.map((at) => ROWS[at])));
});

it('[FEED-9] has so many rows, behind the last of which more may follow', async () => {
	expect(await cut(0, 2)).toEqual({ rows: [ROWS[1], ROWS[2]], last: ROWS[2] });
	expect(await cut(3, 2)).toEqual({ rows: [ROWS[4]], last: undefined });
	expect(await cut(4, 2)).toEqual({ rows: [], last: undefined });
});
