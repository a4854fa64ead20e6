import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deriveKey, readSecret } from './secret.ts';

let dataDir: string;
beforeEach(async () => {
	dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-secret-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

it('takes the one given, and writes nothing', async () => {
	const given = 'a secret that is long enough to be one';
	expect(await readSecret({ given, dataDir })).toEqual(Buffer.from(given));
	expect(await readdir(dataDir)).toEqual([]);
});

it('makes one that only its owner can read, and keeps it', async () => {
	const first = await readSecret({ given: undefined, dataDir: path.join(dataDir, 'new') });
	const file = path.join(dataDir, 'new', 'secret');
	expect((await stat(file)).mode & 0o777).toBe(0o600);
	expect(first.byteLength).toBe(43);
	expect(await readFile(file, 'utf8')).toBe(`${Buffer.from(first).toString()}\n`);
	expect(await readSecret({ given: undefined, dataDir: path.join(dataDir, 'new') })).toEqual(first);
	expect(await readdir(path.join(dataDir, 'new'))).toEqual(['secret']);
});

it('makes one only, however many ask at once', async () => {
	const all = await Promise.all(
		Array.from({ length: 8 }, () => readSecret({ given: undefined, dataDir }))
	);
	expect(new Set(all.map((secret) => Buffer.from(secret).toString())).size).toBe(1);
});

it.each([0o640, 0o604, 0o660])('refuses a file that others may use (mode %o)', async (mode) => {
	await readSecret({ given: undefined, dataDir });
	await chmod(path.join(dataDir, 'secret'), mode);
	await expect(readSecret({ given: undefined, dataDir })).rejects.toThrow(
		/^Others on this machine can read the secret in .*: run chmod 600 on it\.$/
	);
});

it('refuses 31 bytes, takes 32', async () => {
	const file = path.join(dataDir, 'secret');
	await writeFile(file, 's'.repeat(31), { mode: 0o600 });
	await expect(readSecret({ given: undefined, dataDir })).rejects.toThrow(/is too short/);
	await writeFile(file, 's'.repeat(32));
	expect((await readSecret({ given: undefined, dataDir })).byteLength).toBe(32);
});

it('says in one sentence that the folder cannot be written', async () => {
	const under = path.join(dataDir, 'file');
	await writeFile(under, '');
	await expect(readSecret({ given: undefined, dataDir: path.join(under, 'data') })).rejects.toThrow(
		/^The data folder .* cannot be written \(ENOTDIR\)\.$|cannot be read/
	);
});

it('derives another key for each purpose and each secret, always the same', () => {
	const one = Buffer.alloc(32, 1);
	const two = Buffer.alloc(32, 2);
	const keys = [deriveKey(one, 'a'), deriveKey(one, 'b'), deriveKey(two, 'a')];
	expect(keys.map((key) => key.byteLength)).toEqual([32, 32, 32]);
	expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3);
	expect(deriveKey(one, 'a')).toEqual(keys[0]);
});
