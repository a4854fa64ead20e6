import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceCode } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import type { Project } from '#server/projections/effected.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { createProject } from '#server/projections/project.ts';
import { createAppendRelayFacts } from '#server/relay/relay-facts.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import { createRelayStand, EPOCH, type RelayStand } from '#tests/support/relay-stand.ts';
import { makeTrade, TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { PROJECTION_TABLES } from './projection-tables.ts';
import { rebuildAll } from './rebuild-projections.ts';
import { makeScratch } from './scratch.ts';
import { verifyAll, type Verified } from './verify-all.ts';

const crypto = createNodeCrypto();
const project = createProject(crypto);
const FACTS = 160;

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
	await trade();
});
afterEach(() => stand.close());

/** Three days of two devices, through the write path, and a fact of the relay's own. */
async function trade(): Promise<void> {
	const codes = ['A', 'B'] as DeviceCode[];
	const signers = [await stand.addDevice('A'), await stand.addDevice('B')];
	const { facts } = await makeTrade({ seed: 5, count: FACTS, codes, signers, crypto });
	stand.clock.now += 3 * 86_400_000;
	const handed = await stand.relay().handIn(
		deviceCaller('A', signers[0]?.publicKey),
		facts.map(({ text }) => ({ branch: TRADE_BRANCH, text })),
		'late'
	);
	expect(new Set(handed.map(({ became }) => became))).toEqual(new Set(['kept']));
	const append = createAppendRelayFacts({
		clock: () => stand.clock.now,
		epoch: EPOCH,
		projectLedgerFacts
	});
	await stand.database.orm.transaction((tx) =>
		append(tx, TRADE_BUSINESS, [
			{ kind: 'device', device: 'B' as DeviceCode, fields: { member: 1 }, branch: null },
			{ kind: 'member', member: 1, fields: { name: 'Asha' }, branch: TRADE_BRANCH }
		])
	);
}

async function verify(): Promise<Verified> {
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	try {
		return await verifyAll({ sql, project });
	} finally {
		await close();
	}
}

async function named(): Promise<readonly string[]> {
	const { differences } = await verify();
	return differences.named.map(({ check, what }) => `${check}: ${what}`);
}

describe('verifying', () => {
	it('[KEEP-8] finds nothing where all is as it was written', async () => {
		const verified = await verify();
		expect(verified.differences.named).toEqual([]);
		expect(verified).toMatchObject({ scopes: 1, facts: FACTS + 2 });
		expect(verified.documents).toBeGreaterThanOrEqual(3);
	});

	it('[KEEP-12] names who has access again, by whom it is told, until that is put right', async () => {
		const { sql, orm } = stand.database;
		const { now } = stand.clock;
		const clock = (): number => now;
		const append = createAppendRelayFacts({ clock, epoch: EPOCH, projectLedgerFacts });
		const removed = { fields: { removedAt: now }, branch: null };
		await orm.transaction((tx) =>
			append(tx, TRADE_BUSINESS, [
				{ kind: 'device', device: 'B' as DeviceCode, ...removed },
				{ kind: 'device', device: 'ZZ' as DeviceCode, ...removed },
				{ kind: 'member', member: 1, ...removed }
			])
		);
		const letIn = async (): Promise<Verified['letIn']> => (await verify()).letIn;
		// What the relay itself said stands in the tables too, or they are right.
		expect(await letIn()).toEqual([]);
		await sql`update fact set carried_by = 'A' where kind in ('device', 'member')`;
		const told = { business: TRADE_BUSINESS, removedAt: now, toldBy: 'A' };
		expect(await letIn()).toEqual([
			{ ...told, who: 'device B' },
			{ ...told, who: 'member 1' }
		]);
		expect(await named()).toEqual([]);
		await sql`update device set joined_at = ${now} where code = 'B'`;
		await sql`update member set removed_at = ${now} where member = 1`;
		expect(await letIn()).toEqual([]);
	});

	it('[KEEP-8] names a fact that is gone', async () => {
		const { sql } = stand.database;
		await sql`delete from fact where code = 'A' and n = 4`;
		const differences = await named();
		expect(differences).toContainEqual(expect.stringMatching(/^documents: .*A-4 is no fact$/));
		expect(differences).toContainEqual(expect.stringMatching(/^feed: nothing before number/));
		await sql`update feed_head set s = s + 1`;
		expect(await named()).toContainEqual(expect.stringMatching(/^feed: the head says/));
	});

	it('[KEEP-8] names a fact whose text or columns were changed', async () => {
		const { sql } = stand.database;
		await sql`update fact set text = replace(text, '"phone"', '"footer"') where kind = 'setting'
			and n = (select min(n) from fact where kind = 'setting')`;
		const differences = await named();
		expect(differences).toContainEqual(expect.stringMatching(/^digests: fact [AB]-\d+$/));
		expect(differences).toContainEqual(
			expect.stringMatching(/^documents: .* has another text than its fact$/)
		);
		expect(differences).toContainEqual(expect.stringMatching(/^facts: fact .* cannot be read/));
		await sql`update fact set wall = wall + 1 where code = 'B' and n = 2`;
		expect(await named()).toContain('facts: the columns of fact B-2');
	});

	it('[KEEP-8] names a fact that stands in another branch, or under another first name', async () => {
		const { sql } = stand.database;
		await sql`update fact set branch = gen_random_uuid() where code = 'A' and n = 3`;
		await sql`update fact set was_code = 'C', was_n = 1, first_digest = 7 where code = 'B' and n = 3`;
		const columns = (await named()).filter((one) => one.startsWith('facts: the columns'));
		expect(columns.toSorted()).toEqual([
			'facts: the columns of fact A-3',
			'facts: the columns of fact B-3'
		]);
	});

	it('[KEEP-8] names a document that lost an update', async () => {
		const { sql } = stand.database;
		await sql`delete from document_update where (document, sequence) =
			(select document, sequence from document_update order by document, sequence desc limit 1)`;
		const differences = await named();
		expect(differences).toContainEqual(
			expect.stringMatching(/^documents: .*fact [AB0.]+\d*-\d+ is not in it$/)
		);
		await sql`update document_update set update = '\\x01'`;
		expect(await named()).toContainEqual(
			expect.stringMatching(/^documents: .*its updates cannot be read/)
		);
	});

	it.each([
		['stock', 'thousandths'],
		['balance', 'waiting'],
		['sale', 'total_minor']
	])(
		'[KEEP-8] names a number of %s that is not its facts’, and [KEEP-7] a rebuild puts it right',
		async (table, column) => {
			const { sql } = stand.database;
			await sql`update ${sql(table)} set ${sql(column)} = ${sql(column)} + 1`;
			const differences = await named();
			expect(differences).toContainEqual(
				expect.stringMatching(new RegExp(`^projections: ${table} has `))
			);
			await rebuild();
			expect(await named()).toEqual([]);
		}
	);
});

async function rebuild(given = project, options = ''): Promise<number> {
	const { sql } = connectDatabase(`${stand.database.url}${options}`, { connectionsMax: 1 });
	try {
		let all = 0;
		for await (const { facts } of rebuildAll({ sql, project: given })) all += facts;
		return all;
	} finally {
		await sql.end({ timeout: 0 });
	}
}

async function readProjections(): Promise<readonly object[]> {
	const { sql } = stand.database;
	const tables = PROJECTION_TABLES.map(
		(table) => sql`select * from ${sql(table)} as held order by held::text`
	);
	const rows = (await Promise.all(tables)).flat() as object[];
	return rows.map((row) => ({ ...row, is_plain: undefined, has_names: undefined }));
}

it('[KEEP-7] makes every projection again, with nothing left of what was there', async () => {
	const { sql } = stand.database;
	const before = await readProjections();
	expect(await rebuild()).toBe(FACTS + 2);
	expect(await readProjections()).toEqual(before);
	for (const table of PROJECTION_TABLES) await sql`delete from ${sql(table)}`;
	await rebuild();
	expect(await readProjections()).toEqual(before);
});

describe('a connection that is replaced in the middle', () => {
	// The driver does it by itself after half an hour; here after a twentieth of a second.
	const LIVES_BRIEFLY = '?max_lifetime=0.05';
	const slowly: Project = async (tx, facts) => {
		for (let n = 0; n < 20; n += 1) await tx`select pg_sleep(0.01)`;
		await project(tx, facts);
	};

	it('[KEEP-7] folds nothing into the tables that are there', async () => {
		const before = await readProjections();
		expect(await rebuild(slowly, LIVES_BRIEFLY)).toBe(FACTS + 2);
		expect(await readProjections()).toEqual(before);
	});

	it('[KEEP-7] leaves the business as it was, where somebody ends it', async () => {
		const before = await readProjections();
		const cut: Project = async (tx, facts) => {
			const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
			await stand.database.sql`select pg_terminate_backend(${row?.pid ?? 0}, 5000)`;
			await project(tx, facts);
		};
		await expect(rebuild(cut)).rejects.toThrow();
		expect(await readProjections()).toEqual(before);
		expect(await named()).toEqual([]);
	});

	it('[KEEP-8] is as good as another to verify with', async () => {
		const url = `${stand.database.url}${LIVES_BRIEFLY}`;
		const { sql } = connectDatabase(url, { connectionsMax: 1 });
		const verified = await verifyAll({ sql, project: slowly });
		await sql.end({ timeout: 0 });
		expect(verified.differences.named).toEqual([]);
	});
});

it('[KEEP-7] [KEEP-8] nothing is left on a connection that somebody else may have next', async () => {
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	for await (const { facts } of rebuildAll({ sql, project })) expect(facts).toBe(FACTS + 2);
	await verifyAll({ sql, project });
	const left = await sql`select relname from pg_class where relnamespace = pg_my_temp_schema()`;
	await close();
	expect(left).toEqual([]);
});

it('[KEEP-7] [KEEP-8] what a connection planned for the tables that are there does not stand for those beside them', async () => {
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	const count = async (executor: Sql): Promise<number | undefined> => {
		const [row] = await executor<{ sales: number }[]>`select count(*)::int as sales from sale`;
		return row?.sales;
	};
	const counts: unknown[] = [];
	for (let round = 0; round < 2; round += 1) {
		counts.push(await count(sql));
		await sql.begin(async (transaction) => {
			const tx = transaction as unknown as Sql;
			await makeScratch(tx);
			counts.push(await count(tx));
		});
	}
	await close();
	const there = await count(stand.database.sql);
	expect(there).toBeGreaterThan(0);
	expect(counts).toEqual([there, 0, there, 0]);
});
