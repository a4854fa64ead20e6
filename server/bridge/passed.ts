import type { Sql } from 'postgres';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { isDatabaseGone } from '#server/database/connect.ts';
import { codeOf } from '#server/database/data-folder.ts';
import { isWentBack } from '#server/database/went-back.ts';

/** What the database answers but that it does not take a value, by a rule of its tables or a limit. */
const OF_DATABASE = /^(?!22|23|54)[0-9A-Z]{5}$/;
const REASON_LENGTH_MAX = 300;
const PASSED_LENGTH = 100;

/** Whether what was carried is to blame, and not the database's state or what this server knows of it. */
export function isOfFact(fault: unknown): boolean {
	if (isWentBack(fault) || isDatabaseGone(fault) || OF_DATABASE.test(codeOf(fault))) return false;
	return !(fault instanceof Error) || fault.cause === undefined || isOfFact(fault.cause);
}

/** What was ill for a moment is carried in its order; what stays so keeps nothing else waiting for longer. */
const PATIENCE_MS = 30_000;
const WAITING_MAX = 10_000;

/** Since when something cannot be carried. */
export interface Patience {
	/** It cannot be carried: whether that has been so for long. */
	isOver(what: string): boolean;
	/** It could be, or what could not is passed. */
	begin(what: string): void;
}

export function createPatience(clock: () => number): Patience {
	const since = new Map<string, number>();
	return {
		isOver: (what) => {
			const first = since.get(what);
			// A clock may be set back.
			if (first !== undefined) return Math.abs(clock() - first) >= PATIENCE_MS;
			if (since.size >= WAITING_MAX) since.clear();
			since.set(what, clock());
			return false;
		},
		begin: (what) => {
			since.delete(what);
		}
	};
}

/** A fact by its number in the feed. */
export interface FactPlace {
	readonly scope: ScopeId;
	readonly s: number;
}

export interface Passing {
	/** Why. */
	readonly fault: unknown;
	/** Days since 1970. */
	readonly day: number;
}

/** BRIDGE-20. Writes down what could not be carried, and why; it is tried again another day. */
export async function notePassed(
	sql: Sql,
	{ scope, s }: FactPlace,
	{ fault, day }: Passing
): Promise<void> {
	const reason = (fault instanceof Error ? fault.message : String(fault)).slice(
		0,
		REASON_LENGTH_MAX
	);
	await sql`
		insert into bridge_passed as held (scope, s, reason, due_day)
		values (${scope}, ${s}, ${reason}, ${day + 1})
		on conflict (scope, s) do update set reason = excluded.reason, tries = held.tries + 1,
			due_day = ${day} + (1 << least(held.tries, 20))`;
}

/** What was passed and is to be tried again by that day. */
export async function findPassed(sql: Sql, day: number): Promise<readonly FactPlace[]> {
	const rows = await sql<{ scope: ScopeId; s: string }[]>`
		select scope, s from bridge_passed where due_day <= ${day}
		order by due_day, scope, s limit ${PASSED_LENGTH}`;
	return rows.map(({ scope, s }) => ({ scope, s: Number(s) }));
}

/** Takes it in hand, and writes it down no more; false where another has it. */
export async function takePassed(sql: Sql, { scope, s }: FactPlace): Promise<boolean> {
	const taken = await sql`
		delete from bridge_passed where (scope, s) in (
			select scope, s from bridge_passed where scope = ${scope} and s = ${s}
			for update skip locked
		) returning s`;
	return taken.length > 0;
}
