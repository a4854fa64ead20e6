import { createServer } from 'node:http';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { connectDatabase, migrateDatabase, type Database } from '#server/database/connect.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#server/database/embedded.ts';
import { makePassingFolder } from './passing-folder.ts';

declare module 'vitest' {
	export interface ProvidedContext {
		readonly databaseBroker: string;
	}
}

interface Shop {
	readonly postgres: EmbeddedPostgres;
	readonly admin: Database;
}

/**
 * Vitest's global set-up: one PostgreSQL for all test files, started when the first of them asks.
 * Test files run in processes of their own and ask over a socket.
 */
export default async function provideDatabases(project: TestProject): Promise<() => Promise<void>> {
	const folder = await makePassingFolder('daftar-tests-');
	const socket = path.join(folder, 'broker');
	let open: Promise<Shop> | undefined;

	const server = createServer((request, response) => {
		open ??= openShop(folder);
		const name = (request.url ?? '').slice(1);
		const answer = request.method === 'DELETE' ? dropDatabase : createDatabase;
		open
			.then((shop) => answer(shop, name))
			.then(
				(url) => response.end(url),
				(fault: unknown) => response.writeHead(500).end(String(fault))
			);
	});
	await new Promise<void>((resolve) => server.listen(socket, resolve));
	project.provide('databaseBroker', socket);

	return async () => {
		server.closeAllConnections();
		server.close();
		const shop = await open?.catch(() => undefined);
		await shop?.admin.close();
		await shop?.postgres.stop();
		await rm(folder, { recursive: true, force: true });
	};
}

async function openShop(folder: string): Promise<Shop> {
	// A test's database need not outlive a power cut; the one that tests durability starts its own.
	const settings = {
		fsync: 'off',
		synchronous_commit: 'off',
		full_page_writes: 'off',
		// It comes when it comes, and a plan may be another after it.
		autovacuum: 'off',
		// Looked through whole wherever a file is cut or a database removed.
		shared_buffers: '32MB',
		// It may stand in memory.
		max_wal_size: '256MB'
	};
	const postgres = await startEmbeddedPostgres({ dataDir: folder, settings });
	const admin = connectDatabase(postgres.url, { connectionsMax: 2 });
	await admin.sql`create database template_migrated`;
	await migrateDatabase(urlOf(postgres, 'template_migrated'));
	return { postgres, admin };
}

async function createDatabase({ postgres, admin }: Shop, name: string): Promise<string> {
	// Its files are copied as they are: written page by page, each would go into the log, too.
	await admin.sql`
		create database ${admin.sql(name)} template template_migrated strategy file_copy`;
	return urlOf(postgres, name);
}

async function dropDatabase({ admin }: Shop, name: string): Promise<string> {
	await admin.sql`drop database if exists ${admin.sql(name)} with (force)`;
	return '';
}

function urlOf({ url }: EmbeddedPostgres, name: string): string {
	return url.replace(/[^/]*$/, name);
}
