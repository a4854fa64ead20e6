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
}

export interface OfDay {
	readonly business: BusinessId;
	/** Days since 1970. */
	readonly day: number;
}

const DAY_MS = 86_400_000;
const BEHIND_LENGTH = 100;

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
		count: last === day ? count : 0
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
		update bridge_state set day = ${day}, count = given.count, is_behind = given.is_behind::boolean
		from unnest(
			${rooms.map(({ ledger }) => ledger)}::uuid[],
			${rooms.map(({ person }) => person)}::uuid[],
			${rooms.map(({ count }) => count)}::int[],
			${rooms.map(({ isBehind }) => String(isBehind))}::text[]
		) as given (ledger, person, count, is_behind)
		where bridge_state.business = ${business} and bridge_state.ledger = given.ledger
			and bridge_state.person = given.person`;
}

/** Ways on which an earlier day left something behind. */
export async function findLeftBehind(
	sql: Sql,
	day: number
): Promise<readonly (Way & { readonly business: BusinessId })[]> {
	return sql<(Way & { readonly business: BusinessId })[]>`
		select business, ledger, person from bridge_state
		where is_behind and ledger <> ${NO_LEDGER} and day < ${day} limit ${BEHIND_LENGTH}`;
}
