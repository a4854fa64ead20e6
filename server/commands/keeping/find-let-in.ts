import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';

/** Somebody who has access, and whose removal the database has forgotten. */
export interface LetIn {
	readonly business: string;
	/** `device C` or `member 2`. */
	readonly who: string;
	/** When his access ended, ms UTC, as devices that handed it in say; no more is known of it. */
	readonly removedAt: number;
	/** The code of the device that handed it in. */
	readonly toldBy: string;
}

/**
 * KEEP-12. Devices and members whose removal was handed in after a restore, and who were let in before it:
 * nobody is removed by what a device says, since that would let any device remove any other.
 */
export async function findLetIn(tx: Sql, business: string): Promise<readonly LetIn[]> {
	const [told, kept] = await Promise.all([readTold(tx, business), readKept(tx, business)]);
	const last = new Map(told.map((one) => [one.who, one]));
	return Array.from(last.values()).filter(({ who, removedAt }) => {
		const since = kept.get(who);
		return since !== undefined && since < removedAt;
	});
}

/** In the order of the feed. */
async function readTold(tx: Sql, business: string): Promise<readonly LetIn[]> {
	const rows = await tx<{ text: string; told_by: string }[]>`
		select text, carried_by as told_by from fact
		where business = ${business} and kind in ('member', 'device') and carried_by is not null
		order by s`;
	return rows.flatMap(({ text, told_by: toldBy }) => {
		const fact = parseFact(text);
		if (!fact.ok || (fact.value.kind !== 'member' && fact.value.kind !== 'device')) return [];
		const { removedAt } = fact.value.fields;
		const who =
			fact.value.kind === 'device'
				? `device ${fact.value.device}`
				: `member ${String(fact.value.member)}`;
		return removedAt === undefined ? [] : [{ business, who, removedAt, toldBy }];
	});
}

/** Since when each has the access that he has. */
async function readKept(tx: Sql, business: string): Promise<ReadonlyMap<string, number>> {
	const rows = await tx<{ who: string; since: string }[]>`
		select 'device ' || code as who, joined_at as since from device
		where business = ${business} and removed_at is null
		union all
		select 'member ' || member, created_at from member
		where business = ${business} and removed_at is null`;
	return new Map(rows.map(({ who, since }) => [who, Number(since)]));
}
