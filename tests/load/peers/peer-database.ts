import postgres, { type Sql } from 'postgres';

/** The same driver and as many connections as Daftar's own; a host that is a folder means its socket. */
export function connect(): Sql {
	const url = process.env['DATABASE_URL'] ?? '';
	const folder = decodeURIComponent(new URL(url).hostname);
	return postgres(url, { max: 20, ...(folder.startsWith('/') ? { host: folder } : {}) });
}
