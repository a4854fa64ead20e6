import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** How a program is started that refuses to be root. */
export interface Runner {
	readonly prefix: readonly string[];
	readonly account?: { readonly uid: number; readonly gid: number };
}

interface Account {
	readonly name: string;
	readonly uid: number;
	readonly gid: number;
}

/**
 * Decides as whom PostgreSQL runs on `folder`: as we do, unless we are root; then in a user
 * namespace, where our files are its own; else as the account `postgres`, which is given
 * `folder`. Throws one sentence where none of these can be.
 */
export function chooseRunner(folder: string): Runner {
	if (process.getuid?.() !== 0) return { prefix: [] };

	const accounts = readAccounts();
	return inNamespace(accounts) ?? asPostgres(accounts, folder) ?? refuse(folder);
}

/** Gives `target` to the account that PostgreSQL runs as, where that is another one than ours. */
export function giveTo({ account }: Runner, target: string): void {
	if (account === undefined) return;
	execFileSync('chown', ['-R', `${String(account.uid)}:${String(account.gid)}`, target]);
}

function inNamespace(accounts: readonly Account[]): Runner | undefined {
	// initdb asks for the name of its user, so the number it gets must be one that has a name.
	const mapped = accounts.find(({ uid }) => uid === 1000) ?? accounts.find(({ uid }) => uid !== 0);
	if (mapped === undefined) return undefined;

	const { uid, gid } = mapped;
	const prefix = ['unshare', '-U', `--map-user=${String(uid)}`, `--map-group=${String(gid)}`];
	return succeeds([...prefix, 'true']) ? { prefix } : undefined;
}

function asPostgres(accounts: readonly Account[], folder: string): Runner | undefined {
	const account = accounts.find(({ name }) => name === 'postgres');
	if (account === undefined) return undefined;

	// The account has to pass through our own folder to reach its part of it; it cannot list it,
	// and what is secret in it has a mode of its own.
	chmodSync(path.dirname(folder), 0o711);
	const runner = { prefix: [], account };
	giveTo(runner, folder);
	return succeeds(['test', '-w', folder], account) ? runner : undefined;
}

function refuse(folder: string): never {
	throw new Error(
		`PostgreSQL refuses to run as root and no other user can use ${folder}: start Daftar as a plain user, or set DATA_DIR to a folder that the user postgres can reach.`
	);
}

function readAccounts(): readonly Account[] {
	const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
	return lines.flatMap((line) => {
		const [name = '', , uid = '', gid = ''] = line.split(':');
		return /^\d+$/.test(uid) && /^\d+$/.test(gid)
			? [{ name, uid: Number(uid), gid: Number(gid) }]
			: [];
	});
}

function succeeds(command: readonly string[], account?: Account): boolean {
	const [program = '', ...args] = command;
	const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
	return spawnSync(program, args, { stdio: 'ignore', ...as }).status === 0;
}
