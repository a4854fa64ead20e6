import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { codeOf } from '#server/database/data-folder.ts';
import {
	CHUNK_BYTES_MAX,
	countLines,
	FORM_VERSION,
	LINE_BYTES_MAX,
	parseEnd,
	parseHeader,
	type Header,
	type TableForm,
	type TableSum
} from './backup-form.ts';

/** Takes a backup as it is read; what it is given is not yet known to be whole. */
export interface BackupTaker {
	/** Asked once, first; throws where the backup is not wanted. */
	header(header: Header): Promise<void>;
	/** The rows of one table, in the order of the header. All of them are to be taken. */
	table(table: TableForm, chunks: AsyncIterable<Buffer>): Promise<void>;
}

/**
 * KEEP-3. Reads a backup from end to end, and compares rows and digests of each table, and of the whole,
 * with what it says of itself. Throws one sentence where it is torn, altered or none.
 */
export async function readBackup(file: string, taker: BackupTaker): Promise<WholeBackup> {
	const bytes = createByteReader(gunzipped(file), file);
	const header = await readHeader(bytes, file);
	await taker.header(header);
	const sums = new Map<string, TableSum>();
	for (const table of header.tables) {
		const sum = { rows: 0, digest: createHash('sha256') };
		await taker.table(table, chunksOf(bytes, sum, file));
		sums.set(table.name, { rows: sum.rows, digest: sum.digest.digest('hex') });
	}
	await mustBeWhole(bytes, sums, file);
	const rows = Array.from(sums.values()).reduce((all, sum) => all + sum.rows, 0);
	return { header, rows, sums };
}

export interface WholeBackup {
	readonly header: Header;
	readonly rows: number;
	/** What each table came to. */
	readonly sums: ReadonlyMap<string, TableSum>;
}

async function mustBeWhole(
	bytes: ByteReader,
	sums: ReadonlyMap<string, TableSum>,
	file: string
): Promise<void> {
	const digest = bytes.digest();
	const end = parseEnd(await bytes.line());
	if (!end.ok) throw altered(file, 'its end');
	for (const [name, found] of sums) {
		const said = end.value.tables[name];
		if (said?.rows !== found.rows || said.digest !== found.digest) {
			throw altered(file, `table ${name}`);
		}
	}
	if (end.value.digest !== digest) throw altered(file, 'its parts');
	await bytes.mustEnd();
}

/** The same, looking only whether it is whole. A signal rejects it with its reason. */
export async function checkBackup(file: string, signal?: AbortSignal): Promise<WholeBackup> {
	return readBackup(file, {
		header: () => Promise.resolve(),
		table: async (_table, chunks) => {
			const reading = chunks[Symbol.asyncIterator]();
			while ((await reading.next()).done !== true) signal?.throwIfAborted();
		}
	});
}

async function readHeader(bytes: ByteReader, file: string): Promise<Header> {
	const header = parseHeader(await bytes.line());
	if (!header.ok) throw notOne(file);
	if (header.value.version !== FORM_VERSION) {
		throw new Error(`The backup ${file} was made by a newer Daftar: take that one to restore it.`);
	}
	return header.value;
}

async function* chunksOf(
	bytes: ByteReader,
	sum: { rows: number; readonly digest: Hash },
	file: string
): AsyncGenerator<Buffer, undefined> {
	for (;;) {
		const length = (await bytes.take(4)).readUInt32BE();
		if (length === 0) return undefined;
		if (length > CHUNK_BYTES_MAX) throw altered(file, 'a length');
		const chunk = await bytes.take(length);
		sum.rows += countLines(chunk);
		sum.digest.update(chunk);
		yield chunk;
	}
}

/** Reads from a stream of buffers by length or line; knows the digest of all before the last line. */
interface ByteReader {
	take(length: number): Promise<Buffer>;
	line(): Promise<string>;
	/** SHA-256 of all that was taken. */
	digest(): string;
	mustEnd(): Promise<void>;
}

function createByteReader(stream: AsyncIterator<Buffer>, file: string): ByteReader {
	let held: Buffer = Buffer.alloc(0);
	const whole = createHash('sha256');

	async function more(): Promise<boolean> {
		const next = await stream.next().catch((fault: unknown) => {
			throw faultOf(file, fault);
		});
		if (next.done === true) return false;
		held = held.byteLength === 0 ? next.value : Buffer.concat([held, next.value]);
		return true;
	}

	function cut(length: number): Buffer {
		const taken = held.subarray(0, length);
		held = held.subarray(length);
		whole.update(taken);
		return taken;
	}

	return {
		async take(length) {
			while (held.byteLength < length) {
				if (!(await more())) throw torn(file);
			}
			return cut(length);
		},
		async line() {
			while (!held.includes('\n')) {
				if (held.byteLength > LINE_BYTES_MAX) throw notOne(file);
				if (!(await more())) throw held.byteLength === 0 ? torn(file) : notOne(file);
			}
			return cut(held.indexOf('\n') + 1).toString();
		},
		digest: () => whole.copy().digest('hex'),
		async mustEnd() {
			if (held.byteLength > 0 || (await more())) throw altered(file, 'what follows its end');
		}
	};
}

function gunzipped(file: string): AsyncIterator<Buffer> {
	const from = createReadStream(file);
	const gunzip = createGunzip();
	from.on('error', (fault) => gunzip.destroy(fault));
	return (from.pipe(gunzip) as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
}

function faultOf(file: string, fault: unknown): Error {
	const code = codeOf(fault);
	if (code === 'Z_BUF_ERROR') return torn(file);
	if (code === 'ENOENT') return new Error(`There is no file ${file}.`);
	if (fault instanceof Error && code === 'Z_DATA_ERROR' && fault.message.includes('header')) {
		return notOne(file);
	}
	if (code.startsWith('Z_')) return altered(file, 'its bytes');
	return new Error(`The file ${file} cannot be read (${code}).`, { cause: fault });
}

function notOne(file: string): Error {
	return new Error(`The file ${file} is no backup of Daftar. Nothing was written.`);
}

function torn(file: string): Error {
	return new Error(`The backup ${file} is torn: it stops before its end. Nothing was written.`);
}

function altered(file: string, where: string): Error {
	return new Error(
		`The backup ${file} was altered or damaged: ${where} is not as it was written. Nothing was kept.`
	);
}
