import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { nextDeviceCode, parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { readEpoch } from '#server/database/epoch.ts';

/** So many codes, members and phones may have been given out since a backup. */
const DEVICE_CODES_SKIPPED = 26;
const NUMBERS_SKIPPED = 100;
/**
 * One backup may be restored twice, and neither database knows what the other gave out: each begins as many
 * further on as its epoch, a minute, says. So few that codes keep two letters.
 */
const APART_MAX = 400;

/** A claim that was stored before the restore waits so long for a verdict that is carried in. */
const CARRIED_GRACE_MS = 60_000;

/** By which somebody is let in, or kept out for a while. */
const ACCESS_TABLES = [
	...['ticket', 'phone_ticket', 'device_token', 'phone_token', 'device_nonce'],
	...['session', 'one_time_code', 'rate_limit']
];
/** What only the secret opens. */
const SEALED_TABLES = [
	...['person_secret', 'ledger_secret', 'sheet_set'],
	...['spent_step', 'recovery_code', 'second_factor']
];

/** 2026-01-01 UTC, from which epochs are counted in minutes. */
const EPOCHS_BEGIN_AT = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/**
 * KEEP-6. Makes a database that was put back a new one for all who knew it: the next epoch, how far each
 * feed had come, and nothing that may have been given out since the backup is given out again. All
 * in the transaction that `sql` is; `now` in ms UTC. Returns the new epoch.
 */
export async function beginNextEpoch(
	sql: Sql,
	now: number,
	{ isOfCopy = true }: Begun = {}
): Promise<number> {
	// Of one in which no server began yet the first ends: it forgot what was written in that since.
	const ended = await readEpoch(sql, now);
	const epoch = isOfCopy ? epochOfCopy(ended, now) : Math.max(ended + 1, minutesAt(now));
	await sql`insert into database_epoch (epoch, started_at) values (${epoch}, ${now})`;
	await sql`insert into epoch_end (business, epoch, s) select business, ${ended}, s from feed_head`;
	// They tell of files that may be the ones that are lost; the next backup makes its own.
	await sql`delete from backup_mark`;
	await skipNumbers(sql, isOfCopy ? epoch % APART_MAX : 0);
	await endAccess(sql);
	await letNothingGoTwice(sql, now);
	return epoch;
}

interface Begun {
	/** Whether the same copy may be put back once more: what servers lost while they ran is lost once. */
	readonly isOfCopy?: boolean;
}

/**
 * Counted by time, so that two restores of one backup are never one epoch; from the ended one on where that
 * is as far, because it began by a clock ahead of this one. Throws one sentence where no time can be told.
 */
function epochOfCopy(ended: number, now: number): number {
	const minutes = minutesAt(now);
	if (minutes < 0) {
		throw new Error(
			`This machine's clock says ${new Date(now).toISOString()}: set it right, then say this again.`
		);
	}
	return minutes > ended ? minutes : ended + 1 + minutes;
}

function minutesAt(now: number): number {
	return Math.floor((now - EPOCHS_BEGIN_AT) / MINUTE_MS);
}

async function skipNumbers(sql: Sql, apart: number): Promise<void> {
	const skipped = NUMBERS_SKIPPED + apart;
	const businesses = await sql<{ business: string; code: string }[]>`
		select business, last_device_code as code from business`;
	// KEEP-13. At once, for a server that declares a loss has seconds for it, however many shops there are.
	await sql`
		update business set last_device_code = given.code, last_member = last_member + ${skipped}
		from unnest(
			${businesses.map(({ business }) => business)}::uuid[],
			${businesses.map(({ code }) => skipCodes(code, DEVICE_CODES_SKIPPED + apart))}::text[]
		) as given (business, code)
		where business.business = given.business`;
	await sql`
		insert into person_detail (person, last_phone) select person, ${skipped} from person
		on conflict (person) do update set last_phone = person_detail.last_phone + excluded.last_phone`;
}

function skipCodes(last: string, count: number): DeviceCode {
	const parsed = parseDeviceCode(last);
	assert(parsed.ok, 'a business knows its last device code');
	let code = parsed.value;
	for (let left = count; left > 0; left -= 1) code = nextDeviceCode(code);
	return code;
}

/** What was ended since the backup would be open again: people sign in anew, devices prove their keys. */
async function endAccess(sql: Sql): Promise<void> {
	await empty(sql, ACCESS_TABLES);
	await sql`delete from invite where used_by is null`;
	await sql`delete from ledger_invite where used_at is null`;
}

/** What waited has been sent since, or is out of date; a claim waits for the verdict that it may have. */
async function letNothingGoTwice(sql: Sql, now: number): Promise<void> {
	await sql`
		update message set state = 'failed', ended_at = ${now}, answer = 'the database was restored',
			body = case when is_secret then null else body end
		where state = 'waiting'`;
	await sql`update claim_waiting set due_at = greatest(due_at, ${now + CARRIED_GRACE_MS})`;
}

/**
 * Throws away what only the other secret opens: codes of customers, second factors, the relay's key.
 * The public half of that stays: what devices hold that was signed by it is still known.
 */
export async function dropSealed(sql: Sql): Promise<void> {
	await sql`
		update relay_key set sealed = '', place = (select max(place) + 1 from relay_key)
		where place = 1`;
	await empty(sql, SEALED_TABLES);
}

/** One after another: a row goes before what it names. */
async function empty(sql: Sql, tables: readonly string[]): Promise<void> {
	for (const table of tables) await sql`delete from ${sql(table)}`;
}
