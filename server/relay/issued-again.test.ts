import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { factId, parseLedgerId, type LedgerId } from '#domain/ids.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { handFact, recordFact, type HandFact } from '#tests/support/hostile-facts.ts';
import { digestOf } from './check-fact.ts';
import { createTestKey } from '#tests/support/people-stand.ts';

let stand: HostileStand;
beforeAll(async () => {
	stand = await createHostileStand();
});
afterAll(() => stand.close());

/** A device of the shop with a key of its own, in the place of `heirOf`. */
async function addDevice(shop: StandShop, code: string, heirOf: string | null): Promise<StandShop> {
	const signer = await createTestKey();
	await stand.database.sql`
		insert into device (business, code, branch, member, sight, public_key, joined_at, heir_of)
		values (${shop.business}, ${code}, ${shop.branch}, 1, 'office',
			${Buffer.from(signer.publicKey)}, ${stand.clock.now}, ${heirOf})`;
	const headers = { ...shop.session, 'daftar-device': `${shop.business}/${code}` };
	return { ...shop, code, signer, headers, n: 0 };
}

function again(fact: HandFact, code: string, n: number): HandFact {
	const parsed = parseFact(fact.text);
	if (!parsed.ok) throw new Error(parsed.error);
	const id = factId(code, n);
	return { id, text: issueAgain(fact.text, parsed.value, { id, renamed: new Map() }) };
}

function saleOf(shop: StandShop, minor: number): HandFact {
	return handFact(shop, 'sale', 1, [[0, '', 1_000, minor, minor]], [['cash', minor]]);
}

async function salesTotal(shop: StandShop): Promise<number> {
	const rows = await stand.database.sql<{ sum: string | null }[]>`
		select sum(sales_minor) as sum from day_total where business = ${shop.business}`;
	return Number(rows[0]?.sum ?? 0);
}

function ledger(): LedgerId {
	const parsed = parseLedgerId('0192f0c1-7a00-4000-8000-0000000000f1');
	if (!parsed.ok) throw new Error('no ledger');
	return parsed.value;
}

describe('a fact that was issued again', () => {
	it('[RELAY-45] comes from an heir, in any number of steps, with what its ancestor signed', async () => {
		const shop = await stand.shop('line');
		const b = await addDevice(shop, 'B', 'A');
		const c = await addDevice(shop, 'C', 'B');
		const stranger = await addDevice(shop, 'D', null);
		const due = await recordFact(shop, { ledger: ledger(), minor: 1_000 });
		const sale = saleOf(shop, 300);
		expect(await stand.put(stranger, [again(due, 'D', 1)])).toBe('wasOfAnother');
		expect(await stand.put(b, [again(due, 'B', 1)])).toBe('taken');
		expect(await stand.put(c, [again(sale, 'C', 1)])).toBe('taken');
		expect(await salesTotal(shop)).toBe(300);
		const sales = await stand.database.sql<{ receipt: string }[]>`
			select receipt from sale where business = ${shop.business}`;
		expect(sales).toEqual([{ receipt: 'A-000001' }]);
		const records = await stand.database.sql<{ code: string; amount: string }[]>`
			select code, amount from record where business = ${shop.business}`;
		expect(records.map(({ code, amount }) => [code, Number(amount)])).toEqual([['B', 1_000]]);
		// What it signs itself is by its own key and ids; another's signature is none of its ancestor's.
		const forged = await recordFact(
			{ ...shop, signer: stranger.signer },
			{ ledger: ledger(), minor: 5 }
		);
		expect(await stand.put(b, [again(forged, 'B', 2)])).toBe('recordUnsigned');
	});

	it('[RELAY-46] counts once whichever name comes first, and twice where two acts had one id', async () => {
		const shop = await stand.shop('once');
		const b = await addDevice(shop, 'B', 'A');
		const [one, two] = [saleOf(shop, 100), saleOf(shop, 200)];
		expect(await stand.put(shop, [one])).toBe('taken');
		expect(await stand.put(b, [again(one, 'B', 1)])).toBe('again');
		expect(await stand.put(b, [again(two, 'B', 1)])).toBe('taken');
		expect(await stand.put(shop, [two])).toBe('again');
		expect(await stand.put(b, [again(two, 'B', 2)])).toBe('again');
		expect(await salesTotal(shop)).toBe(300);
		const other = { id: one.id, text: one.text.replaceAll('100', '400') };
		expect(await stand.put(b, [again(other, 'B', 2)])).toBe('taken');
		expect(await salesTotal(shop)).toBe(700);
		// Twice in one update is twice as well.
		const first = again(saleOf(shop, 1), 'B', 3);
		const twin = { id: 'B-4', text: first.text.replace('"B-3"', '"B-4"') };
		expect(await stand.put(b, [first, twin])).toBe('again');
	});

	it('[API-42] tells which facts the database has under no name', async () => {
		const shop = await stand.shop('lacks');
		const b = await addDevice(shop, 'B', 'A');
		const [sent, issued, lacking] = [saleOf(shop, 1), saleOf(shop, 2), saleOf(shop, 3)];
		await stand.put(shop, [sent]);
		await stand.put(b, [again(issued, 'B', 1)]);
		const digest = (text: string): string => digestOf(text).toString(16).padStart(16, '0');
		const own = again(lacking, 'B', 9);
		const known = again(sent, 'B', 8);
		const answer = await stand.ask('/facts/lacking', {
			by: b,
			body: {
				facts: [
					[sent.id, digest(sent.text)],
					[issued.id, digest(issued.text)],
					[lacking.id, digest(lacking.text)],
					[sent.id, digest('another text')],
					[known.id, digest(known.text), sent.id, digest(sent.text)],
					[own.id, digest(own.text), lacking.id, digest(lacking.text)]
				]
			}
		});
		expect(answer.body).toEqual({ lacking: [lacking.id, sent.id, own.id] });
		expect((await stand.ask('/facts/lacking', { body: { facts: [] } })).status).toBe(401);
		expect(
			(await stand.ask('/facts/lacking', { by: b, body: { facts: [['x', 'y']] } })).status
		).toBe(400);
	});
});
