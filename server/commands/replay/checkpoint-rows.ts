import * as v from 'valibot';
import { DAY_TOTAL_NAMES, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { entityOf, shopRows, type ShopRows } from './shop-rows.ts';

/**
 * What stands in the tables of PostgreSQL, as the relay's checkpoint reads them in one transaction:
 * an object of `readCheckpoint`, or the JSON of `GET /api/checkpoint`.
 */
export function rowsOfCheckpoint(checkpoint: unknown): Result<ShopRows, 'notACheckpoint'> {
	const parsed = v.safeParse(CHECKPOINT, checkpoint);
	if (!parsed.success) return err('notACheckpoint');
	const { products, customers, records, stock, days, balances } = parsed.output;
	return ok(
		shopRows({
			products: products.map((row) => entityOf(row.id, row)),
			customers: customers.map((row) => entityOf(row.ledger, row)),
			stock,
			days: days.map((row) => ({ on: row.on, totals: dayTotalsOf(row) })),
			balances: balances.map((row) => ({
				ledger: row.ledger,
				sums: {
					confirmed: row.confirmedMinor,
					waiting: row.waitingMinor,
					credited: row.paidMinor,
					disputed: row.disputedMinor,
					total: row.totalMinor
				}
			})),
			records
		})
	);
}

const text = v.string();
const sum = v.pipe(
	v.string(),
	v.regex(/^-?\d+$/),
	v.transform((digits) => BigInt(digits))
);
const stamps = v.record(v.string(), v.unknown());

const CHECKPOINT = v.object({
	products: v.array(v.looseObject({ id: text, stamps })),
	customers: v.array(v.looseObject({ ledger: text, stamps })),
	stock: v.array(v.object({ product: text, level: sum })),
	days: v.array(v.objectWithRest({ on: text, branch: text }, sum)),
	balances: v.array(
		v.object({
			ledger: text,
			confirmedMinor: sum,
			waitingMinor: sum,
			paidMinor: sum,
			disputedMinor: sum,
			totalMinor: sum
		})
	),
	records: v.array(v.object({ h: text, ledger: text, amount: v.number() }))
});

function dayTotalsOf(row: Readonly<Record<string, unknown>>): DayTotals {
	const named = DAY_TOTAL_NAMES.map((name) => {
		const total = row[name];
		return [name, typeof total === 'bigint' ? total : DAY_ZERO[name]];
	});
	return Object.fromEntries(named) as DayTotals;
}
