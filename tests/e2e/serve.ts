import { rm } from 'node:fs/promises';
import path from 'node:path';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { makePassingFolder } from '#tests/support/passing-folder.ts';
import { startServer } from './server-process.ts';

/**
 * Serves the built app on a free port and a database of its own, for all end-to-end tests. Says in
 * `DAFTAR_URL` and `DAFTAR_DATABASE_URL` where they are.
 */
export default async function serve(): Promise<() => Promise<void>> {
	const folder = await makePassingFolder('daftar-e2e-');
	// These rows need not outlive a power cut.
	const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
	const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'data'), settings });
	const server = await startServer({ databaseUrl: postgres.url });
	process.env['DAFTAR_URL'] = server.url;
	process.env['DAFTAR_DATABASE_URL'] = postgres.url;
	return async () => {
		await server.stop();
		await postgres.stop();
		await rm(folder, { recursive: true, force: true });
	};
}
