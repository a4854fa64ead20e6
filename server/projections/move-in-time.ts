import type { Sql } from 'postgres';
import { inTime, isSameTime } from '#domain/fact/clock-fact.ts';
import { DAY_TOTAL_NAMES, effectsOf, type DayTotals, type Effects } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseFactId, type BranchId, type BusinessId, type FactId } from '#domain/ids.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import { nameOf, type Ruling } from './clocks.ts';
import type { Effected } from './effected.ts';
import { projectCustomers, projectProducts, projectSettings } from './entities.ts';
import { projectLedgerFacts } from './ledgers.ts';
import { projectDays } from './sums.ts';

/**
 * PROJ-13. Moves what was folded of facts that count at another time by now: it happens only where a
 * clock fact comes after its fact, carried by a device after a restore. Of facts that are not here
 * yet nothing was folded. However many they are, each table is asked once.
 */
export async function moveInTime(sql: Sql, rulings: readonly Ruling[]): Promise<void> {
	const moves = await readMoves(sql, rulings);
	if (moves.length === 0) return;
	await moveDays(sql, moves);
	await moveReceipts(sql, moves);
	await moveRecords(sql, moves);
	for (const ofBusiness of Map.groupBy(moves, ({ business }) => business).values())
		await foldFieldsAnew(sql, ofBusiness);
	await projectLedgerFacts(
		sql,
		moves.map(({ business, now }) => ({ business, fact: now }))
	);
}

interface Move {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly before: Fact;
	readonly now: Fact;
}

async function readMoves(sql: Sql, rulings: readonly Ruling[]): Promise<readonly Move[]> {
	if (rulings.length === 0) return [];
	const names = rulings.map(({ id }) => partsOf(id));
	const rows = await sql<{ business: BusinessId; branch: BranchId; text: string }[]>`
		select business, branch, text from fact
		where branch is not null and (business, code, n) in (
			select * from unnest(
				${rulings.map(({ business }) => business)}::uuid[],
				${names.map(({ code }) => code)}::text[],
				${names.map(({ n }) => n)}::bigint[]
			)
		)`;
	const rulingByName = new Map(rulings.map((one) => [nameOf(one.business, one.id), one]));
	return rows.flatMap(({ business, branch, text }): readonly Move[] => {
		const own = parseFact(text);
		const ruling = own.ok ? rulingByName.get(nameOf(business, own.value.id)) : undefined;
		if (!own.ok || ruling === undefined) return [];
		const before = inTime(own.value, ruling.before);
		const now = inTime(own.value, ruling.now);
		return isSameTime(before, now) ? [] : [{ business, branch, before, now }];
	});
}

async function moveDays(sql: Sql, moves: readonly Move[]): Promise<void> {
	const changed = moves.flatMap((move) => {
		const effects = effectsOf(move.now);
		const { day } = effects;
		return day === null || move.before.on === move.now.on ? [] : [{ ...move, effects, day }];
	});
	if (changed.length === 0) return;
	await projectDays(
		sql,
		changed.flatMap(({ business, branch, before, now, effects, day }) => [
			{ business, branch, fact: before, effects: { ...effects, day: negative(day) } },
			{ business, branch, fact: now, effects }
		])
	);
	// A day on which nothing happened after all is none.
	await sql`
		delete from day_total as held using (
			select distinct * from unnest(
				${changed.map(({ business }) => business)}::uuid[],
				${changed.map(({ branch }) => branch)}::uuid[],
				${changed.map(({ before }) => before.on)}::text[]::date[]
			) as left_day (business, branch, on_day)
		) as left_day
		where held.business = left_day.business and held.branch = left_day.branch
			and held.on_day = left_day.on_day
			and (sales_count, sales_minor, returns_count, returns_minor, cash_in_minor, cash_out_minor,
				account_minor, account_back_minor, gave_minor, got_minor) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			and not exists (
				select from fact left join clock using (business, code, n)
				where fact.business = held.business and fact.branch = held.branch
					and fact.kind in ('sale', 'return', 'record')
					-- What is apart moves no totals; quotes that somebody wrote are escaped.
					and not (fact.kind = 'record' and position('"apart":true' in fact.text) > 0)
					and least(fact.on_day, clock.on_day) = held.on_day
			)`;
}

function negative(day: DayTotals): DayTotals {
	return Object.fromEntries(
		DAY_TOTAL_NAMES.map((name) => [name, -day[name]])
	) as unknown as DayTotals;
}

async function moveReceipts(sql: Sql, moves: readonly Move[]): Promise<void> {
	for (const [kind, table] of [
		['sale', 'sale'],
		['return', 'sale_return']
	] as const) {
		const ofKind = moves.filter(({ now }) => now.kind === kind);
		if (ofKind.length === 0) continue;
		await sql`
			update ${sql(table)} as held set on_day = moved.on_day, happened_at = moved.wall
			from ${timesOf(sql, ofKind)}
			where held.business = moved.business and held.code = moved.code and held.n = moved.n`;
	}
}

async function moveRecords(sql: Sql, moves: readonly Move[]): Promise<void> {
	await sql`
		update record as held set wall = moved.wall, counter = moved.counter
		from ${timesOf(sql, moves)}
		where held.business = moved.business and held.code = moved.code and held.n = moved.n`;
}

function timesOf(sql: Sql, moves: readonly Move[]): ReturnType<Sql> {
	return sql`unnest(
		${moves.map(({ business }) => business)}::uuid[],
		${moves.map(({ now }) => now.code)}::text[],
		${moves.map(({ now }) => now.n)}::bigint[],
		${moves.map(({ now }) => now.at.wall)}::bigint[],
		${moves.map(({ now }) => now.at.counter)}::int[],
		${moves.map(({ now }) => now.on)}::text[]::date[]
	) as moved (business, code, n, wall, counter, on_day)`;
}

/** What a field says follows from all facts that name it: those of the entities that these name are read again. */
async function foldFieldsAnew(sql: Sql, moves: readonly Move[]): Promise<void> {
	const [first] = moves;
	if (first === undefined) return;
	const { business } = first;
	const effects = moves.map(({ now }) => effectsOf(now));
	const products = new Set<string>(effects.flatMap((one) => one.products.map(({ key }) => key)));
	if (products.size > 0) {
		await sql`
			delete from product where business = ${business} and product = any(${[...products]}::text[])`;
		const only = (of: Effects): Partial<Effects> => ({
			products: of.products.filter(({ key }) => products.has(key))
		});
		await projectProducts(
			sql,
			await readAll(sql, first, { kind: 'product', keys: products, only })
		);
	}
	const customers = new Set<string>(effects.flatMap((one) => one.customers.map(({ key }) => key)));
	if (customers.size > 0) {
		await sql`
			delete from customer where business = ${business} and ledger = any(${[...customers]}::uuid[])`;
		const only = (of: Effects): Partial<Effects> => ({
			customers: of.customers.filter(({ key }) => customers.has(key))
		});
		const asked = { kind: 'customer', keys: customers, only } as const;
		await projectCustomers(sql, await readAll(sql, first, asked));
	}
	if (moves.some(({ now }) => now.kind === 'setting')) {
		await sql`delete from setting where business = ${business}`;
		await projectSettings(sql, await readAll(sql, first, { kind: 'setting' }));
	}
}

interface Asked {
	readonly kind: Fact['kind'];
	/** Of the facts that name one of these. */
	readonly keys?: ReadonlySet<string>;
	/** As much of what they do. */
	readonly only?: (effects: Effects) => Partial<Effects>;
}

/** More are not looked for in each text. */
const KEYS_LOOKED_FOR_MAX = 30;

/** The business's facts of a kind; some more than those that name a key may be among them. */
async function readAll(
	sql: Sql,
	{ business, branch }: Move,
	{ kind, keys = new Set(), only = (effects) => effects }: Asked
): Promise<readonly Effected[]> {
	// A product that a further row of its fact made is named there by no more than the fact's own id.
	const named =
		keys.size > KEYS_LOOKED_FOR_MAX ? [] : Array.from(keys, (key) => key.replace(/\.\d+$/, ''));
	const rows = await sql<StoredText[]>`
		select fact.text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where fact.business = ${business} and fact.kind = ${kind} and (
			${named.length} = 0 or exists (
				select from unnest(${named}::text[]) as key where position(key in fact.text) > 0
			)
		)`;
	return rows.map((row) => {
		const fact = storedFact(row);
		const effects = effectsOf(fact);
		return { business, branch, fact, effects: { ...effects, ...only(effects) } };
	});
}

function partsOf(id: FactId): { readonly code: string; readonly n: number } {
	const parsed = parseFactId(id);
	return parsed.ok ? parsed.value : { code: '', n: 0 };
}
