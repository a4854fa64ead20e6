import { expect, it } from 'vitest';
import type { LedgerId } from '#domain/ids.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { App } from './app.svelte.ts';
import { ledgerOf } from './ledger-of.ts';
import { LedgerPage } from './ledger-page.svelte.ts';
import type { LedgerPageView, ThreadEntry, ThreadRecord } from './ledger-views.ts';

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
	if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
	return result.value;
}

interface Joined {
	readonly of: LedgerPage;
	/** The card that the page does not write to. */
	readonly other: LedgerId;
	readonly view: () => Promise<LedgerPageView>;
	readonly record: () => Promise<ThreadRecord>;
	readonly pending: () => Promise<ThreadEntry>;
	/** Writes 104 dues of 1, more than the page shows at first. */
	readonly fillPage: () => Promise<void>;
	/** Pays some of a due, from elsewhere. */
	readonly pay: (due: ThreadRecord, minor: number) => Promise<void>;
}

/** Two cards on one page; on the other one stand a due of 500 and a cheque. */
async function joined(): Promise<Joined> {
	const {
		device,
		book,
		store,
		parts,
		clock: own
	} = await openTestDevice({ seed: 14, currency: 'GBP' });
	const shelf = { getItem: () => null, setItem: () => undefined };
	const { changes, signer, clock } = parts;
	const app = new App({ device, book, store, changes, signer, clock, shelf });
	value(await device.changeSettings({ zone: 'Pacific/Auckland' }));
	await app.begin();
	const amina = value(await device.addCustomer({ name: 'Amina' }));
	const other = value(await device.addCustomer({ name: 'Amina H.' }));
	value(await device.writeRecords(other, [{ kind: 'due', minor: 500 }]));
	value(await device.addEntry(other, ['pending', 50, 'GBP', 2, 'cheque', '']));
	value(await device.mergeCards(amina, other, true));
	const view = async (): Promise<LedgerPageView> => {
		const found = await ledgerOf(app).page(amina, 50);
		if (found === undefined) throw new Error('she has a page');
		return found;
	};
	return {
		of: new LedgerPage(app, amina),
		other,
		view,
		record: async () => {
			const [found] = (await view()).items.flatMap((item) =>
				item.kind === 'record' ? [item.record] : []
			);
			if (found === undefined) throw new Error('the due stands there');
			return found;
		},
		pending: async () => {
			const found = (await view()).items.flatMap((item) =>
				item.kind === 'entry' && item.entry.entry.kind === 'pending' ? [item.entry] : []
			);
			if (found[0] === undefined) throw new Error('the cheque stands there');
			return found[0];
		},
		fillPage: async () => {
			own.now += 60_000;
			const eight = Array.from({ length: 8 }, () => ({ kind: 'due', minor: 1 }) as const);
			for (let count = 0; count < 104; count += eight.length)
				value(await device.writeRecords(other, eight));
		},
		pay: async ({ ledger, h }, minor) => {
			const payment = { kind: 'payment', minor, allocations: [[h, minor]] } as const;
			value(await device.writeRecords(ledger, [payment]));
		}
	};
}

it('[DEVICE-43] [DUE-1] a due of any card of the page is moved to a day of the shop, with a reason', async () => {
	const { of, record } = await joined();
	const due = await record();
	expect(await of.moveDue(due, '2026-12-04', '')).toMatchObject({
		error: { kind: 'reasonMissing' }
	});
	value(await of.moveDue(due, '2026-12-04', 'asked'));
	const { settling } = await record();
	expect(
		new Date(settling?.dueMs ?? 0).toLocaleDateString('sv', { timeZone: 'Pacific/Auckland' })
	).toBe('2026-12-04');
});

it('[DEVICE-43] a due of any card of the page is forgiven, and a cheque of any bounces', async () => {
	const { of, record, pending, view, other } = await joined();
	const fact = value(await of.forgive(await record(), 500));
	expect(fact.records[0]?.core.ledgerId).toBe(other);
	expect((await view()).totals[0]).toMatchObject({ total: 0n, pendingMinor: 50n });
	value(await of.bounced(await pending()));
	expect((await view()).totals[0]?.pendingMinor).toBe(0n);
});

it('[DEVICE-40] a due of which some was paid since it was shown is not forgiven all that was shown', async () => {
	const { of, record, view, pay } = await joined();
	const shown = await record();
	await pay(shown, 300);
	const fact = value(await of.forgive(shown, 500));
	expect(fact.records[0]?.core.amount).toBe(200);
	expect((await view()).totals[0]).toMatchObject({ total: 0n });
	expect(await of.forgive(shown, 500)).toMatchObject({ error: { kind: 'moreThanLeft' } });
});

it('[DEVICE-43] a cheque of any card of the page arrives under that card', async () => {
	const { of, pending, view, other } = await joined();
	const cheque = await pending();
	if (cheque.entry.kind !== 'pending') throw new Error('it is under way');
	const fact = value(await of.arrived(cheque, cheque.entry));
	expect(fact.records[0]?.core.ledgerId).toBe(other);
	expect((await view()).totals[0]).toMatchObject({ total: 450n, pendingMinor: 0n });
});

it('[DEVICE-71] what was just done to a record far behind the latest ones is undone as well', async () => {
	const { of, record, view, fillPage } = await joined();
	const due = await record();
	await fillPage();
	const total = async (): Promise<bigint | undefined> => (await view()).totals[0]?.total;
	const forgiven = value(await of.forgive(due, 500));
	expect(await total()).toBe(104n);
	expect((await of.undo(forgiven))?.ok).toBe(true);
	expect(await total()).toBe(604n);
	const late = value(await of.write([{ kind: 'payment', minor: 70 }], { lateOn: '2026-11-01' }));
	expect(await total()).toBe(534n);
	expect((await of.undo(late))?.ok).toBe(true);
	expect(await total()).toBe(604n);
	expect(await of.undo(late)).toBeUndefined();
});
