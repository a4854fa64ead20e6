import path from 'node:path';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres, { type Sql } from 'postgres';
import { codeOf } from './data-folder.ts';

const CONNECTIONS_MAX = 20;
const CONNECT_TIMEOUT_S = 5;
const CLOSE_TIMEOUT_S = 5;
const RECONNECT_WAIT_S = 0.1;
/** Any number that no other program on the same database uses for its own lock. */
const MIGRATION_LOCK = 7_217_903_114;
const MIGRATIONS = path.resolve(import.meta.dirname, '../../drizzle');

/** One pool of connections: `sql` for statements as they are, `orm` for those built by Drizzle. */
export interface Database {
	readonly sql: Sql;
	readonly orm: PostgresJsDatabase;
	readonly close: () => Promise<void>;
}

export interface ConnectOptions {
	readonly connectionsMax?: number;
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
		connection: { application_name: 'daftar' },
		...(folder === undefined ? {} : { host: folder })
	});
	return { sql, orm: drizzle(sql), close: () => sql.end({ timeout: CLOSE_TIMEOUT_S }) };
}

/** Connects and sees that somebody answers who can keep every script. Throws one sentence. */
export async function openDatabase(url: string): Promise<Database> {
	const database = connectDatabase(url);
	try {
		const [row] = await database.sql<{ encoding: string }[]>`
			select current_setting('server_encoding') as encoding`;
		if (row?.encoding === 'UTF8') return database;
	} catch (cause) {
		await database.close();
		const reason = codeOf(cause) || (cause instanceof Error ? cause.message : 'unknown');
		throw new Error(`The database at ${placeOf(url)} cannot be reached (${reason}).`, { cause });
	}
	await database.close();
	throw new Error(`The database at ${placeOf(url)} is not in UTF-8, which Daftar needs.`);
}

/** Brings the tables up to date. Of several relays that start at once, one does it. */
export async function migrateDatabase(url: string): Promise<void> {
	const { sql, orm, close } = connectDatabase(url, { connectionsMax: 1 });
	try {
		// Held by the only connection of this pool, and so let go when it closes.
		await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
		await migrate(orm, { migrationsFolder: MIGRATIONS });
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
	if (GONE.has(code) || PASSING_CLASS.test(code)) return true;
	return fault instanceof Error && fault.cause !== undefined && isDatabaseGone(fault.cause);
}

/** No connection, rolled back for another's sake, no room left, stopped, a broken disk. */
const PASSING_CLASS = /^(?:08|40|53|57|58)[0-9A-Z]{3}$/;

const GONE: ReadonlySet<string> = new Set([
	'CONNECTION_CLOSED',
	'CONNECTION_DESTROYED',
	'CONNECTION_ENDED',
	'CONNECT_TIMEOUT',
	'ECONNREFUSED',
	'ECONNRESET',
	'ENOENT',
	'EPIPE'
]);

function socketFolder(url: string): string | undefined {
	const host = decodeURIComponent(new URL(url).hostname);
	return host.startsWith('/') ? host : undefined;
}

/** A URL without its password, for people to read. */
function placeOf(url: string): string {
	const { hostname, port, pathname } = new URL(url);
	return `${decodeURIComponent(hostname)}${port === '' ? '' : `:${port}`}${pathname}`;
}
