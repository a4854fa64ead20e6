import type { Sql } from 'postgres';

/** A connection that a restore forgot, and that only one side has said again. */
export interface LostLink {
	/** Of the shop's feed, or the person's, who says so. */
	readonly scope: string;
	readonly business: string;
	readonly ledger: string;
	/** When it began, ms UTC, as that side says. */
	readonly since: number;
}

/**
 * KEEP-15. The connections of which a side was told that the database knows nothing of them, and heard
 * nothing since.
 */
export async function findLostLinks(tx: Sql, scope: string): Promise<readonly LostLink[]> {
	const rows = await tx<{ business: string; ledger: string; since: string }[]>`
		with said as (
			select business, text::json ->> 6 as ledger, text::json -> 7 as fields, wall, counter, s
			from fact where business = ${scope} and kind = 'link'
			union all
			select (text::json ->> 6)::uuid, text::json ->> 7, text::json -> 8, wall, counter, s
			from fact where business = ${scope} and kind = 'card'
		), last as (
			select distinct on (business, ledger) business, ledger, fields
			from said where fields ->> 'state' is not null
			order by business, ledger, wall desc, counter desc, s desc
		)
		select business, ledger, fields ->> 'at' as since from last
		where fields ->> 'state' = 'ended' and fields ->> 'endedBy' is null
			and fields ->> 'at' is not null
		order by business, ledger`;
	return rows.map(({ since, ...row }) => ({ ...row, scope, since: Number(since) }));
}
