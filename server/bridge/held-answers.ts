import type { Sql } from 'postgres';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Brought } from './early-answers.ts';
import { notePassed, type Passing } from './passed.ts';

/** Shops whose answers wait, since each folds a ledger anew and they are beyond what is folded for them. */
export interface HeldAnswers {
	/** Also while older ones of the same shop wait, so that none overtakes another. */
	readonly isHeldBack: (business: BusinessId) => boolean;
	/** Those that may have theirs now. */
	readonly ready: () => Promise<readonly BusinessId[]>;
	/** None of a shop's is left. */
	readonly done: (business: BusinessId) => void;
}

export interface HeldParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly folds?: Pick<FoldMeter, 'isSpent'>;
}

/** How often one looks for what another process held back, and is killed with what it remembered. */
const LOOK_AGAIN_MS = 60_000;

/** RELAY-82. What other processes held back, before this one began or since, it finds when it looks. */
export function createHeldAnswers({ sql, clock, folds }: HeldParts): HeldAnswers {
	const held = new Set<BusinessId>();
	let lookedAt = -Infinity;
	const isSpent: FoldMeter['isSpent'] = (business) => folds?.isSpent(business) === true;
	return {
		isHeldBack: (business) => {
			if (isSpent(business)) held.add(business);
			return held.has(business);
		},
		ready: async () => {
			// A clock may be set back.
			if (Math.abs(clock() - lookedAt) >= LOOK_AGAIN_MS) {
				for (const business of await findHeld(sql)) held.add(business);
				lookedAt = clock();
			}
			return Array.from(held).filter((business) => !isSpent(business));
		},
		done: (business) => held.delete(business)
	};
}

/** An answer to what was brought is early no more: it was held back. */
async function findHeld(sql: Sql): Promise<readonly BusinessId[]> {
	const rows = await sql<{ business: BusinessId }[]>`
		select distinct business from early_answer
		join bridged using (business, ledger, person, key)`;
	return rows.map(({ business }) => business);
}

/** Whose answers to a shop were held back. */
export async function readAnswerers(sql: Sql, business: BusinessId): Promise<readonly PersonId[]> {
	const rows = await sql<{ person: PersonId }[]>`
		select distinct person from early_answer
		join bridged using (business, ledger, person, key)
		where business = ${business} order by person`;
	return rows.map(({ person }) => person);
}

/** From whom to whom. */
export interface AnswerWay {
	readonly business: BusinessId;
	readonly person: PersonId;
}

/** What those answers are to. */
export async function readAnswered(
	sql: Sql,
	{ business, person }: AnswerWay
): Promise<readonly Brought[]> {
	return sql<Brought[]>`
		select distinct ledger, key from early_answer
		join bridged using (business, ledger, person, key)
		where business = ${business} and person = ${person}`;
}

/** BRIDGE-20. Writes down that the answers to one record cannot be carried; they wait here no more. */
export async function passAnswered(
	sql: Sql,
	{ business, person, ledger, key }: AnswerWay & Brought,
	passing: Passing
): Promise<ReadonlySet<ScopeId>> {
	const rows = await sql<{ s: string }[]>`
		with passed as (
			delete from early_answer
			where business = ${business} and ledger = ${ledger} and person = ${person} and key = ${key}
			returning code, n
		)
		select fact.s from passed
		join fact on fact.business = ${person} and fact.code = passed.code and fact.n = passed.n
		order by fact.s`;
	for (const { s } of rows) await notePassed(sql, { scope: person, s: Number(s) }, passing);
	return new Set();
}
