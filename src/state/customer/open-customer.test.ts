import { expect, it } from 'vitest';
import type { PersonId } from '#domain/ids.ts';
import { uuid } from '#tests/support/customer-stand.ts';
import { createMendedBrowser } from '#tests/support/mended-browser.ts';

const amina = { person: uuid(1, 0xe) as PersonId, name: 'Amina' };
const browser = createMendedBrowser();

it('[CUSTOMER-22] an app that could not be opened is opened when it is asked for again', async () => {
	const { openCustomer } = await import('./open-customer.ts');
	await expect(openCustomer(amina)).rejects.toThrow();
	browser.mend();
	const app = await openCustomer(amina);
	expect(app.person).toEqual(amina);
	expect(await openCustomer(amina)).toBe(app);
	await app.forget();
});

it('[CUSTOMER-22] so is one whose person could not be opened when somebody signed in without a new page', async () => {
	const { openCustomer } = await import('./open-customer.ts');
	await expect(openCustomer(amina)).rejects.toThrow();
	browser.mend();
	const app = await openCustomer(amina);
	expect(app.person).toEqual(amina);
	expect(await openCustomer(amina)).toBe(app);
	await app.forget();
});
