import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { businessDayOf, dayNumber } from '#domain/calendar.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordFact } from '#domain/fact/fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import type { Result } from '#domain/result.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { only, type DeviceStore, type RecordRow } from '#storage/device-store.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import { checkpointOf } from '#tests/support/shop-numbers.ts';
import { relayTongue, type RelayTongue } from '#tests/support/relay-facts.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { UNKNOWN_REF, type FactText } from './arrived-fact.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { openDevice, type Device } from './device.ts';
import { createLedgerBook, type LedgerBook, type ThreadRecord } from './ledger-book.ts';
import { startOfDay } from './ledger-day.ts';
import { countKept } from './receive.ts';
import { readTypedCode } from './typed-code.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
	if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
	return result.value;
}

interface Shop extends TestDevice {
	readonly amina: LedgerId;
	readonly ledgers: LedgerBook;
	readonly relay: RelayTongue;
	readonly due: (minor: number) => Promise<RecordHash>;
	readonly hashOf: (fact: RecordFact) => Promise<RecordHash>;
	readonly record: (h: RecordHash) => Promise<ThreadRecord>;
}

async function shop(seed = 1, store?: DeviceStore): Promise<Shop> {
	const test = await openTestDevice({ seed, currency: 'GBP', ...(store && { store }) });
	const amina = value(
		await test.device.addCustomer({ name: 'Amina', phone: '0722 418 903', terms: 7 })
	);
	const ledgers = bookOf(test);
	const hashOf = (fact: RecordFact): Promise<RecordHash> => firstHash(test.store, fact);
	return {
		...test,
		amina,
		ledgers,
		relay: relayTongue(test, amina),
		hashOf,
		due: async (minor) =>
			hashOf(value(await test.device.writeRecords(amina, [{ kind: 'due', minor }]))),
		record: async (h) => {
			const page = await ledgers.page(amina, 100);
			const all = page?.items.flatMap((item) =>
				item.kind === 'record' ? [item.record, ...item.corrections] : []
			);
			const found = all?.find((record) => record.h === h);
			if (found === undefined) throw new Error('no such record on the page');
			return found;
		}
	};
}

function bookOf({ store, device, clock }: TestDevice): LedgerBook {
	return createLedgerBook({ store, identity: () => device.identity, clock: () => clock.now });
}

async function firstHash(store: DeviceStore, fact: RecordFact): Promise<RecordHash> {
	const rows = await store.read(['records'], (read) =>
		read.findAny('records', 'factId', [fact.id])
	);
	const [first] = rows;
	if (first === undefined) throw new Error('the fact carries a record');
	return first.h;
}

async function linked(seed = 1): Promise<Shop & { readonly codes: readonly string[] }> {
	const test = await shop(seed);
	await test.relay.link({ state: 'linked', way: 'app', username: 'amina.h', epoch: 1, at: 1 });
	const codes = await test.relay.sheet({ cap: 10_000 });
	return { ...test, codes };
}

/** Every table that the ledger's numbers stand in, but for the count of their changes. */
async function ledgerTables(store: DeviceStore): Promise<unknown> {
	return store.read(
		['sayings', 'links', 'sheets', 'edges', 'entries', 'ends', 'asks', 'tallies', 'balances'],
		async (rows) => ({
			sayings: await rows.all('sayings'),
			links: (await rows.all('links')).map((link) => ({
				...link,
				history: link.history.toSorted((a, b) => (a.id < b.id ? -1 : 1))
			})),
			sheets: await rows.all('sheets'),
			edges: await rows.all('edges'),
			entries: await rows.all('entries'),
			ends: await rows.all('ends'),
			asks: await rows.all('asks'),
			balances: await rows.all('balances'),
			tallies: (await rows.all('tallies')).map((tally) => ({ ...tally, revision: 0 }))
		})
	);
}

async function textsOf(store: DeviceStore): Promise<readonly FactText[]> {
	const facts = await store.read(['facts'], (rows) => rows.all('facts'));
	return facts.map(({ text, branch }) => ({ text, branch: branch === '' ? null : branch }));
}

/** A shop to which a bit of everything happened. */
async function busyShop(): Promise<Shop> {
	const test = await linked();
	const { device, amina, relay, codes, clock } = test;
	const other = value(await device.addCustomer({ name: 'Amina H.' }));
	const first = await test.due(500);
	await device.writeRecords(amina, [{ kind: 'payment', minor: 200 }]);
	const second = await test.due(900);
	await device.writeRecords(other, [{ kind: 'due', minor: 70 }]);
	value(await device.mergeCards(amina, other, true));
	value(await device.mergeCards(amina, other, false));
	value(await device.mergeCards(other, amina, true));
	const claimed = value(await device.claimByCode(amina, [first, second], codes[2] ?? ''));
	clock.now += HOUR_MS;
	await relay.verdict(claimed.fact.claim.id, claimed.h, { result: 'ok', seq: 1 });
	const third = await test.due(333);
	await relay.cancel(third, 'notMe', 'I was away');
	value(await device.answerDispute(third, { way: 'correct', minor: 300 }));
	value(await device.addEntry(amina, ['promise', 20_779, 100, 'GBP', 2]));
	const slip = value(await device.addEntry(0, ['slip', 'owesUs', 40, 'GBP', 2, '']));
	// Another device ends the same slip, apart from this one.
	const { identity } = device;
	const elsewhere = await openTestDevice({ seed: 4, joins: { identity, code: 'C' } });
	await elsewhere.device.receive(await textsOf(test.store));
	elsewhere.clock.now = clock.now + 1;
	value(await elsewhere.device.addEntry(0, ['slipDone', slip.id]));
	clock.now += 2;
	value(await device.writeRecords(amina, [{ kind: 'due', minor: 40 }], { slip: slip.id }));
	await device.receive(await textsOf(elsewhere.store));
	await relay.saw(clock.now);
	await relay.sheet({ cap: 20_000, epoch: 2, open: [5, 6] });
	return test;
}

/** A shop whose records say what no checkpoint does: who took goods, what was paid of which due, and what is late. */
async function settledShop(): Promise<{ readonly from: Shop; readonly checkpoint: Checkpoint }> {
	const from = await shop();
	value(await from.device.writeRecords(from.amina, [{ kind: 'due', minor: 300, takenBy: 'Ali' }]));
	from.clock.now += DAY_MS;
	value(await from.device.markPaid(await from.due(500), 'bank'));
	value(
		await from.device.writeRecords(from.amina, [{ kind: 'due', minor: 70 }], {
			lateOn: '2026-11-17'
		})
	);
	const checkpoint = await checkpointOf(from.store, 1);
	const records = checkpoint.records.map((row) => asRelayHas(row));
	return { from, checkpoint: { ...checkpoint, records } };
}

function asRelayHas({
	takenBy: _by,
	allocations: _for,
	isLate: _late,
	...row
}: RecordRow): RecordRow {
	return row;
}

async function moneyTables(store: DeviceStore): Promise<unknown> {
	const records = await store.read(['records'], (rows) => rows.all('records'));
	return { records, ledgers: await ledgerTables(store) };
}

function without(row: RecordRow, field: 'allocations' | 'list'): RecordRow {
	const left = Object.entries(row).filter(([name]) => name !== field);
	return Object.fromEntries(left) as unknown as RecordRow;
}

describe('what happens to ledgers', () => {
	it('[DEVICE-28] makes the same numbers in any order and any repetition', async () => {
		const from = await busyShop();
		const facts = await textsOf(from.store);
		const wanted = await ledgerTables(from.store);
		expect(facts.length).toBeGreaterThan(15);
		await fc.assert(
			fc.asyncProperty(
				fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2 }),
				fc.integer({ min: 1, max: 9 }),
				async (shuffled, piece) => {
					const { identity } = from.device;
					const to = await openTestDevice({ seed: 7, joins: { identity, code: 'B' } });
					for (let at = 0; at < shuffled.length; at += piece)
						await to.device.receive(shuffled.slice(at, at + piece));
					expect(await ledgerTables(to.store)).toEqual(wanted);
				}
			),
			{ numRuns: 12, seed: 20_261_121 }
		);
	});

	it('[DEVICE-29] comes whole with a checkpoint, whatever came before and since', async () => {
		const from = await busyShop();
		const checkpoint = await checkpointOf(from.store, 1);
		await from.relay.link({ state: 'ended', endedBy: 'customer', at: from.clock.now });
		const facts = await textsOf(from.store);
		const wanted = await ledgerTables(from.store);
		const { identity } = from.device;
		for (const before of [0, 9, facts.length]) {
			const to = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
			await to.device.receive(facts.slice(0, before));
			await to.device.takeCheckpoint(checkpoint);
			await to.device.receive(facts);
			expect(await ledgerTables(to.store)).toEqual(wanted);
		}
	});

	it('[DEVICE-25] [DEVICE-29] what a checkpoint brings in a later form counts once it is known', async () => {
		const from = await busyShop();
		const checkpoint = await checkpointOf(from.store, 1);
		const later = ({ text, branch }: FactText): FactText => ({
			text: JSON.stringify([...(JSON.parse(text) as unknown[]), 'more']),
			branch
		});
		const wanted = await ledgerTables(from.store);
		const { identity } = from.device;
		for (const held of [[], checkpoint.ledgerFacts]) {
			const to = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
			await to.device.receive(held.map(later));
			const ledgerFacts = checkpoint.ledgerFacts.map(later);
			await to.device.takeCheckpoint({ ...checkpoint, ledgerFacts });
			expect(await ledgerTables(to.store)).not.toEqual(wanted);
			// Of a program that reads what was one field too many before.
			await to.store.write(['facts'], async (rows) => {
				const kept = await rows.find('facts', only('refs', UNKNOWN_REF));
				const cut = kept.map((row) => ({ ...row, text: row.text.replace(',"more"]', ']') }));
				await rows.put('facts', cut);
			});
			await countKept(to.parts, to.device.identity);
			expect(await ledgerTables(to.store)).toEqual(wanted);
			await countKept(to.parts, to.device.identity);
			expect(await ledgerTables(to.store)).toEqual(wanted);
		}
	});

	it('[DEVICE-29] what a checkpoint leaves out of a record comes with its fact', async () => {
		const from = await shop();
		const old = await from.due(300);
		from.clock.now += DAY_MS;
		const h = await from.due(500);
		value(await from.device.markPaid(h, 'bank'));
		const checkpoint = await checkpointOf(from.store, 1);
		const poor = checkpoint.records.map((row) => without(row, 'allocations'));
		const { identity } = from.device;
		const to = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
		await to.device.takeCheckpoint({ ...checkpoint, records: poor });
		const restOf = async (of: RecordHash): Promise<unknown> => {
			const page = await bookOf(to).page(from.amina, 9);
			const items = page?.items.flatMap((item) => (item.kind === 'record' ? [item.record] : []));
			return items?.find((record) => record.h === of)?.settling?.restMinor;
		};
		expect([await restOf(old), await restOf(h)]).toEqual([0n, 300n]);
		await to.device.receive(await textsOf(from.store));
		expect([await restOf(old), await restOf(h)]).toEqual([300n, 0n]);
		expect(await ledgerTables(to.store)).toEqual(await ledgerTables(from.store));
	});

	it('[DEVICE-29] what only facts say of records stays, when a checkpoint is taken anew', async () => {
		const { from, checkpoint } = await settledShop();
		const { identity } = from.device;
		const to = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
		await to.device.receive(await textsOf(from.store));
		await to.device.takeCheckpoint(checkpoint);
		expect(await moneyTables(to.store)).toEqual(await moneyTables(from.store));
		// The relay was restored.
		await to.device.takeCheckpoint({ ...checkpoint, epoch: 2 });
		await to.device.receive(await textsOf(from.store));
		expect(await moneyTables(to.store)).toEqual(await moneyTables(from.store));
	});

	it('[DEVICE-29] the same of facts that come before the piece that brings their records', async () => {
		const { from, checkpoint } = await settledShop();
		const { identity } = from.device;
		const to = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
		const next = { part: 'ledgers', after: '' };
		await to.device.takeCheckpoint({ ...checkpoint, records: [], ledgerFacts: [], next });
		// As today's journal brings them at once.
		await to.device.receive(await textsOf(from.store));
		const { epoch, s, records, ledgerFacts } = checkpoint;
		const others = { settings: [], members: [], devices: [], products: [], customers: [] };
		const piece = { epoch, s, ...others, stock: [], days: [], records, ledgerFacts, next: null };
		expect(await to.device.takePiece(piece)).toBe('taken');
		expect(await moneyTables(to.store)).toEqual(await moneyTables(from.store));
	});

	it('[DEVICE-21] settings of every form, and facts of ledgers, are read from the relay', async () => {
		const from = await busyShop();
		value(await from.device.changeSettings({ sms: true, currencies: ['USD'], terms: 30 }));
		value(await from.device.changeSettings({ terms: null }));
		expect(await from.device.changeSettings({ currencies: ['XQX'] })).toMatchObject({
			error: { kind: 'fieldRefused', field: 'currencies' }
		});
		const checkpoint = await checkpointOf(from.store, 1);
		const records = checkpoint.records.map((row) => without(row, 'list'));
		const plain = { ...checkpoint, records, stock: [], days: [] };
		const ledgerFacts = checkpoint.ledgerFacts.map(({ branch, text }) => [branch, text]);
		const sent: unknown = JSON.parse(JSON.stringify({ ...plain, ledgerFacts }));
		expect(parseCheckpoint(sent)).toEqual({ ok: true, value: plain });
		expect(parseCheckpoint({ ...plain, ledgerFacts: [['x', 'y']] })).toEqual({
			ok: false,
			error: { kind: 'notACheckpoint', part: 'ledgerFacts' }
		});
	});

	it('[DEVICE-22] is the same in the browser’s store', async () => {
		const from = await busyShop();
		const store = createDexieDeviceStore('daftar-ledgers', {
			indexedDB: new IDBFactory(),
			keyRange: IDBKeyRange
		});
		const { identity } = from.device;
		const to = await openTestDevice({ seed: 9, store, joins: { identity, code: 'B' } });
		await to.device.receive(await textsOf(from.store));
		expect(await ledgerTables(store)).toEqual(await ledgerTables(from.store));
		const page = await bookOf(to).page(from.amina, 50);
		const own = await from.ledgers.page(from.amina, 50);
		expect(page?.totals).toEqual(own?.totals);
	});
});

describe('a code told at the counter', () => {
	it.each([
		['', 'nothingTyped'],
		[' - ', 'nothingTyped'],
		['48a21', 'notDigits'],
		['48217', 'tooShort'],
		['4821773', 'sevenDigits'],
		['482177301', 'phoneCode'],
		['4821773012', 'tooLong']
	])('[DEVICE-30] %j is no code: %s, and costs no try', async (typed, kind) => {
		const { device, amina, due, ledgers } = await linked();
		const h = await due(500);
		expect(await device.claimByCode(amina, [h], typed)).toMatchObject({ error: { kind } });
		expect(await ledgers.triesLeft(amina, [h])).toEqual({ ofRecord: 3, ofDay: 10 });
	});

	it.each([
		'4821 7730',
		'٤٨٢١ ٧٧٣٠',
		'۴۸۲۱-۷۷۳۰',
		'४८२१७७३०',
		' 48.21.77.30\u200e',
		'４８２１７７３０'
	])('[DEVICE-30] %j is 48217730', (typed) => {
		expect(readTypedCode(typed)).toEqual({ ok: true, value: { way: 'sheet', digits: '48217730' } });
	});

	it('[DEVICE-31] that fits is a signed claim, and the record says so until the relay judged', async () => {
		const { device, amina, due, codes, record, relay, ledgers, clock } = await linked();
		const h = await due(500);
		expect((await record(h)).sentence).toEqual({ kind: 'waiting', isSeen: false, isOld: false });
		await relay.saw(clock.now);
		expect((await record(h)).sentence).toMatchObject({ isSeen: true });
		const claimed = value(await device.claimByCode(amina, [h], codes[3] ?? ''));
		expect(claimed).toMatchObject({ h, hs: [h], way: 'sheet', left: 4 });
		expect(claimed.fact.claim).toMatchObject({ h, way: 'sheet', counter: 3, code: codes[3] });
		expect((await record(h)).sentence).toEqual({ kind: 'codeFits' });
		expect(await ledgers.sheets(amina)).toMatchObject([{ left: 4, capMinor: 10_000 }]);
		// Told is spent: here it is not taken again.
		const next = await due(600);
		const again = await device.claimByCode(amina, [next], codes[3] ?? '');
		expect(again).toMatchObject({ error: { kind: 'doesNotFit', leftOfRecord: 2, leftOfDay: 9 } });

		clock.now += HOUR_MS;
		await relay.verdict(claimed.fact.claim.id, h, { result: 'ok', seq: 1 });
		expect((await record(h)).sentence).toEqual({ kind: 'agreed', at: clock.now, by: 'code' });
		expect(await device.claimByCode(amina, [h], codes[0] ?? '')).toMatchObject({
			error: { kind: 'notAskable', h }
		});
	});

	it('[DEVICE-31] that the relay does not take sends its record back to waiting, and says why', async () => {
		const { device, amina, due, codes, record, relay } = await linked();
		const h = await due(500);
		const claimed = value(await device.claimByCode(amina, [h], codes[0] ?? ''));
		await relay.verdict(claimed.fact.claim.id, h, { result: 'used', al: 0, seq: 1 });
		const back = await record(h);
		expect(back.sentence.kind).toBe('waiting');
		expect(back.trouble).toBe('used');
	});

	it('[DEVICE-32] has three tries a record and ten a customer and day, over a restart too', async () => {
		const store = createMemoryDeviceStore();
		const test = await shop(1, store);
		await test.relay.link({ state: 'linked', way: 'app', epoch: 1, at: 1 });
		const codes = await test.relay.sheet({ cap: 10_000 });
		const wrong = '00000000';
		expect(codes).not.toContain(wrong);
		const hashes = [await test.due(1), await test.due(2), await test.due(3), await test.due(4)];
		const [first = hashes[0], second, third, fourth] = hashes;
		if (first === undefined || second === undefined) throw new Error('four dues');
		const tryOn = async (h: RecordHash | undefined): Promise<unknown> => {
			const claimed = await test.device.claimByCode(test.amina, h ? [h] : [], wrong);
			return claimed.ok ? 'fits' : claimed.error.kind;
		};
		for (const h of [first, first, first, second, second, second, third, third, third])
			expect(await tryOn(h)).toBe('doesNotFit');
		expect(await tryOn(first)).toBe('recordLocked');
		expect(await bookOf(test).triesLeft(test.amina, [first])).toEqual({ ofRecord: 0, ofDay: 1 });
		expect(await tryOn(fourth)).toBe('doesNotFit');
		expect(await tryOn(fourth)).toBe('ledgerLocked');
		// Not even a right one today, nor by a program that was started again.
		const again = await openTestDevice({ seed: 3, store });
		const right = await again.device.claimByCode(test.amina, [fourth ?? first], codes[0] ?? '');
		expect(right).toMatchObject({ error: { kind: 'ledgerLocked' } });
		again.clock.now += DAY_MS;
		const tomorrow = await again.device.claimByCode(test.amina, [fourth ?? first], codes[0] ?? '');
		expect(tomorrow.ok).toBe(true);
	});

	it('[DEVICE-32] [DEVICE-14] costs one try, though the answer of the disk was lost after the commit', async () => {
		const test = await linked();
		const h = await test.due(1);
		let loses = true;
		const twice: DeviceStore = {
			...test.store,
			write: async (tables, work) => {
				const done = await test.store.write(tables, work);
				if (!loses) return done;
				loses = false;
				return test.store.write(tables, work);
			}
		};
		const device = await openDevice({ ...test.parts, store: twice });
		expect(await device.claimByCode(test.amina, [h], '00000000')).toMatchObject({
			error: { kind: 'doesNotFit', leftOfRecord: 2 }
		});
		expect(loses).toBe(false);
		expect(await test.ledgers.triesLeft(test.amina, [h])).toEqual({ ofRecord: 2, ofDay: 9 });
	});

	it('[DEVICE-32] takes no right code once another tab used up the tries while it was looked at', async () => {
		const disk = createMemoryDeviceStore();
		const { store, beforeWrite } = createInterruptedStore(disk);
		const test = await shop(1, store);
		await test.relay.link({ state: 'linked', way: 'app', epoch: 1, at: 1 });
		const [right = ''] = await test.relay.sheet({ cap: 10_000 });
		const h = await test.due(5);
		const other = await openTestDevice({ seed: 3, store: disk });
		beforeWrite(async () => {
			for (let tries = 0; tries < 3; tries += 1)
				await other.device.claimByCode(test.amina, [h], '00000000');
		});
		expect(await test.device.claimByCode(test.amina, [h], right)).toEqual({
			ok: false,
			error: { kind: 'recordLocked' }
		});
	});

	it('[DEVICE-33] is worth no more than its cap, of its kind and currency, while it is good', async () => {
		const { device, amina, due, codes, relay, clock, hashOf } = await linked();
		const dear = await due(10_001);
		const cheap = await due(10_000);
		const paid = await hashOf(
			value(await device.writeRecords(amina, [{ kind: 'payment', minor: 5 }]))
		);
		const kindOf = async (hs: readonly RecordHash[]): Promise<unknown> => {
			const claimed = await device.claimByCode(amina, hs, codes[0] ?? '');
			return claimed.ok ? 'fits' : claimed.error;
		};
		expect(await kindOf([dear])).toEqual({
			kind: 'overTheCap',
			capMinor: 10_000,
			sumMinor: 10_001
		});
		expect(await kindOf([dear, cheap])).toMatchObject({ kind: 'overTheCap', sumMinor: 20_001 });
		expect(await kindOf([])).toEqual({ kind: 'nothingWaits' });
		expect(await kindOf([cheap, paid])).toEqual({ kind: 'mixed' });
		expect(await kindOf([paid])).toEqual({ kind: 'noCodes' });
		const [ofPayments = ''] = await relay.sheet({ kind: 'credit', cap: 10_000 });
		const confirmed = value(await device.claimByCode(amina, [paid], ofPayments));
		expect(confirmed.fact.claim.counter).toBe(0);
		expect(await device.claimByCode(amina, [cheap], ofPayments)).toMatchObject({
			error: { kind: 'doesNotFit' }
		});
		clock.now += 91 * DAY_MS;
		expect(await kindOf([cheap])).toEqual({ kind: 'codesTooOld' });
		await relay.sheet({ cap: 10_000, epoch: 2, open: [] });
		expect(await kindOf([cheap])).toEqual({ kind: 'noCodes' });
		await relay.link({ state: 'ended', endedBy: 'customer' });
		expect(await kindOf([cheap])).toEqual({ kind: 'notLinked' });
	});

	it('[DEVICE-34] for several records files a statement in the same act', async () => {
		const { device, amina, due, codes, record, relay, store } = await linked();
		const hs = [await due(500), await due(700), await due(800)];
		const before = await store.read(['facts'], (rows) => rows.count('facts'));
		const claimed = value(await device.claimByCode(amina, hs, codes[1] ?? ''));
		expect(await store.read(['facts'], (rows) => rows.count('facts'))).toBe(before + 2);
		const statement = await store.read(['records'], (rows) => rows.get('records', claimed.h));
		expect(statement).toMatchObject({ kind: 'statement', amount: 2_000 });
		expect(statement?.list?.toSorted()).toEqual(hs.toSorted());
		const [first = claimed.h] = hs;
		expect((await record(first)).sentence).toEqual({ kind: 'codeFits' });
		await relay.verdict(claimed.fact.claim.id, claimed.h, { result: 'ok', seq: 1 });
		for (const h of hs) expect((await record(h)).sentence.kind).toBe('agreed');
	});

	it('[DEVICE-35] by message names the record and send that it was sent for', async () => {
		const { device, amina, due, clock } = await linked();
		const h = await due(500);
		expect(await device.claimByCode(amina, [h], '123456')).toMatchObject({
			error: { kind: 'noSms' }
		});
		await device.noteSms(h, { send: 1, expiresAt: clock.now + 600_000, to: '…903' });
		const claimed = value(await device.claimByCode(amina, [h], '123 456'));
		expect(claimed.fact.claim).toMatchObject({ way: 'sms', counter: 1, code: '123456' });
		const late = await due(600);
		await device.noteSms(late, { send: 0, expiresAt: clock.now + 600_000, to: '…903' });
		clock.now += 600_001;
		expect(await device.claimByCode(amina, [late], '123456')).toMatchObject({
			error: { kind: 'smsTooOld' }
		});
	});

	it('[DEVICE-12] counts the tries of two tabs together', async () => {
		const store = createMemoryDeviceStore();
		const test = await shop(1, store);
		await test.relay.link({ state: 'linked', way: 'app', epoch: 1, at: 1 });
		await test.relay.sheet({ cap: 10_000 });
		const h = await test.due(5);
		const other = await openTestDevice({ seed: 3, store });
		const tries = [test, other, test, other].map(({ device }) =>
			device.claimByCode(test.amina, [h], '00000000')
		);
		const kinds = (await Promise.all(tries)).map((one) => (one.ok ? '' : one.error.kind));
		expect(kinds.filter((kind) => kind === 'doesNotFit')).toHaveLength(3);
		expect(kinds.filter((kind) => kind === 'recordLocked')).toHaveLength(1);
	});
});

describe('a customer who says no', () => {
	it('[DEVICE-36] is answered: withdrawn, corrected or insisted on, each step kept', async () => {
		const { device, due, record, relay, ledgers, amina, clock } = await linked();
		const [a, b, c] = [await due(500), await due(700), await due(900)];
		expect(await device.answerDispute(a, { way: 'withdraw' })).toMatchObject({
			error: { kind: 'notDisputed' }
		});
		for (const h of [a, b, c]) await relay.cancel(h, 'wrongAmount', 'it was less');
		expect((await ledgers.page(amina, 50))?.totals[0]).toMatchObject({
			total: 0n,
			disputed: 2_100n,
			disputedCount: 3
		});
		value(await device.answerDispute(a, { way: 'withdraw', note: 'sorry' }));
		value(await device.answerDispute(b, { way: 'correct', minor: 650 }));
		value(await device.answerDispute(c, { way: 'insist', note: 'see the slip' }));
		expect((await record(a)).sentence).toEqual({ kind: 'reversed' });
		expect((await record(c)).sentence).toMatchObject({
			kind: 'saysNo',
			reason: 'wrongAmount',
			isInsisted: true
		});
		expect((await ledgers.page(amina, 50))?.totals[0]).toMatchObject({
			total: 650n,
			disputed: 900n
		});
		const page = await ledgers.page(amina, 50);
		const folded = page?.items.find((item) => item.kind === 'record' && item.record.h === b);
		expect(folded?.kind === 'record' && folded.corrections.map(({ kind }) => kind)).toEqual([
			'reversalOfDebit',
			'due'
		]);
		clock.now += HOUR_MS;
		await relay.accept(c, 2);
		const dropped = await record(c);
		expect(dropped.sentence.kind).toBe('agreed');
		expect(dropped.dispute.map(({ by, kind }) => [by, kind])).toEqual([
			['customer', 'cancel'],
			['shop', 'insist'],
			['customer', 'drop']
		]);
	});
});

describe('records', () => {
	it('[DEVICE-37] bought and paid together are one fact, in a currency of the shop', async () => {
		const { device, amina, ledgers } = await shop();
		const usd = { currency: 'USD' };
		const drafts = [
			{ kind: 'due', minor: 500, takenBy: ' her  son ' },
			{ kind: 'payment', minor: 200 }
		] as const;
		expect(await device.writeRecords(amina, drafts, usd)).toMatchObject({
			error: { kind: 'currencyRefused' }
		});
		value(await device.changeSettings({ currencies: ['USD'] }));
		const fact = value(await device.writeRecords(amina, drafts, { ...usd, tender: 'mobile' }));
		expect(fact.records).toHaveLength(2);
		expect(fact).toMatchObject({ tender: 'mobile' });
		expect(fact.records[0]?.rest.by).toBe('her son');
		const page = await ledgers.page(amina, 50);
		expect(page?.totals.map(({ currency, total }) => [currency, total])).toEqual([
			['GBP', 0n],
			['USD', 300n]
		]);
		// What was chosen no more stays payable.
		value(await device.changeSettings({ currencies: [] }));
		value(await device.writeRecords(amina, [{ kind: 'payment', minor: 300 }], usd));
	});

	it('[FACT-13] in another currency move no totals of a day, nor what takes them back', async () => {
		const { device, amina, book, relay, hashOf } = await linked();
		value(await device.changeSettings({ currencies: ['USD'] }));
		value(await device.writeRecords(amina, [{ kind: 'due', minor: 40 }]));
		const before = await book.dayTotals('2026-11-20');
		const write = async (kind: 'due' | 'payment', minor: number): Promise<RecordFact> =>
			value(await device.writeRecords(amina, [{ kind, minor }], { currency: 'USD' }));
		const due = await hashOf(await write('due', 500));
		const paid = await write('payment', 200);
		expect(paid).toMatchObject({ tender: 'cash', isApart: true });
		const payment = await hashOf(paid);
		const back = value(await device.correct({ h: payment, toMinor: 0, reason: 'typed wrong' }));
		expect(back).toMatchObject({ undoes: 'payment', isApart: true });
		expect(value(await device.markPaid(due, 'cash'))).toMatchObject({ isApart: true });
		await relay.cancel(due, 'wrongAmount');
		const answer = { way: 'correct', minor: 300 } as const;
		expect(value(await device.answerDispute(due, answer))).toMatchObject({ isApart: true });
		expect(await book.dayTotals('2026-11-20')).toEqual(before);
	});

	it('[FACT-8] [DEVICE-68] that are taken back give their money back the way it came', async () => {
		const { device, due, amina, hashOf, book } = await shop();
		const day = (): Promise<unknown> => book.dayTotals('2026-11-20');
		const h = await due(500);
		const before = await day();
		for (const tender of ['bank', 'cash', null] as const) {
			const drafts = [{ kind: 'payment', minor: 200 }] as const;
			const paid = value(await device.writeRecords(amina, drafts, { tender }));
			const ref = await hashOf(paid);
			const back = [{ kind: 'reversalOfCredit', minor: 200, ref }] as const;
			expect(value(await device.writeRecords(amina, back)).tender).toBe(tender ?? undefined);
			expect(await day()).toEqual(before);
		}
		value(await device.markPaid(h, 'mobile'));
		expect(await day()).toMatchObject({ gotMinor: 500n, cashInMinor: 0n });
	});

	it('[DEVICE-38] entered later bear the day they happened on, not one to come', async () => {
		const { device, amina, ledgers } = await shop();
		const on = async (lateOn: string): Promise<unknown> => {
			const written = await device.writeRecords(amina, [{ kind: 'due', minor: 5 }], { lateOn });
			return written.ok ? written.value : written.error;
		};
		expect(await on('2026-11-17')).toMatchObject({ on: '2026-11-17', isLate: true });
		expect(await on('2026-11-20')).not.toHaveProperty('isLate');
		expect(await on('2026-11-21')).toEqual({ kind: 'dayRefused', why: 'inFuture' });
		expect(await on('2025-11-19')).toMatchObject({ on: '2025-11-19' });
		expect(await on('2025-11-18')).toEqual({ kind: 'dayRefused', why: 'tooFarBack' });
		expect(await on('yesterday')).toEqual({ kind: 'dayRefused', why: 'notADay' });
		const page = await ledgers.page(amina, 50);
		expect(page?.items.map((item) => item.kind === 'record' && item.record.isLate)).toEqual([
			false,
			true,
			true
		]);
	});

	it('[DEVICE-39] are corrected by further ones, with a reason, folded under the first', async () => {
		const { device, due, record, ledgers, amina, clock } = await shop();
		const h = await due(500);
		const correct = (toMinor: number, reason = 'wrong price'): Promise<unknown> =>
			device.correct({ h, toMinor, reason });
		expect(await correct(400, ' ')).toMatchObject({ error: { kind: 'reasonMissing' } });
		expect(await correct(500)).toMatchObject({ error: { kind: 'sameAmount' } });
		await correct(400);
		clock.now += 1;
		await correct(450);
		const page = await ledgers.page(amina, 50);
		expect(page?.totals[0]?.total).toBe(450n);
		expect(page?.items).toHaveLength(1);
		const [item] = page?.items ?? [];
		expect(
			item?.kind === 'record' && item.corrections.map(({ kind, amount }) => [kind, amount])
		).toEqual([
			['credit', 100],
			['due', 50]
		]);
		await correct(0);
		expect((await record(h)).leftMinor).toBe(0);
		expect(await correct(0)).toMatchObject({ error: { kind: 'nothingLeft' } });
	});

	it('[DEVICE-39] are what they were once their correction is taken back, and are corrected anew', async () => {
		const { device, due, record, ledgers, amina, hashOf } = await shop();
		const takeBack = (ref: RecordHash, minor: number): Promise<unknown> =>
			device.writeRecords(amina, [{ kind: 'reversalOfCredit', minor, ref }]);
		const total = async (): Promise<unknown> => (await ledgers.page(amina, 50))?.totals[0]?.total;
		const h = await due(500);
		const typo = value(await device.correct({ h, toMinor: 300, reason: 'mistyped' }));
		await takeBack(await hashOf(typo), 200);
		expect(await record(h)).toMatchObject({ leftMinor: 500, standsMinor: 500 });
		value(await device.correct({ h, toMinor: 400, reason: 'wrong price' }));
		expect(await total()).toBe(400n);

		const forgiveness = { kind: 'forgiveness', minor: 400, ref: h } as const;
		const forgiven = value(await device.writeRecords(amina, [forgiveness]));
		expect((await record(h)).leftMinor).toBe(0);
		await takeBack(await hashOf(forgiven), 400);
		expect(await total()).toBe(400n);
		value(await device.writeRecords(amina, [forgiveness]));
		expect(await total()).toBe(0n);
	});

	it('[DEVICE-40] are marked as paid by a payment of their rest and of nothing else', async () => {
		const { device, due, record } = await shop();
		const old = await due(300);
		const h = await due(500);
		value(await device.markPaid(h, 'bank'));
		expect((await record(h)).settling).toMatchObject({ status: 'paid', restMinor: 0n });
		expect((await record(old)).settling).toMatchObject({ status: 'pending', restMinor: 300n });
		expect(await device.markPaid(h, 'cash')).toMatchObject({ error: { kind: 'moreThanLeft' } });
	});

	it('[DEVICE-39] [DEVICE-40] are corrected or paid once, though it is asked twice at once, in two tabs too', async () => {
		const { device, due, ledgers, amina, parts } = await shop();
		const inOtherTab = await openDevice(parts);
		type Done = Result<RecordFact, { readonly kind: string }>;
		const kinds = async (ask: (of: Device) => Promise<Done>): Promise<readonly string[]> => {
			const done = await Promise.all([ask(device), ask(device), ask(inOtherTab)]);
			return done.map((one) => (one.ok ? 'done' : one.error.kind)).toSorted();
		};
		const h = await due(500);
		expect(await kinds((of) => of.correct({ h, toMinor: 400, reason: 'wrong price' }))).toEqual([
			'done',
			'sameAmount',
			'sameAmount'
		]);
		expect(await kinds((of) => of.markPaid(h, 'cash'))).toEqual([
			'done',
			'moreThanLeft',
			'moreThanLeft'
		]);
		expect((await ledgers.page(amina, 50))?.totals[0]?.total).toBe(0n);
	});

	it('[DEVICE-40] are forgiven what is left of them when that is written, and no more than was said', async () => {
		const { device, due, ledgers, amina, parts } = await shop();
		const inOtherTab = await openDevice(parts);
		const total = async (): Promise<unknown> => (await ledgers.page(amina, 50))?.totals[0]?.total;
		const h = await due(500);
		// The screen says 500; another tab takes 300 of it meanwhile.
		const paid = { kind: 'payment', minor: 300, allocations: [[h, 300]] } as const;
		value(await inOtherTab.writeRecords(amina, [paid]));
		expect(value(await device.forgive(h, 500)).records[0]?.core.amount).toBe(200);
		expect(await total()).toBe(0n);
		expect(await device.forgive(h, 200)).toMatchObject({ error: { kind: 'moreThanLeft' } });
		const other = await due(400);
		value(await device.forgive(other, 100));
		expect(await total()).toBe(300n);
	});

	it('[DEVICE-41] take the shop’s terms where their customer has none', async () => {
		const { device } = await shop();
		const plain = value(await device.addCustomer({ name: 'Bilal' }));
		value(await device.changeSettings({ terms: 30 }));
		const fact = value(await device.writeRecords(plain, [{ kind: 'due', minor: 5 }]));
		expect(fact.records[0]?.rest.due).toBe(dueMsOf('2026-12-20', 'UTC'));
	});

	it('[DUE-1] [DEVICE-41] fall due on a day of the shop, so many after their own, whatever its clock does', async () => {
		const { device, amina, clock } = await shop();
		const [zone, terms] = ['Europe/Berlin', 7];
		value(await device.changeSettings({ zone, terms }));
		value(await device.changeCustomer(amina, { terms }));
		const dayOf = (due = 0): string => businessDayOf(due, zone, 0);
		const days = async (): Promise<readonly string[]> => {
			const lines = [{ name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 500 }];
			const tenders = [{ kind: 'account', minor: 500, ledger: amina } as const];
			const { fact: sale } = value(await device.sell({ lines, tenders }));
			const fact = value(await device.writeRecords(amina, [{ kind: 'due', minor: 5 }]));
			return [fact.on, dayOf(sale.record?.rest.due), dayOf(fact.records[0]?.rest.due)];
		};
		// Half past twelve at night, and in the week that follows the clocks are put back.
		clock.now = Date.parse('2026-10-21T22:30:00Z');
		expect(await days()).toEqual(['2026-10-22', '2026-10-29', '2026-10-29']);
		// At one at night the shop is still at the day before.
		value(await device.changeSettings({ cutoff: 240 }));
		clock.now = Date.parse('2026-11-20T00:00:00Z');
		expect(await days()).toEqual(['2026-11-19', '2026-11-26', '2026-11-26']);
	});
});

describe('lines of the shop’s own book', () => {
	it('[DEVICE-42] move no balance; a slip and a pending payment end once', async () => {
		const { device, amina, ledgers } = await shop();
		const slip = value(await device.addEntry(0, ['slip', 'owesUs', 70, 'GBP', 2, ' milk ']));
		expect(await ledgers.slips()).toMatchObject([{ id: slip.id, minor: 70, note: 'milk' }]);
		const due = [{ kind: 'due', minor: 70 }] as const;
		value(await device.writeRecords(amina, due, { slip: slip.id }));
		expect(await ledgers.slips()).toEqual([]);
		expect(await device.writeRecords(amina, due, { slip: slip.id })).toMatchObject({
			error: { kind: 'unknownSlip' }
		});
		expect(await device.addEntry(0, ['slipDone', slip.id])).toMatchObject({
			error: { kind: 'entryEnded' }
		});

		const cheque = value(
			await device.addEntry(amina, ['pending', 50, 'GBP', 2, 'cheque', 'no. 7'])
		);
		const total = async (): Promise<unknown> => (await ledgers.page(amina, 9))?.totals[0];
		expect(await total()).toMatchObject({ total: 70n, pendingMinor: 50n });
		const pay = [{ kind: 'payment', minor: 50 }] as const;
		value(await device.writeRecords(amina, pay, { pending: cheque.id, tender: 'bank' }));
		expect(await total()).toMatchObject({ total: 20n, pendingMinor: 0n });
		expect(await device.addEntry(amina, ['bounced', cheque.id])).toMatchObject({
			error: { kind: 'entryEnded' }
		});
	});

	it('[DEVICE-42] are refused with their reason', async () => {
		const { device, amina, due } = await shop();
		const h = await due(5);
		const refused = async (...given: Parameters<typeof device.addEntry>): Promise<unknown> => {
			const added = await device.addEntry(...given);
			return added.ok ? 'taken' : added.error.kind;
		};
		expect(await refused(0, ['promise', 30_000, 5, 'GBP', 2])).toBe('nameNeeded');
		expect(await refused(amina, ['slip', 'weOwe', 5, 'GBP', 2, ''])).toBe('noName');
		expect(await refused(amina, ['promise', 20_000, 5, 'GBP', 2])).toBe('dayRefused');
		expect(await refused(amina, ['writeOff', 5, 'GBP', 2, ''])).toBe('reasonMissing');
		expect(await refused(amina, ['writeOff', 0, 'GBP', 2, 'gone'])).toBe('amountRefused');
		expect(await refused(amina, ['dueMove', h, TEST_NOW, ''])).toBe('reasonMissing');
		expect(await refused(amina, ['bounced', 'A-1' as never])).toBe('unknownEntry');
		expect(await refused(amina, ['dueMove', h, TEST_NOW + DAY_MS, 'asked'])).toBe('taken');
	});
});

describe('cards of one person', () => {
	it('[DEVICE-43] are one page and one row, records under their own card, and two again', async () => {
		const { device, amina, due, ledgers } = await shop();
		await due(500);
		const other = value(await device.addCustomer({ name: 'Amina Hassan', phone: '0722418903' }));
		value(await device.writeRecords(other, [{ kind: 'payment', minor: 200 }]));
		expect(await ledgers.duplicates(amina)).toMatchObject([{ name: 'Amina Hassan' }]);
		value(await device.mergeCards(other, amina, true));
		const list = await ledgers.customers({});
		expect(list.rows).toMatchObject([{ totalMinor: 300n }]);
		const page = await ledgers.page(other, 50);
		expect(page?.ledgers.toSorted()).toEqual([amina, other].toSorted());
		expect(page?.items).toHaveLength(2);
		expect(await device.mergeCards(other, amina, true)).toMatchObject({
			error: { kind: 'alreadyJoined' }
		});
		value(await device.mergeCards(amina, other, false));
		expect((await ledgers.customers({})).rows).toHaveLength(2);
		expect((await ledgers.page(other, 50))?.totals[0]?.total).toBe(-200n);
	});

	it('[DEVICE-43] of two accounts are never joined', async () => {
		const test = await linked();
		const { device, amina, ledgers } = test;
		const other = value(await device.addCustomer({ name: 'Other' }));
		await relayTongue(test, other, 900).link({ state: 'linked', way: 'app', at: 2 });
		expect(await device.mergeCards(amina, other, true)).toMatchObject({
			error: { kind: 'bothLinked' }
		});
		expect((await ledgers.customers({})).rows).toHaveLength(2);
	});
});

describe('the ledger’s answers', () => {
	it('[BOOK-7] a statement opens with what stood before and closes with the total', async () => {
		const { device, due, clock, ledgers, amina, relay } = await linked();
		const before = await due(1_000);
		clock.now += 2 * DAY_MS;
		const h = await due(500);
		await device.correct({ h, toMinor: 400, reason: 'wrong' });
		await device.writeRecords(amina, [{ kind: 'payment', minor: 300 }]);
		const gone = await due(70);
		await relay.cancel(gone, 'notMe');
		await device.correct({ h: before, toMinor: 0, reason: 'twice' });
		const statement = await ledgers.statement(amina, { from: '2026-11-21', to: '2026-11-30' });
		expect(statement).toMatchObject({ openingMinor: 1_000n, closingMinor: 100n });
		expect(statement?.closingMinor).toBe((await ledgers.page(amina, 9))?.totals[0]?.total);
		expect(statement?.disputedMinor).toBe(70n);
	});

	it('[BOOK-7] what was taken back is in neither sum of a statement: nobody paid it', async () => {
		const { device, due, hashOf, ledgers, amina } = await linked();
		await due(500);
		const ref = await due(200);
		value(await device.writeRecords(amina, [{ kind: 'reversalOfDebit', minor: 200, ref }]));
		const paid = value(await device.writeRecords(amina, [{ kind: 'payment', minor: 30 }]));
		const back = { kind: 'reversalOfCredit', minor: 30, ref: await hashOf(paid) } as const;
		value(await device.writeRecords(amina, [back]));
		const statement = await ledgers.statement(amina, { from: '2026-11-20', to: '2026-11-30' });
		expect(statement).toMatchObject({ tookMinor: 500n, paidMinor: 0n, closingMinor: 500n });
	});

	it('[BOOK-7] [PERSON-2] a second opening stands in no statement, also once it was taken back', async () => {
		const first = await shop();
		const { identity } = first.device;
		const other = await openTestDevice({ seed: 8, joins: { identity, code: 'B' } });
		await other.device.receive(await textsOf(first.store));
		const opening = { kind: 'openingDebit', minor: 500 } as const;
		value(await first.device.writeRecords(first.amina, [opening]));
		other.clock.now = first.clock.now + 1_000;
		const twice = value(await other.device.writeRecords(first.amina, [opening]));
		await first.device.receive(await textsOf(other.store));
		first.clock.now += 5 * DAY_MS;
		const ref = await first.hashOf(twice);
		const back = { kind: 'reversalOfDebit', minor: 500, ref } as const;
		value(await first.device.writeRecords(first.amina, [back]));
		const period = { from: '2026-11-22', to: '2026-11-23' };
		const statement = await first.ledgers.statement(first.amina, period);
		expect(statement).toMatchObject({ openingMinor: 500n, closingMinor: 500n });
		const after = await first.ledgers.statement(first.amina, { ...period, to: '2026-11-30' });
		expect(after).toMatchObject({ tookMinor: 0n, closingMinor: 500n });
	});

	it('[BOOK-8] customers are found, sifted and sorted', async () => {
		const { device, amina, clock, ledgers, relay } = await linked();
		const bilal = value(await device.addCustomer({ name: 'Bilal', limit: 100 }));
		const zara = value(await device.addCustomer({ name: 'Zara', nick: 'ZZ' }));
		await device.writeRecords(amina, [{ kind: 'due', minor: 500 }]);
		await device.writeRecords(bilal, [{ kind: 'due', minor: 101 }]);
		await device.writeRecords(zara, [{ kind: 'payment', minor: 40 }]);
		const names = async (query: Parameters<LedgerBook['customers']>[0]): Promise<string> =>
			(await ledgers.customers(query)).rows.map(({ tally }) => tally.name).join();
		expect(await names({})).toBe('Amina,Bilal,Zara');
		expect(await names({ sort: 'name' })).toBe('Amina,Bilal,Zara');
		expect(await names({ text: '8903' })).toBe('Amina');
		expect(await names({ text: '@amina.h' })).toBe('Amina');
		expect(await names({ text: 'zz' })).toBe('Zara');
		expect(await names({ filter: 'overLimit' })).toBe('Bilal');
		expect(await names({ filter: 'waiting' })).toBe('Amina');
		expect(await names({ filter: 'overdue' })).toBe('');
		expect((await ledgers.customers({})).advancesMinor).toBe(40n);
		clock.now += 8 * DAY_MS;
		expect(await names({ filter: 'overdue' })).toBe('Amina');
		clock.now += 30 * DAY_MS;
		expect(await names({ filter: 'quiet' })).toBe('Amina,Bilal,Zara');
		await device.writeRecords(bilal, [{ kind: 'due', minor: 5 }]);
		expect(await names({ filter: 'quiet' })).toBe('Amina,Zara');
		expect(await names({ sort: 'lastRecord' })).toBe('Bilal,Amina,Zara');
		expect((await ledgers.customers({})).counts).toMatchObject({ all: 3, owes: 2, quiet: 2 });
		await relay.link({ state: 'ended', endedBy: 'shop' });
		expect(await names({ filter: 'waiting' })).toBe('');
	});

	it('[BOOK-9] the dashboard says what is to be collected today', async () => {
		const { device, amina, due, clock, ledgers } = await shop();
		await due(500);
		clock.now += 7 * DAY_MS;
		await device.writeRecords(amina, [{ kind: 'payment', minor: 100 }]);
		expect(await ledgers.dashboard()).toMatchObject({
			customers: 1,
			owedMinor: 400n,
			overdueMinor: 0n,
			toCollect: [{ why: 'due', minor: 400n }],
			collectedWeekMinor: 100n
		});
		clock.now += DAY_MS;
		expect(await ledgers.dashboard()).toMatchObject({
			overdueMinor: 400n,
			overdueCount: 1,
			toCollect: [{ why: 'overdue', daysLate: 1 }],
			ageing: { notYetDue: 0n, upTo30: 400n }
		});
		value(await device.addEntry(amina, ['promise', dayNumber('2026-11-30'), 300, 'GBP', 2]));
		expect((await ledgers.dashboard()).toCollect).toEqual([]);
		expect((await ledgers.customers({ filter: 'promised' })).rows).toHaveLength(1);
		clock.now += 3 * DAY_MS;
		expect((await ledgers.dashboard()).toCollect).toMatchObject([{ why: 'promised', minor: 300n }]);
		// What was promised was brought: what is left is overdue like before.
		await device.writeRecords(amina, [{ kind: 'payment', minor: 300 }]);
		expect((await ledgers.customers({ filter: 'promised' })).rows).toEqual([]);
		expect((await ledgers.dashboard()).toCollect).toMatchObject([{ why: 'overdue', minor: 100n }]);
	});

	it('[BOOK-10] what was written elsewhere a moment ago is asked about', async () => {
		const { device, amina, due, clock, ledgers, store, parts } = await shop();
		await due(500);
		const of = { minor: 500, side: 'took' } as const;
		expect(await ledgers.twice(amina, of)).toBeUndefined();
		const code = 'B' as never;
		const other = createLedgerBook({
			store,
			identity: () => ({ ...device.identity, code }),
			clock: parts.clock
		});
		clock.now += 4 * 60_000;
		expect(await other.twice(amina, of)).toMatchObject({ device: 'A', minutesAgo: 4 });
		expect(await other.twice(amina, { ...of, minor: 501 })).toBeUndefined();
		clock.now += 7 * 60_000;
		expect(await other.twice(amina, of)).toBeUndefined();
	});

	it('[BOOK-11] notices are a fold of what came, read up to a moment, by kinds', async () => {
		const { device, due, codes, relay, clock, ledgers, amina } = await linked();
		const [a, b, c] = [await due(500), await due(600), await due(700)];
		clock.now += 1_000;
		await relay.accept(a);
		await relay.cancel(b, 'alreadyPaid');
		const claimed = value(await device.claimByCode(amina, [c], codes[0] ?? ''));
		await relay.verdict(claimed.fact.claim.id, c, { result: 'wrong', al: 0, seq: 1, wrong: 3 });
		await relay.ask('44444444-4444-4444-8444-444444444444', {
			by: 'customer',
			username: 'bilal',
			name: 'Bilal',
			state: 'asked'
		});
		const kinds = async (): Promise<readonly string[]> =>
			(await ledgers.notices()).notices.map(({ kind }) => kind).toSorted();
		expect(await kinds()).toEqual([
			'accepted',
			'cancelled',
			'connected',
			'connectionAsked',
			'wrongCode'
		]);
		expect((await ledgers.notices()).unread).toBe(5);
		await device.markNotices({ readUpTo: clock.now });
		expect((await ledgers.notices()).unread).toBe(0);
		await device.markNotices({ hidden: ['cancelled'] });
		expect(await kinds()).not.toContain('cancelled');
		clock.now += 8.5 * DAY_MS;
		expect(await kinds()).toContain('overdue');
		expect((await ledgers.notices()).unread).toBe(1);
	});

	it('[BOOK-11] a wrong code of a message is not said to have locked the sheet', async () => {
		const { device, due, codes, relay, clock, ledgers, amina } = await linked();
		const [a, b] = [await due(500), await due(600)];
		const third = { result: 'wrong', al: 0, wrong: 3 } as const;
		const bySheet = value(await device.claimByCode(amina, [a], codes[0] ?? ''));
		await relay.verdict(bySheet.fact.claim.id, a, { ...third, seq: 1 });
		clock.now += 1_000;
		await device.noteSms(b, { send: 1, expiresAt: clock.now + 600_000, to: '…903' });
		const bySms = value(await device.claimByCode(amina, [b], '123456'));
		await relay.verdict(bySms.fact.claim.id, b, { ...third, seq: 2 });
		const { notices } = await ledgers.notices();
		const locks = notices.flatMap((notice) =>
			notice.kind === 'wrongCode' ? [notice.isLocked] : []
		);
		// The later one first.
		expect(locks).toEqual([false, true]);
	});

	it('[BOOK-11] notices are told, whatever day of the calendar a peer says was promised', async () => {
		const { device, due, ledgers, amina, clock } = await shop();
		await due(500);
		for (const day of ['1900-01-01', '1900-01-02', '9999-12-31']) {
			clock.now += 1_000;
			const promise = ['promise', dayNumber(day), 100, 'GBP', 2];
			const head = [`B-${String(clock.now)}`, 'entry', clock.now, 0, dayNumber('2026-11-20'), 1];
			const text = JSON.stringify([...head, amina, promise]);
			expect(await device.receive([{ text, branch: device.identity.branch }])).toMatchObject({
				fresh: 1
			});
			const { notices } = await ledgers.notices();
			const broken = notices.filter(({ kind }) => kind === 'promiseBroken');
			expect(broken).toMatchObject(day < '2026' ? [{ day }] : []);
		}
	});

	it('[BOOK-11] a no is to be answered until the shop did, its customer let it go, or nothing of it is left', async () => {
		const { device, due, relay, ledgers, amina } = await linked();
		const noes = [await due(500), await due(600), await due(700), await due(800)] as const;
		for (const h of noes) await relay.cancel(h, 'notMe');
		const toAnswer = async (): Promise<readonly unknown[]> =>
			(await ledgers.notices()).notices.flatMap((one) =>
				one.kind === 'cancelled' && one.isOpen ? one.record?.amount : []
			);
		expect(await toAnswer()).toEqual([800, 700, 600, 500]);
		const [insisted, dropped, takenBack] = noes;
		value(await device.answerDispute(insisted, { way: 'insist', note: '' }));
		await relay.accept(dropped);
		const back = { kind: 'reversalOfDebit', minor: 700, ref: takenBack } as const;
		value(await device.writeRecords(amina, [back]));
		expect(await toAnswer()).toEqual([800]);
	});

	it('[CONNECT-19] the shop whose connection a restore forgot is told that it is over, by nobody', async () => {
		const { relay, clock, ledgers, amina } = await linked();
		const ends = async (): Promise<readonly unknown[]> =>
			(await ledgers.notices()).notices.flatMap((one) =>
				one.kind === 'connectionEnded' ? one.by : []
			);
		clock.now += 1_000;
		await relay.link({ state: 'ended', endedBy: 'customer' });
		clock.now += 1_000;
		await relay.link({ state: 'linked', way: 'app' });
		expect(await ends()).toEqual(['customer']);
		clock.now += 1_000;
		await relay.link({ state: 'ended', at: clock.now - 1_000 });
		expect(await ends()).toEqual(['nobody', 'customer']);
		expect((await ledgers.link(amina))?.endedBy).toBeUndefined();
	});

	it('[BOOK-12] what waits of a customer is one question, and only where somebody is asked', async () => {
		const test = await shop();
		const { due, ledgers, amina, relay, device } = test;
		const hs = [await due(500), await due(600)];
		expect(await ledgers.waiting(amina)).toEqual([]);
		await relay.link({ state: 'linked', way: 'app', epoch: 1, at: 1 });
		expect(await ledgers.waiting(amina)).toMatchObject([{ count: 2, sumMinor: 1_100n }]);
		await relay.accept(hs[0] ?? hs[1] ?? ('' as never));
		expect(await ledgers.waiting(amina)).toMatchObject([{ count: 1, sumMinor: 600n }]);
		const [left] = (await ledgers.waiting(amina)).flatMap((one) => one.hs);
		const filed = value(await device.fileStatement(amina, [left ?? ('' as never)]));
		expect(await ledgers.statementOf(filed.id)).toBeDefined();
	});

	it('[BOOK-13] a day begins at its midnight in the shop’s zone, on days that are short or long too', () => {
		expect(startOfDay('2026-11-20', 'UTC')).toBe(Date.parse('2026-11-20T00:00:00Z'));
		expect(startOfDay('2026-11-20', 'Asia/Kolkata')).toBe(Date.parse('2026-11-19T18:30:00Z'));
		expect(startOfDay('2026-11-20', 'Pacific/Kiritimati')).toBe(Date.parse('2026-11-19T10:00:00Z'));
		expect(startOfDay('2026-10-25', 'Europe/London')).toBe(Date.parse('2026-10-24T23:00:00Z'));
		expect(startOfDay('2026-10-26', 'Europe/London')).toBe(Date.parse('2026-10-26T00:00:00Z'));
	});
});
