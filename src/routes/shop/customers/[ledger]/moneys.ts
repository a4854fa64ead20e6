import { currencySettings, parseCurrency } from '#domain/currency.ts';
import type { ShopSettings } from '#state/book.ts';
import type { MoneyForm } from '#ui/figures.ts';

/** Every money that the shop writes in, its own first. */
export function moneysOf({ money, currencies = [] }: ShopSettings): readonly MoneyForm[] {
	const others = currencies.flatMap((code): readonly MoneyForm[] => {
		const parsed = parseCurrency(code);
		return parsed.ok && parsed.value !== money.currency ? [currencySettings(parsed.value)] : [];
	});
	return [money, ...others];
}
