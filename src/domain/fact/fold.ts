import {
	foldLedger,
	ledgerRecord,
	type CurrencyKey,
	type LedgerRecord,
	type LedgerSums
} from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { BranchId, FactId, LedgerId, ProductId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { addDayTotals, DAY_ZERO, effectsOf, type DayTotals } from './effects.ts';
import type { CustomerFields, Fact, FactRecord, ProductFields, SettingFields } from './fact.ts';

/** A fact and the branch whose journal holds it; a relay's fact may be of none. */
export interface PlacedFact {
	readonly fact: Fact;
	readonly branch: BranchId | null;
}

/** Every number and every name of a shop. */
export interface ShopNumbers {
	readonly products: ReadonlyMap<ProductId, ProductFields>;
	readonly customers: ReadonlyMap<LedgerId, CustomerFields>;
	readonly settings: SettingFields;
	/** Thousandths, by `{branch} {product}`. */
	readonly stock: ReadonlyMap<string, bigint>;
	/** By `{branch} {business day}`. */
	readonly days: ReadonlyMap<string, DayTotals>;
	readonly balances: ReadonlyMap<LedgerId, ReadonlyMap<CurrencyKey, LedgerSums>>;
}

/**
 * All the numbers of a shop from all its facts, in one pass (SPEC FACT-6): the meaning that every
 * faster way of keeping them must agree with. `hashOf` names a record by its H.
 */
export function foldFacts(
	facts: readonly PlacedFact[],
	hashOf: (record: FactRecord) => RecordHash
): ShopNumbers {
	const distinct = new Map<FactId, PlacedFact>(facts.map((placed) => [placed.fact.id, placed]));
	const inOrder = [...distinct.values()].toSorted((a, b) =>
		compareFactOrder({ ...a.fact.at, id: a.fact.id }, { ...b.fact.at, id: b.fact.id })
	);
	const products = new Map<ProductId, ProductFields>();
	const customers = new Map<LedgerId, CustomerFields>();
	let settings: SettingFields = {};
	const stock = new Map<string, bigint>();
	const days = new Map<string, DayTotals>();
	const recordsByLedger = new Map<LedgerId, LedgerRecord[]>();

	for (const { fact, branch } of inOrder) {
		const effects = effectsOf(fact);
		for (const { key, fields } of effects.products)
			products.set(key, { ...products.get(key), ...fields });
		for (const { key, fields } of effects.customers)
			customers.set(key, { ...customers.get(key), ...fields });
		settings = { ...settings, ...effects.settings };
		for (const { productId, deltaThousandths } of effects.stock) {
			const key = `${String(branch)} ${productId}`;
			stock.set(key, (stock.get(key) ?? 0n) + BigInt(deltaThousandths));
		}
		if (effects.day !== null) {
			const key = `${String(branch)} ${fact.on}`;
			days.set(key, addDayTotals(days.get(key) ?? DAY_ZERO, effects.day));
		}
		for (const record of effects.records) addRecord(recordsByLedger, record, hashOf(record));
	}
	return { products, customers, settings, stock, days, balances: balancesOf(recordsByLedger) };
}

function addRecord(
	recordsByLedger: Map<LedgerId, LedgerRecord[]>,
	{ core, rest, signed }: FactRecord,
	h: RecordHash
): void {
	const records = recordsByLedger.get(core.ledgerId) ?? [];
	records.push(ledgerRecord({ core, rest, h, kid: signed.kid }));
	recordsByLedger.set(core.ledgerId, records);
}

function balancesOf(
	recordsByLedger: ReadonlyMap<LedgerId, readonly LedgerRecord[]>
): ReadonlyMap<LedgerId, ReadonlyMap<CurrencyKey, LedgerSums>> {
	return new Map(
		[...recordsByLedger].map(([ledgerId, records]) => {
			const businessId = records[0]?.businessId;
			const scope = businessId === undefined ? null : { businessId, ledgerId };
			return [ledgerId, scope === null ? new Map() : foldLedger(scope, { records, events: [] })];
		})
	);
}
