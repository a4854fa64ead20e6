import type { CurrencySettings } from '#domain/currency.ts';
import { AMOUNT_MINOR_MAX, sumMinor } from '#domain/money.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cashToPay } from './cash.ts';

/** What a customer pays a sale with, in minor units of the sale's currency. */
export interface Tender {
	readonly kind: 'cash' | 'account';
	readonly minor: number;
}

/** Why tenders do not pay a sale, in the order in which it is asked. */
export type TenderRefusal =
	| { readonly kind: 'tooManyTenders'; readonly tendersMax: number }
	| { readonly kind: 'amountNotWhole'; readonly tenderIndex: number }
	| { readonly kind: 'amountNotPositive'; readonly tenderIndex: number }
	| { readonly kind: 'amountTooLarge'; readonly tenderIndex: number }
	| { readonly kind: 'accountTwice' }
	| { readonly kind: 'changeWithoutCash'; readonly changeMinor: number }
	| { readonly kind: 'shortfall'; readonly missingMinor: number };

/**
 * A sale that is paid: `cashKeptMinor` + `accountMinor` = its total + `cashRoundingMinor`.
 */
export interface Settlement {
	readonly tenders: readonly Tender[];
	readonly accountMinor: number;
	/** Cash tendered less change: what stays in the drawer. */
	readonly cashKeptMinor: number;
	readonly changeMinor: number;
	/** What the cash step added to the sale, or took off it: its own line. */
	readonly cashRoundingMinor: number;
}

export const TENDERS_MAX = 8;

/**
 * Decides whether `tenders` pay `totalMinor`, and what change is owed.
 *
 * What is put on account counts in full; only the rest that is paid in cash is rounded to the cash
 * step, once. Change is given only against cash.
 */
export function settle(
	totalMinor: number,
	tenders: readonly Tender[],
	settings: CurrencySettings
): Result<Settlement, TenderRefusal> {
	if (tenders.length > TENDERS_MAX) return err({ kind: 'tooManyTenders', tendersMax: TENDERS_MAX });
	const refused = amountRefusal(tenders);
	if (refused !== undefined) return err(refused);
	const onAccount = tenders.filter((tender) => tender.kind === 'account');
	if (onAccount.length > 1) return err({ kind: 'accountTwice' });

	const accountMinor = onAccount[0]?.minor ?? 0;
	const restMinor = totalMinor - accountMinor;
	if (restMinor < 0) return err({ kind: 'changeWithoutCash', changeMinor: -restMinor });

	const cash = tenders.filter((tender) => tender.kind === 'cash');
	const cashMinor = Number(sumMinor(cash.map((tender) => tender.minor)));
	const due =
		cash.length === 0 ? { cashMinor: restMinor, roundingMinor: 0 } : cashToPay(restMinor, settings);
	const changeMinor = cashMinor - due.cashMinor;
	if (changeMinor < 0) return err({ kind: 'shortfall', missingMinor: -changeMinor });

	return ok({
		tenders,
		accountMinor,
		cashKeptMinor: due.cashMinor,
		changeMinor,
		cashRoundingMinor: due.roundingMinor
	});
}

function amountRefusal(tenders: readonly Tender[]): TenderRefusal | undefined {
	for (const [tenderIndex, { minor }] of tenders.entries()) {
		if (!Number.isSafeInteger(minor)) return { kind: 'amountNotWhole', tenderIndex };
		if (minor <= 0) return { kind: 'amountNotPositive', tenderIndex };
		if (minor > AMOUNT_MINOR_MAX) return { kind: 'amountTooLarge', tenderIndex };
	}
	return undefined;
}
