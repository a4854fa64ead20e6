import { once } from 'node:events';
import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { Sql } from 'postgres';
import {
	addDayTotals,
	DAY_TOTAL_NAMES,
	DAY_ZERO,
	effectsOf,
	type DayTotals
} from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { createProject } from '#server/projections/project.ts';
import { hashOf, type DayOfTrade, type SeedShop } from './seed-years-trade.ts';

/**
 * Puts a trade into the tables of a relay that knows the business: facts and feed, and the
 * projections that a checkpoint is read from, the feed's numbers going on from where they are.
 * Products, customers and settings go through the relay's own projection; of sales and records its
 * sums are added up here and put once. Left out are the tables of single sales and the documents,
 * which no checkpoint reads. Answers the feed's last number.
 */
export async function seedRelay(
	sql: Sql,
	trade: AsyncIterable<DayOfTrade>,
	shop: SeedShop
): Promise<number> {
	const [head] = await sql<{ s: string }[]>`
		insert into feed_head (business) values (${shop.business})
		on conflict (business) do update set business = excluded.business returning s`;
	const project = createProject(shop.crypto);
	const sums = createRelaySums();
	let s = Number(head?.s ?? 0);
	for await (const day of trade) {
		for (const fact of day) sums.add(fact);
		await sql.begin(async (transaction) => {
			const tx = transaction as unknown as Sql;
			s = await copyFacts(tx, { day, shop, s });
			await copyRecords(tx, day, shop);
			const entities = day.filter(isEntity).map((fact) => ({ ...shop, fact }));
			await project(tx, entities);
		});
	}
	await putSums(sql, sums, shop);
	await sql`update feed_head set s = ${s} where business = ${shop.business}`;
	// Millions of rows came past the daemon that would have looked at them.
	await sql`analyze`;
	return s;
}

function isEntity({ kind }: Fact): boolean {
	return kind === 'product' || kind === 'customer' || kind === 'setting';
}

const FACT_COLUMNS =
	'business, code, n, kind, branch, wall, counter, on_day, member, text, digest, s';

async function copyFacts(
	tx: Sql,
	{ day, shop, s }: { readonly day: DayOfTrade; readonly shop: SeedShop; readonly s: number }
): Promise<number> {
	const { business, branch } = shop;
	let next = s;
	await copy(
		tx,
		`fact (${FACT_COLUMNS})`,
		day.map((fact) => {
			const text = encodeFact(fact);
			const digest = createHash('sha256').update(text).digest().readBigInt64BE(0);
			const { code, n, kind, at, on, by } = fact;
			const head = [business, code, n, kind, branch, at.wall, at.counter, on, by];
			return [...head, text, digest, ++next];
		})
	);
	return next;
}

const RECORD_COLUMNS =
	'business, ledger, h, code, n, kind, currency, exponent, amount, occurred_at, on_day, record, ref, due_at, receipt, note, wall, counter';

async function copyRecords(tx: Sql, day: DayOfTrade, shop: SeedShop): Promise<void> {
	const rows: Cell[][] = [];
	for (const fact of day) {
		for (const record of effectsOf(fact).records) {
			const { core, rest } = record;
			const h = await hashOf(record, shop.crypto);
			rows.push([
				...[shop.business, core.ledgerId, h, fact.code, fact.n, core.kind, core.currency],
				...[core.exponent, core.amount, core.occurredAt, rest.on, core.recordId, rest.ref ?? null],
				...[rest.due ?? null, rest.rc ?? null, rest.note ?? null, fact.at.wall, fact.at.counter]
			]);
		}
	}
	if (rows.length > 0) await copy(tx, `record (${RECORD_COLUMNS})`, rows);
}

type Cell = string | number | bigint | null;

async function copy(tx: Sql, into: string, rows: readonly (readonly Cell[])[]): Promise<void> {
	const writable: Writable = await tx.unsafe(`copy ${into} from stdin`).writable();
	const ended = once(writable, 'finish');
	writable.end(rows.map((row) => `${row.map(cellText).join('\t')}\n`).join(''));
	await ended;
}

function cellText(cell: Cell): string {
	if (cell === null) return '\\N';
	return String(cell).replace(/[\\\t\n\r]/g, (of) => ESCAPES[of] ?? of);
}

const ESCAPES: Readonly<Record<string, string>> = {
	'\\': '\\\\',
	'\t': '\\t',
	'\n': '\\n',
	'\r': '\\r'
};

interface RelaySums {
	readonly levels: Map<string, bigint>;
	readonly days: Map<string, DayTotals>;
	readonly balances: Map<string, { waiting: bigint; credited: bigint; lastAt: number }>;
	add(fact: Fact): void;
}

function createRelaySums(): RelaySums {
	const levels: RelaySums['levels'] = new Map();
	const days: RelaySums['days'] = new Map();
	const balances: RelaySums['balances'] = new Map();
	return {
		levels,
		days,
		balances,
		add: (fact) => {
			const { stock, day, records } = effectsOf(fact);
			for (const { productId, deltaThousandths } of stock)
				levels.set(productId, (levels.get(productId) ?? 0n) + BigInt(deltaThousandths));
			if (day !== null) days.set(fact.on, addDayTotals(days.get(fact.on) ?? DAY_ZERO, day));
			for (const { core } of records) {
				const of = balances.get(core.ledgerId) ?? { waiting: 0n, credited: 0n, lastAt: 0 };
				if (core.kind === 'due') of.waiting += BigInt(core.amount);
				else of.credited += BigInt(core.amount);
				of.lastAt = Math.max(of.lastAt, core.occurredAt);
				balances.set(core.ledgerId, of);
			}
		}
	};
}

async function putSums(
	sql: Sql,
	{ levels, days, balances }: RelaySums,
	{ business, branch }: SeedShop
): Promise<void> {
	await sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		const stock = [...levels].map(([product, level]) => [business, branch, product, level]);
		await copy(tx, 'stock (business, branch, product, thousandths)', stock);
		const columns = DAY_TOTAL_NAMES.map((name) =>
			name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
		);
		const totals = [...days].map(([on, of]) => [
			...[business, branch, on],
			...DAY_TOTAL_NAMES.map((name) => of[name])
		]);
		await copy(tx, `day_total (business, branch, on_day, ${columns.join(', ')})`, totals);
		const sums = [...balances].map(([ledger, { waiting, credited, lastAt }]) => [
			...[business, ledger, 'KES', 2, 0, waiting, credited, 0, waiting - credited, lastAt, 'true']
		]);
		await copy(
			tx,
			'balance (business, ledger, currency, exponent, confirmed, waiting, credited, disputed, total, last_at, is_plain)',
			sums
		);
	});
}
