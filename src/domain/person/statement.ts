import type { MoneyForm, RecordView, ShopView, Statement } from './view.ts';

export interface Period extends Pick<MoneyForm, 'currency' | 'exponent'> {
	/** Business days of the shop, both inside: `2026-11-20`. */
	readonly from: string;
	readonly to: string;
}

/**
 * A shop's page for a period in one currency. What stands after it is what stood before it and each
 * record's effect, so that a statement up to today ends at the one big number.
 */
export function statementOf(shop: ShopView, { currency, exponent, from, to }: Period): Statement {
	const money = shop.totals.find((one) => one.currency === currency && one.exponent === exponent);
	const records = shop.records
		.filter((record) => record.money.currency === currency && record.money.exponent === exponent)
		.toSorted(compareDays);
	const opening = sumOf(records.filter(({ on }) => on < from));
	const inside = records.filter(({ on }) => on >= from && on <= to);
	let balanceMinor = opening;
	const rows = inside.map((record) => {
		balanceMinor += record.effectMinor;
		return { record, balanceMinor };
	});
	return {
		shop: { id: shop.id, name: shop.name },
		money: { currency, exponent, shownDecimals: money?.shownDecimals ?? exponent },
		from,
		to,
		openingMinor: opening,
		rows,
		closingMinor: balanceMinor,
		tookMinor: sumOf(inside.filter(({ side }) => side === 'took')),
		paidMinor: -sumOf(inside.filter(({ side }) => side === 'paid'))
	};
}

function sumOf(records: readonly RecordView[]): bigint {
	return records.reduce((sum, { effectMinor }) => sum + effectMinor, 0n);
}

/** By business day, then by the moment: a record written later stands on the day it happened. */
function compareDays(a: RecordView, b: RecordView): number {
	if (a.on !== b.on) return a.on < b.on ? -1 : 1;
	return a.at - b.at || (a.h < b.h ? -1 : 1);
}
