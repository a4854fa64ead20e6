import type { Sql } from 'postgres';
import { readLedgerTexts } from './ledger-facts.ts';
import type { DayTotals } from '#domain/fact/effects.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { assert } from '#domain/assert.ts';
import type { BusinessId } from '#domain/ids.ts';
import { foldLatest, NO_FIELDS, type FieldStamp, type LatestFields } from './latest-fields.ts';

/** Rows as a device keeps them; sums as decimal texts. */
export interface Checkpoint {
	readonly epoch: number;
	readonly s: number;
	/** The numbers that are in it, by device code. */
	readonly ranges: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;
	readonly settings: readonly object[];
	readonly members: readonly object[];
	readonly devices: readonly object[];
	readonly products: readonly object[];
	readonly customers: readonly object[];
	readonly records: readonly object[];
	readonly balances: readonly object[];
	/** What was said of ledgers beside their records, whole, with the branch of each. */
	readonly ledgerFacts: readonly (readonly [branch: string | null, text: string])[];
	readonly stock: readonly object[];
	readonly days: readonly object[];
}

/** FEED-4. Exactly all facts of the business up to `s`, folded: read at one moment, whatever is written meanwhile. */
export async function readCheckpoint(
	sql: Sql,
	business: BusinessId,
	epoch: number
): Promise<Checkpoint> {
	return sql.begin('isolation level repeatable read read only', async (transaction) => {
		const tx = transaction as unknown as Sql;
		const [place, people, entities, money, ledgerFacts] = await Promise.all([
			readPlace(tx, business),
			readPeople(tx, business),
			readEntities(tx, business),
			readMoney(tx, business),
			readLedgerTexts(tx, business)
		]);
		return { epoch, ...place, ...people, ...entities, ...money, ledgerFacts };
	});
}

async function readPlace(tx: Sql, business: BusinessId): Promise<Pick<Checkpoint, 's' | 'ranges'>> {
	const [[head], runs] = await Promise.all([
		tx<{ s: string }[]>`select s from feed_head where business = ${business}`,
		tx<{ code: string; from: string; to: string }[]>`
			select code, min(n) as from, max(n) as to
			from (
				select code, n, n - row_number() over (partition by code order by n) as island
				from fact where business = ${business}
			) as numbered
			group by code, island
			order by code, min(n)`
	]);
	const ranges: Record<string, (readonly [number, number])[]> = {};
	for (const { code, from, to } of runs) (ranges[code] ??= []).push([Number(from), Number(to)]);
	return { s: Number(head?.s ?? 0), ranges };
}

/** Members and devices are few, and their facts the relay's own: folded here, kept in no table. */
async function readPeople(
	tx: Sql,
	business: BusinessId
): Promise<Pick<Checkpoint, 'members' | 'devices'>> {
	const rows = await tx<{ text: string }[]>`
		select text from fact where business = ${business} and kind in ('member', 'device')
		order by s`;
	const members = new Map<number, LatestFields>();
	const devices = new Map<string, LatestFields>();
	for (const { text } of rows) {
		const fact = parseFact(text);
		assert(fact.ok, 'a stored fact was parsed before');
		const order = { ...fact.value.at, id: fact.value.id };
		const effects = effectsOf(fact.value);
		for (const { key, fields } of effects.members) {
			members.set(key, foldLatest(members.get(key) ?? NO_FIELDS, fields, order));
		}
		for (const { key, fields } of effects.devices) {
			devices.set(key, foldLatest(devices.get(key) ?? NO_FIELDS, fields, order));
		}
	}
	return {
		members: Array.from(members, ([number, { fields, stamps }]) => ({ ...fields, number, stamps })),
		devices: Array.from(devices, ([code, { fields, stamps }]) => ({ ...fields, code, stamps }))
	};
}

async function readEntities(
	tx: Sql,
	business: BusinessId
): Promise<Pick<Checkpoint, 'settings' | 'products' | 'customers'>> {
	const [settings, products, customers] = await Promise.all([
		tx<LatestFields[]>`select fields, stamps from setting where business = ${business}`,
		tx<(LatestFields & { product: string })[]>`
			select product, fields, stamps from product where business = ${business}
			order by product`,
		tx<(LatestFields & { ledger: string })[]>`
			select ledger, fields, stamps from customer where business = ${business} order by ledger`
	]);
	return {
		settings: settings.flatMap(settingRows),
		products: products.map(({ product, fields, stamps }) => ({ ...fields, id: product, stamps })),
		customers: customers.map(({ ledger, fields, stamps }) => ({ ...fields, ledger, stamps }))
	};
}

interface SettingRow {
	readonly field: string;
	readonly value: unknown;
	readonly stamps: Readonly<Record<string, FieldStamp | undefined>>;
}

function settingRows({ fields, stamps }: LatestFields): readonly SettingRow[] {
	return Object.entries(fields).map(([field, value]) => ({
		field,
		value,
		// A device folds a setting as an entity whose one field is its value.
		stamps: { value: stamps[field] }
	}));
}

async function readMoney(
	tx: Sql,
	business: BusinessId
): Promise<Pick<Checkpoint, 'records' | 'balances' | 'stock' | 'days'>> {
	const [records, balances, stock, days] = await Promise.all([
		readRecords(tx, business),
		readBalances(tx, business),
		tx<{ branch: string; product: string; level: string }[]>`
			select branch, product, thousandths as level from stock where business = ${business}
			order by branch, product`,
		readDays(tx, business)
	]);
	return { records, balances, stock, days };
}

async function readRecords(tx: Sql, business: BusinessId): Promise<readonly object[]> {
	const rows = await tx<
		(Readonly<Record<string, unknown>> & { code: string; n: string; amount: string; at: string })[]
	>`
		select h, ledger, code, n, kind, amount, currency, exponent, occurred_at as at,
			on_day as on, record, ref, note, due_at as "dueAt", receipt
		from record where business = ${business} order by ledger, occurred_at, h`;
	return rows.map(({ code, n, amount, at, dueAt, ...row }) => ({
		...withoutNulls(row),
		factId: `${code}-${n}`,
		amount: Number(amount),
		at: Number(at),
		...(typeof dueAt === 'string' && { dueAt: Number(dueAt) })
	}));
}

async function readBalances(tx: Sql, business: BusinessId): Promise<readonly object[]> {
	const rows = await tx<
		(Readonly<Record<string, string>> & { currency: string; exponent: string })[]
	>`
		select ledger, currency, exponent, total as "totalMinor", confirmed as "confirmedMinor",
			waiting as "waitingMinor", credited as "paidMinor", disputed as "disputedMinor",
			last_at as "lastAt"
		from balance where business = ${business} order by ledger, currency, exponent`;
	return rows.map(({ currency, exponent, ...row }) => ({
		...row,
		currency: `${currency}${exponent}`,
		lastAt: Number(row['lastAt'])
	}));
}

async function readDays(tx: Sql, business: BusinessId): Promise<readonly object[]> {
	return tx<(Record<keyof DayTotals, string> & { branch: string; on: string })[]>`
		select branch, on_day as on, sales_count as "salesCount", sales_minor as "salesMinor",
			returns_count as "returnsCount", returns_minor as "returnsMinor",
			cash_in_minor as "cashInMinor", cash_out_minor as "cashOutMinor",
			account_minor as "accountMinor", account_back_minor as "accountBackMinor",
			gave_minor as "gaveMinor", got_minor as "gotMinor"
		from day_total where business = ${business} order by branch, on_day`;
}

function withoutNulls(row: Readonly<Record<string, unknown>>): object {
	return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
