import type { Sql } from 'postgres';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import type { Brought } from './early-answers.ts';

/** Shops whose answers wait, since each folds a ledger anew and they are beyond what is folded for them. */
export interface HeldAnswers {
	/** Also while older ones of the same shop wait, so that none overtakes another. */
	readonly isHeldBack: (business: BusinessId) => boolean;
	/** Those that may have theirs now. */
	readonly ready: () => Promise<readonly BusinessId[]>;
	/** None of a shop's is left. */
	readonly done: (business: BusinessId) => void;
}

/** RELAY-82. What was held back before this process began, it finds at its first look. */
export function createHeldAnswers(
	sql: Sql,
	isSpent: FoldMeter['isSpent'] = () => false
): HeldAnswers {
	const held = new Set<BusinessId>();
	let hasLooked = false;
	return {
		isHeldBack: (business) => {
			if (isSpent(business)) held.add(business);
			return held.has(business);
		},
		ready: async () => {
			if (!hasLooked) for (const business of await findHeld(sql)) held.add(business);
			hasLooked = true;
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

/** What those answers are to. */
export async function readAnswered(
	sql: Sql,
	{ business, person }: { readonly business: BusinessId; readonly person: PersonId }
): Promise<readonly Brought[]> {
	return sql<Brought[]>`
		select distinct ledger, key from early_answer
		join bridged using (business, ledger, person, key)
		where business = ${business} and person = ${person}`;
}
