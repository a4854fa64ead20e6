import type { Sql } from 'postgres';
import { readLedgerTexts } from './ledger-facts.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { DayTotals } from '#domain/fact/effects.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { moreIn, type RecordMore, type RecordToFind } from '#domain/fact/record-more.ts';
import { assert } from '#domain/assert.ts';
import type { BusinessId } from '#domain/ids.ts';
import { readFactRanges, type FactRanges } from './fact-ranges.ts';
import { foldLatest, NO_FIELDS, type FieldStamp, type LatestFields } from './latest-fields.ts';

/** Rows as a device keeps them; sums as decimal texts. */
export interface Checkpoint {
	readonly epoch: number;
	readonly s: number;
	/** The numbers that are in it, by device code. */
	readonly ranges: FactRanges;
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
	const [head] = await tx<{ s: string }[]>`select s from feed_head where business = ${business}`;
	const ranges = await readFactRanges(tx, business, Number.MAX_SAFE_INTEGER);
	return { s: Number(head?.s ?? 0), ranges: ranges ?? {} };
}

/** What is folded into one answer: more comes in pieces. */
const WHOLE_FACTS_MAX = 100_000;
const WHOLE_BYTES_MAX = 32 * 1024 * 1024;

/** FEED-16. Whether a business wrote so little that all of its checkpoint may be asked for at once. */
export async function isSmall(sql: Sql, business: BusinessId): Promise<boolean> {
	const [wrote] = await sql<{ is_small: boolean }[]>`
		select case when s > ${WHOLE_FACTS_MAX} then false else (
			select coalesce(sum(octet_length(text)), 0) from fact
			where fact.business = feed_head.business
		) <= ${WHOLE_BYTES_MAX} end as is_small
		from feed_head where business = ${business}`;
	return wrote?.is_small !== false;
}

/** Members and devices are few, and their facts the relay's own: folded here, kept in no table. */
export async function readPeople(
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

export interface SettingRow {
	readonly field: string;
	readonly value: unknown;
	readonly stamps: Readonly<Record<string, FieldStamp | undefined>>;
}

export function settingRows({ fields, stamps }: LatestFields): readonly SettingRow[] {
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

/** A row of `record` as the database gives it. */
export interface RecordColumns extends Readonly<Record<string, unknown>> {
	readonly ledger: string;
	readonly h: string;
	readonly code: string;
	readonly n: string;
	readonly kind: RecordKind;
	readonly amount: string;
	readonly at: string;
	readonly record: string;
	/** Of a fact that says of its records what no column does. */
	readonly text: string | null;
}

/** A sale of some hundred lines. Of a longer fact, that nobody writes in a shop, each of its records would read it all. */
const READ_BYTES_MAX = 32_000;

/** FEED-9. What a device keeps of a record, and its fact where that says more. */
export function recordColumns(tx: Sql): ReturnType<Sql> {
	return tx`h, ledger, code, n, kind, amount, currency, exponent, occurred_at as at,
		on_day as on, record, ref, note, due_at as "dueAt", receipt, (
			select text from fact
			where fact.business = record.business and fact.code = record.code and fact.n = record.n
				and octet_length(text) <= ${READ_BYTES_MAX}
				and text like any (array['%"by":%', '%"for":%', '%"late":true%'])
		) as text`;
}

async function readRecords(tx: Sql, business: BusinessId): Promise<readonly object[]> {
	const rows = await tx<RecordColumns[]>`
		select ${recordColumns(tx)}
		from record where business = ${business} order by ledger, occurred_at, h`;
	return rows.map(asRecord);
}

/** As a device keeps it, but for what a statement lists: that comes with its fact. */
export function asRecord({ code, n, amount, at, text, ...row }: RecordColumns): object {
	const { kind, record, dueAt } = row;
	const named = { kind, record, amount: Number(amount), at: Number(at) };
	return {
		...withoutNulls(row),
		factId: `${code}-${n}`,
		...named,
		...(typeof dueAt === 'string' && { dueAt: Number(dueAt) }),
		...(text !== null && moreOf(text, named))
	};
}

function moreOf(text: string, named: RecordToFind): RecordMore {
	const fact = parseFact(text);
	return fact.ok ? moreIn(fact.value, named) : {};
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

type DayColumns = Record<keyof DayTotals, string> & { branch: string; on: string };

/** Some of them: the latest of each branch, or what follows one. */
interface DaySpan {
	readonly latest?: number;
	readonly after?: { readonly branch: string; readonly on: string } | undefined;
	readonly limit?: number;
}

export async function readDays(
	tx: Sql,
	business: BusinessId,
	{ latest, after, limit }: DaySpan = {}
): Promise<readonly DayColumns[]> {
	return tx<DayColumns[]>`
		select branch, on_day as on, sales_count as "salesCount", sales_minor as "salesMinor",
			returns_count as "returnsCount", returns_minor as "returnsMinor",
			cash_in_minor as "cashInMinor", cash_out_minor as "cashOutMinor",
			account_minor as "accountMinor", account_back_minor as "accountBackMinor",
			gave_minor as "gaveMinor", got_minor as "gotMinor"
		from day_total where business = ${business}
			${after === undefined ? tx`` : tx`and (branch, on_day) > (${after.branch}::uuid, ${after.on}::text::date)`}
			${latest === undefined ? tx`` : tx`and on_day > (select max(on_day) from day_total where business = ${business}) - ${latest}::int`}
		order by branch, on_day ${limit === undefined ? tx`` : tx`limit ${limit}`}`;
}

function withoutNulls(row: Readonly<Record<string, unknown>>): object {
	return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
