import type { Sql } from 'postgres';
import type { BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import { NO_LEDGER } from '#server/database/journal.ts';

/** Facts of one ledger that are brought to its customer on one UTC day of the relay. */
export const BRIDGED_DAY_MAX = 500;

/** One ledger and the person that it is linked to. */
export interface Way {
	readonly ledger: LedgerId;
	readonly person: PersonId;
}

/** How much may still go one way today. */
export interface DayRoom extends Way {
	/** What it took so far, this transaction's too. */
	count: number;
	/** Whether something stayed behind, today or before. */
	isBehind: boolean;
	/** Whether all that stood there when it was linked is still being brought, without a limit. */
	isFilling: boolean;
}

export interface OfDay {
	readonly business: BusinessId;
	/** Days since 1970. */
	readonly day: number;
}

const DAY_MS = 86_400_000;
const BEHIND_LENGTH = 100;
/** The day of a way that is being filled: before all others. */
const FILLING = -1;

/** Of what was left behind: its day is over, or was counted by a clock that was set back since. */
export function isOtherDay(sql: Sql, day: number): ReturnType<Sql> {
	return sql`(day < ${day} or day > ${day + 1})`;
}

export function dayOf(now: number): number {
	return Math.floor(now / DAY_MS);
}

/**
 * Locks these ways of a business, in one order for all, before any lock on a feed; answers how much
 * went each of them today.
 */
export async function lockDays(
	sql: Sql,
	{ business, day }: OfDay,
	ways: readonly Way[]
): Promise<readonly DayRoom[]> {
	if (ways.length === 0) return [];
	await sql`
		insert into bridge_state (business, ledger, person)
		select ${business}::uuid, ledger, person from unnest(
			${ways.map(({ ledger }) => ledger)}::uuid[],
			${ways.map(({ person }) => person)}::uuid[]
		) as given (ledger, person)
		order by ledger, person
		on conflict do nothing`;
	const rows = await sql<StateRow[]>`
		select ledger, person, day, count, is_behind from bridge_state
		where business = ${business} and (ledger, person) in (
			select * from unnest(
				${ways.map(({ ledger }) => ledger)}::uuid[],
				${ways.map(({ person }) => person)}::uuid[]
			)
		)
		order by ledger, person
		for update`;
	return rows.map(({ ledger, person, day: last, count, is_behind: isBehind }) => ({
		...{ ledger, person, isBehind },
		count: last === day ? count : 0,
		isFilling: isBehind && last === FILLING
	}));
}

interface StateRow extends Way {
	readonly day: number;
	readonly count: number;
	readonly is_behind: boolean;
}

/** Writes down what went today. */
export async function keepDays(
	sql: Sql,
	{ business, day }: OfDay,
	rooms: readonly DayRoom[]
): Promise<void> {
	if (rooms.length === 0) return;
	await sql`
		update bridge_state set day = given.day, count = given.count,
			is_behind = given.is_behind::boolean
		from unnest(
			${rooms.map(({ ledger }) => ledger)}::uuid[],
			${rooms.map(({ person }) => person)}::uuid[],
			${rooms.map(({ isFilling }) => (isFilling ? FILLING : day))}::int[],
			${rooms.map(({ count }) => count)}::int[],
			${rooms.map(({ isBehind }) => String(isBehind))}::text[]
		) as given (ledger, person, day, count, is_behind)
		where bridge_state.business = ${business} and bridge_state.ledger = given.ledger
			and bridge_state.person = given.person`;
}

/** BRIDGE-13. Leaves all that stands in the ledger behind, to be brought from now on; the way is locked. */
export async function leaveAll(
	sql: Sql,
	{ business, ledger, person }: Way & Pick<OfDay, 'business'>
): Promise<void> {
	await sql`
		update bridge_state set day = ${FILLING}, is_behind = true
		where business = ${business} and ledger = ${ledger} and person = ${person}`;
}

/** Ways on which an earlier day left something behind, each once; something new may have gone there today. */
export async function* findLeftBehind(
	sql: Sql,
	{ day, max }: { readonly day: number; readonly max: number }
): AsyncGenerator<Way & { readonly business: BusinessId }, undefined> {
	for (let after: readonly string[] = [NO_LEDGER, NO_LEDGER, NO_LEDGER]; ;) {
		const [business = '', ledger = '', person = ''] = after;
		const rows = await sql<(Way & { business: BusinessId })[]>`
			select business, ledger, person from bridge_state
			where is_behind and ledger <> ${NO_LEDGER}
					and (${isOtherDay(sql, day)} or count < ${max})
				and (business, ledger, person) > (${business}::uuid, ${ledger}::uuid, ${person}::uuid)
			order by business, ledger, person limit ${BEHIND_LENGTH}`;
		for (const row of rows) yield row;
		const last = rows.at(-1);
		if (last === undefined || rows.length < BEHIND_LENGTH) return undefined;
		after = [last.business, last.ledger, last.person];
	}
}
