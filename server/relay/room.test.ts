import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocumentName, type DocumentAddress } from '#documents/document-name.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { PAGE_BYTES, PAGE_LENGTH, readUpdates } from './room.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

/** A document with an update of each of these sizes, in order. */
async function documentOf(day: string, textLengths: readonly number[]): Promise<Document> {
	const name = `j/${TRADE_BUSINESS}/${TRADE_BRANCH}/${day}`;
	const address = parseDocumentName(name);
	if (!address.ok) throw new Error(address.error);
	const updates = textLengths.map((length, at) => {
		const structs = [textUnder(`A-${String(at + 1)}`, 'x'.repeat(length))];
		return handUpdate([{ client: at + 1, clock: 0, structs }]);
	});
	await database.sql`
		insert into document_update (business, document, sequence, update)
		select ${TRADE_BUSINESS}, ${name}, sequence, decode(hex, 'hex')
		from unnest(
			${updates.map((_update, at) => at + 1)}::bigint[],
			${updates.map((update) => Buffer.from(update).toString('hex'))}::text[]
		) as given (sequence, hex)`;
	return { name, address: address.value };
}

interface Document {
	readonly name: string;
	readonly address: DocumentAddress;
}

/** Notes how many bytes of updates each answer of the database holds. */
function weighed(sql: Sql, pages: number[]): Sql {
	return new Proxy(sql, {
		apply: async (target, self, given: Parameters<Sql>) => {
			const rows = (await Reflect.apply(target, self, given)) as readonly { update: Uint8Array }[];
			pages.push(rows.reduce((sum, { update }) => sum + update.byteLength, 0));
			return rows;
		}
	});
}

async function read(document: Document): Promise<{ sequences: number[]; pages: number[] }> {
	const sequences: number[] = [];
	const pages: number[] = [];
	for await (const { after, sequence } of readUpdates(weighed(database.sql, pages), document, 0)) {
		expect(after).toBe(sequences.at(-1) ?? 0);
		sequences.push(sequence);
	}
	return { sequences, pages };
}

function numbers(length: number): readonly number[] {
	return Array.from({ length }, (_none, at) => at + 1);
}

describe('the updates of a document', () => {
	it('[RELAY-16] are held a page of few bytes at a time, whatever their size', async () => {
		const sizes = [60_000, 60_000, 60_000, 100, 200_000, 100, 64_000, 64_000, 64_000, 10];
		const { sequences, pages } = await read(await documentOf('20261120', sizes));
		expect(sequences).toEqual(numbers(sizes.length));
		const one = 200_000 + 100;
		expect(Math.max(...pages)).toBeLessThan(one);
		expect(pages.filter((bytes) => bytes > PAGE_BYTES)).toHaveLength(1);
		expect(pages.length).toBeLessThan(sizes.length);
	});

	it('[RELAY-16] come in one page where they are few and short, and whole where they are many', async () => {
		expect(await read(await documentOf('20261119', []))).toEqual({ sequences: [], pages: [0] });
		const few = await read(await documentOf('20261118', numbers(200)));
		expect(few.sequences).toEqual(numbers(200));
		expect(few.pages).toHaveLength(1);
		let days = 0;
		for (const count of [PAGE_LENGTH - 1, PAGE_LENGTH, PAGE_LENGTH + 1, 2 * PAGE_LENGTH]) {
			const document = await documentOf(String(20_250_101 + days), Array<number>(count).fill(3));
			days += 1;
			expect((await read(document)).sequences).toEqual(numbers(count));
		}
	});
});
