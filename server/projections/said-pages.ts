import type { Sql } from 'postgres';
import { NO_LEDGER } from '#server/database/journal.ts';
import { readCut, type Cut } from './cut-rows.ts';

/** A fact that says something of a ledger, by its place among them. */
export interface SaidPlace {
	readonly ledger: string;
	readonly code: string;
	readonly n: string;
}

/** With what the relay said of when it counts: that is known before it is folded. */
interface SaidColumns extends SaidPlace {
	readonly branch: string | null;
	readonly text: string;
	readonly clock_branch: string | null;
	readonly clock_text: string | null;
}

export interface SaidAsked {
	readonly business: string;
	readonly after: SaidPlace;
	/** Nothing of this ledger or a later one; of all that follow where there is none. */
	readonly below?: string | undefined;
	/** Of no ledger but that of `after`. */
	readonly isAlone?: boolean;
	readonly limit: number;
	readonly bytesMax?: number | undefined;
}

/** Before all that is said of a ledger. */
export function beforeSaid(ledger: string): SaidPlace {
	return { ledger, code: '', n: '0' };
}

/**
 * FEED-9. What is said of ledgers beside their records, ledger by ledger, as much as a piece has. It is
 * by the facts' names and not by their places in the feed: whoever comes in meanwhile comes by the feed.
 */
export function readSaidPage(
	tx: Sql,
	{ business, after, below, isAlone = false, limit, bytesMax }: SaidAsked
): Promise<Cut<SaidColumns>> {
	return readCut<SaidColumns>(tx, {
		rows: tx`
			select ledger_fact.ledger, ledger_fact.code, ledger_fact.n, fact.branch, fact.text,
				clock_fact.branch as clock_branch, clock_fact.text as clock_text
			from ledger_fact join fact using (business, code, n)
			left join clock using (business, code, n)
			left join fact as clock_fact on clock_fact.business = clock.business
				and clock_fact.code = clock.clock_code and clock_fact.n = clock.clock_n
			where ledger_fact.business = ${business}
				and (ledger_fact.ledger, ledger_fact.code, ledger_fact.n)
					> (${after.ledger}::uuid, ${after.code} collate "C", ${after.n}::bigint)
				${isAlone ? tx`and ledger_fact.ledger = ${after.ledger}` : tx`and ledger_fact.ledger <> ${NO_LEDGER}`}
				${below === undefined ? tx`` : tx`and ledger_fact.ledger < ${below}`}
			order by ledger_fact.ledger, ledger_fact.code, ledger_fact.n limit ${limit}`,
		order: tx`ledger, code, n`,
		bytes: tx`octet_length(text) + coalesce(octet_length(clock_text), 0)`,
		limit,
		bytesMax
	});
}

/** The facts, each behind what rules when it counts. */
export function factTexts(
	rows: readonly SaidColumns[]
): readonly (readonly [branch: string | null, text: string])[] {
	return rows.flatMap(({ branch, text, clock_branch: clockBranch, clock_text: clockText }) => [
		...(clockText === null ? [] : [[clockBranch, clockText] as const]),
		[branch, text] as const
	]);
}
