import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { existsSync, readFileSync } from 'node:fs';
import { build } from '../../server/prepare.js';
import { migrateDatabase } from '#server/database/connect.ts';
import { createTestDatabase } from '#tests/support/database.ts';
import { makeCluster, type MadeCluster } from '#tests/support/made-cluster.ts';
import { startProgram, type Program } from '#tests/support/program.ts';

const PACKAGE = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

let dataDir: string;
let made: MadeCluster;
beforeAll(() => build(), 120_000);
beforeAll(async () => {
	made = await makeCluster(migrateDatabase);
});
afterAll(() => made.remove());
beforeEach(async () => {
	dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-start-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20 }));

it.each(['SIGTERM', 'SIGINT'] as const)(
	'stops on %s to its whole group, database too',
	async (signal) => {
		// The other starts as the first of all.
		if (signal === 'SIGINT') await made.copyTo(dataDir);
		const program = begun({ DATA_DIR: dataDir });
		const address = await program.ready;
		expect(await health(address)).toEqual({
			status: 'ok',
			database: 'ok',
			version: PACKAGE.version
		});
		const postmaster = await postmasterPid();
		// A signal to our group must not reach it before we have finished with it.
		expect(groupOf(postmaster)).not.toBe(groupOf(Number(program.child.pid)));

		signalGroup(program, signal);
		signalGroup(program, signal);
		expect(await program.ended).toBe(0);
		expect(existsSync(`/proc/${String(postmaster)}/exe`)).toBe(false);
		expect(await readdir(dataDir)).toEqual(['postgres', 'secret']);
		expect(await readFile(path.join(dataDir, 'postgres/postgres.log'), 'utf8')).toMatch(
			/database system is shut down\n$/
		);
		expect(program.said()).toMatch(/^Daftar is ready at http:\/\/localhost:\d+\n$/);
	}
);

it('starts after a kill -9 and ends the PostgreSQL left behind', async () => {
	await made.copyTo(dataDir);
	const first = begun({ DATA_DIR: dataDir });
	await first.ready;
	const orphan = await postmasterPid();
	signalGroup(first, 'SIGKILL');
	await first.ended;
	expect(isPostgres(orphan)).toBe(true);

	const second = begun({ DATA_DIR: dataDir });
	expect(await health(await second.ready)).toMatchObject({ status: 'ok' });
	expect(await postmasterPid()).not.toBe(orphan);
	expect(isPostgres(orphan)).toBe(false);
});

it('answers 503 while PostgreSQL is away, and recovers', async () => {
	await made.copyTo(dataDir);
	const program = begun({ DATA_DIR: dataDir });
	const address = await program.ready;
	process.kill(await postmasterPid(), 'SIGKILL');

	const statuses: number[] = [];
	await vi.waitFor(
		async () => {
			const { status } = await fetch(`${address}/api/health`);
			statuses.push(status);
			expect([status, statuses.includes(503)]).toEqual([200, true]);
		},
		{ timeout: 10_000, interval: 10 }
	);
	expect(new Set(statuses)).toEqual(new Set([503, 200]));
});

it('refuses a second start on the same folder, and the first goes on', async () => {
	await made.copyTo(dataDir);
	const first = begun({ DATA_DIR: dataDir });
	const address = await first.ready;
	const second = begun({ DATA_DIR: dataDir });
	expect(await second.ended).toBe(1);
	const pid = String(first.child.pid);
	expect(second.said()).toBe(
		`Daftar already runs on the data folder ${dataDir} (process ${pid}).\n`
	);
	expect(await health(address)).toMatchObject({ status: 'ok' });
});

it('[BUS-6] runs twice on one database, and each listens to the other', async () => {
	const { url, sql, close } = await createTestDatabase();
	const shared = { DATABASE_URL: url, DAFTAR_SECRET: 'one secret of both, kept apart from it' };
	const programs = ['a', 'b'].map((name) =>
		begun({ ...shared, DATA_DIR: path.join(dataDir, name) })
	);
	for (const { ready } of programs) {
		expect(await health(await ready)).toMatchObject({ status: 'ok' });
	}
	const ears = async (): Promise<number> => {
		const rows = await sql`select 1 from pg_stat_activity
			where datname = current_database() and application_name = 'daftar bus'`;
		return rows.length;
	};
	await vi.waitFor(async () => {
		expect(await ears()).toBe(2);
	});
	for (const { child, ended } of programs) {
		child.kill('SIGTERM');
		expect(await ended).toBe(0);
	}
	expect(programs.map(({ said }) => said()).join('')).not.toContain('bus');
	await close();
});

it('[RELAY-63] stops where its database began another epoch', async () => {
	const { url, sql, close } = await createTestDatabase();
	const first = begun({ DATABASE_URL: url, DATA_DIR: dataDir });
	await first.ready;
	await sql`insert into database_epoch (epoch, started_at) values (9, 0)`;
	expect(await first.ended).toBe(1);
	expect(first.said()).toMatch(/went back behind what this server knew \(epoch 1 became 9\)/);
	await close();
});

it('refuses a taken port and leaves no PostgreSQL behind', async () => {
	await made.copyTo(dataDir);
	const other = createServer().listen(0, '127.0.0.1');
	onTestFinished(() => void other.close());
	await once(other, 'listening');
	const address = other.address();
	const port = typeof address === 'object' ? String(address?.port) : '';

	const program = begun({ DATA_DIR: dataDir, PORT: port });
	expect(await program.ended).toBe(1);
	expect(program.said()).toBe(
		`Port ${port} is taken: stop the program that uses it, or set PORT to another.\n`
	);
	expect(await readdir(path.join(dataDir, 'postgres/data'))).not.toContain('postmaster.pid');
});

it('refuses a database that cannot be reached, without its password', async () => {
	const DATABASE_URL = 'postgresql://shop:hidden@127.0.0.1:1/shop';
	const program = begun({ DATA_DIR: dataDir, DATABASE_URL });
	expect(await program.ended).toBe(1);
	expect(program.said()).toBe(
		'The database at 127.0.0.1:1/shop cannot be reached (ECONNREFUSED).\n'
	);
});

it('refuses a folder that cannot be written, even to root', async () => {
	const file = path.join(dataDir, 'file');
	await writeFile(file, '');
	for (const folder of [path.join(file, 'data'), '/proc/daftar/data']) {
		const program = begun({ DATA_DIR: folder });
		expect(await program.ended).toBe(1);
		expect(program.said()).toMatch(/^The data folder \S+ cannot be written \([A-Z]+\)\.\n$/);
	}
});

it('refuses a variable that makes no sense', async () => {
	const program = begun({ DATA_DIR: dataDir, PORT: 'http' });
	expect(await program.ended).toBe(1);
	expect(program.said()).toBe('PORT must be a number from 0 to 65535, not "http".\n');
});

function begun(variables: Readonly<Record<string, string>>): Program {
	const program = startProgram(variables);
	onTestFinished(async () => {
		if (program.child.exitCode === null) program.child.kill('SIGTERM');
		await program.ended;
	});
	return program;
}

function signalGroup({ child }: Program, signal: NodeJS.Signals): void {
	process.kill(-Number(child.pid), signal);
}

async function health(address: string): Promise<unknown> {
	return (await fetch(`${address}/api/health`)).json();
}

async function postmasterPid(): Promise<number> {
	const file = path.join(dataDir, 'postgres/data/postmaster.pid');
	return Number((await readFile(file, 'utf8')).split('\n')[0]);
}

/** The third field behind the program's name, which may hold spaces. */
function groupOf(pid: number): string | undefined {
	return readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
		.split(') ')
		.at(-1)
		?.split(' ')[2];
}

/** A process that ended but was not collected has no program any more. */
function isPostgres(pid: number): boolean {
	return existsSync(`/proc/${String(pid)}/exe`);
}
