import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { assert } from '#domain/assert.ts';
import { codeOf, flushFolder, makeFolder } from './database/data-folder.ts';
import { SECRET_BYTES_MIN } from './environment.ts';

const FILE = 'secret';
const KEY_BYTES = 32;
const KEY_ID_LENGTH = 16;

export interface SecretSource {
	/** `DAFTAR_SECRET`, which comes before the file. */
	readonly given: string | undefined;
	readonly dataDir: string;
}

/**
 * Reads the one secret that every key of this server comes from, and makes it at the first start:
 * a file of mode 0600, whole or not there. Throws one sentence where others can read the file, or
 * it is too short to be a secret.
 */
export async function readSecret({ given, dataDir }: SecretSource): Promise<Uint8Array> {
	if (given !== undefined) return Buffer.from(given);

	const file = path.join(dataDir, FILE);
	const found = await readKept(file);
	if (found !== undefined) return found;

	await make(dataDir, file);
	const made = await readKept(file);
	assert(made !== undefined, 'a secret that was made is there');
	return made;
}

/**
 * Derives the key for one purpose, 32 bytes, by HKDF-SHA-256 (RFC 5869). Keys of two purposes say
 * nothing about each other.
 */
export function deriveKey(secret: Uint8Array, purpose: string): Uint8Array {
	return new Uint8Array(hkdfSync('sha256', secret, '', `daftar/${purpose}`, KEY_BYTES));
}

/** The secret that there is; undefined where none was made yet. Throws as `readSecret` does. */
export async function findSecret({
	given,
	dataDir
}: SecretSource): Promise<Uint8Array | undefined> {
	return given === undefined ? readKept(path.join(dataDir, FILE)) : Buffer.from(given);
}

/** What a secret is called where it must not be told: two secrets have two names. */
export function keyIdOf(secret: Uint8Array): string {
	return Buffer.from(deriveKey(secret, 'key-id/v1')).toString('hex').slice(0, KEY_ID_LENGTH);
}

async function readKept(file: string): Promise<Uint8Array | undefined> {
	try {
		const { mode } = await stat(file);
		if ((mode & 0o077) !== 0) {
			throw new Error(
				`Others on this machine can read the secret in ${file}: run chmod 600 on it.`
			);
		}
		const secret = Buffer.from((await readFile(file, 'utf8')).trim());
		if (secret.byteLength >= SECRET_BYTES_MIN) return secret;
		throw new Error(
			`The secret in ${file} is too short, it must have at least ${String(SECRET_BYTES_MIN)} bytes.`
		);
	} catch (cause) {
		if (codeOf(cause) === 'ENOENT') return undefined;
		if (codeOf(cause) === '') throw cause;
		throw new Error(`The secret in ${file} cannot be read (${codeOf(cause)}).`, { cause });
	}
}

/** Written beside its place, flushed, and only then given its name; of two makers one wins. */
async function make(dataDir: string, file: string): Promise<void> {
	const draft = `${file}.${randomUUID()}`;
	try {
		await makeFolder(dataDir);
		const handle = await open(draft, 'wx', 0o600);
		await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
		await handle.sync();
		await handle.close();
		await link(draft, file).catch((error: unknown) => {
			if (codeOf(error) !== 'EEXIST') throw error;
		});
		await flushFolder(dataDir);
	} catch (cause) {
		throw new Error(`The data folder ${dataDir} cannot be written (${codeOf(cause)}).`, { cause });
	} finally {
		await rm(draft, { force: true }).catch(() => undefined);
	}
}
