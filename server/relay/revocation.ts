import type { Sql } from 'postgres';
import type { Caller } from '#server/auth/phone-auth.ts';
import { CLOSE, type CloseCode } from '#sync/close-code.ts';
import type { Connection } from './connection.ts';
import { deviceKey } from './submission.ts';

/**
 * RELAY-30. Closes those whose access has ended meanwhile: a removed device or phone for good; one
 * that came by a session which was ended, so that it proves itself anew. `now` in ms UTC.
 */
export async function closeRevoked(
	sql: Sql,
	connections: readonly Connection[],
	now: number
): Promise<void> {
	if (connections.length === 0) return;
	const callers = connections.map(({ caller }) => caller);
	const sessions = new Set(callers.flatMap(({ session }) => session ?? []));
	const [admitted, signedOut] = await Promise.all([
		readAdmitted(sql, callers),
		readSignedOut(sql, sessions, now)
	]);
	for (const connection of connections) {
		const { session } = connection.caller;
		if (!admitted.has(deviceKey(connection.caller))) end(connection, CLOSE.rights, 'removed');
		else if (session !== undefined && signedOut.has(session))
			end(connection, CLOSE.ticket, 'signed out');
	}
}

function end(connection: Connection, code: CloseCode, reason: string): void {
	if (!connection.isEnded) connection.close(code, reason);
}

async function readAdmitted(sql: Sql, callers: readonly Caller[]): Promise<ReadonlySet<string>> {
	const unlike = Array.from(new Map(callers.map((one) => [deviceKey(one), one])).values());
	const scopes = unlike.map(({ scope }) => scope);
	const codes = unlike.map(({ code }) => code);
	const rows = await sql<{ scope: Caller['scope']; code: string }[]>`
		with caller as (
			select * from unnest(${scopes}::uuid[], ${codes}::text[]) as given (scope, code)
		)
		select caller.scope, caller.code from caller
		join device on device.business = caller.scope and device.code = caller.code
		where device.removed_at is null
		union all
		select caller.scope, caller.code from caller
		join phone on phone.person = caller.scope and phone.code = caller.code
		where phone.removed_at is null`;
	return new Set(rows.map(deviceKey));
}

/** RELAY-22. Those of the sessions that have ended; `now` in ms UTC. */
export async function readSignedOut(
	sql: Sql,
	sessions: ReadonlySet<string>,
	now: number
): Promise<ReadonlySet<string>> {
	if (sessions.size === 0) return sessions;
	const rows = await sql<{ id: string }[]>`
		select id from session where id = any(${[...sessions]}::uuid[]) and expires_at > ${now}`;
	const standing = new Set(rows.map(({ id }) => id));
	return new Set([...sessions].filter((id) => !standing.has(id)));
}
