import { describe, expect, it } from 'vitest';
import { addDays } from '#domain/calendar.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { factId, type FactId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import type { FactText } from './arrived-fact.ts';
import type { AskDevice } from './connections.ts';
import { writeMeta } from './meta.ts';
import { createOldSales, type FetchedReceipt, type OldSales } from './old-sales.ts';
import { typedReceipt } from './old-sales-of.ts';

const DAY_MS = 86_400_000;
const OLD = TEST_NOW - 401 * DAY_MS;
const OLD_DAY = addDays('2026-11-20', -401);

interface Till extends TestDevice {
	readonly old: OldSales;
	/** What is asked of the relay, and what it has: the facts of every till here. */
	readonly asked: string[];
}

/** The relay as its route answers: a sale with what came back of it, or a day. */
function relayOf(held: Map<string, FactText>, asked: string[]): AskDevice {
	return async ({ path }, read) => {
		asked.push(path);
		const query = new URLSearchParams(path.split('?')[1]);
		const name = query.get('name');
		const facts = [...held.values()].filter(({ text }) => {
			if (name === null) return /"(sale|return)"/.test(text);
			return text.startsWith(`["${name}"`) || text.includes(`"return"`) || text.includes('"sale"');
		});
		const body = { facts: facts.map(({ branch, text }) => [branch, text]) };
		const answer = read(body);
		return Promise.resolve(answer.ok ? answer : err('unreachable' as const));
	};
}

async function till(held: Map<string, FactText>, seed: number, from?: TestDevice): Promise<Till> {
	const test = await openTestDevice({
		seed,
		...(from === undefined
			? { currency: 'KES' }
			: { joins: { identity: from.device.identity, code: 'B' } })
	});
	const asked: string[] = [];
	const old = createOldSales({
		ask: relayOf(held, asked),
		store: test.store,
		crypto: test.parts.crypto,
		identity: () => test.device.identity
	});
	return { ...test, old, asked };
}

async function send({ store }: TestDevice, held: Map<string, FactText>): Promise<void> {
	await store.write(['journal', 'facts'], async (rows) => {
		for (const { id, text, branch } of await rows.all('facts'))
			held.set(id, { text, branch: branch === '' ? null : branch });
		const all = await rows.all('journal');
		await rows.put(
			'journal',
			all.map((row) => ({ ...row, sent: 1 }))
		);
	});
}

const tea = (pieces: number) => ({
	name: 'Tea',
	quantityThousandths: pieces * 1_000,
	unitPriceMinor: 500
});

/** Three teas on Amina's account, sold 401 days ago, sent and let go. */
async function oldShop(): Promise<{ a: Till; held: Map<string, FactText>; sale: FactId }> {
	const held = new Map<string, FactText>();
	const a = await till(held, 1);
	a.clock.now = OLD;
	const amina = await a.device.addCustomer({ name: 'Amina' });
	if (!amina.ok) throw new Error('refused');
	const tenders = [{ kind: 'account' as const, minor: 1_500, ledger: amina.value }];
	const sold = await a.device.sell({ lines: [tea(3)], tenders });
	if (!sold.ok) throw new Error('refused');
	a.clock.now = TEST_NOW;
	await send(a, held);
	await a.store.write(['meta'], (rows) => writeMeta(rows, 'contactAt', TEST_NOW));
	while (await a.device.prune());
	return { a, held, sale: sold.value.fact.id };
}

async function fetched(old: OldSales, name: string): Promise<FetchedReceipt> {
	const answer = await old.receipt(name);
	if (!answer.ok) throw new Error(answer.error);
	return answer.value;
}

async function dueOf({ store }: TestDevice, sale: FactId): Promise<RecordHash> {
	const [due] = await store.read(['records'], (rows) => rows.findAny('records', 'factId', [sale]));
	if (due === undefined) throw new Error('it was sold on account');
	return due.h;
}

const back = (pieces: number) => ({
	lines: [{ saleLine: 0, name: 'Tea', quantity: pieces * 1_000, damaged: false }],
	refund: { kind: 'cash' as const }
});

describe('a sale that left the device', () => {
	it('[BOOK-17] is shown as the relay has it, by number or by fact, and is not kept or counted', async () => {
		const { a, sale } = await oldShop();
		expect(await a.book.receipt('A-000001')).toBeUndefined();
		const before = await storedNumbers(a.store);
		const rows = await a.store.read(['facts'], (read) => read.count('facts'));
		for (const name of ['A-000001', sale]) {
			const { receipt } = await fetched(a.old, name);
			expect(receipt).toMatchObject({ receipt: 'A-000001', accountMinor: 1_500n, mark: 'sent' });
		}
		expect(await a.store.read(['facts'], (read) => read.count('facts'))).toBe(rows);
		expect(await storedNumbers(a.store)).toEqual(before);
	});

	it('[BOOK-17] [DEVICE-60] is shown at the time by which it counts', async () => {
		const { a, sale } = await oldShop();
		const at = { wall: OLD - 86_400_000, counter: 0 };
		await a.store.write(['clocks'], (rows) =>
			rows.put('clocks', [{ id: sale, by: factId('0.1', 9), at, on: '2025-10-14' }])
		);
		const { receipt } = await fetched(a.old, sale);
		expect(receipt.fact).toMatchObject({ at, on: '2025-10-14' });
	});

	it('[BOOK-17] comes back in parts, never more than is left, and lowers the debt first', async () => {
		const { a, held, sale } = await oldShop();
		expect(await a.device.takeBack({ sale, ...back(1) })).toEqual(err({ kind: 'unknownSale' }));
		// Another till took one back, and this one does not know of it yet.
		const b = await till(held, 2, a);
		await b.device.receive([...held.values()]);
		const there = await b.device.takeBack({ sale, ...back(1) });
		expect(there.ok).toBe(true);
		await send(b, held);

		const { sale: first, receipt } = await fetched(a.old, 'A-000001');
		if (first === undefined) throw new Error('a sale may come back');
		expect((await a.old.whole({ receipt, returns: first.returns })).returnedThousandths).toEqual([
			1_000
		]);
		const draft = { sale, fetched: first };
		const tooMany = await a.device.takeBack({ ...draft, ...back(3) });
		expect(tooMany).toEqual(err({ kind: 'moreThanLeft', leftThousandths: 2_000, lineIndex: 0 }));
		const one = await a.device.takeBack({ ...draft, ...back(1) });
		expect(one).toMatchObject({ ok: true, value: { creditMinor: 500, cashMinor: 0 } });
		const [record] = one.ok ? [one.value.fact.record] : [];
		expect(record?.rest.ref).toBe(await dueOf(a, sale));

		// What came back here since it was fetched counts too, though the relay has not got it.
		const again = await a.device.planReturn({ ...draft, ...back(2) });
		expect(again).toEqual(err({ kind: 'moreThanLeft', leftThousandths: 1_000, lineIndex: 0 }));
		const last = await a.device.takeBack({ ...draft, ...back(1) });
		expect(last.ok).toBe(true);
		const [balance] = await a.store.read(['balances'], (rows) => rows.all('balances'));
		expect(balance?.total).toBe(500n);
		await a.device.receive([...held.values()]);
		const [after] = await a.store.read(['balances'], (rows) => rows.all('balances'));
		expect(after?.total).toBe(0n);
	});

	it('[BOOK-17] that is fetched for another sale is no leave to return', async () => {
		const { a, sale } = await oldShop();
		const { sale: other } = await fetched(a.old, 'A-000001');
		if (other === undefined) throw new Error('a sale may come back');
		const id = 'A-99' as FactId;
		const taken = await a.device.takeBack({ sale: id, fetched: other, ...back(1) });
		expect([taken, other.sale.id]).toEqual([err({ kind: 'unknownSale' }), sale]);
	});

	it('[BOOK-17] makes its credit for its own customer where its record is not here yet', async () => {
		const { a, sale } = await oldShop();
		const due = await dueOf(a, sale);
		await a.store.write(['records'], (rows) => rows.clear('records'));
		const { sale: given } = await fetched(a.old, 'A-000001');
		if (given === undefined) throw new Error('a sale may come back');
		const one = await a.device.takeBack({ sale, fetched: given, ...back(1) });
		expect(one.ok && one.value.fact.record?.rest.ref).toBe(due);
	});

	it('[BOOK-17] is told apart from none, from no network and from nonsense', async () => {
		const { a } = await oldShop();
		expect(await a.old.receipt('Z-000009')).toEqual(err('noReceipt'));
		const parts = { store: a.store, crypto: a.parts.crypto, identity: () => a.device.identity };
		const offline = createOldSales({ ...parts, ask: () => Promise.resolve(err('unreachable')) });
		expect(await offline.receipt('A-000001')).toEqual(err('unreachable'));
		for (const body of [null, {}, { facts: 1 }, { facts: [['x', 'y']] }, { facts: [[null]] }]) {
			const ask: AskDevice = (_asking, read) => {
				const answer = read(body);
				return Promise.resolve(answer.ok ? ok(answer.value) : err('unreachable' as const));
			};
			const odd = createOldSales({ ...parts, ask });
			expect(await odd.receipt('A-000001')).toEqual(err('unreachable'));
		}
	});
});

describe('the receipts of a day', () => {
	it('[BOOK-17] come from here where all are here, and else from the relay with what is unsent', async () => {
		const { a, held } = await oldShop();
		await a.device.sell({ lines: [tea(1)], tenders: [{ kind: 'cash', minor: 500 }] });
		const today = await a.old.day('2026-11-20');
		expect(today).toMatchObject({ ok: true, value: { isFetched: false } });
		expect(a.asked).toEqual([]);
		expect(held.size).toBeGreaterThan(0);
		const old = await a.old.day(OLD_DAY);
		expect(a.asked).toEqual([`/receipts?branch=${a.device.identity.branch}&on=${OLD_DAY}`]);
		expect(old).toMatchObject({
			ok: true,
			value: { isFetched: true, receipts: [{ receipt: 'A-000001' }] }
		});
	});
});

it.each([
	['a-12', 'A-000012'],
	[' A 000123 ', 'A-000123'],
	['bc1234567', 'BC-1234567'],
	['٤٢', 'D-000042'],
	['Tea', undefined],
	['A-', undefined],
	['', undefined]
])('[BOOK-17] %j is typed for %j', (typed, meant) => {
	expect(typedReceipt(typed, 'D')).toBe(meant);
});
