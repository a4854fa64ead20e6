import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { HandedIn } from '#server/auth/handed-in.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import { foldsAnew } from '#server/projections/folds-anew.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { DAY_LIMITS, itemsOf, readAllowance, type Allowance, type DayLimits } from './allowance.ts';
import { digestOf } from './check-fact.ts';
import type { Bearer, Device } from './submission.ts';
import type { Given } from './given-fact.ts';
import { keepApart, readKeptApart, readTexts } from './known-facts.ts';

interface FeedParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly caller: { readonly scope: ScopeId };
	/** In the place of `DAY_LIMITS`. */
	readonly dayLimits?: DayLimits;
	/** Without it, nobody's folding is bounded. */
	readonly folds?: Pick<FoldMeter, 'isSpent' | 'take'>;
}

interface Appended extends Given {
	readonly became: Pick<HandedIn, 'became' | 'reason'>;
}

/**
 * RELAY-42. Facts of a whole business stand in its feed alone: numbered, kept and folded in one
 * transaction under the feed's lock, as the write path does it with documents. RELAY-21, RELAY-51. What
 * is known with another text is kept apart in it, whatever document it is of, as far as there is room.
 * RELAY-82. What would fold a ledger anew of who is beyond that is refused.
 */
export async function appendToFeed(
	{ sql, clock, caller: { scope }, dayLimits: limits = DAY_LIMITS, folds }: FeedParts,
	facts: readonly Given[],
	bearer: Bearer
): Promise<readonly Appended[]> {
	return sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		const s = await lockFeed(tx, scope);
		if (await isRemoved(tx, scope, bearer.code)) {
			return facts.map((one) => ({
				...one,
				became: { became: 'refused', reason: 'deviceRemoved' }
			}));
		}
		const named = facts.map(({ fact }) => fact);
		const device = { scope, code: bearer.code };
		const [textById, apart, allowance] = await Promise.all([
			readTexts(tx, scope, named),
			readKeptApart(tx, scope, named),
			readAllowance(tx, [device], { batch: [], now: clock(), limits })
		]);
		const take = takerOf(allowance, device, bearer);
		const isSpent = folds?.isSpent(scope) === true;
		const sorted = facts.map((one) => sortOne(one, { textById, apart, take, isSpent }));
		const of = (became: HandedIn['became']): readonly Appended[] =>
			sorted.filter((one) => one.became.became === became);
		await keepApart(tx, of('conflict'), clock());
		const carriedBy = bearer.isCarrying ? bearer.code : null;
		await insert(tx, of('kept'), { s, carriedBy, folded: folds?.take });
		await allowance.keep(tx);
		return sorted;
	});
}

interface Under {
	readonly textById: ReadonlyMap<string, string>;
	/** Ids and digests of what is kept apart already. */
	readonly apart: ReadonlySet<string>;
	/** Counts one more text, and whether there was room for it. */
	readonly take: (text: string) => boolean;
	/** Whether the business is beyond what is folded for it. */
	readonly isSpent: boolean;
}

function sortOne(one: Given, under: Under): Appended {
	const { textById, apart } = under;
	const { fact, given, address } = one;
	const known = textById.get(fact.id);
	if (known === given.text) return { ...one, became: { became: 'known' } };
	// What it was told apart from was refused since: it goes the way of its document the next time.
	if (known === undefined && address !== null) {
		return { ...one, became: { became: 'refused', reason: 'fault' } };
	}
	const isApart = known !== undefined && apart.has(`${fact.id} ${String(digestOf(given.text))}`);
	if (!isApart && isBeyond(one, known, under)) {
		return { ...one, became: { became: 'refused', reason: 'tooMany' } };
	}
	return { ...one, became: { became: known === undefined ? 'kept' : 'conflict' } };
}

function isBeyond(
	{ fact, given }: Given,
	known: string | undefined,
	{ take, isSpent }: Under
): boolean {
	const isHeldBack = isSpent && known === undefined && foldsAnew(fact);
	return isHeldBack || !take(given.text);
}

function takerOf(allowance: Allowance, device: Device, { isCarrying }: Bearer): Under['take'] {
	return (text) => {
		const items = itemsOf(text, isCarrying);
		const bringing = { facts: [], items, isCarried: isCarrying };
		if (allowance.beyond(device, bringing) === 'all') return false;
		allowance.take(device, bringing);
		return true;
	};
}

async function lockFeed(tx: Sql, scope: ScopeId): Promise<number> {
	await tx`insert into feed_head (business) values (${scope}) on conflict do nothing`;
	const [head] = await tx<{ s: string }[]>`
		select s from feed_head where business = ${scope} for update`;
	assert(head !== undefined, 'a feed that was made is there');
	return Number(head.s);
}

async function isRemoved(tx: Sql, scope: ScopeId, code: string): Promise<boolean> {
	const rows = await tx`
		select 1 from device where business = ${scope} and code = ${code} and removed_at is not null`;
	return rows.length > 0;
}

interface Inserting {
	readonly s: number;
	readonly carriedBy: string | null;
	readonly folded: FoldMeter['take'] | undefined;
}

async function insert(
	tx: Sql,
	facts: readonly Given[],
	{ s, carriedBy, folded }: Inserting
): Promise<void> {
	if (facts.length === 0) return;
	await tx`
		insert into fact (business, code, n, kind, branch, document, wall, counter, on_day, member,
			text, digest, s, carried_by)
		select business, code, n, kind, null, null, wall, counter, on_day, member, text, digest, s,
			${carriedBy}::text
		from unnest(
			${facts.map(({ author }) => author.scope)}::uuid[],
			${facts.map(({ fact }) => fact.code)}::text[],
			${facts.map(({ fact }) => fact.n)}::bigint[],
			${facts.map(({ fact }) => fact.kind)}::text[],
			${facts.map(({ fact }) => fact.at.wall)}::bigint[],
			${facts.map(({ fact }) => fact.at.counter)}::int[],
			${facts.map(({ fact }) => fact.on)}::text[]::date[],
			${facts.map(({ fact }) => fact.by)}::int[],
			${facts.map(({ given }) => given.text)}::text[],
			${facts.map(({ given }) => String(BigInt.asIntN(64, digestOf(given.text))))}::bigint[],
			${facts.map((_fact, at) => s + at + 1)}::bigint[]
		) as given (business, code, n, kind, wall, counter, on_day, member, text, digest, s)`;
	const [first] = facts;
	assert(first !== undefined, 'somebody is inserted');
	await tx`
		update feed_head set s = ${s + facts.length} where business = ${first.author.scope}`;
	await projectLedgerFacts(
		tx,
		facts.map(({ author, fact }) => ({ business: author.scope as BusinessId, fact })),
		folded
	);
}
