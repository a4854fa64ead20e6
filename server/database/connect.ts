import path from 'node:path';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres, { type Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { readArray, writeArray, writeUuids } from './array-text.ts';
import { codeOf } from './data-folder.ts';

const CONNECTIONS_MAX = 20;
const CONNECT_TIMEOUT_S = 5;
const CLOSE_TIMEOUT_S = 5;
const RECONNECT_WAIT_S = 0.1;
/** RELAY-91. Far longer than a server's statement is to take, and than a batch waits for a lock. */
const SILENCE_MS_MAX = 60_000;
/** Any number that no other program on the same database uses for its own lock. */
export const MIGRATION_LOCK = 7_217_903_114;
export const MIGRATIONS = path.resolve(import.meta.dirname, '../../drizzle');

/** One pool of connections: `sql` for statements as they are, `orm` for those built by Drizzle. */
export interface Database {
	readonly sql: Sql;
	readonly orm: PostgresJsDatabase;
	readonly close: () => Promise<void>;
}

export interface ConnectOptions {
	readonly connectionsMax?: number;
	/** Waits at each COMMIT until it is on the disk, whatever the database does by itself. */
	readonly isDurable?: boolean;
	/**
	 * Gives a connection up, as one that is lost, when it has said nothing for so long to what it was
	 * asked, ms: the machine behind it may be gone without a word. Undefined where a statement may take long.
	 */
	readonly silenceMs?: number;
	/**
	 * The database gives a connection up that says nothing for so long in the middle of a transaction, ms: what
	 * it holds is let go. Undefined where the database's own setting is to stand.
	 */
	readonly idleMs?: number;
}

/**
 * Makes a pool for a `postgresql://` URL; nothing is opened before the first statement. A URL
 * whose host is an escaped folder means the socket in it. Drizzle shares the pool, and so dates
 * and times come as text and JSON goes in as text, in `sql` too.
 */
export function connectDatabase(url: string, options: ConnectOptions = {}): Database {
	const folder = socketFolder(url);
	const sql = postgres(url, {
		max: options.connectionsMax ?? CONNECTIONS_MAX,
		connect_timeout: CONNECT_TIMEOUT_S,
		backoff: () => RECONNECT_WAIT_S,
		onnotice: () => undefined,
		connection: {
			application_name: 'daftar',
			...(options.isDurable === true && { synchronous_commit: 'on' }),
			...(options.idleMs !== undefined && { idle_in_transaction_session_timeout: options.idleMs })
		},
		types: ARRAYS,
		// Known to the driver by server/mend-packages.js alone.
		...(options.silenceMs !== undefined && { silence: options.silenceMs }),
		...(folder === undefined ? {} : { host: folder })
	});
	return { sql, orm: drizzle(sql), close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }) };
}

/** By PostgreSQL's numbers of the types; the driver takes its own for every other. */
const ARRAYS = {
	texts: arrayOf(1009, (element) => element),
	uuids: { ...arrayOf(2951, (element) => element), serialize: serializeBy(writeUuids) },
	wholes: arrayOf(1016, (element) => element),
	smallWholes: arrayOf(1007, Number)
};

type Elements = readonly (string | number | null)[];

/** What Drizzle or somebody else has written already stays as it is. */
function serializeBy(write: (elements: Elements) => string): (value: Elements | string) => string {
	return (value) => (typeof value === 'string' ? value : write(value));
}

function arrayOf<T>(oid: number, parse: (element: string) => T) {
	return {
		to: oid,
		from: [oid],
		serialize: serializeBy(writeArray),
		parse: (text: string): (T | null)[] =>
			readArray(text).map((element) => (element === null ? null : parse(element)))
	};
}

/**
 * Connects and sees that somebody answers who can keep every script. One that would answer before
 * it has written is asked to write first: a fact is said to be sent after its COMMIT. Throws one
 * sentence, also where that cannot be had: a pooler before the database may refuse what is asked, or
 * take no notice of it. For a server: no statement may take longer than a minute (RELAY-91), and none may be
 * waited for longer inside a transaction, unless the database or a pooler has it otherwise (RELAY-96).
 */
export async function openDatabase(url: string, idleMs = SILENCE_MS_MAX): Promise<Database> {
	const plain = connectDatabase(url, { silenceMs: SILENCE_MS_MAX });
	const { encoding, commit, idle } = await lookAt(plain, url);
	if (encoding !== 'UTF8') {
		await plain.close();
		throw new Error(`The database at ${placeOf(url)} is not in UTF-8, which Daftar needs.`);
	}
	const isDurable = commit === 'off';
	const isEndless = idle === '0';
	if (!isDurable && !isEndless) return plain;
	const asked = { isDurable, silenceMs: SILENCE_MS_MAX, ...(isEndless && { idleMs }) };
	const asking = await openAsking(url, asked);
	if (asking === undefined && !isDurable) return plain;
	await plain.close();
	return asking ?? openDurable(url);
}

/** Undefined where what is asked for cannot be had. */
async function openAsking(url: string, options: ConnectOptions): Promise<Database | undefined> {
	const database = connectDatabase(url, options);
	const found = await lookAt(database, url).catch((fault: unknown) => {
		if (fault instanceof Error && codeOf(fault.cause) === PROTOCOL_VIOLATION) return undefined;
		throw fault;
	});
	if (found !== undefined && found.commit !== 'off') return database;
	await database.close();
	return undefined;
}

async function openDurable(url: string): Promise<Database> {
	const database = await openAsking(url, { isDurable: true, silenceMs: SILENCE_MS_MAX });
	if (database !== undefined) return database;
	throw new Error(
		`The database at ${placeOf(url)} says that something is kept before it is on its disk (synchronous_commit is off), and Daftar is not let to change that: set it to on there, for Daftar's user or for all.`
	);
}

/** What a pooler says to a setting that it does not pass on. */
const PROTOCOL_VIOLATION = '08P01';

interface Found {
	readonly encoding: string;
	readonly commit: string;
	/** `0` where a transaction may stand still for ever. */
	readonly idle: string;
}

async function lookAt({ sql, close }: Database, url: string): Promise<Found> {
	try {
		const [row] = await sql<Found[]>`
			select current_setting('server_encoding') as encoding,
				current_setting('synchronous_commit') as commit,
				current_setting('idle_in_transaction_session_timeout') as idle`;
		assert(row !== undefined, 'a question without a table has one answer');
		return row;
	} catch (cause) {
		await close();
		const reason = codeOf(cause) || (cause instanceof Error ? cause.message : 'unknown');
		throw new Error(`The database at ${placeOf(url)} cannot be reached (${reason}).`, { cause });
	}
}

/** Brings the tables up to date. Of several relays that start at once, one does it. */
export async function migrateDatabase(url: string): Promise<void> {
	const { sql, orm, close } = connectDatabase(url, { connectionsMax: 2 });
	try {
		// Held by a transaction beside the one that migrates. A lock of the connection's own would stay
		// where a pooler keeps the connection, and the next server would wait for it for ever.
		await sql.begin(async (holder) => {
			await holder`set local idle_in_transaction_session_timeout = 0`;
			await holder`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
			await migrate(orm, { migrationsFolder: MIGRATIONS });
		});
	} catch (cause) {
		throw new Error(
			`The tables in the database at ${placeOf(url)} could not be brought up to date.`,
			{
				cause
			}
		);
	} finally {
		await close();
	}
}

/** Whether a statement failed because of the database's state, and not because of what it said. */
export function isDatabaseGone(fault: unknown): boolean {
	const code = codeOf(fault);
	if (GONE.has(code) || PASSING.test(code)) return true;
	return fault instanceof Error && fault.cause !== undefined && isDatabaseGone(fault.cause);
}

/** Whether a statement waited for a lock as long as it was to. */
export function isLockTimeout(fault: unknown): boolean {
	return codeOf(fault) === '55P03';
}

/**
 * No connection, a transaction that may not write (a standby, or one that is shut off for want of
 * room), nobody let in, no such database for now, rolled back for another's sake, no room left, a
 * lock, stopped, a broken disk, broken settings, broken files.
 */
const PASSING = /^(?:(?:08|25|28|3D|40|53|55|57|58|F0)[0-9A-Z]{3}|XX00[12])$/;

const GONE: ReadonlySet<string> = new Set([
	'CONNECTION_CLOSED',
	'CONNECTION_DESTROYED',
	'CONNECTION_ENDED',
	'CONNECT_TIMEOUT',
	'EAI_AGAIN',
	'ECONNABORTED',
	'ECONNREFUSED',
	'ECONNRESET',
	'EHOSTUNREACH',
	'EMFILE',
	'ENETDOWN',
	'ENETUNREACH',
	'ENFILE',
	'ENOENT',
	'ENOTFOUND',
	'EPIPE',
	'ETIMEDOUT',
	'SASL_SIGNATURE_MISMATCH'
]);

/** The folder that an escaped host names: PostgreSQL's socket is in it. */
export function socketFolder(url: string): string | undefined {
	const host = decodeURIComponent(new URL(url).hostname);
	return host.startsWith('/') ? host : undefined;
}

/** A URL without its password, for people to read. */
function placeOf(url: string): string {
	const { hostname, port, pathname } = new URL(url);
	return `${decodeURIComponent(hostname)}${port === '' ? '' : `:${port}`}${pathname}`;
}
