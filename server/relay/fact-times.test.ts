import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sql, TransactionSql } from 'postgres';
import { appendFact, readFacts } from '#documents/facts.ts';
import { dayNumber } from '#domain/calendar.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { ClockFact, FactHead, SettingFields } from '#domain/fact/fact.ts';
import { factId } from '#domain/ids.ts';
import { STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import type { HandedIn } from '#server/auth/handed-in.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import { rebuildAll } from '#server/commands/keeping/rebuild-projections.ts';
import { verifyAll } from '#server/commands/keeping/verify-all.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createProject } from '#server/projections/project.ts';
import { encodeUpdate } from '#sync/frames.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import { nackOf } from '#tests/support/heard.ts';
import {
	createRelayStand,
	EPOCH,
	rawSocket,
	signedByRelay,
	stockProvider,
	synced,
	until,
	type RelayStand,
	type RelayStandOptions
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH } from '#tests/support/trade.ts';

const DAY_MS = 86_400_000;
const project = createProject(createNodeCrypto());

let stand: RelayStand;
let now: number;
let caller: DeviceCaller;

async function open(options: RelayStandOptions = {}): Promise<void> {
	stand = await createRelayStand(options);
	now = stand.clock.now;
	const { publicKey } = await stand.addDevice('A');
	await stand.addDevice('B');
	caller = deviceCaller('A', publicKey);
}

beforeEach(() => open());
afterEach(async () => {
	expect(stand.faults).toEqual([]);
	await stand.close();
});

function head(id: string, wall: number, on = dayOf(wall)): FactHead {
	const [code = '', n = ''] = id.split('-');
	const by = code.startsWith('0.') ? 0 : 1;
	return { id: factId(code, Number(n)), code, n: Number(n), at: { wall, counter: 0 }, on, by };
}

function dayOf(wall: number): string {
	return new Date(wall).toISOString().slice(0, 10);
}

function setting(id: string, wall: number, fields: SettingFields): string {
	return encodeFact({ ...head(id, wall), kind: 'setting', fields });
}

/** A cash sale of one rupee. */
function sale(id: string, wall: number, on?: string): string {
	const lines = [
		{
			productId: null,
			name: 'Tea',
			quantityThousandths: 1_000,
			unitPriceMinor: 100,
			totalMinor: 100
		}
	];
	const receipt = Number(id.split('-')[1]);
	const tenders = [{ kind: 'cash', minor: 100 }] as const;
	return encodeFact({ ...head(id, wall, on), kind: 'sale', receipt, lines, tenders });
}

/** As a relay of before signed it. */
async function clock(
	id: string,
	of: string,
	{ wall, on }: { wall: number; on: string }
): Promise<string> {
	const body = { factId: of, wall, counter: 0, day: dayNumber(on) };
	return encodeFact(
		await signedByRelay({ ...head(id, wall), kind: 'clock', ...body } as ClockFact)
	);
}

async function tell(
	texts: readonly string[],
	as: 'late' | 'carried' = 'late',
	branch: string | null = TRADE_BRANCH
): Promise<readonly string[]> {
	const given = texts.map((text) => ({ text, branch: branch as typeof TRADE_BRANCH | null }));
	const handed: readonly HandedIn[] = await stand.relay().handIn(caller, given, as);
	return handed.map(({ id, became, reason = '' }) => `${id} ${became} ${reason}`.trim());
}

/** Every clock fact: its place in the feed, of which fact, when that counts. */
async function clocks(): Promise<readonly (readonly unknown[])[]> {
	const rows = await stand.database.sql<{ s: string; text: string }[]>`
		select s, text from fact where kind = 'clock' order by s`;
	return rows.map(({ s, text }) => [Number(s), ...(JSON.parse(text) as unknown[]).slice(6, 10)]);
}

async function days(): Promise<Readonly<Record<string, number>>> {
	const rows = await stand.database.sql<{ on: string; count: string }[]>`
		select on_day::text as on, sales_count as count from day_total order by on_day`;
	return Object.fromEntries(rows.map(({ on, count }) => [on, Number(count)]));
}

async function shopName(): Promise<unknown> {
	const [row] = await stand.database.sql<{ fields: SettingFields }[]>`select fields from setting`;
	return row?.fields.name;
}

/** The tables are what a fold of all facts makes, and a rebuild makes them again. */
async function expectVerified(): Promise<void> {
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	expect((await verifyAll({ sql, project })).differences.named).toEqual([]);
	await close();
	const other = connectDatabase(stand.database.url, { connectionsMax: 1 });
	const before = await Promise.all([days(), shopName()]);
	for await (const { facts } of rebuildAll({ sql: other.sql, project }))
		expect(facts).toBeGreaterThan(0);
	await other.close();
	expect(await Promise.all([days(), shopName()])).toEqual(before);
}

describe('a fact that is stamped ahead', () => {
	it('[RELAY-75] counts now, and stands as it was told', async () => {
		const ahead = now + 3 * DAY_MS;
		const texts = [sale('A-1', ahead), setting('A-2', ahead + 1, { name: 'ahead' })];
		expect(await tell(texts)).toEqual(['A-1 kept', 'A-2 kept']);
		const today = dayNumber(dayOf(now));
		expect(await clocks()).toEqual([
			[3, 'A-1', now, 0, today],
			[4, 'A-2', now, 1, today]
		]);
		const stored = await stand.database.sql<{ text: string; wall: string; on: string }[]>`
			select text, wall, on_day::text as on from fact where code = 'A' order by n`;
		expect(stored.map(({ text }) => text)).toEqual(texts);
		expect(stored[0]).toMatchObject({ wall: String(ahead), on: dayOf(ahead) });
		expect(await days()).toEqual({ [dayOf(now)]: 1 });
		const [row] = await stand.database.sql`select happened_at, on_day::text as on from sale`;
		expect({ ...row }).toEqual({ happened_at: String(now), on: dayOf(now) });
		// What is changed a minute later wins, as it must.
		stand.clock.now += 60_000;
		await tell([setting('A-3', now + 60_000, { name: 'later' })]);
		expect(await shopName()).toBe('later');
		expect(await tell(texts)).toEqual(['A-1 known', 'A-2 known']);
		expect(await clocks()).toHaveLength(2);
		await expectVerified();
	});

	it('[RELAY-75] is one more than five minutes ahead, and later than all that counts', async () => {
		const most = now + STAMP_AHEAD_MAX_MS;
		await tell([setting('A-1', most, { name: 'near' })]);
		expect(await clocks()).toEqual([]);
		await tell([setting('A-2', most + 1, { name: 'far' })]);
		// Its device wrote it over the other: it still stands over it, as nearly as devices follow.
		expect(await clocks()).toEqual([[3, 'A-2', most, 0, dayNumber(dayOf(now))]]);
		expect(await shopName()).toBe('far');
		await tell([setting('A-3', now + 2 * 60_000, { name: 'before' })]);
		expect(await shopName()).toBe('far');
	});

	it('[RELAY-75] stands behind what came before it, by one millisecond', async () => {
		await tell([setting('A-1', now + 60_000, { name: 'honest' })]);
		await tell([setting('A-2', now + DAY_MS, { name: 'ahead' })]);
		expect(await clocks()).toEqual([[3, 'A-2', now + 60_001, 0, dayNumber(dayOf(now))]]);
		expect(await shopName()).toBe('ahead');
	});

	it('[RELAY-75] counts on the shop’s day by its zone and cut-off, or on its own that is past', async () => {
		// 22:30 UTC: half past four in the morning of the next day, before the cut-off of five.
		stand.clock.now = now = Date.UTC(2026, 10, 20, 22, 30);
		const ahead = now + 9 * DAY_MS;
		await tell([
			setting('A-1', ahead, { zone: 'Asia/Dhaka', cutoff: 300 }),
			sale('A-2', ahead),
			sale('A-3', ahead, '2026-11-12')
		]);
		expect(await days()).toEqual({ '2026-11-12': 1, '2026-11-20': 1 });
		expect((await clocks()).map(([, of, , , day]) => [of, day])).toEqual([
			['A-1', dayNumber('2026-11-20')],
			['A-2', dayNumber('2026-11-20')],
			['A-3', dayNumber('2026-11-12')]
		]);
		stand.clock.now = now + 3_600_000;
		await tell([sale('A-4', ahead)]);
		expect(await days()).toEqual({ '2026-11-12': 1, '2026-11-20': 1, '2026-11-21': 1 });
		await expectVerified();
	});

	it('[RELAY-75] reaches the others with its clock fact, in today’s journal', async () => {
		const [author, reader] = [stockProvider(stand, 'A'), stockProvider(stand, 'B')];
		await Promise.all([synced(author), synced(reader)]);
		appendFact(author.doc, { id: factId('A', 1), text: sale('A-1', now + DAY_MS) });
		await until(() => [author, reader].every(({ doc }) => readFacts(doc).length === 2));
		expect(readFacts(reader.doc).map(({ id }) => id)).toEqual(['A-1', '0.4-1']);
		const [row] = await stand.database.sql<{ document: string }[]>`
			select document from fact where kind = 'clock'`;
		expect(row?.document).toBe(stand.today());
		author.destroy();
		reader.destroy();
	});

	it('[RELAY-75] is not there without its clock fact', async () => {
		await stand.close();
		await open({
			wrapProject: (inner) => async (sql, facts) => {
				await inner(sql, facts);
				if (facts.some(({ fact }) => fact.kind === 'sale')) throw new Error('in the middle');
			}
		});
		expect(await tell([sale('A-1', now + DAY_MS)])).toEqual(['A-1 refused fault']);
		// In its batch, and alone.
		expect(stand.faults.splice(0)).toHaveLength(2);
		expect(await stand.database.sql`select from fact`).toHaveLength(0);
		expect(await stand.database.sql`select from clock`).toHaveLength(0);
		expect(await stand.database.sql`select from day_total`).toHaveLength(0);
	});
});

/** Hears what is said in transactions. */
function overheard(sql: Sql, statements: string[]): Sql {
	const heard = (tx: TransactionSql): TransactionSql =>
		new Proxy(tx, {
			apply: (target, self, given: Parameters<Sql>) => {
				statements.push(String(given[0]));
				return Reflect.apply(target, self, given) as unknown;
			}
		});
	const begin = (act: (tx: TransactionSql) => unknown): unknown =>
		sql.begin((tx) => act(heard(tx)));
	return new Proxy(sql, {
		get: (target, name): unknown => (name === 'begin' ? begin : Reflect.get(target, name))
	});
}

describe('after a restore', () => {
	const yesterday = '2026-11-19';
	const statements: string[] = [];
	let of: { readonly wall: number; readonly on: string };
	beforeEach(async () => {
		await stand.close();
		await open({ relay: { isRestored: true }, wrapSql: (sql) => overheard(sql, statements) });
		of = { wall: now - DAY_MS, on: yesterday };
	});

	it.each([
		['before it', [0], [1]],
		['with it', [0, 1], []],
		['in its batch, behind it', [1, 0], []],
		['after it', [1], [0]]
	])(
		'[RELAY-75] a clock fact that is carried %s counts in the place of a new one',
		async (_when, first, then) => {
			const texts = [await clock('0.3-9', 'A-1', of), sale('A-1', now + DAY_MS)];
			for (const place of [...first, ...then]) await tell([texts[place] ?? ''], 'carried');
			expect(await days()).toEqual({ [yesterday]: 1 });
			const rows = await stand.database.sql<{ by: string }[]>`
			select clock_code || '-' || clock_n as by from clock`;
			expect(rows.map(({ by }) => by)).toEqual(['0.3-9']);
			const written = await clocks();
			expect(written.map(([, id]) => id)).toEqual(
				// Nobody knew of it when its fact came first.
				written.length === 1 ? ['A-1'] : ['A-1', 'A-1']
			);
			expect(written.length).toBe(first[0] === 1 ? 2 : 1);
			await expectVerified();
		}
	);

	it('[PROJ-13] what is carried late moves days, receipts and fields, and the lowest stays', async () => {
		const ahead = now + DAY_MS;
		await tell([setting('B-1', now - DAY_MS / 2, { name: 'honest' })], 'carried');
		await tell([sale('A-1', ahead), setting('A-2', ahead, { name: 'ahead' })], 'carried');
		expect(await shopName()).toBe('ahead');
		await tell([await clock('0.3-9', 'A-1', of), await clock('0.3-10', 'A-2', of)], 'carried');
		expect(await shopName()).toBe('honest');
		expect(await days()).toEqual({ [yesterday]: 1 });
		// Of the epoch before that one, and lower: it rules. A higher one says nothing.
		await tell(
			[await clock('0.2-50', 'A-1', { wall: now - 5 * DAY_MS, on: '2026-11-15' })],
			'carried'
		);
		await tell(
			[await clock('0.3-11', 'A-1', { wall: now - 9 * DAY_MS, on: '2026-11-11' })],
			'carried'
		);
		expect(await days()).toEqual({ '2026-11-15': 1 });
		const [row] = await stand.database.sql`select happened_at, on_day::text as on from sale`;
		expect({ ...row }).toEqual({ happened_at: String(now - 5 * DAY_MS), on: '2026-11-15' });
		await expectVerified();
	});

	it('[RELAY-41] a clock fact is carried of an epoch that has ended, for a branch, by nobody else', async () => {
		expect(await tell([await clock(`0.${String(EPOCH)}-1`, 'A-1', of)], 'carried')).toEqual([
			`0.${String(EPOCH)}-1 refused epochNotEnded`
		]);
		expect(await tell([await clock('0.3-1', 'A-1', of)], 'carried', null)).toEqual([
			'0.3-1 refused branchUnknown'
		]);
		expect(await tell([await clock('0.3-1', 'A-1', of)])).toEqual(['0.3-1 refused notYourKind']);
		expect(await tell([await clock('0.3-1', 'A-1', of)], 'carried')).toEqual(['0.3-1 kept']);
	});

	it('[RELAY-90] nobody but the relay says when a fact counts', async () => {
		await tell([sale('B-1', now)], 'carried');
		const forged = JSON.stringify([
			...['0.3-9', 'clock', of.wall, 0, dayNumber(of.on), 0],
			...['B-1', of.wall, 0, dayNumber(of.on)]
		]);
		expect(await tell([forged], 'carried')).toEqual(['0.3-9 refused relayUnsigned']);
		const socket = await rawSocket(stand, 'A');
		const struct = textUnder('0.3-9', forged);
		socket.send(encodeUpdate(handUpdate([{ client: 90, clock: 0, structs: [struct] }])));
		expect(await nackOf(socket)).toEqual([['0.3-9', 'relayUnsigned']]);
		socket.socket.terminate();
		expect(await days()).toEqual({ [dayOf(now)]: 1 });
		expect(await stand.database.sql`select from clock`).toHaveLength(0);
	});

	it('[RELAY-90] what this relay wrote itself is taken after the next restore', async () => {
		const texts = [sale('A-1', now + DAY_MS)];
		await tell(texts, 'carried');
		const [mine] = await stand.database.sql<{ text: string }[]>`
			select text from fact where kind = 'clock'`;
		await stand.database
			.sql`truncate fact, clock, day_total, sale, sale_line, tender, document_update, document_head`;
		await stand.restart(EPOCH + 1);
		await stand.database.sql`insert into database_epoch values (${EPOCH + 1}, ${now})`;
		stand.clock.now += 3 * DAY_MS;
		// By now it is not ahead any more, and nothing but what the device holds says when it counts.
		await tell(texts, 'carried');
		expect(await days()).toEqual({ [dayOf(now + DAY_MS)]: 1 });
		expect(await tell([mine?.text ?? ''], 'carried')).toEqual([`0.${String(EPOCH)}-1 kept`]);
		expect(await days()).toEqual({ [dayOf(now)]: 1 });
	});

	it('[PROJ-13] many that come at once are folded once', async () => {
		const of40 = Array.from({ length: 40 }, (_, at) => `A-${String(at + 1)}`);
		const names = of40.map((id, at) => setting(id, now + DAY_MS + at, { name: id }));
		await tell(names, 'carried');
		const said = await Promise.all(
			of40.map((id, at) => clock(`0.3-${String(at + 1)}`, id, { ...of, wall: of.wall - at }))
		);
		statements.length = 0;
		await tell(said, 'carried');
		expect(await shopName()).toBe('A-1');
		expect(statements.filter((text) => text.includes('select fact.text')).length).toBe(1);
		await expectVerified();
	});

	it('[PROJ-13] none of many products is lost that move at once', async () => {
		const of40 = Array.from({ length: 40 }, (_, at) => `A-${String(at + 1)}`);
		const made = of40.map((id) => {
			const rows = [{ productId: null, fields: { name: id } }];
			return encodeFact({ ...head(id, now + DAY_MS), kind: 'product', rows });
		});
		await tell(made, 'carried');
		await tell(
			await Promise.all(of40.map((id, at) => clock(`0.3-${String(at + 1)}`, id, of))),
			'carried'
		);
		const products = await stand.database.sql<{ product: string }[]>`select product from product`;
		expect(products.map(({ product }) => product).toSorted()).toEqual(of40.toSorted());
		await expectVerified();
	});
});
