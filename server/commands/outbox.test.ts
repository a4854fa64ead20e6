import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase, migrateDatabase } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';

const COMMAND = path.resolve(import.meta.dirname, 'outbox.ts');
let database: TestDatabase;

beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

async function outbox(environment: Readonly<Record<string, string>>): Promise<string> {
	const env = { ...process.env, ...environment };
	const { stdout } = await promisify(execFile)(process.execPath, [COMMAND], { env });
	return stdout;
}

const CODE = { channel: 'sms', to: '+254700000001', key: 'one', at: 1 } as const;

it('prints the messages of a database, newest first, with no control character of theirs', async () => {
	expect(await outbox({ DATABASE_URL: database.url })).toBe('Nobody was written to yet.\n');
	await queueMessage(database.orm, { ...CODE, text: 'code 482177\u001b[2J' });
	await queueMessage(database.orm, { ...CODE, text: 'later', key: 'two', at: 2 });
	expect(await outbox({ DATABASE_URL: database.url })).toBe(
		[
			'1970-01-01T00:00:00.002Z  sms  +254700000001',
			'  later',
			'  waiting',
			'',
			'1970-01-01T00:00:00.001Z  sms  +254700000001',
			'  code 482177 [2J',
			'  waiting',
			'',
			''
		].join('\n')
	);
});

it('prints them beside a running Daftar, and where none runs', async () => {
	const dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-outbox-'));
	const settings = { fsync: 'off' };
	const postgres = await startEmbeddedPostgres({ dataDir, settings });
	try {
		await migrateDatabase(postgres.url);
		const { orm, close } = connectDatabase(postgres.url, { connectionsMax: 1 });
		await queueMessage(orm, { ...CODE, text: 'code 482177' });
		await close();
		expect(await outbox({ DATABASE_URL: '', DATA_DIR: dataDir })).toContain('code 482177');
		await postgres.stop();
		expect(await outbox({ DATABASE_URL: '', DATA_DIR: dataDir })).toContain('code 482177');
	} finally {
		await postgres.stop();
		await rm(dataDir, { recursive: true, force: true });
	}
});
