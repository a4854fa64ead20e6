import type { RecordView } from '#domain/person/view.ts';
import type { MeMoney } from '#ui/me-money.svelte.ts';
import type { ReceiptShown, ReceiptSumShown } from '#ui/receipt.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { dateWords, timeAt } from './days.ts';
import { shopName } from './me-words.ts';

interface ReceiptWords {
	readonly words: Words;
	readonly money: MeMoney;
	/** `2026-11-20`. */
	readonly today: string;
	readonly zone: string;
}

const TENDERS: Readonly<Record<string, MessageKey>> = {
	cash: 'me.tender.cash',
	card: 'me.tender.card',
	mobile: 'me.tender.mobile',
	bank: 'me.tender.bank',
	account: 'me.tender.account'
};

/** How something was paid, in a word. */
export function tenderWords(words: Words, kind: string): string {
	return words.say(TENDERS[kind] ?? 'me.tender.other');
}

/** Whether a record came with goods to show. */
export function hasReceipt({ lines }: RecordView): boolean {
	return lines.length > 0;
}

/** What was bought, as the shop's receipt of it. */
export function shownReceipt(record: RecordView, of: ReceiptWords): ReceiptShown {
	const { words, money, today, zone } = of;
	const figure = (minor: number | bigint): string => money.figure(minor, record.money);
	const total = record.lines.reduce((sum, [, , , lineTotal]) => sum + BigInt(lineTotal), 0n);
	const tenders = record.tenders.map(([kind, minor]): ReceiptSumShown => ({
		word: tenderWords(words, kind),
		amount: figure(minor),
		isTotal: false
	}));
	return {
		shop: shopName(words, { name: record.shopName }),
		number: record.receipt ?? record.reference,
		when: `${dateWords(words, record.on, today)} ${timeAt(words, record.at, zone)}`,
		lines: record.lines.map(([name, thousandths, , lineTotal]) => ({
			quantity: words.quantity(thousandths),
			name,
			total: figure(lineTotal)
		})),
		sums: [
			{ word: words.say('me.receipt.total'), amount: figure(total), isTotal: true },
			...(tenders.length > 0
				? tenders
				: [
						{
							word: words.say('me.receipt.account'),
							amount: figure(record.amountMinor),
							isTotal: false
						}
					])
		],
		currency: record.money.currency,
		notes: [`${words.say('me.record.reference')} ${record.reference}`]
	};
}
