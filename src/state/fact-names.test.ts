import { expect, it } from 'vitest';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { readFactNames } from './fact-names.ts';

it('[INBOX-7] a fact is about its customer or product, by the names that are here or told beside it', async () => {
	const here = await openTestDevice({ seed: 1, currency: 'KES' });
	const joins = { identity: here.device.identity, code: 'B' };
	const there = await openTestDevice({ seed: 2, currency: 'KES', joins });
	const ours = await factsAbout('Amina', here);
	const theirs = await factsAbout('Bilal', there);
	const aboutOf = async (facts: readonly Fact[]): Promise<readonly unknown[]> => {
		const names = await readFactNames(here.store, facts);
		return facts.map(({ id, kind }) => [kind, names.get(id)]);
	};
	const tea = ['product', ['Tea of Amina', 'Salt of Amina']];
	expect(await aboutOf(ours.filter(({ kind }) => kind !== 'customer'))).toEqual([
		['setting', []],
		tea,
		['record', ['Amina']]
	]);
	expect(await aboutOf(theirs)).toEqual([
		['setting', []],
		['product', ['Tea of Bilal', 'Salt of Bilal']],
		['customer', ['Bilal']],
		['record', ['Bilal']]
	]);
	expect(await aboutOf(theirs.filter(({ kind }) => kind === 'record'))).toEqual([['record', []]]);
});

async function factsAbout(name: string, { device, store }: TestDevice): Promise<readonly Fact[]> {
	const products = [{ name: `Tea of ${name}` }, { name: `Salt of ${name}` }];
	await device.addProducts(products);
	const customer = await device.addCustomer({ name });
	if (!customer.ok) throw new Error('not added');
	await device.writeRecords(customer.value, [{ kind: 'due', minor: 500 }]);
	const journal = await store.read(['journal'], (rows) => rows.all('journal'));
	return journal.flatMap(({ text }) => {
		const parsed = parseFact(text);
		return parsed.ok ? [parsed.value] : [];
	});
}
