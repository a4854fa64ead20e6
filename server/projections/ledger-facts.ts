import type { Sql } from 'postgres';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { LEDGER_FACT_KINDS, type VerdictFact } from '#domain/fact/ledger-fact.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import type { FactToProject } from './effected.ts';

type Given = Pick<FactToProject, 'business' | 'fact'>;

const KINDS: ReadonlySet<string> = new Set(LEDGER_FACT_KINDS);

/** With which a balance is folded; of records' facts those that list others. */
const MOVING: readonly string[] = ['verdict', 'answered', 'link', 'record'];

export interface LedgerName {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
}

/**
 * PROJ-10. Keeps by their names the facts that say something of a ledger beside its records: what a
 * checkpoint carries whole and a balance is folded with. Returns the ledgers whose numbers may move.
 */
export async function keepLedgerFacts(
	sql: Sql,
	facts: readonly Given[]
): Promise<readonly LedgerName[]> {
	const kept = facts.filter(({ fact }) => KINDS.has(fact.kind) || saysMore(fact));
	if (kept.length === 0) return [];
	const rows = kept.flatMap(({ business, fact }) => {
		const ledgers = ledgersOf(fact);
		const named = ledgers.length === 0 ? [NO_LEDGER] : ledgers;
		return named.map((ledger) => ({ business, ledger, fact }));
	});
	await sql`
		insert into ledger_fact (business, ledger, code, n, kind)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ ledger }) => ledger)}::uuid[],
			${rows.map(({ fact }) => fact.code)}::text[],
			${rows.map(({ fact }) => fact.n)}::bigint[],
			${rows.map(({ fact }) => fact.kind)}::text[]
		)
		on conflict do nothing`;
	const judged = await keepClaims(sql, kept);
	const moved = kept.flatMap(({ business, fact }) =>
		movesBalance(fact) ? ledgersOf(fact).map((ledger) => ({ business, ledger })) : []
	);
	return [...moved, ...judged];
}

/**
 * Claims by their ids. Returns the ledgers that have the verdict on one already: by which code it was is known
 * only now. Only what was handed in after a restore comes before its claim.
 */
async function keepClaims(sql: Sql, kept: readonly Given[]): Promise<readonly LedgerName[]> {
	const claims = kept.flatMap(({ business, fact }) =>
		fact.kind === 'claim' ? [{ business, fact, claim: fact.claim }] : []
	);
	if (claims.length === 0) return [];
	await sql`
		insert into claim (business, claim, code, n, h, way, counter)
		select * from unnest(
			${claims.map(({ business }) => business)}::uuid[],
			${claims.map(({ claim }) => claim.id)}::uuid[],
			${claims.map(({ fact }) => fact.code)}::text[],
			${claims.map(({ fact }) => fact.n)}::bigint[],
			${claims.map(({ claim }) => claim.h)}::text[],
			${claims.map(({ claim }) => claim.way)}::text[],
			${claims.map(({ claim }) => claim.counter ?? null)}::bigint[]
		)
		on conflict do nothing`;
	const coded = claims.filter(({ claim: { way } }) => way === 'sheet' || way === 'app');
	if (coded.length === 0) return [];
	return sql<LedgerName[]>`
		with claimed as (
			select distinct business, named.ledger from unnest(
				${coded.map(({ business }) => business)}::uuid[],
				${coded.map(({ claim }) => claim.h)}::text[]
			) as given (business, h) join (
				select business, ledger, h from record
				union all select business, ledger, h from early_name
			) as named using (business, h)
		)
		select distinct business, ledger_fact.ledger
		from claimed join ledger_fact using (business, ledger) join fact using (business, code, n)
		where ledger_fact.kind = 'verdict' and fact.carried_by is not null
			and fact.text::json ->> 7 = any(${coded.map(({ claim }) => claim.id)}::text[])`;
}

/** A record's fact that says more than its records do. */
function saysMore(fact: Fact): boolean {
	if (fact.kind !== 'record') return false;
	return [fact.answer, fact.list, fact.slip, fact.pending].some((more) => more !== undefined);
}

/** An answer of the shop's, a slip or a pending payment that a record ends move no sum. */
export function movesBalance(fact: Fact): boolean {
	return fact.kind === 'record' ? fact.list !== undefined : MOVING.includes(fact.kind);
}

/** Our own devices write of one ledger in a fact; what a statement lists is found by the statement's. */
function ledgersOf(fact: Fact): readonly LedgerId[] {
	if (fact.kind === 'record')
		return Array.from(new Set(fact.records.map(({ core }) => core.ledgerId)));
	if (fact.kind === 'entry') return fact.ledgerId === 0 ? [] : [fact.ledgerId];
	return KINDS.has(fact.kind) && 'ledgerId' in fact ? [fact.ledgerId] : [];
}

/** What a ledger's first record in a currency asks. */
export interface Talk {
	/** Whether anything was said of the ledger, a record to come perhaps. */
	readonly isTalkedOf: boolean;
	/** Whether all that was said of records to come is among the early names. */
	readonly hasNames: boolean;
}

/** By `{business} {ledger}`. */
export async function readTalk(
	sql: Sql,
	ledgers: readonly LedgerName[]
): Promise<ReadonlyMap<string, Talk>> {
	if (ledgers.length === 0) return new Map();
	const rows = await sql<(LedgerName & { is_talked_of: boolean; has_names: boolean })[]>`
		select business, ledger,
			exists (
				select from ledger_fact where ledger_fact.business = asked.business
					and ledger_fact.ledger = asked.ledger
			) as is_talked_of,
			exists (
				select from balance where balance.business = asked.business
					and balance.ledger = asked.ledger and has_names
			) as has_names
		from unnest(
			${ledgers.map(({ business }) => business)}::uuid[],
			${ledgers.map(({ ledger }) => ledger)}::uuid[]
		) as asked (business, ledger)`;
	return new Map(
		rows.map(({ business, ledger, is_talked_of: isTalkedOf, has_names: hasNames }) => [
			`${business} ${ledger}`,
			{ isTalkedOf, hasNames }
		])
	);
}

/** The facts with which these ledgers' balances are folded, by `{business} {ledger}`, in the order of facts. */
export async function readLedgerFacts(
	sql: Sql,
	ledgers: readonly LedgerName[]
): Promise<ReadonlyMap<string, readonly Fact[]>> {
	const rows = await sql<(StoredText & { business: string; ledger: string })[]>`
		select ledger_fact.business, ledger_fact.ledger, fact.text, ${clockColumns(sql)}
		from ledger_fact join fact using (business, code, n) left join clock using (business, code, n)
		where (ledger_fact.business, ledger_fact.ledger) in (
			select * from unnest(
				${ledgers.map(({ business }) => business)}::uuid[],
				${ledgers.map(({ ledger }) => ledger)}::uuid[]
			)
		) and ledger_fact.kind = any(${MOVING}::text[])`;
	const byLedger = Map.groupBy(rows, ({ business, ledger }) => `${business} ${ledger}`);
	return new Map(
		Array.from(byLedger, ([key, ofLedger]) => [key, inOrder(ofLedger.map(storedFact))])
	);
}

/**
 * CP-23. The claims by a code that verdicts among these facts said yes to, where those are of several
 * records: of two by one code one stands.
 */
export async function readCodeClaims(
	sql: Sql,
	ledgers: readonly (LedgerName & { readonly facts: readonly Fact[] })[]
): Promise<ReadonlyMap<string, readonly Fact[]>> {
	const asked = ledgers.flatMap(({ business, ledger, facts }) => {
		const oks = oksOf(facts);
		const isOfSeveral = new Set(oks.map(({ verdict }) => verdict.h)).size > 1;
		return isOfSeveral ? oks.map(({ claimId }) => ({ business, ledger, claimId })) : [];
	});
	if (asked.length === 0) return new Map();
	const rows = await sql<(StoredText & LedgerName)[]>`
		select business, given.ledger, fact.text, ${clockColumns(sql)}
		from unnest(
			${asked.map(({ business }) => business)}::uuid[],
			${asked.map(({ ledger }) => ledger)}::uuid[],
			${asked.map(({ claimId }) => claimId)}::uuid[]
		) as given (business, ledger, claim)
		join claim using (business, claim) join fact using (business, code, n)
		left join clock using (business, code, n)
		where claim.way in ('sheet', 'app')`;
	const byLedger = Map.groupBy(rows, ({ business, ledger }) => `${business} ${ledger}`);
	return new Map(Array.from(byLedger, ([key, ofLedger]) => [key, ofLedger.map(storedFact)]));
}

function oksOf(facts: readonly Fact[]): readonly VerdictFact[] {
	return facts.filter(
		(fact): fact is VerdictFact => fact.kind === 'verdict' && fact.verdict.result === 'ok'
	);
}

/**
 * The texts of all that is kept of a business, with the branch of each, and what the relay said of
 * their times, for a checkpoint.
 */
export async function readLedgerTexts(
	sql: Sql,
	business: BusinessId
): Promise<readonly (readonly [branch: string | null, text: string])[]> {
	const rows = await sql<{ branch: string | null; text: string }[]>`
		select fact.branch, fact.text from ledger_fact join fact using (business, code, n)
		where ledger_fact.business = ${business}
		union all
		select clock_fact.branch, clock_fact.text
		${clockFacts(sql)} where ledger_fact.business = ${business}`;
	return rows.map(({ branch, text }) => [branch, text]);
}

function inOrder(facts: readonly Fact[]): readonly Fact[] {
	return facts.toSorted((a, b) => compareFactOrder({ ...a.at, id: a.id }, { ...b.at, id: b.id }));
}

/** The clock facts that rule when facts of `ledger_fact` count, as `clock_fact`. */
function clockFacts(sql: Sql): ReturnType<Sql> {
	return sql`from ledger_fact join clock using (business, code, n)
		join fact as clock_fact on clock_fact.business = clock.business
			and clock_fact.code = clock.clock_code and clock_fact.n = clock.clock_n`;
}

/** What these facts say of records, for their standing. */
export function sayingsOf(facts: readonly Fact[]): ReturnType<typeof effectsOf>['sayings'] {
	return facts.flatMap((fact) => effectsOf(fact).sayings);
}
