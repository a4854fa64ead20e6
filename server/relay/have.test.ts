import type { Sql } from 'postgres';
import { expect, it, onTestFinished } from 'vitest';
import { present } from '#domain/assert.ts';
import type { BusinessId } from '#domain/ids.ts';
import { createTestDatabase } from '#tests/support/database.ts';
import { haveRanges, haveRangesFrom, type HaveBook } from './have-book.ts';
import { createHaveShelf, type HaveShelf } from './have.ts';

const A = { scope: '0192f0c1-7a00-4000-8000-0000000000a1' as BusinessId, code: 'A' };

/** A database that answers when the test says so, with the runs that it says. */
function slowDatabase(): {
	readonly sql: Sql;
	readonly answer: (to: number) => void;
	/** The first statement that waits breaks. */
	readonly fail: () => void;
	/** How many statements wait. */
	readonly asked: () => number;
} {
	const asked: ((rows: Promise<readonly unknown[]>) => void)[] = [];
	const sql = () => new Promise((resolve) => asked.push(resolve));
	return {
		sql: sql as unknown as Sql,
		asked: () => asked.length,
		answer: (to) => {
			const rows = to === 0 ? [] : [{ from: '1', to: String(to), digest: '0' }];
			asked.shift()?.(Promise.resolve(rows));
		},
		fail: () => {
			asked.shift()?.(Promise.reject(new Error('away')));
		}
	};
}

function bookOf(shelf: HaveShelf): HaveBook {
	return present(shelf.find(A), 'it has been read');
}

/** Lets what is to be asked be asked. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('[RELAY-17] a book that was read for a socket that is gone is not the next one’s', async () => {
	const { sql, answer } = slowDatabase();
	const shelf = createHaveShelf(sql);
	const first = shelf.open(A);
	shelf.close(A);
	shelf.add(A, 1, 0n);
	const second = shelf.open(A);
	await turn();
	answer(0);
	await first;
	expect(shelf.find(A)).toBeUndefined();
	// Committed before the second was read, and so in what it reads.
	shelf.add(A, 2, 0n);
	answer(1);
	await second;
	expect(haveRanges(bookOf(shelf))).toEqual([[1, 2, '0'.repeat(16)]]);
	// Of who has no socket nothing is asked.
	void shelf.open({ ...A, code: 'B' });
	expect(shelf.codesOf(A.scope)).toEqual(['A', 'B']);
	shelf.close(A);
	expect(shelf.codesOf(A.scope)).toEqual(['B']);
});

it('[RELAY-72] a book goes back as far as anybody asked, and loses nothing while it is read', async () => {
	const { sql, answer, asked } = slowDatabase();
	const shelf = createHaveShelf(sql);
	const late = shelf.open(A, 600);
	await turn();
	answer(0);
	await late;
	shelf.add(A, 700, 7n);
	expect(haveRangesFrom(bookOf(shelf), 600)).toEqual([[700, 700, '0000000000000007']]);
	// What lies before is told as it comes, and is not all.
	shelf.add(A, 5, 5n);
	expect(haveRanges(bookOf(shelf), [5])).toEqual([[5, 5, '0000000000000005']]);
	// Nobody needs more for this.
	await shelf.open(A, 513);
	await turn();
	expect(asked()).toBe(0);
	const all = shelf.open(A);
	await turn();
	shelf.add(A, 701, 1n);
	expect(haveRangesFrom(bookOf(shelf), 600)).toEqual([[700, 701, '0000000000000006']]);
	answer(5);
	await all;
	expect(haveRanges(bookOf(shelf))).toEqual([
		[1, 5, '0000000000000000'],
		[701, 701, '0000000000000001']
	]);
});

it('[RELAY-17] a book that could not be read is read by the next who asks, while others are open', async () => {
	const { sql, answer, fail } = slowDatabase();
	const shelf = createHaveShelf(sql);
	const today = shelf.open(A, 600);
	await turn();
	answer(0);
	await today;
	const broken = shelf.open(A);
	await turn();
	fail();
	await expect(broken).rejects.toThrow('away');
	shelf.close(A);
	// What is committed before anybody reads again is in what he reads.
	shelf.add(A, 700, 7n);
	expect(haveRangesFrom(bookOf(shelf), 600)).toEqual([[700, 700, '0000000000000007']]);
	const again = shelf.open(A);
	await turn();
	shelf.add(A, 701, 1n);
	answer(5);
	await again;
	expect(haveRanges(bookOf(shelf))).toEqual([
		[1, 5, '0000000000000000'],
		[701, 701, '0000000000000001']
	]);
	// So where there was none to begin with.
	const other = { ...A, code: 'B' };
	const first = shelf.open(other);
	await turn();
	fail();
	await expect(first).rejects.toThrow('away');
	const second = shelf.open(other);
	await turn();
	answer(2);
	expect(haveRanges(await second)).toEqual([[1, 2, '0000000000000000']]);
});

it('[RELAY-17] a book of a device whose numbers do not follow each other has the last of them alone', async () => {
	const { sql, close } = await createTestDatabase();
	onTestFinished(close);
	await sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
		select ${A.scope}, 'A', 2 * i, 'sale', 0, 0, '2026-11-20', 1, '', i, i
		from generate_series(1, 900) as i`;
	const shelf = createHaveShelf(sql, 20);
	const book = await shelf.open(A);
	const said = haveRanges(book).map(([from]) => from);
	expect(said).toEqual(Array.from({ length: 20 }, (_none, at) => 1_762 + 2 * at));
	// What is committed from now on is said all the same.
	expect(shelf.add(A, 1_801, 0n)).toBe(true);
	expect(haveRanges(book).at(-1)?.slice(0, 2)).toEqual([1_800, 1_801]);
});
