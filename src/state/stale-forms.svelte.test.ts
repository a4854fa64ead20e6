import { expect, it } from 'vitest';
import type { LedgerId } from '#domain/ids.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { App } from './app.svelte.ts';
import type { CustomerWithBalance, StockedProduct } from './book.ts';
import { CustomerForm } from './customer-form.svelte.ts';
import { CustomerPage } from './customers.svelte.ts';
import { ProductForm, type TypedNumbers } from './products.svelte.ts';
import { SettingsForm } from './settings-form.svelte.ts';

const NUMBERS: TypedNumbers = { exponent: 2, locale: 'en', decimalMark: '.' };

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
	if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
	return result.value;
}

function present<T>(found: T | undefined): T {
	if (found === undefined) throw new Error('it is there');
	return found;
}

async function shop(): Promise<App> {
	const { device, book, store, parts } = await openTestDevice({ seed: 12, currency: 'GBP' });
	const shelf = { getItem: () => null, setItem: () => undefined };
	const { changes, signer, clock } = parts;
	const app = new App({ device, book, store, changes, signer, clock, shelf });
	await app.begin();
	return app;
}

it('[SAVING-4] a form of a product writes what was changed in it, and no price of before over a new one', async () => {
	const app = await shop();
	const [id] = value(await app.device.addProducts([{ name: 'Tea', price: 500 }]));
	const read = async (): Promise<StockedProduct> => present(await app.book.product(present(id)));
	const form = new ProductForm(app, () => NUMBERS, await read());
	value(
		await app.device.changeProduct(present(id), { price: 650, category: 'Drinks', low: 3_000 })
	);
	form.name = 'Black tea';
	expect(await form.save()).toBe(id);
	expect(await read()).toMatchObject({
		name: 'Black tea',
		price: 650,
		category: 'Drinks',
		low: 3_000
	});

	form.price = '7';
	await form.save();
	expect(await read()).toMatchObject({ price: 700, category: 'Drinks' });
	form.price = '5';
	await form.save();
	expect((await read()).price).toBe(500);
});

it('[SAVING-4] nor does that of a customer or of the shop take anything back', async () => {
	const app = await shop();
	const ledger: LedgerId = value(await app.device.addCustomer({ name: 'Amina', limit: 5_000 }));
	const read = async (): Promise<CustomerWithBalance> => present(await app.book.customer(ledger));
	const form = new CustomerForm(await read(), NUMBERS);
	value(await app.device.changeCustomer(ledger, { limit: 0, terms: 7 }));
	form.nick = 'Mina';
	expect(await form.save(new CustomerPage(app, ledger))).toBe(true);
	expect(await read()).toMatchObject({ nick: 'Mina', limit: 0, terms: 7 });

	value(await app.device.changeSettings({ name: 'Duka' }));
	await app.begin();
	const settings = new SettingsForm(app, () => NUMBERS);
	value(await app.device.changeSettings({ phone: '0722', cutoff: 300, cashStep: 5 }));
	settings.name = 'Duka la Amina';
	expect(await settings.save()).toBe(true);
	expect(await app.book.settings()).toMatchObject({
		name: 'Duka la Amina',
		phone: '0722',
		cutoff: 300,
		cashStep: 5
	});
});
