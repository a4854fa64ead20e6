import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { digestOf } from './check-fact.ts';
import type { Given } from './given-fact.ts';

/** The texts that the database has under the names of these facts, by id. */
export async function readTexts(
	sql: Sql,
	scope: ScopeId,
	facts: readonly Pick<Fact, 'code' | 'n'>[]
): Promise<Map<string, string>> {
	if (facts.length === 0) return new Map();
	const rows = await sql<{ code: string; n: string; text: string }[]>`
		select fact.code, fact.n, fact.text from fact
		join unnest(
			${facts.map(({ code }) => code)}::text[],
			${facts.map(({ n }) => n)}::bigint[]
		) as asked (code, n)
		on fact.business = ${scope} and fact.code = asked.code collate "C" and fact.n = asked.n`;
	return new Map(rows.map(({ code, n, text }) => [`${code}-${n}`, text]));
}

/** Which texts are kept apart already under the names of these facts: `{id} {digest}`, unsigned. */
export async function readKeptApart(
	sql: Sql,
	scope: ScopeId,
	facts: readonly Pick<Fact, 'code' | 'n'>[]
): Promise<ReadonlySet<string>> {
	if (facts.length === 0) return new Set();
	const rows = await sql<{ code: string; n: string; digest: string }[]>`
		select fork.code, fork.n, fork.digest from fork
		join unnest(
			${facts.map(({ code }) => code)}::text[],
			${facts.map(({ n }) => n)}::bigint[]
		) as asked (code, n)
		on fork.business = ${scope} and fork.code = asked.code collate "C" and fork.n = asked.n`;
	return new Set(
		rows.map(({ code, n, digest }) => `${code}-${n} ${String(BigInt.asUintN(64, BigInt(digest)))}`)
	);
}

/** RELAY-21. A second text for a known id: kept in a table of its own, never counted. */
export async function keepApart(
	sql: Sql,
	facts: readonly Given[],
	receivedAt: number
): Promise<void> {
	if (facts.length === 0) return;
	await sql`
		insert into fork (business, code, n, digest, document, text, received_at)
		select business, code, n, digest, document, text, ${receivedAt}::bigint
		from unnest(
			${facts.map(({ author }) => author.scope)}::uuid[],
			${facts.map(({ fact }) => fact.code)}::text[],
			${facts.map(({ fact }) => fact.n)}::bigint[],
			${facts.map(({ given }) => String(BigInt.asIntN(64, digestOf(given.text))))}::bigint[],
			${facts.map(({ name }) => name)}::text[],
			${facts.map(({ given }) => given.text)}::text[]
		) as given (business, code, n, digest, document, text)
		on conflict do nothing`;
}
