import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import path from 'node:path';

const FOLDER = path.resolve(import.meta.dirname, '../peers');

/** Installs what we are measured against by its own lock file, where it is not there yet. */
export async function installPeers(tell: (what: string) => void): Promise<void> {
	const [locked = 0, installed] = await Promise.all(
		['package-lock.json', 'node_modules/.package-lock.json'].map(changedAt)
	);
	if (installed !== undefined && installed >= locked) return;
	tell('installing the peers');
	// Their native extension is for a store on disk that is not used here.
	const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
		cwd: FOLDER,
		stdio: ['ignore', 'ignore', 'inherit']
	});
	const [code] = (await once(child, 'exit')) as [number | null];
	if (code !== 0) throw new Error('The peers could not be installed: is the registry reached?');
}

async function changedAt(file: string): Promise<number | undefined> {
	return stat(path.join(FOLDER, file)).then(
		({ mtimeMs }) => mtimeMs,
		() => undefined
	);
}
