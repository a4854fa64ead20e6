import * as v from 'valibot';
import { err, ok, type Result } from '#domain/result.ts';

/**
 * The form of a backup, inside gzip:
 *
 *     backup  = header { table } end
 *     header  = JSON line          what is in it; see `Header`
 *     table   = { chunk } 0        in the header's order; a chunk is u32 length (> 0) and bytes
 *     end     = JSON line          rows and SHA-256 of each table, and SHA-256 of all before this line
 *
 * The bytes of a table are PostgreSQL's own `COPY … TO STDOUT` in text form: one line a row.
 */
export const FORM_VERSION = 1;

export const CHUNK_BYTES_MAX = 1024 * 1024;
/** A header names every table and column; a longer line is none of ours. */
export const LINE_BYTES_MAX = 1024 * 1024;

const NAME = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,62}$/));
const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const DIGEST = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const HEADER = v.object({
	daftar: v.literal('backup'),
	version: COUNT,
	/** When it was made, ms UTC. */
	at: COUNT,
	/** The database's epoch then. */
	epoch: COUNT,
	/** The last migration of its tables, by its name. */
	migration: v.string(),
	/** Which secret its sealed values open with; never the secret. */
	secret: v.string(),
	tables: v.array(v.object({ name: NAME, columns: v.array(NAME) }))
});

const END = v.object({
	tables: v.record(v.string(), v.object({ rows: COUNT, digest: DIGEST })),
	digest: DIGEST
});

export type Header = v.InferOutput<typeof HEADER>;
export type End = v.InferOutput<typeof END>;
export type TableForm = Header['tables'][number];

/** What a table came to: its rows, and the SHA-256 of its bytes. */
export type TableSum = End['tables'][string];

export function encodeLine(line: Header | End): Buffer {
	return Buffer.from(`${JSON.stringify(line)}\n`);
}

export function parseHeader(line: string): Result<Header, 'notABackup'> {
	const parsed = v.safeParse(HEADER, parseJson(line));
	return parsed.success ? ok(parsed.output) : err('notABackup');
}

export function parseEnd(line: string): Result<End, 'notABackup'> {
	const parsed = v.safeParse(END, parseJson(line));
	return parsed.success ? ok(parsed.output) : err('notABackup');
}

/** A line's end inside a value is written as two other signs, so each is a row's. */
export function countLines(bytes: Buffer): number {
	let lines = 0;
	for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) lines += 1;
	return lines;
}

const LINE_END = 0x0a;

function parseJson(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return undefined;
	}
}
