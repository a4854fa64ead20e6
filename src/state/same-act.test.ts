import { describe, expect, it } from 'vitest';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, type FactId, type ProductId } from '#domain/ids.ts';
import { inBatches, permutations, shuffled } from '#tests/support/permutations.ts';
import { seeded } from '#tests/support/seeded.ts';
import { checkpointOf, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import type { FactText } from './arrived-fact.ts';
import { readMeta } from './meta.ts';

async function till(seed: number, code?: string, of?: TestDevice): Promise<TestDevice> {
	if (code === undefined || of === undefined) return openTestDevice({ seed, currency: 'INR' });
	return openTestDevice({ seed, joins: { identity: of.device.identity, code } });
}

async function sell({ device }: TestDevice, minor: number, productId?: ProductId): Promise<void> {
	const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: minor };
	const sold = await device.sell({
		lines: [{ ...line, ...(productId !== undefined && { productId }) }],
		tenders: [{ kind: 'cash', minor }]
	});
	if (!sold.ok) throw new Error(JSON.stringify(sold.error));
}

/** Something of each sort, where later facts name earlier ones. */
async function trade(of: TestDevice): Promise<void> {
	const { device } = of;
	const made = await device.addProducts([{ name: 'Rice', price: 250 }]);
	const amina = await device.addCustomer({ name: 'Amina' });
	if (!made.ok || !amina.ok) throw new Error('no product, or no customer');
	const [rice] = made.value;
	if (rice === undefined) throw new Error('no product');
	await device.adjustStock([{ product: rice, delta: 9_000 }], 'found');
	await sell(of, 250, rice);
	await device.writeRecords(amina.value, [{ kind: 'due', minor: 500 }]);
	await sell(of, 700, rice);
}

async function inPieces(
	{ device }: TestDevice,
	facts: readonly FactText[],
	random: (limit: number) => number
): Promise<void> {
	for (const piece of inBatches(facts, random, 4)) await device.receive(piece);
}

async function factsOf({ store, device }: TestDevice, code?: string): Promise<readonly FactText[]> {
	const rows = await store.read(['facts'], (read) => read.all('facts'));
	const { branch } = device.identity;
	return rows
		.filter((row) => row.code === (code ?? device.identity.code))
		.toSorted((a, b) => a.n - b.n)
		.map(({ text }) => ({ text, branch }));
}

/** The same acts under an heir's ids, from 1 on; what names another of them names it as it is called there. */
function issuedAgain(facts: readonly FactText[], code: string): readonly FactText[] {
	const renamed = new Map<FactId, FactId>();
	return facts.map(({ text, branch }, place) => {
		const parsed = parseFact(text);
		if (!parsed.ok) throw new Error('no fact');
		const id = factId(code, place + 1);
		const again = issueAgain(text, parsed.value, { id, renamed });
		renamed.set(parsed.value.id, id);
		return { text: again, branch };
	});
}

/** As the relay's feed brings them. */
function feed(facts: readonly FactText[]): readonly FactText[] {
	return facts.map((fact, place) => ({ ...fact, s: place + 1 }));
}

async function idsOf({ store }: TestDevice): Promise<readonly string[]> {
	const rows = await store.read(['facts'], (read) => read.all('facts'));
	return rows.map(({ id }) => id).filter((id) => !id.startsWith('A-'));
}

async function sold({ store }: TestDevice): Promise<readonly bigint[]> {
	return (await store.read(['days'], (rows) => rows.all('days'))).map((day) => day.salesMinor);
}

function isLost({ store }: TestDevice): Promise<boolean | undefined> {
	return store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
}

describe('an act under several names', () => {
	it('[DEVICE-66] counts once, whichever name came first, also of heirs of heirs', async () => {
		const a = await till(1);
		const b = await till(2, 'B', a);
		await sell(b, 10_000);
		const first = await factsOf(b);
		const heir = issuedAgain(first, 'D');
		const names = [first, heir, issuedAgain(heir, 'E')];
		for (const order of permutations(names)) {
			const apart = await till(3, 'C', a);
			for (const facts of order) await apart.device.receive(facts);
			expect([await idsOf(apart), await sold(apart)]).toEqual([
				(await idsOf(apart)).slice(0, 1),
				[10_000n]
			]);
			const together = await till(4, 'C', a);
			await together.device.receive(order.flat());
			expect([(await idsOf(together)).length, await sold(together)]).toEqual([1, [10_000n]]);
			// Which of them the relay has says its feed, and nothing that comes another way.
			await apart.device.receive(feed(heir));
			await apart.device.receive(names.flat());
			expect([await idsOf(apart), await sold(apart)]).toEqual([['D-1'], [10_000n]]);
			expect(await isLost(apart)).toBeUndefined();
		}
	});

	it('[DEVICE-66] begins anew only where more than a name changed', async () => {
		const a = await till(1);
		const b = await till(2, 'B', a);
		await trade(b);
		const firsts = await factsOf(b);
		const heirs = feed(issuedAgain(firsts, 'D'));
		const lost = await Promise.all(
			firsts.map(async (_first, place) => {
				const to = await till(3, 'C', a);
				await to.device.receive(firsts);
				const before = await storedNumbers(to.store);
				await to.device.receive(heirs.slice(place, place + 1));
				expect(await storedNumbers(to.store)).toEqual(before);
				const records = await to.store.read(['records'], (rows) => rows.all('records'));
				const held = await idsOf(to);
				expect(records.filter(({ factId }) => !held.includes(factId))).toEqual([]);
				return (await isLost(to)) === true;
			})
		);
		// A product, a customer, what is found of the product, a sale of it, a due, a sale.
		expect(lost).toEqual([true, true, true, true, false, true]);
	});

	it('[DEVICE-66] is two acts where its heir issued another text under that name', async () => {
		const a = await till(1);
		const [b, copy] = [await till(2, 'B', a), await till(3, 'B', a)];
		await sell(b, 10_000);
		await sell(copy, 100);
		const to = await till(4, 'C', a);
		await to.device.receive(await factsOf(b));
		await to.device.receive(feed(issuedAgain(await factsOf(copy), 'D')));
		expect([await idsOf(to), await sold(to)]).toEqual([['B-1', 'D-1'], [10_100n]]);
		expect(await isLost(to)).toBeUndefined();
	});

	it('[DEVICE-67] gives way to another text that the relay has under its name', async () => {
		const a = await till(1);
		const [b, copy] = [await till(2, 'B', a), await till(3, 'B', a)];
		await sell(b, 10_000);
		await sell(copy, 100);
		const to = await till(4, 'C', a);
		await to.device.receive(await factsOf(b));
		await to.device.receive(await factsOf(copy));
		expect([await sold(to), await isLost(to)]).toEqual([[10_000n], undefined]);
		await to.device.receive(feed(await factsOf(copy)));
		expect(await isLost(to)).toBe(true);
		const relay = await till(5, 'R', a);
		await relay.device.receive(await factsOf(copy));
		await to.device.takeCheckpoint(await checkpointOf(relay.store, 2));
		expect([await sold(to), await isLost(to)]).toEqual([[100n], false]);
		expect(await factsOf(to, 'B')).toEqual(await factsOf(copy));
		// What it wrote itself a device takes from nobody.
		const own = await factsOf(b);
		await b.device.receive(feed(await factsOf(copy)));
		expect([await sold(b), await isLost(b)]).toEqual([[10_000n], undefined]);
		expect(await factsOf(b)).toEqual(own);
	});

	it('[DEVICE-67] gives way to what the feed has, though a document brings another text at that moment', async () => {
		const a = await till(1);
		const [b, copy] = [await till(2, 'B', a), await till(3, 'B', a)];
		await sell(b, 10_000);
		await sell(copy, 100);
		const to = await till(4, 'C', a);
		await Promise.all([
			to.device.receive(await factsOf(b)),
			to.device.receive(feed(await factsOf(copy)))
		]);
		expect(await factsOf(to, 'B')).toEqual(await factsOf(copy));
		expect(await isLost(to)).toBe(true);
	});

	it('[DEVICE-66] comes to the relay’s numbers, however it was heard of', async () => {
		const a = await till(1);
		const [b, copy] = [await till(2, 'B', a), await till(3, 'B', a)];
		await trade(b);
		await sell(copy, 100);
		const firsts = await factsOf(b);
		const strangers = await factsOf(copy);
		const heirs = issuedAgain(firsts, 'D');
		const relay = await till(4, 'R', a);
		const there = [...(await factsOf(a)), ...strangers, ...heirs];
		await relay.device.receive(there);
		const checkpoint = { ...(await checkpointOf(relay.store, there.length)), epoch: 2 };
		for (let seed = 1; seed <= 12; seed += 1) {
			const random = seeded(seed);
			const to = await till(5, 'C', a);
			const before = [firsts, firsts, strangers, heirs].flatMap((facts) =>
				facts.slice(0, random(facts.length + 1))
			);
			await inPieces(to, shuffled(before, random), random);
			// One goes on with the feed, another begins anew, and history brings the rest.
			if (seed % 2 === 0) await inPieces(to, feed(there), random);
			await to.device.takeCheckpoint(checkpoint);
			for (let round = 0; round < 2; round += 1) {
				await inPieces(to, feed(there).toReversed(), random);
				if ((await isLost(to)) === true) await to.device.takeCheckpoint(checkpoint);
			}
			expect(await isLost(to)).toBe(false);
			expect(await storedNumbers(to.store)).toEqual(await storedNumbers(relay.store));
			expect(await idsOf(to)).toEqual(await idsOf(relay));
		}
	});
});
