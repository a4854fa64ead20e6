import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';

/** What a first start makes in a data folder, made once: copied it costs a test next to nothing. */
export interface MadeCluster {
	/** Leaves `dataDir` as after a first start that ended well. */
	readonly copyTo: (dataDir: string) => Promise<void>;
	readonly remove: () => Promise<void>;
}

const CLUSTER = 'postgres/data';

/** `fill` is called with the address of its database before it ends. */
export async function makeCluster(fill?: (url: string) => Promise<void>): Promise<MadeCluster> {
	const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-made-'));
	const postgres = await startEmbeddedPostgres({
		dataDir: folder,
		settings: { fsync: 'off', shared_buffers: '8MB' }
	});
	await fill?.(postgres.url);
	await postgres.stop();
	return {
		copyTo: async (dataDir) => {
			const home = path.dirname(path.join(dataDir, CLUSTER));
			await mkdir(home, { recursive: true });
			// Its files are PostgreSQL's own user's, and stay his.
			await promisify(execFile)('cp', ['-a', path.join(folder, CLUSTER), home]);
		},
		remove: () => rm(folder, { recursive: true, force: true, maxRetries: 20 })
	};
}
