import type { Sql } from 'postgres';
import { inTime, isSameTime } from '#domain/fact/clock-fact.ts';
import { DAY_TOTAL_NAMES, effectsOf, type DayTotals, type Effects } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseFactId, type BranchId, type BusinessId } from '#domain/ids.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import type { Ruling } from './clocks.ts';
import type { Effected } from './effected.ts';
import { projectCustomers, projectProducts, projectSettings } from './entities.ts';
import { projectLedgerFacts } from './ledgers.ts';
import { projectDays } from './sums.ts';

/**
 * PROJ-13. Moves what was folded of facts that count at another time by now: it happens only where a
 * clock fact comes after its fact, carried by a device after a restore. Of facts that are not here
 * yet nothing was folded.
 */
export async function moveInTime(sql: Sql, rulings: readonly Ruling[]): Promise<void> {
	for (const ruling of rulings) {
		const placed = await readPlaced(sql, ruling);
		if (placed === undefined) continue;
		const { own, branch } = placed;
		const before = inTime(own, ruling.before);
		const now = inTime(own, ruling.now);
		if (isSameTime(before, now)) continue;
		await moveOne(sql, { business: ruling.business, branch, before, now });
	}
}

async function readPlaced(
	sql: Sql,
	{ business, id }: Ruling
): Promise<{ readonly own: Fact; readonly branch: BranchId } | undefined> {
	const name = parseFactId(id);
	if (!name.ok) return undefined;
	const [row] = await sql<{ text: string; branch: BranchId | null }[]>`
		select text, branch from fact
		where business = ${business} and code = ${name.value.code} and n = ${name.value.n}`;
	const fact = parseFact(row?.text ?? '');
	const branch = row?.branch ?? null;
	return fact.ok && branch !== null ? { own: fact.value, branch } : undefined;
}

interface Move {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly before: Fact;
	readonly now: Fact;
}

async function moveOne(sql: Sql, move: Move): Promise<void> {
	const { business, now } = move;
	await moveDay(sql, move);
	await moveReceipt(sql, move);
	await sql`
		update record set wall = ${now.at.wall}, counter = ${now.at.counter}
		where business = ${business} and code = ${now.code} and n = ${now.n}`;
	await foldFieldsAnew(sql, move);
	await projectLedgerFacts(sql, [{ business, fact: now }]);
}

async function moveDay(sql: Sql, { business, branch, before, now }: Move): Promise<void> {
	const effects = effectsOf(now);
	const { day } = effects;
	if (day === null || before.on === now.on) return;
	await projectDays(sql, [
		{ business, branch, fact: before, effects: { ...effects, day: negative(day) } },
		{ business, branch, fact: now, effects }
	]);
	// A day on which nothing happened after all is none.
	await sql`
		delete from day_total where business = ${business} and branch = ${branch}
			and on_day = ${before.on}::text::date
			and (sales_count, sales_minor, returns_count, returns_minor, cash_in_minor, cash_out_minor,
				account_minor, account_back_minor, gave_minor, got_minor) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			and not exists (
				select from fact left join clock using (business, code, n)
				where fact.business = ${business} and fact.branch = ${branch}
					and fact.kind in ('sale', 'return', 'record')
					and least(fact.on_day, clock.on_day) = ${before.on}::text::date
			)`;
}

function negative(day: DayTotals): DayTotals {
	return Object.fromEntries(
		DAY_TOTAL_NAMES.map((name) => [name, -day[name]])
	) as unknown as DayTotals;
}

async function moveReceipt(sql: Sql, { business, now }: Move): Promise<void> {
	if (now.kind !== 'sale' && now.kind !== 'return') return;
	await sql`
		update ${sql(now.kind === 'sale' ? 'sale' : 'sale_return')}
		set on_day = ${now.on}::text::date, happened_at = ${now.at.wall}
		where business = ${business} and code = ${now.code} and n = ${now.n}`;
}

/** What a field says follows from all facts that name it: those of the entities that this one names are read again. */
async function foldFieldsAnew(sql: Sql, move: Move): Promise<void> {
	const { business, now } = move;
	if (now.kind === 'product') {
		const keys = new Set<string>(effectsOf(now).products.map(({ key }) => key));
		await sql`
			delete from product where business = ${business} and product = any(${[...keys]}::text[])`;
		const only = ({ products }: Effects): Partial<Effects> => ({
			products: products.filter(({ key }) => keys.has(key))
		});
		await projectProducts(sql, await readAll(sql, move, only));
	}
	if (now.kind === 'customer') {
		const keys = new Set<string>(effectsOf(now).customers.map(({ key }) => key));
		await sql`
			delete from customer where business = ${business} and ledger = any(${[...keys]}::uuid[])`;
		const only = ({ customers }: Effects): Partial<Effects> => ({
			customers: customers.filter(({ key }) => keys.has(key))
		});
		await projectCustomers(sql, await readAll(sql, move, only));
	}
	if (now.kind === 'setting') {
		await sql`delete from setting where business = ${business}`;
		await projectSettings(sql, await readAll(sql, move, () => ({})));
	}
}

/** Every fact of the business of this one's kind, with as much of what it does as is asked for. */
async function readAll(
	sql: Sql,
	{ business, branch, now }: Move,
	only: (effects: Effects) => Partial<Effects>
): Promise<readonly Effected[]> {
	const rows = await sql<StoredText[]>`
		select fact.text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where fact.business = ${business} and fact.kind = ${now.kind}`;
	return rows.map((row) => {
		const fact = storedFact(row);
		const effects = effectsOf(fact);
		return { business, branch, fact, effects: { ...effects, ...only(effects) } };
	});
}
