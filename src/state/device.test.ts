import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { dayNumber } from '#domain/calendar.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { DAY_ZERO } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import {
	factId,
	parseLedgerId,
	parseProductId,
	type LedgerId,
	type ProductId
} from '#domain/ids.ts';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import { compareStamps, STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { isStorageFull, type DeviceStore, type StoreWriter } from '#storage/device-store.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import {
	checkpointOf,
	foldedNumbers,
	sha256Text,
	storedNumbers,
	foundFact,
	laterFact,
	unknownFact
} from '#tests/support/shop-numbers.ts';
import { ALL_TABLES } from '#tests/contract/device-store.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { openDevice, type Device, type FactText, type SaleDraft } from './device.ts';
import { UNKNOWN_REF } from './arrived-fact.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { readMeta, writeMeta } from './meta.ts';
import { countKept } from './receive.ts';
import { createWebCrypto } from './web-crypto.ts';

const NOBODY = ledger('11111111-2222-4333-8444-555555555555');
const DAY_MS = 86_400_000;

function ledger(text: string): LedgerId {
	const parsed = parseLedgerId(text);
	if (!parsed.ok) throw new Error('no ledger');
	return parsed.value;
}

function product(text: string): ProductId {
	const parsed = parseProductId(text);
	if (!parsed.ok) throw new Error('no product');
	return parsed.value;
}

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
	if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
	return result.value;
}

function amount(minor: number, tenders: SaleDraft['tenders']): SaleDraft {
	return { lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: minor }], tenders };
}

/** A shop with two products, and Amina, who has seven days. */
async function shop(
	seed = 1,
	store?: DeviceStore,
	code = 'A'
): Promise<
	TestDevice & { readonly tea: ProductId; readonly bread: ProductId; readonly amina: LedgerId }
> {
	const founder = await openTestDevice({ seed });
	const joins = { identity: founder.device.identity, code };
	const test = await openTestDevice({ seed, currency: 'GBP', joins, ...(store && { store }) });
	const [tea, bread] = value(
		await test.device.addProducts([
			{ name: 'Tea', price: 250, codes: ['85123A'] },
			{ name: 'Bread', price: 120 }
		])
	);
	const amina = value(await test.device.addCustomer({ name: ' Amina  ', terms: 7 }));
	if (tea === undefined || bread === undefined) throw new Error('two products were made');
	return { ...test, tea, bread, amina };
}

async function factTexts(store: DeviceStore): Promise<readonly FactText[]> {
	const facts = await store.read(['facts'], (rows) => rows.all('facts'));
	return facts.map(({ text, branch }) => ({ text, branch: branch === '' ? null : branch }));
}

describe('selling', () => {
	it('[DEVICE-1] keeps the fact, the sequence, the receipt and the numbers of a sale together', async () => {
		const { device, book, store, tea, amina } = await shop();
		const sold = value(
			await device.sell({
				lines: [{ productId: tea, name: 'Tea', quantityThousandths: 2_000, unitPriceMinor: 250 }],
				tenders: [
					{ kind: 'account', minor: 300, ledger: amina },
					{ kind: 'cash', minor: 500 }
				],
				note: ' for the\0 wedding '
			})
		);
		expect(sold).toMatchObject({ receipt: 'A-000001', changeMinor: 300 });
		expect(sold.fact).toMatchObject({ id: 'A-4', n: 4, receipt: 1, on: '2026-11-20', by: 1 });
		expect(sold.fact.record?.core).toMatchObject({ kind: 'due', amount: 300, balanceAfter: 300 });
		expect(sold.fact.record?.rest).toEqual({
			br: device.identity.branch,
			d: 'A',
			n: 4,
			u: device.identity.person,
			on: '2026-11-20',
			rc: 'A-000001',
			due: dueMsOf('2026-11-27', 'UTC'),
			items: [['Tea', 2_000, 250]],
			note: 'for the wedding',
			sale: sha256Text(
				JSON.stringify([
					1,
					[[tea, 'Tea', 2_000, 250, 500]],
					[
						['account', 300],
						['cash', 500]
					]
				])
			)
		});
		expect(await book.stockOf(tea)).toBe(-2_000n);
		expect((await book.customer(amina))?.totalMinor).toBe(300n);
		expect(await book.dayTotals('2026-11-20')).toMatchObject({
			salesCount: 1n,
			salesMinor: 500n,
			cashInMinor: 200n,
			accountMinor: 300n
		});
		const kept = await store.read(['journal', 'meta'], async (rows) => ({
			row: await rows.get('journal', 4),
			sequence: await readMeta(rows, 'sequence')
		}));
		expect(kept.sequence).toEqual({ n: 4, receipt: 1 });
		expect(kept.row).toMatchObject({
			id: 'A-4',
			sent: 0,
			document: `j/${device.identity.business}/${device.identity.branch}/20261120`
		});
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
	});

	it.each<[string, SaleDraft]>([
		['noLines', { lines: [], tenders: [] }],
		['shortfall', amount(500, [{ kind: 'cash', minor: 499 }])],
		['changeWithoutCash', amount(500, [{ kind: 'account', minor: 501, ledger: NOBODY }])],
		['unknownCustomer', amount(500, [{ kind: 'account', minor: 500, ledger: NOBODY }])],
		[
			'quantityNotPositive',
			{ lines: [{ name: 'x', quantityThousandths: 0, unitPriceMinor: 1 }], tenders: [] }
		],
		[
			'priceNotWhole',
			{ lines: [{ name: 'x', quantityThousandths: 1, unitPriceMinor: 0.5 }], tenders: [] }
		],
		['priceTooLarge', amount(10_000_000_000_001, [])],
		[
			'totalTooLarge',
			{
				...amount(0, []),
				lines: Array.from({ length: 2 }, () => ({
					name: 'x',
					quantityThousandths: 1_000,
					unitPriceMinor: 9_000_000_000_000
				}))
			}
		],
		['amountNotWhole', amount(500, [{ kind: 'cash', minor: 500.5 }])],
		['amountNotPositive', amount(500, [{ kind: 'cash', minor: -500 }])],
		[
			'lineNameTooLong',
			{
				lines: [{ name: 'x'.repeat(101), quantityThousandths: 1_000, unitPriceMinor: 1 }],
				tenders: []
			}
		],
		[
			'tooManyTenders',
			amount(
				900,
				Array.from({ length: 9 }, () => ({ kind: 'cash', minor: 100 }) as const)
			)
		],
		[
			'saleTooLong',
			{
				lines: Array.from({ length: 1_000 }, () => ({
					name: 'ق'.repeat(100),
					quantityThousandths: 1_000,
					unitPriceMinor: 0
				})),
				tenders: []
			}
		]
	])('[DEVICE-2] refuses %s, and writes nothing', async (kind, draft) => {
		const { device, store } = await openTestDevice({ seed: 2 });
		const before = await factTexts(store);
		expect(await device.sell(draft)).toMatchObject({ ok: false, error: { kind } });
		expect(await factTexts(store)).toEqual(before);
	});

	it('[DEVICE-2] refuses to put anything on the account of a customer who was archived', async () => {
		const { device, amina } = await shop();
		value(await device.changeCustomer(amina, { active: false }));
		const tenders = [{ kind: 'account', minor: 5, ledger: amina }] as const;
		expect(await device.sell(amount(5, tenders))).toEqual({
			ok: false,
			error: { kind: 'customerArchived', ledger: amina }
		});
	});

	it('[DEVICE-3] sells a long invoice, and what costs nothing, without a record', async () => {
		const { device, store, amina } = await shop();
		const lines = Array.from({ length: 705 }, (_none, place) => ({
			productId: product(`A-${String(place + 1)}.1999`),
			name: 'WHITE HANGING HEART T-LIGHT HOLDER',
			quantityThousandths: 12_000,
			unitPriceMinor: 255
		}));
		const long = await device.sell({
			lines,
			tenders: [{ kind: 'account', minor: 705 * 12 * 255, ledger: amina }]
		});
		expect(value(long).fact.lines).toHaveLength(705);
		const free = value(
			await device.sell(amount(0, [{ kind: 'account', minor: 0, ledger: amina }]))
		);
		expect(free.fact.tenders).toEqual([]);
		expect(free.fact.record).toBeUndefined();
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
	});

	it('[DEVICE-4] books a fact on the day of the branch, by zone and cut-off', async () => {
		const { device, clock } = await openTestDevice({ seed: 3 });
		value(await device.changeSettings({ zone: 'Asia/Baghdad', cutoff: 240 }));
		clock.now = Date.parse('2026-11-21T00:30:00Z');
		expect(value(await device.sell(amount(1, [{ kind: 'cash', minor: 1 }]))).fact.on).toBe(
			'2026-11-20'
		);
		clock.now = Date.parse('2026-11-21T01:00:00Z');
		expect(value(await device.sell(amount(1, [{ kind: 'cash', minor: 1 }]))).fact.on).toBe(
			'2026-11-21'
		);
	});

	it('[DEVICE-5] stamps each fact later than the last, though the clock goes back', async () => {
		const { device, clock } = await openTestDevice({ seed: 4 });
		const stamps = [];
		for (const now of [TEST_NOW, TEST_NOW - 60_000, TEST_NOW, TEST_NOW + 1]) {
			clock.now = now;
			stamps.push(value(await device.sell(amount(1, [{ kind: 'cash', minor: 1 }]))).fact.at);
		}
		expect(stamps).toEqual([
			{ wall: TEST_NOW, counter: 0 },
			{ wall: TEST_NOW, counter: 1 },
			{ wall: TEST_NOW, counter: 2 },
			{ wall: TEST_NOW + 1, counter: 0 }
		]);
	});

	it.each([
		{ clockAt: 'the first evening west of Greenwich', now: 3_600_000, zone: 'America/New_York' },
		{ clockAt: 'the first night before the cut-off', now: 3_600_000, zone: 'UTC' },
		{ clockAt: 'before the first day, put back by a correction', now: -9 * DAY_MS, zone: 'UTC' },
		{ clockAt: 'behind the last day', now: Date.parse('2400-01-01'), zone: 'Asia/Kolkata' },
		{ clockAt: 'behind the calendar', now: Date.parse('+010000-01-01'), zone: 'UTC' }
	])('[DEVICE-5] writes with its clock at $clockAt', async ({ now, zone }) => {
		const { device, amina, clock } = await shop();
		value(await device.changeSettings({ zone, cutoff: 240 }));
		clock.now = now;
		const onAccount = { kind: 'account', minor: 1, ledger: amina } as const;
		const { fact } = value(await device.sell(amount(1, [onAccount])));
		expect(parseFact(encodeFact(fact)).ok).toBe(true);
		const lines = [{ saleLine: 0, name: '', quantity: 1_000, damaged: false }];
		value(await device.takeBack({ sale: fact.id, lines, refund: { kind: 'cash' } }));
		value(await device.writeRecords(amina, [{ kind: 'due', minor: 5 }]));
	});
});

describe('taking back', () => {
	it('[DEVICE-6] never takes back more than is left of a line, and ends at exactly zero', async () => {
		const { device, book, tea, amina } = await shop();
		const sold = value(
			await device.sell({
				lines: [{ productId: tea, name: 'Tea', quantityThousandths: 3_000, unitPriceMinor: 333 }],
				tenders: [
					{ kind: 'account', minor: 500, ledger: amina },
					{ kind: 'cash', minor: 499 }
				]
			})
		);
		const back = (quantity: number, damaged = false): ReturnType<typeof device.takeBack> =>
			device.takeBack({
				sale: sold.fact.id,
				lines: [{ saleLine: 0, name: '', quantity, damaged }],
				refund: { kind: 'cash' }
			});
		const plan = await device.planReturn({
			sale: sold.fact.id,
			lines: [{ saleLine: 0, name: '', quantity: 1_000, damaged: false }],
			refund: { kind: 'cash' }
		});
		expect(plan).toEqual({
			ok: true,
			value: { totalMinor: 333, cashMinor: 0, creditMinor: 333, ledger: amina }
		});
		const first = value(await back(1_000));
		expect(first).toMatchObject({ cashMinor: 0, creditMinor: 333, receipt: 'A-000002' });
		expect(first.fact.record?.rest.ref).toBe(
			(await book.recordsOf(amina, { limit: 9 })).records.find(({ kind }) => kind === 'due')?.h
		);
		expect(await back(2_001)).toEqual({
			ok: false,
			error: { kind: 'moreThanLeft', leftThousandths: 2_000, lineIndex: 0 }
		});
		expect(value(await back(1_000, true))).toMatchObject({ cashMinor: 166, creditMinor: 167 });
		expect(value(await back(1_000))).toMatchObject({ cashMinor: 333, creditMinor: 0 });
		expect(await back(1_000)).toMatchObject({ ok: false, error: { kind: 'moreThanLeft' } });

		expect((await book.customer(amina))?.totalMinor).toBe(0n);
		expect(await book.stockOf(tea)).toBe(-1_000n);
		const receipt = await book.receipt(' a-000001 ');
		expect(receipt?.returnedThousandths).toEqual([3_000]);
		expect(receipt?.returns).toHaveLength(3);
		expect(await book.dayTotals('2026-11-20')).toMatchObject({
			returnsMinor: 999n,
			cashOutMinor: 499n,
			accountBackMinor: 500n
		});
	});

	it('[DEVICE-6] takes back without a receipt, for cash or as a credit', async () => {
		const { device, book, tea, amina } = await shop();
		const lines = [
			{ product: tea, name: 'Tea', quantity: 2_000, unitPriceMinor: 250, damaged: false }
		];
		const cash = value(await device.takeBack({ lines, refund: { kind: 'cash' } }));
		expect(cash.fact).toMatchObject({ saleId: null, refunds: [{ kind: 'cash', minor: 500 }] });
		const credit = await device.takeBack({ lines, refund: { kind: 'account', ledger: amina } });
		expect(value(credit).fact.record?.core).toMatchObject({ kind: 'credit', balanceAfter: -500 });
		expect((await book.customer(amina))?.totalMinor).toBe(-500n);
		expect(await book.stockOf(tea)).toBe(4_000n);
	});

	it('[DEVICE-6] refuses what is no return', async () => {
		const { device, tea } = await shop();
		const sale = factId('A', 99);
		const line = { product: tea, name: 'Tea', quantity: 1_000, unitPriceMinor: 1, damaged: false };
		const refusals = [
			await device.takeBack({ lines: [], refund: { kind: 'cash' } }),
			await device.takeBack({ sale, lines: [line], refund: { kind: 'cash' } }),
			await device.takeBack({ lines: [line], refund: { kind: 'account', ledger: NOBODY } }),
			await device.takeBack({ lines: [{ ...line, quantity: -1 }], refund: { kind: 'cash' } })
		];
		expect(refusals).toMatchObject([
			{ error: { kind: 'nothingReturned' } },
			{ error: { kind: 'unknownSale' } },
			{ error: { kind: 'unknownCustomer' } },
			{ error: { kind: 'quantityNotPositive' } }
		]);
	});
});

describe('taxes', () => {
	it('[FACT-9] sells both sides of a tax in one cart, and takes both back to nothing', async () => {
		const { device, book } = await openTestDevice({ seed: 31, currency: 'INR' });
		const terms = { taxClass: 'std', parts: [{ name: 'GST', ratePpm: 180_000 }] };
		const line = { quantityThousandths: 1_000 };
		const sold = value(
			await device.sell({
				lines: [
					{ ...line, name: 'A', unitPriceMinor: 118_00, taxTerms: { mode: 'inclusive', ...terms } },
					{ ...line, name: 'B', unitPriceMinor: 100_00, taxTerms: { mode: 'exclusive', ...terms } }
				],
				tenders: [{ kind: 'cash', minor: 240_00 }]
			})
		);
		expect(sold.changeMinor).toBe(4_00);
		expect(sold.fact.lines.map(({ tax }) => [tax?.side, tax?.parts[0]?.minor])).toEqual([
			['in', 18_00],
			['ex', 18_00]
		]);
		const back = { quantity: 1_000, damaged: false };
		for (const saleLine of [1, 0]) {
			value(
				await device.takeBack({
					sale: sold.fact.id,
					lines: [{ ...back, saleLine, name: '' }],
					refund: { kind: 'cash' }
				})
			);
		}
		expect(await book.dayTotals('2026-11-20')).toMatchObject({
			salesMinor: 236_00n,
			returnsMinor: 236_00n,
			cashInMinor: 236_00n,
			cashOutMinor: 236_00n
		});
	});
});

describe('records', () => {
	it('[DEVICE-7] writes a due and a payment in one fact, each knowing the balance before it', async () => {
		const { device, book, amina } = await shop();
		const fact = value(
			await device.writeRecords(amina, [
				{ kind: 'due', minor: 500 },
				{ kind: 'payment', minor: 200 }
			])
		);
		expect(fact.tender).toBe('cash');
		expect(fact.records.map(({ core }) => core.balanceAfter)).toEqual([500, 300]);
		expect(fact.records[0]?.rest.due).toBe(dueMsOf('2026-11-27', 'UTC'));
		expect((await book.customer(amina))?.totalMinor).toBe(300n);
		expect(await book.dayTotals('2026-11-20')).toMatchObject({
			gaveMinor: 500n,
			gotMinor: 200n,
			cashInMinor: 200n
		});
		const transfer = await device.writeRecords(amina, [{ kind: 'payment', minor: 1 }], {
			tender: null
		});
		expect(value(transfer).tender).toBeUndefined();
	});

	it('[FACT-8] what is taken back leaves the day as if it had not been written', async () => {
		const { device, book, amina } = await shop();
		const written = value(
			await device.writeRecords(amina, [
				{ kind: 'due', minor: 500 },
				{ kind: 'payment', minor: 200 },
				{ kind: 'openingDebit', minor: 70 }
			])
		);
		const [due, payment, opening] = await Promise.all(
			written.records.map(({ signed }) => recordHash(signed.a, createWebCrypto()))
		);
		if (due === undefined || payment === undefined || opening === undefined)
			throw new Error('three records were written');
		const undo = async (
			kind: 'reversalOfDebit' | 'reversalOfCredit',
			minor: number,
			ref: RecordHash
		) => value(await device.writeRecords(amina, [{ kind, minor, ref }]));
		expect(await undo('reversalOfDebit', 500, due)).toMatchObject({ undoes: 'due' });
		expect(await undo('reversalOfCredit', 200, payment)).toMatchObject({
			undoes: 'payment',
			tender: 'cash'
		});
		expect(await undo('reversalOfDebit', 70, opening)).not.toHaveProperty('undoes');
		expect(await book.dayTotals('2026-11-20')).toMatchObject(DAY_ZERO);
		expect((await book.customer(amina))?.totalMinor).toBe(0n);
	});

	it('[DEVICE-7] refuses, in this order, what a ledger cannot take', async () => {
		const { device, book, amina } = await shop();
		const write: typeof device.writeRecords = (...given) => device.writeRecords(...given);
		value(
			await write(amina, [
				{ kind: 'openingDebit', minor: 100 },
				{ kind: 'payment', minor: 40 }
			])
		);
		const { records } = await book.recordsOf(amina, { limit: 5 });
		const opening = records.find(({ kind }) => kind === 'openingDebit')?.h;
		const payment = records.find(({ kind }) => kind === 'payment')?.h;
		if (opening === undefined || payment === undefined) throw new Error('two records');
		value(await write(amina, [{ kind: 'reversalOfDebit', minor: 30, ref: opening }]));
		const refusals = [
			await write(amina, []),
			await write(
				amina,
				Array.from({ length: 9 }, () => ({ kind: 'due', minor: 1 }) as const)
			),
			await write(NOBODY, [{ kind: 'due', minor: 1 }]),
			await write(amina, [{ kind: 'due', minor: 0 }]),
			await write(amina, [{ kind: 'due', minor: 10 ** 13 + 1 }]),
			await write(amina, [{ kind: 'due', minor: 1, dueAt: -1 }]),
			await write(amina, [{ kind: 'openingCredit', minor: 1 }]),
			await write(amina, [{ kind: 'reversalOfDebit', minor: 1 }]),
			await write(amina, [{ kind: 'due', minor: 1, ref: opening }]),
			await write(amina, [{ kind: 'reversalOfCredit', minor: 1, ref: opening }]),
			await write(amina, [{ kind: 'reversalOfDebit', minor: 71, ref: opening }]),
			await write(amina, [
				{ kind: 'reversalOfDebit', minor: 70, ref: opening },
				{ kind: 'credit', minor: 1, ref: opening }
			]),
			await write(amina, [{ kind: 'due', minor: 1, note: 'x'.repeat(281) }])
		].map((result) => (result.ok ? 'written' : result.error.kind));
		expect(refusals).toEqual([
			'noRecords',
			'tooManyRecords',
			'unknownCustomer',
			'amountRefused',
			'amountRefused',
			'dueAtRefused',
			'openingKnown',
			'refMissing',
			'refNotAllowed',
			'wrongSide',
			'moreThanLeft',
			'moreThanLeft',
			'noteTooLong'
		]);
		expect((await write(amina, [{ kind: 'reversalOfCredit', minor: 40, ref: payment }])).ok).toBe(
			true
		);
		expect((await book.customer(amina))?.totalMinor).toBe(70n);
	});
});

describe('catalogue, customers, settings', () => {
	it('[DEVICE-8] makes many products in facts of 64 kB, all of them or none', async () => {
		const { device, book, store } = await openTestDevice({ seed: 5 });
		const rows = Array.from({ length: 4_000 }, (_none, place) => ({
			name: `Product ${String(place)}`,
			codes: [`P${String(place)}`],
			price: place
		}));
		const broken = await device.addProducts([...rows, { name: '' }]);
		expect(broken).toEqual({
			ok: false,
			error: { kind: 'fieldRefused', field: 'name', row: 4_000, why: 'empty' }
		});
		expect(await factTexts(store)).toEqual([]);

		const ids = value(await device.addProducts(rows));
		expect(new Set(ids).size).toBe(4_000);
		expect(await book.allProducts()).toHaveLength(4_000);
		expect((await factTexts(store)).length).toBeGreaterThan(1);
		expect(await book.productByCode(' p3999 ')).toMatchObject({
			name: 'Product 3999',
			price: 3_999
		});
	});

	it('[DEVICE-8] cleans names and codes, and refuses a code that another product in use bears', async () => {
		const { device, book, tea } = await shop();
		const taken = await device.addProducts([
			{ name: 'x', codes: ['q'] },
			{ name: 'y', codes: [' 85123a '] }
		]);
		expect(taken).toEqual({ ok: false, error: { kind: 'codeTaken', row: 1, code: '85123a' } });
		expect(await device.addProducts([{ name: 'x', codes: ['q', 'Q '] }])).toMatchObject({
			ok: true
		});
		expect((await book.productByCode('Q'))?.codes).toEqual(['Q']);
		expect(await device.changeProduct(tea, { price: -1 })).toMatchObject({
			error: { kind: 'fieldRefused', field: 'price', why: 'wrong' }
		});
		expect(await device.changeProduct(product('A-99'), { price: 1 })).toMatchObject({
			error: { kind: 'unknownProduct' }
		});
		value(await device.changeProduct(tea, { name: ' Té\ud83d ', codes: ['85123A', '7'] }));
		expect(await book.productByCode('7')).toMatchObject({ name: 'Té', price: 250 });
		value(await device.changeProduct(tea, { active: false }));
		expect((await device.addProducts([{ name: 'y', codes: ['85123a'] }])).ok).toBe(true);
		expect((await book.productByCode('85123A'))?.name).toBe('y');
		expect((await book.tiles([], 9)).map(({ name }) => name)).toEqual(['Bread', 'x', 'y']);
		// Taken into use again it would bear what another bears.
		expect(await device.changeProduct(tea, { active: true })).toEqual({
			ok: false,
			error: { kind: 'codeTaken', row: 0, code: '85123a' }
		});
		value(await device.changeProduct(tea, { active: true, codes: ['7'] }));
		expect((await book.productByCode('7'))?.name).toBe('Té');
	});

	it('[DEVICE-9] writes nothing where nothing changed', async () => {
		const { device, store, tea, amina } = await shop();
		const before = (await factTexts(store)).length;
		value(await device.changeProduct(tea, { name: 'Tea', codes: ['85123A'] }));
		value(await device.changeCustomer(amina, { name: 'Amina' }));
		value(await device.changeSettings({ currency: 'GBP' }));
		expect(await factTexts(store)).toHaveLength(before);
	});

	it('[DEVICE-10] keeps the currency once money was written', async () => {
		const { device, book } = await openTestDevice({ seed: 6, currency: 'KES' });
		value(await device.changeSettings({ currency: 'IQD' }));
		value(await device.sell(amount(250_000, [{ kind: 'cash', minor: 250_000 }])));
		expect(await device.changeSettings({ currency: 'USD' })).toEqual({
			ok: false,
			error: { kind: 'currencyFixed' }
		});
		expect((await book.settings()).money).toMatchObject({ currency: 'IQD', exponent: 3 });
	});

	it.each([
		[{ zone: 'Mars/Olympus' }, 'zone'],
		[{ currency: 'ZZZ' }, 'currency'],
		[{ cutoff: 1_440 }, 'cutoff'],
		[{ name: '\0 ' }, 'name'],
		[{ currency: 'JPY', decimals: 2 }, 'decimals']
	])('[DEVICE-10] refuses the setting %j', async (fields, field) => {
		const { device } = await openTestDevice({ seed: 7 });
		expect(await device.changeSettings(fields)).toMatchObject({
			error: { kind: 'fieldRefused', field }
		});
	});

	it('[DEVICE-11] adjusts the stock of what it knows', async () => {
		const { device, book, tea } = await shop();
		value(await device.adjustStock([{ product: tea, delta: 5_000 }], 'found'));
		expect(await book.stockOf(tea)).toBe(5_000n);
		expect(await device.adjustStock([], 'waste')).toMatchObject({ error: { kind: 'noRows' } });
		expect(await device.adjustStock([{ product: tea, delta: 0 }], 'waste')).toMatchObject({
			error: { kind: 'amountRefused', row: 0 }
		});
		expect(
			await device.adjustStock([{ product: product('B-1'), delta: 1 }], 'waste')
		).toMatchObject({
			error: { kind: 'unknownProduct' }
		});
	});
});

describe('the write path', () => {
	it('[DEVICE-12] gives two tabs that write at once two numbers each, and loses neither', async () => {
		const store = createMemoryDeviceStore();
		const first = await openTestDevice({ seed: 8, store });
		const second = await openDevice(first.parts);
		const sales = await Promise.all(
			Array.from({ length: 8 }, (_none, place) =>
				(place % 2 === 0 ? first.device : second).sell(amount(1, [{ kind: 'cash', minor: 1 }]))
			)
		);
		const receipts = sales.map((sale) => value(sale).fact.receipt).sort((a, b) => a - b);
		expect(receipts).toEqual(Array.from({ length: 8 }, (_none, place) => place + 1));
		expect((await first.book.dayTotals('2026-11-20')).salesCount).toBe(8n);
	});

	it('[DEVICE-13] leaves nothing half, wherever the store breaks', async () => {
		let broken = 0;
		for (let at = 1; at < 200; at += 1) {
			const store = createMemoryDeviceStore();
			const { device, amina, tea } = await shop(9, store);
			const before = await everything(store);
			const act = (on: typeof device): ReturnType<typeof device.sell> =>
				on.sell({
					lines: [{ productId: tea, name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 250 }],
					tenders: [{ kind: 'account', minor: 250, ledger: amina }]
				});
			const fails = { at: 0 };
			const test = await openTestDevice({ seed: 9, store: breaking(store, fails) });
			fails.at = at;
			const outcome = await act(test.device).then(
				() => 'saved',
				() => 'broken'
			);
			if (outcome === 'saved') break;
			broken += 1;
			expect(await everything(store)).toEqual(before);
			// The same act goes through afterwards, under the number that was not used.
			expect(value(await act(device)).fact.receipt).toBe(1);
		}
		expect(broken).toBeGreaterThan(15);
	});

	it('[DEVICE-14] takes an act for saved whose answer was lost after the commit', async () => {
		const store = createMemoryDeviceStore();
		const { parts } = await openTestDevice({ seed: 10, store });
		let loses = true;
		const twice: DeviceStore = {
			...store,
			// What the browser store does when iOS drops the connection: the same work once more.
			write: async (tables, work) => {
				const done = await store.write(tables, work);
				if (!loses || !tables.includes('journal')) return done;
				loses = false;
				return store.write(tables, work);
			}
		};
		const device = await openDevice({ ...parts, store: twice });
		expect(value(await device.sell(amount(7, [{ kind: 'cash', minor: 7 }]))).receipt).toBe(
			'A-000001'
		);
		expect(loses).toBe(false);
		expect(await factTexts(store)).toHaveLength(1);
		expect(value(await device.sell(amount(7, [{ kind: 'cash', minor: 7 }]))).receipt).toBe(
			'A-000002'
		);
	});

	it('[DEVICE-14] and so it does after another tab wrote while this one slept', async () => {
		const store = createMemoryDeviceStore();
		const { parts } = await openTestDevice({ seed: 10, store });
		const inOtherTab = await openDevice(parts);
		const sale = amount(7, [{ kind: 'cash', minor: 7 }]);
		let loses = true;
		const twice: DeviceStore = {
			...store,
			write: async (tables, work) => {
				const done = await store.write(tables, work);
				if (!loses || !tables.includes('journal')) return done;
				loses = false;
				value(await inOtherTab.sell(sale));
				return store.write(tables, work);
			}
		};
		const device = await openDevice({ ...parts, store: twice });
		expect(value(await device.sell(sale)).receipt).toBe('A-000001');
		expect(loses).toBe(false);
		expect(await factTexts(store)).toHaveLength(2);
	});

	describe('and so it does after weeks of sleep, in which what it wrote left the journal', () => {
		/** A tab that sleeps between the commit of its first act and the word of it. */
		async function sleeper(
			meanwhile: (test: TestDevice) => Promise<void>
		): Promise<{ readonly test: TestDevice; readonly device: Device }> {
			const store = createMemoryDeviceStore();
			const test = await openTestDevice({ seed: 10, store });
			let sleeps = true;
			const twice: DeviceStore = {
				...store,
				write: async (tables, work) => {
					const done = await store.write(tables, work);
					if (!sleeps || !tables.includes('journal')) return done;
					sleeps = false;
					await meanwhile(test);
					return store.write(tables, work);
				}
			};
			return { test, device: await openDevice({ ...test.parts, store: twice }) };
		}

		/** As `createJournalPrune` leaves a block. */
		async function letJournalGo({ store }: TestDevice): Promise<void> {
			await store.write(['journal', 'backedUp'], async (rows) => {
				await rows.put('backedUp', [{ block: 0, digest: '0'.repeat(16) }]);
				await rows.clear('journal');
			});
		}

		it('[DEVICE-14] it is known by its text', async () => {
			const sale = amount(7, [{ kind: 'cash', minor: 7 }]);
			const { test, device } = await sleeper(async (other) => {
				value(await other.device.sell(sale));
				await letJournalGo(other);
			});
			expect(value(await device.sell(sale)).receipt).toBe('A-000001');
			expect(await factTexts(test.store)).toHaveLength(2);
			expect(value(await device.sell(sale)).receipt).toBe('A-000003');
		});

		it('[DEVICE-14] what cannot be known is told, and not written once more', async () => {
			const sale = amount(7, [{ kind: 'cash', minor: 7 }]);
			const { test, device } = await sleeper(async (other) => {
				await letJournalGo(other);
				await other.store.write(['facts'], (rows) => rows.clear('facts'));
			});
			await expect(device.sell(sale)).rejects.toThrow('too long');
			expect(await factTexts(test.store)).toHaveLength(0);
			expect(value(await device.sell(sale)).receipt).toBe('A-000002');
		});
	});

	it('[DEVICE-15] says that the disk is full, and keeps the cart', async () => {
		const store = createMemoryDeviceStore({ bytesMax: 3_000 });
		const { device } = await openTestDevice({ seed: 11, store });
		await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value: ['tea'] }]));
		const fault: unknown = await device
			.addCustomer({ name: 'Amina', note: 'x'.repeat(240), address: 'y'.repeat(240) })
			.then(() => device.addProducts([{ name: 'z'.repeat(99) }, { name: 'q'.repeat(99) }]))
			.then(() => device.addProducts([{ name: 'z'.repeat(99) }, { name: 'q'.repeat(99) }]))
			.catch((cause: unknown) => cause);
		expect(isStorageFull(fault)).toBe(true);
		const cart = await store.read(['meta'], (rows) => rows.get('meta', 'cart'));
		expect(cart?.value).toEqual(['tea']);
	});
});

it('[JOIN-3] is claimed once that is on disk, and not before', async () => {
	const { store, beforeWrite } = createInterruptedStore(createMemoryDeviceStore());
	const { device, parts } = await openTestDevice({ seed: 12, store });
	beforeWrite(() => Promise.reject(new Error('the disk is full')));
	const claimed = { member: 1, code: device.identity.code };
	await expect(device.markClaimed(claimed)).rejects.toThrow('full');
	expect(device.identity.claimed).toBe(false);
	await device.markClaimed(claimed);
	expect(device.identity.claimed).toBe(true);
	expect((await openDevice(parts)).identity.claimed).toBe(true);
});

describe('on the browser’s store', () => {
	it('[DEVICE-22] acts, receives and takes a checkpoint with the same numbers as in memory', async () => {
		const facts = await trade(30);
		const relay = await openTestDevice({ seed: 31 });
		await relay.device.receive(facts);
		const dexie = createDexieDeviceStore('daftar-device-test', {
			indexedDB: new IDBFactory(),
			keyRange: IDBKeyRange
		});
		const { device, store, tea, amina, book } = await shop(32, dexie, 'C');
		await device.receive(facts);
		const sold = value(
			await device.sell({
				lines: [{ productId: tea, name: 'Tea', quantityThousandths: 2_000, unitPriceMinor: 250 }],
				tenders: [{ kind: 'account', minor: 500, ledger: amina }]
			})
		);
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
		await device.takeCheckpoint(await checkpointOf(store, 9));
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
		expect((await book.recentReceipts(1))[0]).toMatchObject({
			receipt: sold.receipt,
			mark: 'saved'
		});
		expect((await book.productByCode('85123a'))?.name).toBe('Tea');
		expect((await book.unsent()).count).toBe(4);
		store.close();
	});
});

describe('receiving', () => {
	it('[DEVICE-16] makes the same numbers of the same facts, in any order and any repetition', async () => {
		const facts = await trade(12);
		await fc.assert(
			fc.asyncProperty(
				fc.shuffledSubarray([...facts], { minLength: facts.length }),
				fc.array(fc.nat({ max: facts.length - 1 }), { maxLength: 12 }),
				fc.integer({ min: 1, max: 9 }),
				async (order, again, size) => {
					const { device, store } = await openTestDevice({ seed: 13 });
					const all = [...order, ...again.flatMap((place) => facts[place] ?? [])];
					for (let start = 0; start < all.length; start += size) {
						await device.receive(all.slice(start, start + size));
					}
					expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
					expect(await factTexts(store)).toHaveLength(facts.length);
				}
			),
			{ numRuns: 25 }
		);
	});

	it('[DEVICE-17] leaves out what is no fact, and keeps a kind or a form that it does not know uncounted', async () => {
		const { device, store } = await openTestDevice({ seed: 14 });
		const { branch } = device.identity;
		const texts = ['', '[]', '["B-1"]', '{"a":1}', 'x'.repeat(70_000), '["B-1","sale",1,-1,1,1]'];
		const report = await device.receive([
			...texts.map((text) => ({ text, branch })),
			{ text: unknownFact('B-7', TEST_NOW), branch },
			{ text: laterFact('B-8', TEST_NOW), branch }
		]);
		expect(report).toEqual({ fresh: 2, unreadable: texts.length });
		const held = await store.read(['facts'], (rows) => rows.all('facts'));
		expect(held.map(({ id, kind }) => [id, kind])).toEqual([
			['B-7', 'shift'],
			['B-8', 'adjust']
		]);
	});

	it('[DEVICE-25] counts a kept kind once this program has learned it', async () => {
		const facts = await trade(33);
		const { device, store, parts } = await openTestDevice({
			seed: 34,
			joins: { identity: (await shop(33)).device.identity, code: 'C' }
		});
		await device.receive(facts.filter(({ text }) => !text.includes('"sale"')));
		const sales = facts.filter(({ text }) => text.includes('"sale"'));
		expect(sales).toHaveLength(2);
		const other = await openTestDevice({ seed: 35 });
		await other.device.receive(sales);
		const rows = await other.store.read(['facts'], (read) => read.all('facts'));
		// As an older program keeps them: the row, and nothing counted.
		await store.write(['facts'], async (write) => {
			await write.put(
				'facts',
				rows.map((row) => ({ ...row, refs: [UNKNOWN_REF] }))
			);
		});
		expect(await storedNumbers(store)).not.toEqual(await foldedNumbers(store));
		// Two tabs of the new program at once.
		const { identity } = device;
		await Promise.all([countKept(parts, identity), countKept(parts, identity)]);
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
		await countKept(parts, identity);
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
	});

	it('[DEVICE-25] counts a kept form once this program has learned it, though it knew the kind', async () => {
		const { device, store, parts, clock } = await openTestDevice({ seed: 36 });
		const { branch } = device.identity;
		const levels = async (): Promise<readonly bigint[]> =>
			(await store.read(['stock'], (rows) => rows.all('stock'))).map(({ level }) => level);
		await device.receive([{ text: laterFact('B-8', clock.now), branch }]);
		await countKept(parts, device.identity);
		expect(await levels()).toEqual([]);
		// Of a program that reads what was one field too many before.
		await store.write(['facts'], async (rows) => {
			const row = await rows.get('facts', 'B-8');
			const text = foundFact('B-8', clock.now);
			if (row !== undefined) await rows.put('facts', [{ ...row, text }]);
		});
		await Promise.all([countKept(parts, device.identity), countKept(parts, device.identity)]);
		expect(await levels()).toEqual([3_000n]);
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
	});

	describe('what was kept uncounted is so until it is counted', () => {
		/** Holds what an older program kept: this one knows its form, and has not counted it yet. */
		async function keeping(seed: number, text: string): Promise<TestDevice> {
			const test = await openTestDevice({ seed, currency: 'KES' });
			const other = await openTestDevice({ seed: seed + 1 });
			await other.device.receive([{ text, branch: test.device.identity.branch }]);
			const rows = await other.store.read(['facts'], (read) => read.all('facts'));
			await test.store.write(['facts'], (write) =>
				write.put(
					'facts',
					rows.map((row) => ({ ...row, refs: [UNKNOWN_REF] }))
				)
			);
			return test;
		}

		const levelsOf = async ({ store }: TestDevice): Promise<readonly bigint[]> =>
			(await store.read(['stock'], (rows) => rows.all('stock'))).map(({ level }) => level);

		it('[DEVICE-25] though a checkpoint is taken anew before', async () => {
			const test = await keeping(40, foundFact('B-8', TEST_NOW));
			const empty = await openTestDevice({ seed: 42 });
			const relay = await checkpointOf(empty.store, 5);
			await test.store.write(['meta'], (rows) => writeMeta(rows, 'isCheckpointLost', true));
			await test.device.takeCheckpoint(relay);
			await countKept(test.parts, test.device.identity);
			expect(await levelsOf(test)).toEqual([3_000n]);
		});

		it('[DEVICE-25] [LINK-43] though it came between two pieces of a checkpoint, which is not begun anew', async () => {
			const { device } = await openTestDevice({ seed: 50, currency: 'KES' });
			const relay = await openTestDevice({
				seed: 51,
				joins: { identity: device.identity, code: 'B' }
			});
			value(await relay.device.addCustomer({ name: 'Amina' }));
			expect(value(await relay.device.addProducts([{ name: 'Rice', price: 250 }]))).toEqual([
				'B-2'
			]);
			const first = await checkpointOf(relay.store, 4);
			const { branch } = device.identity;
			await relay.device.receive([{ text: foundFact('B-8', TEST_NOW), branch }]);
			const whole = await checkpointOf(relay.store, 5);

			const to = await openTestDevice({
				seed: 52,
				joins: { identity: device.identity, code: 'C' }
			});
			const next = { part: 'products', after: '' };
			await to.device.takeCheckpoint({ ...first, products: [], stock: [], next });
			await to.device.receive([{ text: laterFact('B-8', TEST_NOW), branch, s: 5 }]);
			await to.store.write(['meta'], (rows) => writeMeta(rows, 'feed', { epoch: 1, s: 5 }));
			expect(await to.device.takePiece({ ...whole, days: [] })).toBe('taken');
			expect(await levelsOf(to)).toEqual([3_000n]);
			// Of a program that reads what was one field too many before.
			await to.store.write(['facts'], async (rows) => {
				const row = await rows.get('facts', 'B-8');
				const text = foundFact('B-8', TEST_NOW);
				if (row !== undefined) await rows.put('facts', [{ ...row, text }]);
			});
			const isLost = (): Promise<boolean | undefined> =>
				to.store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
			for (const lost of [true, false]) {
				await countKept(to.parts, to.device.identity);
				expect([await levelsOf(to), await isLost()]).toEqual([[3_000n], lost]);
				await to.device.takeCheckpoint(whole);
				expect(await storedNumbers(to.store)).toEqual(await storedNumbers(relay.store));
			}
		});

		it.each([true, false])(
			'[DEVICE-25] though a tab of an older program takes a checkpoint over it, anew: %s',
			async (isLost) => {
				const { device } = await openTestDevice({ seed: 53, currency: 'KES' });
				const relay = await openTestDevice({
					seed: 54,
					joins: { identity: device.identity, code: 'B' }
				});
				value(await relay.device.addProducts([{ name: 'Rice', price: 250 }]));
				const { branch } = device.identity;
				await relay.device.receive([{ text: foundFact('B-7', TEST_NOW), branch }]);
				const before = await checkpointOf(relay.store, 4);
				const to = await openTestDevice({
					seed: 55,
					joins: { identity: device.identity, code: 'C' }
				});
				await to.device.takeCheckpoint(before);
				const text = foundFact('B-8', TEST_NOW);
				for (const { device: one } of [to, relay]) await one.receive([{ text, branch }]);
				const numbers = await storedNumbers(relay.store);
				expect(await storedNumbers(to.store)).toEqual(numbers);
				const writeAs = (now: string): Promise<void> =>
					to.store.write(['facts', 'meta'], async (rows) => {
						const row = await rows.get('facts', 'B-8');
						if (row !== undefined) await rows.put('facts', [{ ...row, text: now }]);
					});
				// To the program of the other tab, which slept until now, it has one field too many.
				await writeAs(laterFact('B-8', TEST_NOW));
				await to.store.write(['meta'], (rows) => writeMeta(rows, 'isCheckpointLost', isLost));
				await to.device.takeCheckpoint(before);
				await writeAs(text);
				await countKept(to.parts, to.device.identity);
				const again = await to.store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
				if (again === true) await to.device.takeCheckpoint(await checkpointOf(relay.store, 5));
				expect(await storedNumbers(to.store)).toEqual(numbers);
			}
		);

		it('[DEVICE-25] [DEVICE-60] though its clock fact comes before', async () => {
			const on = Math.floor(TEST_NOW / DAY_MS);
			const ahead = on + 30;
			const sale = ['B-8', 'sale', TEST_NOW + 30 * DAY_MS, 0, ahead, 1, 1];
			const text = JSON.stringify([...sale, [[0, '', 1_000, 700, 700]], [['cash', 700]]]);
			const test = await keeping(43, text);
			const { branch } = test.device.identity;
			const at = [TEST_NOW, 0, on];
			const clock = JSON.stringify(['0.1-1', 'clock', ...at, 0, 'B-8', ...at]);
			await test.device.receive([{ text: clock, branch, s: 1 }]);
			await countKept(test.parts, test.device.identity);
			const days = await test.store.read(['days'], (rows) => rows.all('days'));
			expect(days.map(({ salesMinor }) => salesMinor)).toEqual([700n]);
			expect(await storedNumbers(test.store)).toEqual(await foldedNumbers(test.store));
		});

		it('[DEVICE-25] [DEVICE-66] though it is issued again under another name before', async () => {
			const text = foundFact('B-8', TEST_NOW);
			const again = JSON.stringify([['C-3', 'B-8'], ...(JSON.parse(text) as unknown[]).slice(1)]);
			const test = await keeping(45, text);
			const { branch } = test.device.identity;
			await test.device.receive([{ text: again, branch, s: 1 }]);
			await countKept(test.parts, test.device.identity);
			const isLost = await test.store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
			expect({ isLost, levels: await levelsOf(test) }).toEqual({ isLost: true, levels: [] });
		});

		it('[DEVICE-25] [DEVICE-66] and not under its first name where that gave way meanwhile', async () => {
			const text = foundFact('B-8', TEST_NOW);
			const again = JSON.stringify([['C-3', 'B-8'], ...(JSON.parse(text) as unknown[]).slice(1)]);
			const test = await keeping(47, text);
			const { branch } = test.device.identity;
			const { store, beforeWrite } = createInterruptedStore(test.store);
			beforeWrite(() => test.device.receive([{ text: again, branch, s: 1 }]));
			await countKept({ ...test.parts, store }, test.device.identity);
			const held = await test.store.read(['facts'], (rows) => rows.all('facts'));
			expect(held.map(({ id }) => id)).toEqual(['A-1', 'C-3']);
		});
	});

	it('[DEVICE-17] does not count a fact whose record was altered', async () => {
		const { device: writer, store, amina } = await shop();
		const fact = value(await writer.writeRecords(amina, [{ kind: 'due', minor: 500 }]));
		const row = await store.read(['facts'], (rows) => rows.get('facts', fact.id));
		const signed = fact.records[0]?.signed;
		if (row === undefined || signed === undefined) throw new Error('a record was written');
		const rest = signed.rest.replace('"on":"2026-11-20"', '"on":"2026-11-21"');
		const altered = row.text.replace(signed.rest, rest);
		expect(altered).not.toBe(row.text);
		expect(parseFact(altered).ok).toBe(true);
		const { device } = await openTestDevice({ seed: 15 });
		const report = await device.receive([{ text: altered, branch: device.identity.branch }]);
		expect(report).toEqual({ fresh: 0, unreadable: 1 });
		expect(encodeBase64url(signed.kid)).toHaveLength(11);
	});

	it('[DEVICE-18] follows a peer that is a little ahead, and not one that is far ahead', async () => {
		const near = await openTestDevice({ seed: 16 });
		near.clock.now = TEST_NOW + 4 * 60_000;
		value(await near.device.changeSettings({ name: 'near' }));
		const far = await openTestDevice({ seed: 17 });
		far.clock.now = TEST_NOW + 3_600_000;
		value(await far.device.changeSettings({ name: 'far' }));

		const { device } = await openTestDevice({
			seed: 18,
			joins: { identity: near.device.identity, code: 'B' }
		});
		await device.receive(await factTexts(far.store));
		expect(value(await device.sell(amount(1, [{ kind: 'cash', minor: 1 }]))).fact.at.wall).toBe(
			TEST_NOW
		);
		const { device: follower } = await openTestDevice({
			seed: 19,
			joins: { identity: near.device.identity, code: 'B' }
		});
		await follower.receive(await factTexts(near.store));
		expect(value(await follower.sell(amount(1, [{ kind: 'cash', minor: 1 }]))).fact.at).toEqual({
			wall: TEST_NOW + 4 * 60_000,
			counter: 1
		});
	});

	it('[DEVICE-18] [DEVICE-12] follows what another tab took in while it was writing', async () => {
		const near = await openTestDevice({ seed: 16 });
		near.clock.now = TEST_NOW + 4 * 60_000;
		value(await near.device.changeSettings({ name: 'near' }));
		const disk = createMemoryDeviceStore();
		const { store, beforeWrite } = createInterruptedStore(disk);
		const joins = { identity: near.device.identity, code: 'B' };
		const { device } = await openTestDevice({ seed: 18, store, joins });
		const other = await openTestDevice({ seed: 19, store: disk, joins });
		const heard = await factTexts(near.store);
		beforeWrite(() => other.device.receive(heard));
		value(await device.sell(amount(1, [{ kind: 'cash', minor: 1 }])));
		expect(value(await device.sell(amount(2, [{ kind: 'cash', minor: 2 }]))).fact.at).toEqual({
			wall: TEST_NOW + 4 * 60_000,
			counter: 1
		});
	});
});

it('[DEVICE-24] says which tables moved by what was kept, though there was no room for what followed', async () => {
	const { store, beforeWrite } = createInterruptedStore(createMemoryDeviceStore());
	const { device, parts } = await openTestDevice({ seed: 33, store });
	const joins = { identity: device.identity, code: 'B' };
	const other = await openTestDevice({ seed: 34, joins });
	for (let n = 1; n <= 70; n += 1) await other.device.addCustomer({ name: `Amina ${String(n)}` });
	const facts = await factTexts(other.store);
	const told = new Set<string>();
	parts.changes.on((tables) => {
		for (const table of tables) told.add(table);
	});
	beforeWrite(() => {
		beforeWrite(() => Promise.reject(new Error('the disk is full')));
		return Promise.resolve();
	});
	await expect(device.receive(facts)).rejects.toThrow('full');
	const kept = await store.read(['facts'], (rows) => rows.count('facts'));
	expect(kept).toBeGreaterThan(0);
	expect(kept).toBeLessThan(facts.length);
	expect(told).toContain('facts');
});

it('[DEVICE-18] writes on behind a peer that counts as far as a stamp can', async () => {
	const { device, store, clock } = await shop(43);
	const { branch, member } = device.identity;
	const wall = clock.now + STAMP_AHEAD_MAX_MS;
	const day = dayNumber('2026-11-20');
	const text = JSON.stringify(['B-1', 'setting', wall, 1_000_000, day, member, { payday: 5 }]);
	expect(await device.receive([{ text, branch }])).toEqual({ fresh: 1, unreadable: 0 });
	const goods = Array.from({ length: 300 }, (_none, at) => ({ name: `Good ${String(at)}` }));
	value(await device.addProducts(goods));
	const sold = value(await device.sell(amount(7, [{ kind: 'cash', minor: 7 }])));
	expect(compareStamps(sold.fact.at, { wall, counter: 1_000_000 })).toBeGreaterThan(0);
	expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
});

it('[DEVICE-23] goes on behind its own facts that come back to it after a restore', async () => {
	const before = await shop(40);
	value(await before.device.sell(amount(5, [{ kind: 'cash', minor: 5 }])));
	const after = await openTestDevice({ seed: 41 });
	await after.device.receive(await factTexts(before.store));
	const sold = value(await after.device.sell(amount(7, [{ kind: 'cash', minor: 7 }])));
	expect([sold.fact.id, sold.receipt]).toEqual(['A-5', 'A-000002']);
	expect(await storedNumbers(after.store)).toEqual(await foldedNumbers(after.store));
});

it('[DEVICE-23] an act that is being written while the last of them comes first goes behind it', async () => {
	const before = await shop(40);
	value(await before.device.sell(amount(5, [{ kind: 'cash', minor: 5 }])));
	const disk = createMemoryDeviceStore();
	const { store, beforeWrite } = createInterruptedStore(disk);
	const after = await openTestDevice({ seed: 41, store });
	const inOtherTab = await openDevice({ ...after.parts, store: disk });
	const latest = (await factTexts(before.store)).slice(-1);
	beforeWrite(() => inOtherTab.receive(latest));
	const sold = value(await after.device.sell(amount(7, [{ kind: 'cash', minor: 7 }])));
	expect([sold.fact.id, sold.receipt]).toEqual(['A-5', 'A-000002']);
	expect(await storedNumbers(disk)).toEqual(await foldedNumbers(disk));
});

it('[DEVICE-23] goes on from its own numbers where somebody carried one under its code that it could never reach', async () => {
	const { device, store } = await shop(42);
	const first = value(await device.sell(amount(5, [{ kind: 'cash', minor: 5 }])));
	const carried = await factTexts(store);
	const [line, tender] = [
		[0, '', 1_000, 5, 5],
		['cash', 5]
	];
	const { identity } = device;
	const body = [identity.member, 999_999_999, [line], [tender]];
	const day = dayNumber(first.fact.on);
	const head = ['A-999999999999999', 'sale', first.fact.at.wall, 9, day];
	const text = JSON.stringify([...head, ...body]);
	const { branch } = identity;
	expect(await device.receive([...carried, { text, branch }])).toEqual({ fresh: 1, unreadable: 0 });
	const sold = value(await device.sell(amount(7, [{ kind: 'cash', minor: 7 }])));
	expect([sold.fact.n, sold.fact.receipt]).toEqual([first.fact.n + 1, first.fact.receipt + 1]);
	expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
});

describe('checkpoints', () => {
	it('[DEVICE-19] takes a checkpoint, and what came before or since, to the numbers of all facts', async () => {
		const facts = await trade(20);
		await fc.assert(
			fc.asyncProperty(
				fc.nat({ max: facts.length }),
				fc.shuffledSubarray([...facts]),
				fc.shuffledSubarray([...facts]),
				async (cut, before, after) => {
					const relay = await openTestDevice({ seed: 21 });
					await relay.device.receive(facts.slice(0, cut));
					const { device, store } = await openTestDevice({ seed: 22 });
					await device.receive(before);
					await device.takeCheckpoint(await checkpointOf(relay.store, cut));
					await device.receive(after);
					await device.receive(facts);
					expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
				}
			),
			{ numRuns: 25 }
		);
	});

	it('[LINK-38] takes nothing of a piece that a frozen tab holds, once another began anew behind it', async () => {
		const { device, store } = await shop(23);
		const names = Array.from({ length: 300 }, (_none, at) => ({ name: `Good ${String(at)}` }));
		const goods = value(await device.addProducts(names));
		const [last] = goods.toSorted((a, b) => (a < b ? 1 : -1));
		if (last === undefined) throw new Error('no goods');
		const first = await checkpointOf(store, 4);
		const next = { part: 'products', after: '' };
		value(await device.adjustStock([{ product: last, delta: 2_000 }], 'found'));
		const later = await checkpointOf(store, 5);
		value(await device.adjustStock([{ product: last, delta: 7_000 }], 'found'));
		const anew = await checkpointOf(store, 6);

		const phone = await openTestDevice({
			seed: 24,
			joins: { identity: device.identity, code: 'B' }
		});
		await phone.device.takeCheckpoint({ ...first, products: [], stock: [], next });
		await phone.parts.store.write(['meta'], (rows) => writeMeta(rows, 'feed', { epoch: 1, s: 5 }));
		let writes = 0;
		const frozen = await openDevice({
			...phone.parts,
			store: {
				...phone.store,
				write: async (tables, work) => {
					writes += 1;
					if (writes === 2) await phone.device.takeCheckpoint({ ...anew, next });
					return phone.store.write(tables, work);
				}
			}
		});
		const products = later.products.toSorted((a, b) => (a.id < b.id ? -1 : 1));
		const became = await frozen.takePiece({ ...later, products, days: [] });
		const levels = await phone.store.read(['stock'], (rows) => rows.all('stock'));
		expect(levels.find((row) => row.product === last)?.level).toBe(9_000n);
		expect([became, writes]).toEqual(['behind', 2]);
	});

	it('[DEVICE-20] moves no number when a checkpoint of what is known is taken', async () => {
		const { device, store, amina, tea } = await shop(23);
		value(await device.writeRecords(amina, [{ kind: 'due', minor: 500 }]));
		const checkpoint = await checkpointOf(store, 4);
		value(
			await device.sell({
				lines: [{ productId: tea, name: 'Tea', quantityThousandths: 500, unitPriceMinor: 250 }],
				tenders: [{ kind: 'account', minor: 125, ledger: amina }]
			})
		);
		const before = await storedNumbers(store);
		await device.takeCheckpoint(checkpoint);
		expect(await storedNumbers(store)).toEqual(before);
		await device.takeCheckpoint(checkpoint);
		expect(await storedNumbers(store)).toEqual(before);
		expect(await store.read(['meta'], (rows) => readMeta(rows, 'feed'))).toEqual({
			epoch: 1,
			s: 4
		});
	});

	it('[DEVICE-21] reads the relay’s answer, and refuses one that is not of its form', async () => {
		const { store, device, amina } = await shop(24);
		value(await device.writeRecords(amina, [{ kind: 'due', minor: 500, note: 'x' }]));
		const checkpoint = await checkpointOf(store, 4);
		const json: unknown = JSON.parse(
			JSON.stringify(checkpoint, (_name, part: unknown) =>
				typeof part === 'bigint' ? String(part) : part
			)
		);
		expect(parseCheckpoint(json)).toEqual({ ok: true, value: checkpoint });
		for (const part of Object.keys(checkpoint)) {
			const broken: unknown = {
				...(json as object),
				[part]: part === 'ranges' ? { A: [[2, 1]] } : [{}]
			};
			expect(parseCheckpoint(broken)).toEqual({
				ok: false,
				error: { kind: 'notACheckpoint', part }
			});
		}
		expect(parseCheckpoint([])).toMatchObject({ ok: false });
	});
});

/** What three devices of one shop wrote, in one order. */
async function trade(seed: number): Promise<readonly FactText[]> {
	const { device: a, store, amina, tea, bread } = await shop(seed);
	const b = await openTestDevice({ seed: seed + 100, joins: { identity: a.identity, code: 'B' } });
	await b.device.receive(await factTexts(store));
	b.clock.now += 5_000;
	const line = { productId: tea, name: 'Tea', quantityThousandths: 2_000, unitPriceMinor: 250 };
	const sold = value(
		await a.sell({ lines: [line], tenders: [{ kind: 'account', minor: 500, ledger: amina }] })
	);
	value(await b.device.changeProduct(tea, { price: 300 }));
	value(await a.changeProduct(tea, { price: 275, favourite: true }));
	value(await b.device.changeCustomer(amina, { nick: 'Mina' }));
	value(
		await b.device.writeRecords(amina, [
			{ kind: 'due', minor: 70 },
			{ kind: 'payment', minor: 500 }
		])
	);
	value(
		await b.device.sell({
			lines: [{ ...line, productId: bread }],
			tenders: [{ kind: 'cash', minor: 600 }]
		})
	);
	value(
		await a.takeBack({
			sale: sold.fact.id,
			lines: [{ saleLine: 0, name: '', quantity: 1_000, damaged: false }],
			refund: { kind: 'cash' }
		})
	);
	value(await a.adjustStock([{ product: bread, delta: -1_000 }], 'waste'));
	value(await b.device.changeSettings({ name: 'Two' }));
	return [
		...(await factTexts(store)),
		...(await factTexts(b.store)).filter(({ text }) => text.startsWith('["B-'))
	];
}

/** Every row of every table. */
async function everything(store: DeviceStore): Promise<unknown> {
	return store.read(ALL_TABLES, (rows) => Promise.all(ALL_TABLES.map((table) => rows.all(table))));
}

/** A store whose call number `at` fails: a read, or any step of a write. */
function breaking(store: DeviceStore, fails: { at: number }): DeviceStore {
	const step = <T>(work: () => Promise<T>): Promise<T> => {
		fails.at -= 1;
		return fails.at === 0 ? Promise.reject(new Error('the store broke')) : work();
	};
	const around = <R extends object>(rows: R): R =>
		new Proxy(rows, {
			get: (target, name) => {
				const call: unknown = Reflect.get(target, name);
				if (typeof call !== 'function') return call;
				return (...given: unknown[]) =>
					step(() => Reflect.apply(call, target, given) as Promise<unknown>);
			}
		});
	return {
		...store,
		read: (tables, work) => store.read(tables, (rows) => work(around(rows))),
		write: (tables, work) =>
			store.write(tables, async (rows: StoreWriter) => {
				const done = await work(around(rows));
				return step(() => Promise.resolve(done));
			})
	};
}
