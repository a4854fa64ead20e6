import { afterEach, beforeEach, expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { only } from '#storage/device-store.ts';
import { encodeUpdate, MESSAGE_HAVE } from '#sync/frames.ts';
import { HEARTBEAT_MS, PIECE_BYTES_MAX } from '#sync/limits.ts';
import { createCutLine, type CutLine } from '#tests/support/cut-line.ts';
import { openOnRelay } from '#tests/support/device-on-relay.ts';
import {
	createRelayStand,
	isMessage,
	rawSocket,
	settingFact,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { seeded } from '#tests/support/seeded.ts';
import { storedNumbers } from '#tests/support/shop-numbers.ts';
import { TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';

const DAY_MS = 86_400_000;
const DAYS = 7;
const DAY_FACTS = 1_000;
const CUTS = 20;
/** A piece and what it costs to open seven sockets; and up to the middle of the second piece. */
const CUT_BYTES_MIN = PIECE_BYTES_MAX + 12 * 1024;
const CUT_BYTES_MORE = 16 * 1024;
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
	stand.clock.now = TEST_NOW;
});
afterEach(() => stand.close());

it.each(FRESH_SEEDS)(
	'[LINK-16] seed %i: a week offline whose line is cut 20 times comes in whole, each fact once',
	async (seed) => {
		const random = seeded(seed);
		// What the relay had at each cut.
		const kept: number[] = [];
		const counting: Promise<void>[] = [];
		const port = Number(new URL(stand.url).port);
		const line: CutLine = await createCutLine(port, () => {
			counting.push(countFacts().then((facts) => void kept.push(facts)));
			if (line.cuts < CUTS) cutLater();
		});
		const cutLater = (): void => {
			line.cutAfter(CUT_BYTES_MIN + random(CUT_BYTES_MORE));
		};
		const origin = `ws://127.0.0.1:${String(line.port)}`;
		const test = await openOnRelay(stand, { code: 'A', seed, origin });
		const { link, faults } = test;
		const sent = (): Promise<number> =>
			test.store.read(['journal'], (rows) => rows.countIn('journal', only('sent', 1)));
		try {
			await tradeForAWeek(test);
			cutLater();
			await link.start();
			await until(async () => (await sent()) === DAYS * DAY_FACTS, 40_000);
			await Promise.all(counting);
			expect(line.cuts).toBe(CUTS);
			// What came stays: nearly each attempt brought something, and none brought all. One that
			// comes back before the relay has committed says its last piece again.
			const steps = kept.map((facts, at) => facts - (kept[at - 1] ?? 0));
			expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
			expect(steps.filter((step) => step > 0).length).toBeGreaterThan(CUTS / 2);
			expect(kept.at(-1)).toBeLessThan(DAYS * DAY_FACTS);
			await expectWholeWeek(test);
			expect([faults, stand.faults]).toEqual([[], []]);
		} finally {
			await link.stop();
			await line.close();
		}
	}
);

it('[RELAY-24] a slow line whose pong stands behind an upload is not cut', async () => {
	await stand.addDevice('A');
	const socket = await rawSocket(stand, 'A', { autoPong: false });
	await socket.next(isMessage(MESSAGE_HAVE));
	for (const id of ['A-1', 'A-2', 'A-3']) {
		const doc = new Y.Doc();
		appendFact(doc, settingFact(stand, id));
		const heard = socket.heard.length;
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		await socket.next(isMessage(MESSAGE_HAVE), heard);
		stand.tick(HEARTBEAT_MS);
	}
	expect(socket.socket.readyState).toBe(socket.socket.OPEN);
	stand.tick(HEARTBEAT_MS);
	await socket.closed;
});

/** A thousand facts a day: one product, and sales of it. */
async function tradeForAWeek({ device, clock }: TestDevice): Promise<void> {
	clock.now = TEST_NOW - (DAYS - 1) * DAY_MS;
	const made = await device.addProducts([{ name: 'Sugar 1 kg', price: 4_500 }]);
	const productId = made.ok ? made.value[0] : undefined;
	if (productId === undefined) throw new Error('a product was made');
	for (let n = 1; n < DAYS * DAY_FACTS; n += 1) {
		clock.now = TEST_NOW - (DAYS - 1 - Math.floor(n / DAY_FACTS)) * DAY_MS;
		const line = { productId, name: 'Sugar 1 kg', quantityThousandths: 1_000 };
		const sold = await device.sell({
			lines: [{ ...line, unitPriceMinor: 4_500 }],
			tenders: [{ kind: 'cash', minor: 5_000 }]
		});
		if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	}
	clock.now = TEST_NOW;
}

async function countFacts(): Promise<number> {
	const [row] = await stand.database.sql<{ facts: number }[]>`
		select count(*)::int as facts from fact where business = ${TRADE_BUSINESS}`;
	return row?.facts ?? 0;
}

/** Facts, feed, documents and projections hold the week once. */
async function expectWholeWeek({ store }: TestDevice): Promise<void> {
	const { sql } = stand.database;
	const all = DAYS * DAY_FACTS;
	const [facts] = await sql`
		select count(*)::int as facts, count(distinct s)::int as places, min(s)::int as first,
			max(s)::int as last, count(distinct document)::int as documents
		from fact where business = ${TRADE_BUSINESS}`;
	expect(facts).toEqual({ facts: all, places: all, first: 1, last: all, documents: DAYS });
	const [sales] = await sql`select count(*)::int as sales from sale`;
	expect(sales).toEqual({ sales: all - 1 });

	const numbers = await storedNumbers(store);
	const stock = await sql<{ branch: string; product: string; thousandths: string }[]>`
		select branch, product, thousandths from stock`;
	expect(stock.length).toBe(1);
	for (const { branch, product, thousandths } of stock) {
		expect(numbers[`stock ${branch} ${product}`]).toBe(thousandths);
	}
	expect(stock[0]?.thousandths).toBe(String(-1_000 * (all - 1)));
	const days = await sql`select on_day from day_total`;
	expect(days.length).toBe(DAYS);
}
