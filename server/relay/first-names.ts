import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import { firstName, firstText, idAtStart } from '#domain/fact/issued-again.ts';
import { parseFactId, type FactId } from '#domain/ids.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { digestOf } from './check-fact.ts';

/** A fact by the name and text that it had first: with both alike it is one act, whoever issued it. */
export function firstKey(scope: string, { fact, text }: FactAndText): string {
	return keyOf(scope, firstName(fact).id, digestOf(firstText(text)));
}

interface FactAndText {
	readonly fact: Fact;
	readonly text: string;
}

/** What the table of facts keeps of a fact that was issued again; nulls for every other. */
export interface FirstColumns {
	readonly wasCode: string | null;
	readonly wasN: number | null;
	readonly firstDigest: bigint | null;
}

export function firstColumns({ fact, text }: FactAndText): FirstColumns {
	if (fact.was === undefined) return { wasCode: null, wasN: null, firstDigest: null };
	const { code, n } = firstName(fact);
	return { wasCode: code, wasN: n, firstDigest: digestOf(firstText(text)) };
}

/** Whoever tells these texts. */
export interface Told {
	readonly scope: ScopeId;
	readonly code: string;
	readonly texts: readonly string[];
}

/**
 * RELAY-46. Under which id the database holds each act of these texts, by `firstKey`, where it may
 * hold it under another: texts that were issued again, and those of a device that has an heir.
 */
export async function readFirstNames(
	sql: Sql,
	told: readonly Told[]
): Promise<Map<string, string>> {
	const heired = await readHeired(sql, told);
	const asked = told.flatMap(({ scope, code, texts }) => {
		const isHeired = heired.has(`${scope} ${code}`);
		return texts.flatMap((text) => firstIdOf(text, isHeired).map((id) => ({ scope, id })));
	});
	return asked.length === 0 ? new Map() : readHeld(sql, asked);
}

async function readHeired(sql: Sql, told: readonly Told[]): Promise<ReadonlySet<string>> {
	const rows = await sql<{ scope: string; code: string }[]>`
		with teller as (
			select distinct * from unnest(
				${told.map(({ scope }) => scope)}::uuid[],
				${told.map(({ code }) => code)}::text[]
			) as given (scope, code)
		)
		select scope, teller.code from device
		join teller on device.business = scope and device.heir_of = teller.code
		union
		select scope, teller.code from phone
		join teller on phone.person = scope and phone.heir_of = teller.code`;
	return new Set(rows.map(({ scope, code }) => `${scope} ${code}`));
}

/** The first name of a text that may be known under another; none for all others. */
function firstIdOf(text: string, isHeired: boolean): readonly FactId[] {
	if (!text.startsWith('[[')) {
		const id = isHeired ? idAtStart(text) : undefined;
		return id === undefined ? [] : [id];
	}
	const id = idAtStart(firstText(text));
	return id === undefined ? [] : [id];
}

async function readHeld(
	sql: Sql,
	asked: readonly { readonly scope: ScopeId; readonly id: FactId }[]
): Promise<Map<string, string>> {
	const names = asked.flatMap(({ scope, id }) => {
		const parsed = parseFactId(id);
		return parsed.ok ? [{ scope, ...parsed.value }] : [];
	});
	const rows = await sql<HeldRow[]>`
		with asked as (
			select distinct * from unnest(
				${names.map(({ scope }) => scope)}::uuid[],
				${names.map(({ code }) => code)}::text[],
				${names.map(({ n }) => n)}::bigint[]
			) as given (business, code, n)
		)
		select fact.business, fact.code, fact.n, fact.code as first_code, fact.n as first_n,
			fact.digest as first_digest
		from fact join asked on fact.business = asked.business
			and fact.code = asked.code collate "C" and fact.n = asked.n
		where fact.was_code is null
		union all
		select fact.business, fact.code, fact.n, fact.was_code, fact.was_n, fact.first_digest
		from fact join asked on fact.business = asked.business
			and fact.was_code = asked.code collate "C" and fact.was_n = asked.n
		where fact.was_code is not null`;
	return new Map(
		rows.map((row) => [
			keyOf(
				row.business,
				`${row.first_code}-${row.first_n}`,
				BigInt.asUintN(64, BigInt(row.first_digest))
			),
			`${row.code}-${row.n}`
		])
	);
}

interface HeldRow {
	readonly business: string;
	readonly code: string;
	readonly n: string;
	readonly first_code: string;
	readonly first_n: string;
	readonly first_digest: string;
}

function keyOf(scope: string, id: string, digest: bigint): string {
	return `${scope} ${id} ${digest.toString(16)}`;
}
