import { present } from '#domain/assert.ts';
import type { CurrencyKey } from '#domain/confirmation/currency-key.ts';
import { foldLedger, type LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import {
	ledgerEvents,
	standingRecord,
	type StandingRecord
} from '#domain/confirmation/standing.ts';
import { groupBy } from '#domain/group-by.ts';
import type { BranchId, FactId, LedgerId, ProductId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { addDayTotals, DAY_ZERO, effectsOf, type DayTotals, type Saying } from './effects.ts';
import { clockedTime, inTime, rulingTime, type ClockedTime } from './clock-fact.ts';
import type { CustomerFields, Fact, FactRecord, ProductFields, SettingFields } from './fact.ts';
import type { LinkFact } from './ledger-fact.ts';

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
	const inOrder = inTheirTime([...distinct.values()]).toSorted((a, b) =>
		compareFactOrder({ ...a.fact.at, id: a.fact.id }, { ...b.fact.at, id: b.fact.id })
	);
	const products = new Map<ProductId, ProductFields>();
	const customers = new Map<LedgerId, CustomerFields>();
	let settings: SettingFields = {};
	const stock = new Map<string, bigint>();
	const days = new Map<string, DayTotals>();
	const records: StandingRecord[] = [];
	const sayings: Saying[] = [];

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
		for (const record of effects.records) {
			const list = record.core.kind === 'statement' ? effects.list : undefined;
			records.push(standingRecord({ ...record, h: hashOf(record) }, list));
		}
		sayings.push(...effects.sayings);
	}
	const links = inOrder.flatMap(({ fact }) => (fact.kind === 'link' ? [fact] : []));
	const balances = balancesOf({ records, sayings, links });
	return { products, customers, settings, stock, days, balances };
}

/** FACT-17. Each fact when it counts. */
function inTheirTime(facts: readonly PlacedFact[]): readonly PlacedFact[] {
	const times = new Map<FactId, ClockedTime>();
	for (const { fact } of facts) {
		if (fact.kind !== 'clock') continue;
		const ruling = rulingTime(times.get(fact.factId), clockedTime(fact));
		if (ruling !== undefined) times.set(fact.factId, ruling);
	}
	return facts.map((placed) => ({
		...placed,
		fact: inTime(placed.fact, times.get(placed.fact.id))
	}));
}

interface AllOfLedgers {
	readonly records: readonly StandingRecord[];
	readonly sayings: readonly Saying[];
	readonly links: readonly LinkFact[];
}

/** What was said of a record counts on the page that holds it. */
function balancesOf({ records, sayings, links }: AllOfLedgers): ShopNumbers['balances'] {
	const sayingsByHash = groupBy(sayings, ({ h }) => h);
	const linksByLedger = groupBy(links, ({ ledgerId }) => ledgerId);
	const balances = new Map<LedgerId, ReadonlyMap<CurrencyKey, LedgerSums>>();
	for (const [ledgerId, ofLedger] of groupBy(records, (record) => record.ledgerId)) {
		const events = ledgerEvents({
			records: ofLedger,
			sayings: Array.from(new Set(ofLedger.map(({ h }) => h))).flatMap(
				(h) => sayingsByHash.get(h) ?? []
			),
			spans: linkSpans(linksByLedger.get(ledgerId) ?? [])
		});
		const { businessId } = present(ofLedger[0], 'a group has one');
		balances.set(ledgerId, foldLedger({ businessId, ledgerId }, { records: ofLedger, events }));
	}
	return balances;
}
