import { createHash, randomUUID, type Hash } from 'node:crypto';
import { link, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Sql } from 'postgres';
import { codeOf } from '#server/database/data-folder.ts';
import {
	CHUNK_BYTES_MAX,
	countLines,
	encodeLine,
	FORM_VERSION,
	type End,
	type Header,
	type TableForm,
	type TableSum
} from './backup-form.ts';
import { readReach, type BackupReach } from './backup-marks.ts';
import { copyOut } from './copy.ts';
import { readLastMigration } from './migrations.ts';
import { mustReadBack } from './read-back.ts';
import { readTables } from './tables.ts';

export interface BackupParts {
	/** Connections of its own: they are ended where it fails. */
	readonly sql: Sql;
	/** Milliseconds UTC. */
	readonly clock: () => number;
	/** Names the secret under which values are sealed; see `keyIdOf`. */
	readonly secret: string;
	/** Ends it: the file is then as if it had never been begun. */
	readonly signal?: AbortSignal;
}

export interface Backup {
	readonly tables: number;
	readonly rows: number;
	readonly bytes: number;
	/** What it holds of everybody's facts, now that it was read back. */
	readonly reach: BackupReach;
}

/** What went into a stream. */
export interface Streamed {
	readonly header: Header;
	readonly sums: End['tables'];
	readonly reach: BackupReach;
}

/** Bytes of a table that go into the file at once. */
const FRAME_BYTES = 64 * 1024;

/**
 * KEEP-1, KEEP-2, KEEP-10. Writes every table, as it is at one moment, into a file that is not there yet:
 * beside its place under a name of its own, flushed, read back, and then given its name. Throws one
 * sentence.
 */
export async function writeBackup(file: string, parts: BackupParts): Promise<Backup> {
	if (await isThere(file)) throw new Error(`There is a file ${file} already: choose another name.`);
	// A process of another container may have our number and write to the same folder.
	const draft = `${file}.${randomUUID()}.part`;
	let handle: FileHandle | undefined;
	try {
		handle = await open(draft, 'wx', 0o600);
		const { sums, reach } = await streamBackup(parts, handle.createWriteStream({ flush: true }));
		await mustReadBack(draft, parts, sums);
		const { size } = await stat(draft);
		await giveName(draft, file);
		const rows = Object.values(sums).reduce((sum, table) => sum + table.rows, 0);
		return { tables: Object.keys(sums).length, rows, bytes: size, reach };
	} catch (cause) {
		throw new Error(sentenceOf(file, cause), { cause });
	} finally {
		await handle?.close().catch(() => undefined);
		await rm(draft, { force: true });
	}
}

/** The same into any stream; answers what each table came to, and how far each feed had come. */
export async function streamBackup(parts: BackupParts, out: Writable): Promise<Streamed> {
	const { sql, signal } = parts;
	let fault: unknown;
	const known = await readTables(sql);
	const written = sql.begin('isolation level repeatable read read only', async (transaction) => {
		const tx = transaction as unknown as Sql;
		try {
			await holdTables(tx, known);
			const header = await readHeader(tx, parts);
			if (!isSameNames(header.tables, known)) throw new Error(CHANGING);
			const reach = await readReach(tx, header);
			const sums: Record<string, TableSum> = {};
			const bytes = Readable.from(writeAll(tx, header, sums), { objectMode: false });
			const writing = pipeline(
				bytes,
				createGzip(),
				out,
				...(signal === undefined ? [] : [{ signal }])
			);
			// It rejects once all of it is closed, and a table that is being read closes with its connection.
			await Promise.race([writing, failure(out, signal)]);
			return { header, sums, reach };
		} catch (cause) {
			fault = cause;
			// A table that nobody reads to its end holds its connection for ever.
			await sql.end({ timeout: 0 });
			throw cause;
		}
	});
	return written.catch((cause: unknown) => {
		throw fault ?? cause;
	});
}

/**
 * Before anything is read, for that is the moment of which all of it is. Whoever changed a table's form between
 * that moment and its turn would leave none of its rows to be seen; now he waits for us.
 */
async function holdTables(tx: Sql, tables: readonly Pick<TableForm, 'name'>[]): Promise<void> {
	const names = tables.map(({ name }) => name);
	if (names.length === 0) return;
	try {
		await tx`lock table ${tx(names)} in access share mode`;
	} catch (cause) {
		if (codeOf(cause) === NO_SUCH_TABLE) throw new Error(CHANGING, { cause });
		throw cause;
	}
}

const NO_SUCH_TABLE = '42P01';
const CHANGING = 'The tables of this database are being changed: say this again in a moment.';

function isSameNames(
	some: readonly Pick<TableForm, 'name'>[],
	others: readonly Pick<TableForm, 'name'>[]
): boolean {
	const names = new Set(others.map(({ name }) => name));
	return some.length === names.size && some.every(({ name }) => names.has(name));
}

/** Rejects as soon as the stream fails, or somebody stops it. */
function failure(out: Writable, signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_resolve, reject) => {
		const stop = (): void => {
			reject(Object.assign(new Error('stopped'), { code: 'ABORT_ERR' }));
		};
		out.once('error', reject);
		if (signal?.aborted === true) stop();
		signal?.addEventListener('abort', stop, { once: true });
	});
}

async function readHeader(tx: Sql, { clock, secret }: BackupParts): Promise<Header> {
	const migration = await readLastMigration(tx);
	if (migration === undefined) {
		throw new Error('The tables of this database are not those of this Daftar: start it once.');
	}
	const tables = await readTables(tx);
	const [row] = await tx<{ epoch: number | null }[]>`
		select max(epoch) as epoch from database_epoch`;
	return {
		daftar: 'backup',
		version: FORM_VERSION,
		at: clock(),
		epoch: row?.epoch ?? 0,
		migration: migration.name,
		secret,
		tables: tables.map(({ name, columns }) => ({ name, columns }))
	};
}

async function* writeAll(
	tx: Sql,
	header: Header,
	sums: Record<string, TableSum>
): AsyncGenerator<Buffer, undefined> {
	const whole = createHash('sha256');
	const told = (bytes: Buffer): Buffer => {
		whole.update(bytes);
		return bytes;
	};
	yield told(encodeLine(header));
	for (const table of header.tables) {
		const sum = { rows: 0, digest: createHash('sha256') };
		for await (const frame of readFrames(tx, table, sum)) {
			yield told(lengthOf(frame));
			yield told(frame);
		}
		yield told(lengthOf(Buffer.alloc(0)));
		sums[table.name] = { rows: sum.rows, digest: sum.digest.digest('hex') };
	}
	yield encodeLine({ tables: sums, digest: whole.digest('hex') });
	return undefined;
}

/** The table's rows as PostgreSQL copies them out, gathered to frames. */
async function* readFrames(
	tx: Sql,
	table: TableForm,
	sum: { rows: number; readonly digest: Hash }
): AsyncGenerator<Buffer, undefined> {
	let held: Buffer[] = [];
	let heldBytes = 0;
	for await (const row of copyOut(tx, table)) {
		sum.rows += countLines(row);
		sum.digest.update(row);
		held.push(row);
		heldBytes += row.byteLength;
		if (heldBytes < FRAME_BYTES) continue;
		yield* chunksOf(Buffer.concat(held));
		held = [];
		heldBytes = 0;
	}
	yield* chunksOf(Buffer.concat(held));
	return undefined;
}

function* chunksOf(frame: Buffer): Generator<Buffer, undefined> {
	for (let start = 0; start < frame.byteLength; start += CHUNK_BYTES_MAX) {
		yield frame.subarray(start, start + CHUNK_BYTES_MAX);
	}
	return undefined;
}

function lengthOf(frame: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(frame.byteLength);
	return length;
}

/** Never over another file: a link is refused where the name is taken, a rename would take it. */
async function giveName(draft: string, file: string): Promise<void> {
	try {
		await link(draft, file);
	} catch (fault) {
		// Sticks and shares that know no links.
		if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(codeOf(fault))) throw fault;
		if (await isThere(file)) throw Object.assign(new Error('taken'), { code: 'EEXIST' });
		await rename(draft, file);
	}
	const folder = await open(path.dirname(path.resolve(file)), 'r');
	await folder.sync();
	await folder.close();
}

async function isThere(file: string): Promise<boolean> {
	return stat(file).then(
		() => true,
		() => false
	);
}

/** A disk's reasons in words; what else went wrong says it itself. */
function sentenceOf(file: string, cause: unknown): string {
	const code = codeOf(cause);
	if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
		return `There is no room left for ${file}. Nothing was kept.`;
	}
	if (code === 'EEXIST') return `There is a file ${file} already: choose another name.`;
	if (code === 'ENOENT') return `There is no folder for ${file}.`;
	if (code === 'ABORT_ERR') return `Stopped. There is no file ${file}.`;
	if (DISK.has(code)) return `The file ${file} cannot be written (${code}).`;
	return cause instanceof Error ? cause.message : String(cause);
}

const DISK: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EIO', 'EISDIR', 'ENOTDIR']);
