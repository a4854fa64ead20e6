import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LedgerId } from '#domain/ids.ts';
import type { BaseRow, DeviceStore, RecordRow } from '#storage/device-store.ts';
import { relayTongue, type RelayTongue } from '#tests/support/relay-facts.ts';
import { checkpointOf } from '#tests/support/shop-numbers.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import type { FactText } from './arrived-fact.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createLedgerBook, type LedgerPageView } from './ledger-book.ts';

const SECOND = 1_000;

/** The till that has everything, and what came to it after the place of the checkpoint. */
interface Till extends TestDevice {
	readonly amina: LedgerId;
	readonly relay: RelayTongue;
	readonly due: (minor: number) => Promise<RecordRow>;
}

async function till(seed: number): Promise<Till> {
	const test = await openTestDevice({ seed, currency: 'GBP' });
	const added = await test.device.addCustomer({ name: 'Amina' });
	if (!added.ok) throw new Error('no customer');
	const amina = added.value;
	const relay = relayTongue(test, amina);
	await relay.link({ state: 'linked', way: 'app', at: 1 });
	return {
		...test,
		amina,
		relay,
		due: async (minor) => {
			test.clock.now += SECOND;
			const done = await test.device.writeRecords(amina, [{ kind: 'due', minor }]);
			if (!done.ok) throw new Error('no due');
			const [row] = await test.store.read(['records'], (rows) =>
				rows.findAny('records', 'factId', [done.value.id])
			);
			if (row === undefined) throw new Error('a due is a record');
			return row;
		}
	};
}

/** A phone that began with a checkpoint whose later pieces, but for these records, are on their way. */
async function phone(from: Till, held: (row: RecordRow) => boolean): Promise<Phone> {
	const checkpoint = await checkpointOf(from.store, 1);
	const bases = [{ ledger: from.amina, sums: await baseSums(from.store) }];
	const records = checkpoint.records.filter(held);
	const begun: Checkpoint = { ...checkpoint, records, bases };
	const identity = from.device.identity;
	const to = await openTestDevice({ seed: 99, joins: { identity, code: 'B' } });
	to.clock.now = from.clock.now;
	await to.device.takeCheckpoint(begun);
	const before = new Set((await factsOf(from.store)).map(({ text }) => text));
	return {
		...to,
		hear: async () => {
			to.clock.now = from.clock.now;
			const all = await factsOf(from.store);
			await to.device.receive(all.filter(({ text }) => !before.has(text)));
		},
		fill: async () => to.device.takeCheckpoint({ ...checkpoint, whole: [from.amina] })
	};
}

interface Phone extends TestDevice {
	/** What the till wrote and heard since comes by the feed. */
	readonly hear: () => Promise<void>;
	/** The older records come. */
	readonly fill: () => Promise<void>;
}

async function baseSums(store: DeviceStore): Promise<BaseRow['sums']> {
	const rows = await store.read(['balances'], (of) => of.all('balances'));
	return rows.map(({ currency, confirmed, waiting, credited, disputed, lastAt }) => {
		const [code = '', exponent] = currency.split('/');
		const sums = { confirmed, waiting, credited, disputed, lastAt };
		return { currency: code, exponent: Number(exponent), ...sums };
	});
}

async function factsOf(store: DeviceStore): Promise<readonly FactText[]> {
	const facts = await store.read(['facts'], (rows) => rows.all('facts'));
	return facts.map(({ text, branch }) => ({ text, branch: branch === '' ? null : branch }));
}

function balances(store: DeviceStore): Promise<unknown> {
	return store.read(['balances'], (rows) => rows.all('balances'));
}

async function page(of: TestDevice, ledger: LedgerId): Promise<LedgerPageView> {
	const { store, device, clock } = of;
	const book = createLedgerBook({
		store,
		identity: () => device.identity,
		clock: () => clock.now
	});
	const found = await book.page(ledger, 100);
	if (found === undefined) throw new Error('she has a page');
	return found;
}

function totalOf({ totals: [first] }: LedgerPageView): unknown {
	return { total: first?.total, disputed: first?.disputed, notYetAgreed: first?.notYetAgreed };
}

async function isWanted({ store }: TestDevice, ledger: LedgerId): Promise<boolean> {
	const base = await store.read(['bases'], (rows) => rows.get('bases', ledger));
	return base?.isWanted === 1;
}

it('[BOOK-15] a no to what was written since moves the balance while older records are on their way', async () => {
	const from = await till(1);
	await from.due(3_000);
	const to = await phone(from, () => false);
	const later = await from.due(650);
	await to.hear();
	expect(totalOf(await page(to, from.amina))).toMatchObject({ total: 3_650n, disputed: 0n });
	await from.relay.cancel(later.h, 'wrongAmount');
	await to.hear();
	const view = await page(to, from.amina);
	expect(totalOf(view)).toMatchObject({ total: 3_000n, disputed: 650n });
	// All that moved is here: nobody has to hurry, and the total is what it is.
	expect(view).toMatchObject({ isWhole: false, isTotalSure: true });
	expect(await isWanted(to, from.amina)).toBe(false);
	expect(await balances(to.store)).toEqual(await balances(from.store));
});

it('[BOOK-19] no statement is made of a page whose older records are on their way', async () => {
	const from = await till(7);
	await from.due(3_000);
	const to = await phone(from, () => false);
	await from.due(650);
	await to.hear();
	const { store, device, clock } = to;
	const book = createLedgerBook({
		store,
		identity: () => device.identity,
		clock: () => clock.now
	});
	const period = { from: '2026-11-01', to: '2026-11-30' };
	expect(await book.statement(from.amina, period)).toBeUndefined();
	await to.fill();
	expect(await book.statement(from.amina, period)).toMatchObject({ closingMinor: 3_650n });
});

it('[DEVICE-70] no rest is paid or forgiven, nor an older record corrected, before all of them are here', async () => {
	const from = await till(8);
	const older = await from.due(200);
	const back = { kind: 'reversalOfDebit', minor: 200, ref: older.h } as const;
	await from.device.writeRecords(from.amina, [back, { kind: 'payment', minor: 500 }]);
	const to = await phone(from, ({ h }) => h === older.h);
	const { h } = await from.due(500);
	await to.hear();
	const coming = { ok: false, error: { kind: 'stillComing' } };
	const correction = { h: older.h, toMinor: 0, reason: 'twice' };
	expect(await to.device.markPaid(h, 'cash')).toEqual(coming);
	expect(await to.device.forgive(h, 500)).toEqual(coming);
	expect(await to.device.correct(correction)).toEqual(coming);
	// What was written since has nothing before it.
	expect(await to.device.correct({ h, toMinor: 400, reason: 'wrong' })).toMatchObject({ ok: true });
	await to.fill();
	const nothing = { kind: 'moreThanLeft', place: 0, leftMinor: 0 };
	expect(await to.device.markPaid(h, 'cash')).toEqual({ ok: false, error: nothing });
	expect(await to.device.forgive(h, 500)).toEqual({ ok: false, error: nothing });
	expect(await to.device.correct(correction)).toMatchObject({ error: { kind: 'nothingLeft' } });
	expect(totalOf(await page(to, from.amina))).toMatchObject({ total: -100n });
});

it('[BOOK-15] a no to an older record that is here moves the balance', async () => {
	const from = await till(2);
	await from.due(3_000);
	const older = await from.due(650);
	const to = await phone(from, ({ h }) => h === older.h);
	await from.relay.cancel(older.h, 'wrongAmount');
	await to.hear();
	expect(totalOf(await page(to, from.amina))).toMatchObject({ total: 3_000n, disputed: 650n });
	expect(await balances(to.store)).toEqual(await balances(from.store));
});

it('[BOOK-16] a no to an older record that is not here brings its ledger first, and no total is vouched for', async () => {
	const from = await till(3);
	await from.due(3_000);
	const older = await from.due(650);
	const to = await phone(from, () => false);
	expect(await page(to, from.amina)).toMatchObject({ isWhole: false, isTotalSure: true });
	expect(await isWanted(to, from.amina)).toBe(false);
	await from.relay.cancel(older.h, 'wrongAmount');
	await to.hear();
	expect(await isWanted(to, from.amina)).toBe(true);
	expect(await page(to, from.amina)).toMatchObject({ isWhole: false, isTotalSure: false });
	await to.fill();
	const view = await page(to, from.amina);
	expect(view).toMatchObject({ isWhole: true, isTotalSure: true });
	expect(totalOf(view)).toMatchObject({ total: 3_000n, disputed: 650n });
	expect(await balances(to.store)).toEqual(await balances(from.store));
});

it('[DEVICE-6] [BOOK-16] a sale whose due is still on its way is taken back as a credit for it', async () => {
	const from = await till(5);
	const lines = [{ name: 'Rice', quantityThousandths: 1_000, unitPriceMinor: 650 }];
	const tenders = [{ kind: 'account', minor: 650, ledger: from.amina } as const];
	const sold = await from.device.sell({ lines, tenders });
	if (!sold.ok) throw new Error('no sale');
	const to = await phone(from, () => false);
	// The day's journal brings the sale before the later pieces of the checkpoint bring her records.
	await to.device.receive(await factsOf(from.store));
	const draft = {
		sale: sold.value.fact.id,
		lines: [{ saleLine: 0, name: 'Rice', quantity: 1_000, damaged: false }],
		refund: { kind: 'cash' } as const
	};
	expect(await to.device.planReturn(draft)).toMatchObject({
		value: { creditMinor: 650, ledger: from.amina }
	});
	const back = await to.device.takeBack(draft);
	expect(back).toMatchObject({
		value: { cashMinor: 0, fact: { record: { core: { amount: 650 } } } }
	});
	await to.fill();
	expect(totalOf(await page(to, from.amina))).toMatchObject({ total: 0n });
	await from.device.receive(await factsOf(to.store));
	expect(totalOf(await page(from, from.amina))).toMatchObject({ total: 0n });
});

/** What may happen to a ledger, as the test draws it: of which record, by its place. */
const act = fc.record({
	kind: fc.constantFrom('due', 'payment', 'correct', 'cancel', 'accept'),
	minor: fc.integer({ min: 1, max: 900 }),
	of: fc.nat(8)
});
type Act = typeof act extends fc.Arbitrary<infer Drawn> ? Drawn : never;

async function happen(from: Till, { kind, minor, of }: Act): Promise<void> {
	from.clock.now += SECOND;
	const rows = await from.store.read(['records'], (all) => all.all('records'));
	const ordered = rows.toSorted((a, b) => a.at - b.at || (a.h < b.h ? -1 : 1));
	const named = ordered[of % Math.max(1, ordered.length)]?.h;
	if (kind === 'due' || kind === 'payment')
		await from.device.writeRecords(from.amina, [{ kind, minor }]);
	else if (named === undefined) return;
	else if (kind === 'correct')
		// Down by a credit that names it, up by a further due, or away by a reversal.
		await from.device.correct({
			h: named,
			toMinor: minor < 300 ? 0 : minor,
			reason: 'typed wrong'
		});
	else if (kind === 'cancel') await from.relay.cancel(named, 'wrongAmount');
	else await from.relay.accept(named);
}

async function totalsText({ store }: TestDevice): Promise<string> {
	const rows = await store.read(['balances'], (of) => of.all('balances'));
	return rows.map(({ total, confirmed }) => `${String(total)} ${String(confirmed)}`).join();
}

it('[BOOK-15] a ledger of which all that is named is here comes to what it comes to whole', async () => {
	let moved = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(act, { minLength: 1, maxLength: 8 }),
			fc.array(act, { minLength: 1, maxLength: 8 }),
			async (before, since) => {
				const from = await till(4);
				for (const one of before) await happen(from, one);
				const to = await phone(from, () => true);
				const start = await totalsText(to);
				for (const one of since) await happen(from, one);
				await to.hear();
				expect(await balances(to.store)).toEqual(await balances(from.store));
				if ((await totalsText(to)) !== start) moved += 1;
			}
		),
		{ numRuns: 40 }
	);
	expect(moved).toBeGreaterThan(10);
});
