import type { Sql } from 'postgres';
import { expect, it } from 'vitest';
import type { BusinessId } from '#domain/ids.ts';
import { createHaveShelf } from './have.ts';

const A = { scope: '0192f0c1-7a00-4000-8000-0000000000a1' as BusinessId, code: 'A' };

/** A database that answers when the test says so, with the runs that it says. */
function slowDatabase(): { readonly sql: Sql; readonly answer: (to: number) => void } {
	const asked: ((rows: readonly unknown[]) => void)[] = [];
	const sql = () => new Promise((resolve) => asked.push(resolve));
	return {
		sql: sql as unknown as Sql,
		answer: (to) => {
			asked.shift()?.(to === 0 ? [] : [{ from: '1', to: String(to), digest: '0' }]);
		}
	};
}

it('[RELAY-17] a book that was read for a socket that is gone is not the next one’s', async () => {
	const { sql, answer } = slowDatabase();
	const shelf = createHaveShelf(sql);
	const first = shelf.open(A);
	shelf.close(A);
	shelf.add(A, 1, 0n);
	const second = shelf.open(A);
	answer(0);
	await first;
	expect(shelf.find(A)).toBeUndefined();
	// Committed before the second was read, and so in what it reads.
	shelf.add(A, 2, 0n);
	answer(1);
	await second;
	expect(shelf.find(A)?.ranges()).toEqual([[1, 2, '0'.repeat(16)]]);
});
