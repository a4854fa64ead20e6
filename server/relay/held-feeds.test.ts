import type { Sql } from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { journalName, parseDocumentName } from '#documents/document-name.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, parseBusinessId, type BusinessId } from '#domain/ids.ts';
import { err } from '#domain/result.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createProject } from '#server/projections/project.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { until } from '#tests/support/relay-stand.ts';
import { sure } from '#tests/support/sure.ts';
import { TRADE_BRANCH } from '#tests/support/trade.ts';
import { loadRoom, type Room } from './room.ts';
import { textItem } from './update-writer.ts';
import { createWritePath, type WritePath } from './write-path.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const crypto = createNodeCrypto();

let database: TestDatabase;
let others: ReturnType<typeof connectDatabase>;
let faults: unknown[];
let committed: string[];
let batches: number;
let poison: string | undefined;
let path: WritePath;
beforeEach(async () => {
	database = await createTestDatabase();
	others = connectDatabase(database.url, { connectionsMax: 10 });
	[faults, committed, batches, poison] = [[], [], 0, undefined];
	const project = createProject(crypto);
	path = createWritePath({
		sql: counting(database.sql),
		project: async (sql, facts) => {
			if (facts.some(({ fact }) => fact.id === poison)) await sql`select 1 / 0`;
			await project(sql, facts);
		},
		clock: () => NOW,
		committed: (batch) => {
			for (const { room } of batch) committed.push(room.name);
		},
		failed: (fault) => faults.push(fault)
	});
});
afterEach(async () => {
	await path.idle();
	await others.close();
	await database.close();
});

it('[RELAY-84] a feed that somebody holds keeps no other shop waiting, and loses nothing', async () => {
	const [bad, good] = [await shop('1'), await shop('2')];
	const hold = await holdFeed(bad.business);
	const held = [1, 2].map((n) => bad.write(n));
	expect(await kinds([good.write(1), good.write(2)])).toEqual(['accepted', 'accepted']);
	// What comes meanwhile stands behind what came before, and nobody asks again and again.
	held.push(bad.write(3));
	const before = batches;
	for (let n = 3; n < 20; n += 1) expect(await kinds([good.write(n)])).toEqual(['accepted']);
	// On a busy machine the one that waits may have waited its second meanwhile, and begun anew.
	expect(batches - before).toBeLessThanOrEqual(18);
	expect(committed).not.toContain(bad.name);
	await hold.end();
	expect(await kinds(held)).toEqual(['accepted', 'accepted', 'accepted']);
	expect(await feedOf(bad.business)).toEqual(['1 A-1', '2 A-2', '3 A-3']);
	expect(await kinds([bad.write(4), good.write(20)])).toEqual(['accepted', 'accepted']);
	expect(faults).toEqual([]);
});

it('[RELAY-84] a document that somebody holds keeps no other shop waiting', async () => {
	const [bad, good] = [await shop('1'), await shop('2')];
	expect(await kinds([bad.write(9)])).toEqual(['accepted']);
	const hold = await begin(
		(tx) => tx`
		select 1 from document_head where business = ${bad.business} for update`
	);
	const held = bad.write(1);
	expect(await kinds([good.write(1)])).toEqual(['accepted']);
	await hold.end();
	expect(await kinds([held])).toEqual(['accepted']);
	expect(faults).toEqual([]);
});

it('[RELAY-94] what waits for a document that somebody holds leaves no row of another into which nothing is taken', async () => {
	const bad = await shop('1');
	expect(await kinds([bad.write(9)])).toEqual(['accepted']);
	const hold = await begin(
		(tx) => tx`
		select 1 from document_head where business = ${bad.business} for update`
	);
	const name = journalName(bad.business, TRADE_BRANCH, NOW - 86_400_000);
	const room = await loadRoom(database.sql, name, sure(parseDocumentName(name)));
	const held = bad.write(1);
	const item = textItem({ client: 2, clock: 0, key: 'A-2', text: 'none' });
	const refused = path.submit({
		room,
		caller: { scope: bad.business, code: 'A' },
		update: { items: [item], deletions: [] },
		checks: new Map([[item, err('badText')]]),
		sender: {}
	});
	await until(async () => (await waiters()) === 1);
	await hold.end();
	expect(await kinds([held, refused])).toEqual(['accepted', 'refused']);
	const rows = await database.sql<{ document: string }[]>`select document from document_head`;
	expect(rows.map(({ document }) => document)).toEqual([bad.name]);
	expect(faults).toEqual([]);
});

it('[RELAY-84] [RELAY-14] a batch that fails goes one by one, and past a feed that somebody holds', async () => {
	const [ill, bad] = [await shop('1'), await shop('2')];
	poison = 'A-1';
	const hold = await holdFeed(bad.business);
	const held = bad.write(2);
	const [first, second] = [ill.write(1), ill.write(2)];
	const heldToo = bad.write(3);
	expect(await kinds([first, second])).toEqual(['unstorable', 'accepted']);
	await hold.end();
	expect(await kinds([held, heldToo])).toEqual(['accepted', 'accepted']);
	expect(await feedOf(bad.business)).toEqual(['1 A-2', '2 A-3']);
});

it('[RELAY-85] a feed that is held again and again gets its turn before whoever asks later', async () => {
	const bad = await shop('1');
	const first = await holdFeed(bad.business);
	const held = bad.write(1);
	await until(async () => (await waiters()) === 1);
	const second = holdFeed(bad.business);
	await until(async () => (await waiters()) === 2);
	await first.end();
	expect(await kinds([held])).toEqual(['accepted']);
	await (await second).end();
});

it('[RELAY-85] feeds that are held for long keep no place from one that is held for a moment', async () => {
	const long = await Promise.all(['1', '2', '3', '4', '5'].map(shop));
	const brief = await shop('6');
	const holds = await Promise.all(long.map(({ business }) => holdFeed(business)));
	const held = long.map((one) => one.write(1));
	await until(async () => (await waiters()) === 4);
	const hold = await holdFeed(brief.business);
	const inTurn = brief.write(1);
	await Promise.resolve();
	await hold.end();
	expect(await kinds([inTurn])).toEqual(['accepted']);
	for (const one of holds) await one.end();
	expect(await kinds(held)).toEqual(held.map(() => 'accepted'));
	expect(faults).toEqual([]);
});

it('[RELAY-63] what waits for a feed is not written once it has ended', async () => {
	const [bad, other] = [await shop('1'), await shop('2')];
	const hold = await holdFeed(bad.business);
	const held = bad.write(1);
	await until(async () => (await waiters()) === 1);
	await other.write(1);
	path.end();
	const late = bad.write(2);
	await hold.end();
	await held;
	expect(await kinds([late, other.write(2)])).toEqual(['unavailable', 'unavailable']);
});

interface Shop {
	readonly business: BusinessId;
	readonly name: string;
	readonly write: (n: number) => ReturnType<WritePath['submit']>;
}

async function shop(last: string): Promise<Shop> {
	const business = sure(parseBusinessId(`0192f0c1-7a00-4000-8000-0000000000a${last}`));
	const name = journalName(business, TRADE_BRANCH, NOW);
	const room = await loadRoom(database.sql, name, sure(parseDocumentName(name)));
	return { business, name, write: (n) => write(room, business, n) };
}

/** A fact of the device `A` under a client of its own. */
function write(room: Room, business: BusinessId, n: number): ReturnType<WritePath['submit']> {
	const id = factId('A', n);
	const at = { wall: NOW, counter: n };
	const head = { id, code: 'A', n, at, on: '2026-11-20', by: 1 };
	const text = encodeFact({ ...head, kind: 'setting', fields: { name: `Shop ${id}` } });
	const item = textItem({ client: n, clock: 0, key: id, text });
	return path.submit({
		room,
		caller: { scope: business, code: 'A' },
		update: { items: [item], deletions: [] },
		checks: new Map([[item, parseFact(text) as never]]),
		sender: {}
	});
}

function counting(sql: Sql): Sql {
	return new Proxy(sql, {
		get: (target, name, self) => {
			if (name === 'begin') batches += 1;
			return Reflect.get(target, name, self) as unknown;
		}
	});
}

async function kinds(outcomes: readonly ReturnType<WritePath['submit']>[]): Promise<unknown> {
	return (await Promise.all(outcomes)).map(({ kind }) => kind);
}

interface Hold {
	readonly end: () => Promise<void>;
}

function holdFeed(business: BusinessId): Promise<Hold> {
	return begin((tx) => tx`select 1 from feed_head where business = ${business} for update`);
}

/** A transaction of somebody else, which stays open until it is ended. */
async function begin(lock: (tx: Sql) => Promise<unknown>): Promise<Hold> {
	const [locked, ended] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
	const whole = others.sql.begin(async (tx) => {
		await lock(tx as unknown as Sql);
		locked.resolve(undefined);
		await ended.promise;
	});
	await Promise.race([locked.promise, whole]);
	return {
		end: async () => {
			ended.resolve(undefined);
			await whole;
		}
	};
}

async function waiters(): Promise<number> {
	const [row] = await others.sql<{ count: number }[]>`
		select count(*)::int as count from pg_stat_activity
		where datname = current_database() and wait_event_type = 'Lock'`;
	return row?.count ?? 0;
}

async function feedOf(business: BusinessId): Promise<readonly string[]> {
	const rows = await database.sql<{ s: string; code: string; n: string }[]>`
		select s, code, n from fact where business = ${business} order by s`;
	return rows.map(({ s, code, n }) => `${s} ${code}-${n}`);
}
