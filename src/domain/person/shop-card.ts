import { currencySettings, parseCurrency } from '#domain/currency.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import type { HeldCard } from './held-fact.ts';
import type { MoneyForm } from './view.ts';

/** What the relay said of a shop, the latest word for each field. */
export function foldCard(cards: readonly HeldCard[]): CardFields {
	return cards.reduce<CardFields>((card, { fact: { fields } }) => {
		const { endedBy, ...rest } = card;
		const isSame = fields.state === undefined && endedBy !== undefined;
		// Who ended it is said of that end alone.
		return { ...rest, ...(isSame && { endedBy }), ...fields };
	}, {});
}

/** How a shop's own currency is written; before its card has come, as the code that is kept for tests. */
export function ownMoney({ currency = 'XTS', exponent = 2, decimals }: CardFields): MoneyForm {
	const shownDecimals = decimals ?? habitOf({ currency, exponent });
	return { currency, exponent, shownDecimals: Math.min(shownDecimals, exponent) };
}

/** How money of a record is written: as the shop does where it is its own, else by habit. */
export function moneyForm(
	of: Pick<MoneyForm, 'currency' | 'exponent'>,
	card: CardFields
): MoneyForm {
	const { currency, exponent } = of;
	const own = ownMoney(card);
	if (own.currency === currency && own.exponent === exponent) return own;
	return { currency, exponent, shownDecimals: habitOf({ currency, exponent }) };
}

/** How many decimals are shown where nobody said it: as the shop's own devices do. */
function habitOf({ currency, exponent }: Pick<MoneyForm, 'currency' | 'exponent'>): number {
	const parsed = parseCurrency(currency);
	const habit = parsed.ok ? currencySettings(parsed.value) : undefined;
	return habit?.exponent === exponent ? habit.shownDecimals : exponent;
}
