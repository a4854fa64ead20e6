import { parseFactId } from '#domain/ids.ts';
import type { App } from '#state/app.svelte.ts';
import type { ReceiptWithReturns } from '#state/book.ts';
import type { FetchedReceipt, OldSaleRefusal } from '#state/old-sales.ts';
import { oldSalesOf, typedReceipt } from '#state/old-sales-of.ts';
import type { Live } from '#state/live.ts';
import type { Result } from '#domain/result.ts';

export interface FoundReceipt {
	/** Undefined where there is no such receipt here, and the relay has none or was not asked. */
	readonly receipt: ReceiptWithReturns | undefined;
	/** Where it is not on this device: as the relay has it. */
	readonly fetched: FetchedReceipt | undefined;
	/** Why there is none. */
	readonly refusal: OldSaleRefusal | undefined;
	/** Whose account it went on. */
	readonly customerName: string | undefined;
	/** What may still come back of each line, thousandths by its place. */
	readonly leftThousandths: readonly number[];
}

/**
 * A receipt with all that its pages say of it. What is not on this device is asked for once; it is
 * held for as long as the page is looked at.
 */
export function liveReceipt(app: App, number: string): Live<FoundReceipt> {
	let asked: Promise<Result<FetchedReceipt, OldSaleRefusal>> | undefined;
	return app.live(['facts', 'journal', 'customers'], async () => {
		const here = await app.book.receipt(number);
		if (here !== undefined) return found(app, here, undefined);
		// A relay that does not know the shop has nothing of it.
		if (!app.identity.claimed) return none('noReceipt');
		asked ??= oldSalesOf(app).receipt(nameOf(app, number));
		const there = await asked;
		if (!there.ok) return none(there.error);
		return found(app, await oldSalesOf(app).whole(there.value), there.value);
	});
}

/** A link may name the fact; what was typed is a number. */
function nameOf(app: App, name: string): string {
	const written = name.trim().toUpperCase();
	const typed = typedReceipt(written, app.identity.code);
	return parseFactId(written).ok ? written : (typed ?? written);
}

function none(refusal: OldSaleRefusal): FoundReceipt {
	const nothing = { receipt: undefined, fetched: undefined, customerName: undefined };
	return { ...nothing, refusal, leftThousandths: [] };
}

async function found(
	app: App,
	receipt: ReceiptWithReturns,
	fetched: FetchedReceipt | undefined
): Promise<FoundReceipt> {
	const { ledger, fact, returnedThousandths } = receipt;
	const customer = ledger === undefined ? undefined : await app.book.customer(ledger);
	const leftThousandths = fact.lines.map((line, place) =>
		Math.max(0, line.quantityThousandths - (returnedThousandths[place] ?? 0))
	);
	const refusal = undefined;
	return { receipt, fetched, refusal, customerName: customer?.name, leftThousandths };
}
