import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PersonId } from '#domain/ids.ts';
import { uuid } from '#tests/support/customer-stand.ts';

const amina = { person: uuid(1, 0xe) as PersonId, name: 'Amina' };
let isBroken = true;

/** A browser whose database does not open for a while, as after a page slept. */
class MendedFactory extends IDBFactory {
	override open(...asked: Parameters<IDBFactory['open']>): ReturnType<IDBFactory['open']> {
		if (isBroken) throw new DOMException('connection lost', 'InvalidStateError');
		return super.open(...asked);
	}
}

beforeEach(() => {
	vi.stubGlobal('indexedDB', new MendedFactory());
	vi.stubGlobal('IDBKeyRange', IDBKeyRange);
	vi.stubGlobal('window', { addEventListener: () => undefined });
	vi.stubGlobal('document', { addEventListener: () => undefined, visibilityState: 'visible' });
});
afterEach(() => {
	vi.unstubAllGlobals();
});

it('[CUSTOMER-22] an app that could not be opened is opened when it is asked for again', async () => {
	const { openCustomer } = await import('./open-customer.ts');
	await expect(openCustomer(amina)).rejects.toThrow();
	isBroken = false;
	const app = await openCustomer(amina);
	expect(app.person).toEqual(amina);
	expect(await openCustomer(amina)).toBe(app);
	await app.forget();
});
