import { expect, it } from 'vitest';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import { createLedgerBook } from './ledger-book.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { sure } from '#tests/support/sure.ts';
import { dueDays } from './due-days.ts';

it('[BOOK-18] a due without a day beside one that falls due on the day it was written is no day twice', async () => {
	const { device, store, clock } = await openTestDevice({ seed: 31, currency: 'KES' });
	await device.changeSettings({ zone: 'Africa/Nairobi' });
	const amina = sure(await device.addCustomer({ name: 'Amina' }));
	const dueAt = dueMsOf('2026-11-20', 'Africa/Nairobi');
	sure(await device.writeRecords(amina, [{ kind: 'due', minor: 500, dueAt }]));
	sure(await device.writeRecords(amina, [{ kind: 'due', minor: 300 }]));
	const book = createLedgerBook({
		store,
		identity: () => device.identity,
		clock: () => clock.now
	});
	const view = await book.page(amina, 10);
	const [total] = view?.totals ?? [];
	if (view === undefined || total === undefined) throw new Error('no page');
	// The page's list is keyed by the moment: one that is there twice ends the page.
	expect(dueDays(view.tally, total)).toEqual([[dueAt, 500n, 1]]);
});
