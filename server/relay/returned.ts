import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';

/** From which of an author's numbers on nobody tells for him, by his code. */
export type TellsHimself = ReadonlyMap<string, number>;

/** Who of a business or person has written again since the restore that began this epoch. */
export interface Returned {
	read(scope: ScopeId): Promise<TellsHimself>;
}

export interface ReturnedParts {
	readonly sql: Sql;
	/** The database's current epoch, which a restore began. */
	readonly epoch: number;
}

/** Begun anew, the oldest of them, beyond so many. */
const SCOPES_MAX = 1_000;

/** RELAY-56. Whether the fact is one that its author tells himself, or nobody. */
export function isAuthorBack({ code, n }: Pick<Fact, 'code' | 'n'>, firsts: TellsHimself): boolean {
	return n >= (firsts.get(code) ?? Infinity);
}

interface Seen {
	/** How far the feed was looked through. */
	s: number;
	/** The number of each author's first fact that he brought himself. */
	readonly firstByCode: Map<string, number>;
}

/**
 * RELAY-56. Whoever brought a fact of his own in this epoch is back, and tells from its number on
 * himself; who joined in it has nothing that was forgotten. Nobody waits for one whose access has
 * ended. Looks through what is new in the feed, once.
 */
export function createReturned({ sql, epoch }: ReturnedParts): Returned {
	const seenByScope = new Map<ScopeId, Seen>();
	const seenOf = async (scope: ScopeId): Promise<Seen> => {
		const seen = seenByScope.get(scope) ?? {
			s: await readBeginning(sql, { scope, epoch }),
			firstByCode: new Map<string, number>()
		};
		seenByScope.set(scope, seen);
		const [oldest] = seenByScope.keys();
		if (seenByScope.size > SCOPES_MAX && oldest !== undefined) seenByScope.delete(oldest);
		return seen;
	};
	return {
		read: async (scope) => {
			const seen = await seenOf(scope);
			await lookOn(sql, scope, seen);
			const firsts = new Map(seen.firstByCode);
			for (const { code, is_removed: isRemoved } of await readNewOrGone(sql, { scope, epoch })) {
				if (isRemoved) firsts.delete(code);
				else firsts.set(code, 1);
			}
			return firsts;
		}
	};
}

interface InEpoch {
	readonly scope: ScopeId;
	readonly epoch: number;
}

/** Where the scope's feed stood when this epoch began. */
async function readBeginning(sql: Sql, { scope, epoch }: InEpoch): Promise<number> {
	const [end] = await sql<{ s: string }[]>`
		select s from epoch_end where business = ${scope} and epoch < ${epoch}
		order by epoch desc limit 1`;
	return Number(end?.s ?? 0);
}

async function lookOn(sql: Sql, scope: ScopeId, seen: Seen): Promise<void> {
	const from = seen.s;
	const [head] = await sql<{ s: string }[]>`
		select s from feed_head where business = ${scope}`;
	const upTo = Number(head?.s ?? 0);
	if (upTo <= from) return;
	const rows = await sql<{ code: string; n: string }[]>`
		select distinct on (code) code, n from fact
		where business = ${scope} and s > ${from} and s <= ${upTo} and carried_by is null
		order by code, s`;
	for (const { code, n } of rows) {
		if (!seen.firstByCode.has(code)) seen.firstByCode.set(code, Number(n));
	}
	seen.s = Math.max(seen.s, upTo);
}

/** Devices, or phones, that joined in this epoch, and those whose access has ended. */
async function readNewOrGone(
	sql: Sql,
	{ scope, epoch }: InEpoch
): Promise<readonly { readonly code: string; readonly is_removed: boolean }[]> {
	return sql<{ code: string; is_removed: boolean }[]>`
		with author as (
			select code, joined_epoch, removed_at from device where business = ${scope}
			union all
			select code, joined_epoch, removed_at from phone where person = ${scope}
		)
		select code, removed_at is not null as is_removed from author
		where removed_at is not null or joined_epoch >= ${epoch}`;
}
