import { changeMinor, documentTotalMinor, sumOfKind } from '#domain/fact/document-total.ts';
import type { ReturnFact, SaleFact, SoldLine } from '#domain/fact/fact.ts';
import { firstName } from '#domain/fact/issued-again.ts';
import { receiptNumber } from '#domain/ids.ts';
import type { ReceiptShown, ReceiptSumShown } from '#ui/receipt.ts';
import type { Words } from '#ui/words.svelte.ts';

export interface ReceiptWords {
	readonly words: Words;
	readonly shop: string;
	/** Who owes it, where a part stands on account. */
	readonly customer?: string | undefined;
	/** The business day it is now; where it is not said, the receipt is of today. */
	readonly today?: string;
}

/** What is of another year says which. */
export function dayStyle(on: string, today = on): 'dated' | 'short' {
	return on.slice(0, 4) === today.slice(0, 4) ? 'short' : 'dated';
}

/** A sale or a return as its receipt. */
export function shownReceipt(fact: SaleFact | ReturnFact, of: ReceiptWords): ReceiptShown {
	const { words } = of;
	return {
		shop: of.shop,
		number: receiptNumber(firstName(fact).code, fact.receipt),
		when: words.dayAndTime(fact.at.wall, dayStyle(fact.on, of.today)),
		lines: fact.lines.map((line) => shownLine(line, words)),
		sums: fact.kind === 'sale' ? saleSums(fact, words) : returnSums(fact, words),
		currency: words.money.currency,
		notes: notesOf(fact, of)
	};
}

function shownLine(line: SoldLine, words: Words): ReceiptShown['lines'][number] {
	return {
		quantity: words.quantity(line.quantityThousandths),
		name: line.name === '' ? words.say('sell.amountOnly') : line.name,
		total: words.amount(line.totalMinor)
	};
}

function saleSums(sale: SaleFact, words: Words): readonly ReceiptSumShown[] {
	const sum = summer(words);
	const cash = sumOfKind(sale.tenders, 'cash');
	const account = sumOfKind(sale.tenders, 'account');
	const change = changeMinor(sale);
	return [
		sum('receipt.total', documentTotalMinor(sale), true),
		...(sale.roundingMinor === undefined
			? []
			: [sum('receipt.rounding', BigInt(sale.roundingMinor))]),
		...(cash === 0n ? [] : [sum('receipt.cash', cash)]),
		...(change === 0n ? [] : [sum('receipt.change', change)]),
		...(account === 0n ? [] : [sum('receipt.account', account)])
	];
}

function returnSums(back: ReturnFact, words: Words): readonly ReceiptSumShown[] {
	const sum = summer(words);
	const cash = sumOfKind(back.refunds, 'cash');
	const account = sumOfKind(back.refunds, 'account');
	return [
		sum('receipt.returned', documentTotalMinor(back), true),
		...(back.roundingMinor === undefined
			? []
			: [sum('receipt.rounding', BigInt(back.roundingMinor))]),
		...(cash === 0n ? [] : [sum('receipt.cashBack', cash)]),
		...(account === 0n ? [] : [sum('receipt.accountBack', account)])
	];
}

function summer(
	words: Words
): (key: Parameters<Words['say']>[0], minor: bigint, isTotal?: boolean) => ReceiptSumShown {
	return (key, minor, isTotal = false) => ({
		word: words.say(key),
		amount: words.amount(minor),
		isTotal
	});
}

function notesOf(
	fact: SaleFact | ReturnFact,
	{ words, customer }: ReceiptWords
): readonly string[] {
	const paid = fact.kind === 'sale' ? fact.tenders : fact.refunds;
	const isOnAccount = paid.some(({ kind }) => kind === 'account');
	return isOnAccount && customer !== undefined
		? [words.say('receipt.customer', { name: customer })]
		: [];
}
