import type { Sql } from 'postgres';
import {
	clockedTime,
	rulingTime,
	type ClockedTime,
	type ClockFact,
	type FactTime
} from '#domain/fact/clock-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { factId, parseFactId, type BusinessId, type FactId } from '#domain/ids.ts';

interface PlacedClock {
	readonly business: BusinessId;
	readonly fact: ClockFact;
}

/** A fact of which a clock fact speaks that ruled not before. */
export interface Ruling {
	readonly business: BusinessId;
	readonly id: FactId;
	/** By the clock fact that ruled until now. */
	readonly before: FactTime | undefined;
	readonly now: FactTime;
}

/** PROJ-12. Keeps when facts count by these clock facts; returns those of which another one ruled before, or none. */
export async function keepClocks(
	sql: Sql,
	clocks: readonly PlacedClock[]
): Promise<readonly Ruling[]> {
	if (clocks.length === 0) return [];
	const byFact = Map.groupBy(clocks, ({ business, fact }) => nameOf(business, fact.factId));
	const held = await readTimes(
		sql,
		clocks.map(({ business, fact }) => ({ business, id: fact.factId }))
	);
	const rulings: (Ruling & { readonly now: ClockedTime })[] = [];
	for (const [name, said] of byFact) {
		const before = held.get(name);
		const now = rulingTime(before, ...said.map(({ fact }) => clockedTime(fact)));
		const [first] = said;
		if (first === undefined || now === undefined || now.by === before?.by) continue;
		rulings.push({ business: first.business, id: first.fact.factId, before, now });
	}
	await putClocks(sql, rulings);
	return rulings;
}

async function putClocks(
	sql: Sql,
	rulings: readonly (Ruling & { readonly now: ClockedTime })[]
): Promise<void> {
	if (rulings.length === 0) return;
	const facts = rulings.map(({ id }) => partsOf(id));
	const clocks = rulings.map(({ now }) => partsOf(now.by));
	await sql`
		insert into clock (business, code, n, clock_code, clock_n, wall, counter, on_day)
		select * from unnest(
			${rulings.map(({ business }) => business)}::uuid[],
			${facts.map(({ code }) => code)}::text[],
			${facts.map(({ n }) => n)}::bigint[],
			${clocks.map(({ code }) => code)}::text[],
			${clocks.map(({ n }) => n)}::bigint[],
			${rulings.map(({ now }) => now.at.wall)}::bigint[],
			${rulings.map(({ now }) => now.at.counter)}::int[],
			${rulings.map(({ now }) => now.on)}::text[]::date[]
		)
		on conflict (business, code, n) do update set clock_code = excluded.clock_code,
			clock_n = excluded.clock_n, wall = excluded.wall, counter = excluded.counter,
			on_day = excluded.on_day`;
}

/** When these facts count, by `{business} {id}`, where a clock fact says so. */
export async function readTimes(
	sql: Sql,
	facts: readonly { readonly business: BusinessId; readonly id: FactId }[]
): Promise<ReadonlyMap<string, ClockedTime>> {
	if (facts.length === 0) return new Map();
	const names = facts.map(({ id }) => partsOf(id));
	const rows = await sql<ClockRow[]>`
		select clock.business, clock.code, clock.n, clock_code, clock_n, wall, counter,
			on_day::text as on_day
		from clock join unnest(
			${facts.map(({ business }) => business)}::uuid[],
			${names.map(({ code }) => code)}::text[],
			${names.map(({ n }) => n)}::bigint[]
		) as asked (business, code, n)
		on clock.business = asked.business and clock.code = asked.code collate "C"
			and clock.n = asked.n`;
	return new Map(
		rows.map((row) => [
			nameOf(row.business, factId(row.code, Number(row.n))),
			{
				by: factId(row.clock_code, Number(row.clock_n)),
				at: { wall: Number(row.wall), counter: row.counter },
				on: row.on_day
			}
		])
	);
}

/** Each was signed by a relay for a fact that a restore forgot: there are few of them. */
const EARLY_MAX = 2_000;

/**
 * FEED-9. What is said of when facts count that are not here: whoever begins with a checkpoint hears of them
 * by the feed alone, and of their clocks, which stand before its place, long after.
 */
export async function readEarlyClocks(
	sql: Sql,
	business: BusinessId
): Promise<readonly (readonly [branch: string | null, text: string])[]> {
	const rows = await sql<{ branch: string | null; text: string }[]>`
		select said.branch, said.text from clock join fact as said
			on said.business = clock.business and said.code = clock.clock_code and said.n = clock.clock_n
		where clock.business = ${business} and not exists (
			select from fact
			where fact.business = clock.business and fact.code = clock.code and fact.n = clock.n
		)
		order by clock.code, clock.n limit ${EARLY_MAX}`;
	return rows.map(({ branch, text }) => [branch, text]);
}

interface ClockRow {
	readonly business: string;
	readonly code: string;
	readonly n: string;
	readonly clock_code: string;
	readonly clock_n: string;
	readonly wall: string;
	readonly counter: number;
	readonly on_day: string;
}

export function nameOf(business: string, id: FactId): string {
	return `${business} ${id}`;
}

/** The clock facts among facts. */
export function clocksIn(
	facts: readonly { readonly business: BusinessId; readonly fact: Fact }[]
): readonly PlacedClock[] {
	return facts.flatMap(({ business, fact }) => (fact.kind === 'clock' ? [{ business, fact }] : []));
}

function partsOf(id: FactId): { readonly code: string; readonly n: number } {
	const parsed = parseFactId(id);
	return parsed.ok ? parsed.value : { code: '', n: 0 };
}
