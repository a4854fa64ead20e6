import { currencySettings, parseCurrency } from '#domain/currency.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import type { HeldCard } from './held-fact.ts';
import type { MoneyForm } from './view.ts';

/** What the relay said of a shop, the latest word for each field. */
export function foldCard(cards: readonly HeldCard[]): CardFields {
	return cards.reduce<CardFields>((card, { fact }) => ({ ...card, ...fact.fields }), {});
}

/** How a shop's own currency is written; before its card has come, as the code that is kept for tests. */
export function ownMoney({ currency = 'XTS', exponent = 2, decimals }: CardFields): MoneyForm {
	return { currency, exponent, shownDecimals: decimals ?? exponent };
}

/** How money of a record is written: as the shop does where it is its own, else by habit. */
export function moneyForm(
	of: Pick<MoneyForm, 'currency' | 'exponent'>,
	card: CardFields
): MoneyForm {
	const { currency, exponent } = of;
	const own = ownMoney(card);
	if (own.currency === currency && own.exponent === exponent) return own;
	const parsed = parseCurrency(currency);
	const habit = parsed.ok ? currencySettings(parsed.value) : undefined;
	const shownDecimals = habit?.exponent === exponent ? habit.shownDecimals : exponent;
	return { currency, exponent, shownDecimals };
}
