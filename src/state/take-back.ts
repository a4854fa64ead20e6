import { recordHash } from '#domain/confirmation/record-hash.ts';
import { changeMinor, sumOfKind, toPayMinor } from '#domain/fact/document-total.ts';
import type {
	FactTender,
	ReturnedLine,
	ReturnFact,
	SaleFact,
	SoldLine
} from '#domain/fact/fact.ts';
import { receiptNumber, type FactId, type LedgerId, type ProductId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { ringUp, type CartRefusal } from '#domain/sale/line.ts';
import {
	refundWithoutReceipt,
	returnOf,
	type Refund,
	type ReturnRefusal as DomainRefusal,
	type SaleReturn
} from '#domain/sale/return.ts';
import { saleTotals } from '#domain/sale/sale-totals.ts';
import type { StoreReader, TableName } from '#storage/device-store.ts';
import { factOf } from './arrived-fact.ts';
import { draftRecord } from './draft-record.ts';
import { readReturns } from './read-returns.ts';
import {
	bytesOf,
	checkAccount,
	LINES_BYTES_MAX,
	loadAccount,
	owedMinor,
	type AccountContext,
	type CustomerRefusal
} from './sell.ts';
import { itemsOf, lineName, lineTax, saleLine, soldLine, tendersOf } from './sold-line.ts';
import type { Act, DeviceParts, Moment } from './write-path.ts';

export interface ReturnDraftLine {
	/** Position in the sale's lines, where the sale is named. */
	readonly saleLine?: number;
	readonly product?: ProductId;
	readonly name: string;
	/** Thousandths. */
	readonly quantity: number;
	/** Needed where no sale is named. */
	readonly unitPriceMinor?: number;
	/** Damaged goods do not go back to stock. */
	readonly damaged: boolean;
}

/** A sale that left this device, as the relay has it, with what came back of it there. */
export interface FetchedSale {
	readonly sale: SaleFact;
	readonly returns: readonly ReturnFact[];
}

export interface ReturnDraft {
	readonly sale?: FactId;
	/** Where the sale is not on this device. */
	readonly fetched?: FetchedSale;
	readonly lines: readonly ReturnDraftLine[];
	/** Where the sale is named, its own tenders decide: the unpaid part lowers the debt first. */
	readonly refund:
		| { readonly kind: 'cash' }
		| { readonly kind: 'account'; readonly ledger: LedgerId };
}

/** What a return would give back, before anything is written. */
export interface ReturnPlan {
	readonly totalMinor: number;
	readonly cashMinor: number;
	readonly creditMinor: number;
	/** Whose debt the credit lowers. */
	readonly ledger?: LedgerId;
}

export interface TakenBack extends ReturnPlan {
	readonly fact: ReturnFact;
	readonly receipt: string;
}

/** Why a return is not made, in the order in which it is asked. */
export type ReturnRefusal =
	| { readonly kind: 'unknownSale' }
	| DomainRefusal
	| CartRefusal
	| { readonly kind: 'lineNameTooLong'; readonly lineIndex: number }
	| { readonly kind: 'totalTooLarge' }
	| CustomerRefusal
	| { readonly kind: 'noteTooLong' }
	| { readonly kind: 'saleTooLong' };

export const RETURN_TABLES: readonly TableName[] = ['facts', 'customers', 'balances'];

export interface ReturnContext extends AccountContext {
	readonly sale: SaleFact | undefined;
	readonly earlier: readonly ReturnFact[];
}

export function takeBackAct(
	draft: ReturnDraft,
	parts: DeviceParts
): Act<ReturnContext, TakenBack, ReturnRefusal> {
	return {
		tables: RETURN_TABLES,
		load: (rows) => loadReturn(rows, draft),
		decide: async (context, moment) => {
			const decided = decideReturn(draft, context, moment);
			if (!decided.ok) return decided;
			const fact = await write(decided.value, moment, { context, parts });
			const receipt = receiptNumber(fact.code, fact.receipt);
			return ok({ facts: [fact], value: { ...planOf(decided.value), fact, receipt } });
		}
	};
}

/** What the return would be, for a screen to show before it is done. */
export function planReturn(
	draft: ReturnDraft,
	context: ReturnContext,
	moment: Moment
): Result<ReturnPlan, ReturnRefusal> {
	const decided = decideReturn(draft, context, moment);
	return decided.ok ? ok(planOf(decided.value)) : decided;
}

export async function loadReturn(rows: StoreReader, draft: ReturnDraft): Promise<ReturnContext> {
	const { sale, earlier } =
		draft.sale === undefined ? NO_SALE : await readSold(rows, draft.sale, draft.fetched);
	const given = draft.refund.kind === 'account' ? draft.refund.ledger : undefined;
	const ledger = sale === undefined ? given : debtorOf(sale);
	return { sale, earlier, ...(await loadAccount(rows, ledger)) };
}

/** Whose debt it made. The sale carries its due: the due's own row may still be on its way. */
function debtorOf({ record }: SaleFact): LedgerId | undefined {
	return record?.core.ledgerId;
}

type Sold = Pick<ReturnContext, 'sale' | 'earlier'>;

const NO_SALE: Sold = { sale: undefined, earlier: [] };

/** What was fetched counts only for the sale that it is of, and together with what is known here. */
async function readSold(
	rows: StoreReader,
	id: FactId,
	given: FetchedSale | undefined
): Promise<Sold> {
	const fetched = given?.sale.id === id ? given : undefined;
	const here = await readReturns(rows, id);
	const byId = new Map([...(fetched?.returns ?? []), ...here].map((fact) => [fact.id, fact]));
	const earlier = [...byId.values()].filter(({ saleId }) => saleId === id);
	return { sale: (await readSale(rows, id)) ?? fetched?.sale, earlier };
}

async function readSale(rows: StoreReader, id: FactId): Promise<SaleFact | undefined> {
	const row = await rows.get('facts', id);
	const fact = row === undefined ? null : factOf(row);
	return fact?.kind === 'sale' ? fact : undefined;
}

interface Decision extends Refund {
	readonly lines: readonly ReturnedLine[];
	readonly totalMinor: number;
	readonly ledger: LedgerId | undefined;
	readonly sale: SaleFact | undefined;
}

function decideReturn(
	draft: ReturnDraft,
	context: ReturnContext,
	moment: Moment
): Result<Decision, ReturnRefusal> {
	if (draft.lines.length === 0) return err({ kind: 'nothingReturned' });
	if (draft.sale !== undefined && context.sale === undefined) return err({ kind: 'unknownSale' });
	const decided =
		context.sale === undefined
			? returnAlone(draft, moment)
			: returnOfSale(draft, { ...context, sale: context.sale }, moment);
	if (!decided.ok) return decided;
	if (bytesOf(decided.value.lines) > LINES_BYTES_MAX) return err({ kind: 'saleTooLong' });
	const { ledger, creditMinor } = decided.value;
	if (creditMinor === 0) return decided;
	// The debt of a customer who was archived since is lowered all the same.
	const asked = context.sale === undefined ? checkAccount(ledger, context, undefined) : decided;
	return asked.ok ? decided : asked;
}

function returnOfSale(
	draft: ReturnDraft,
	{ sale, earlier }: ReturnContext & { readonly sale: SaleFact },
	{ settings }: Moment
): Result<Decision, ReturnRefusal> {
	const wishes = draft.lines.map((line) => ({
		lineIndex: line.saleLine ?? -1,
		quantityThousandths: line.quantity
	}));
	const sold = {
		lines: sale.lines.map((line) => saleLine(line)),
		accountMinor: Number(sumOfKind(sale.tenders, 'account')),
		cashKeptMinor: Number(sumOfKind(sale.tenders, 'cash') - changeMinor(sale)),
		cashRoundingMinor: sale.roundingMinor ?? 0
	};
	const back = returnOf(sold, wishes, {
		earlier: earlier.map((fact) => earlierReturn(fact)),
		settings: settings.money
	});
	if (!back.ok) return back;
	const lines = back.value.lines.map((line, place): ReturnedLine => {
		const of = sold.lines[line.lineIndex];
		const productId = sale.lines[line.lineIndex]?.productId ?? null;
		const part = {
			...line,
			productId,
			name: of?.name ?? '',
			unitPriceMinor: of?.unitPriceMinor ?? 0
		};
		return {
			...soldLine(part),
			saleLine: line.lineIndex,
			isDamaged: draft.lines[place]?.damaged === true
		};
	});
	return ok({ ...back.value, lines, ledger: debtorOf(sale), sale });
}

function earlierReturn(fact: ReturnFact): SaleReturn {
	return {
		lines: fact.lines.map((line) => ({
			lineIndex: line.saleLine,
			quantityThousandths: line.quantityThousandths,
			totalMinor: line.totalMinor,
			tax: lineTax(line)
		})),
		totalMinor: Number(toPayMinor(fact)) - (fact.roundingMinor ?? 0),
		creditMinor: Number(sumOfKind(fact.refunds, 'account')),
		cashMinor: Number(sumOfKind(fact.refunds, 'cash')),
		cashRoundingMinor: fact.roundingMinor ?? 0
	};
}

/** Without a receipt the price is what the person says, and taxes are not known. */
function returnAlone(draft: ReturnDraft, { settings }: Moment): Result<Decision, ReturnRefusal> {
	const priced = ringUp(
		draft.lines.map((line) => ({
			name: line.name,
			quantityThousandths: line.quantity,
			unitPriceMinor: line.unitPriceMinor ?? NaN,
			taxTerms: { mode: 'none' }
		})),
		'line'
	);
	if (!priced.ok) return priced;
	const totals = saleTotals(priced.value);
	if (!totals.ok) return err({ kind: 'totalTooLarge' });
	const lines: ReturnedLine[] = [];
	for (const [lineIndex, line] of priced.value.entries()) {
		const of = draft.lines[lineIndex];
		const name = lineName(line.name);
		if (!name.ok) return err({ kind: 'lineNameTooLong', lineIndex });
		const sold: SoldLine = soldLine({ ...line, name: name.value, productId: of?.product ?? null });
		lines.push({ ...sold, saleLine: -1, isDamaged: of?.damaged === true });
	}
	const { totalMinor } = totals.value;
	const ledger = draft.refund.kind === 'account' ? draft.refund.ledger : undefined;
	const refund = refundWithoutReceipt(totalMinor, draft.refund.kind, settings.money);
	return ok({ ...refund, lines, totalMinor, ledger, sale: undefined });
}

function planOf({ totalMinor, cashMinor, creditMinor, ledger }: Decision): ReturnPlan {
	return {
		totalMinor,
		cashMinor,
		creditMinor,
		...(creditMinor > 0 && ledger !== undefined && { ledger })
	};
}

async function write(
	decision: Decision,
	moment: Moment,
	{ context, parts }: { readonly context: ReturnContext; readonly parts: DeviceParts }
): Promise<ReturnFact> {
	const { lines, cashMinor, creditMinor, ledger, sale } = decision;
	const head = moment.head(0);
	const { receipt } = moment;
	const refunds: readonly FactTender[] = tendersOf(cashMinor, creditMinor);
	const fact: ReturnFact = {
		...head,
		kind: 'return',
		receipt,
		saleId: sale?.id ?? null,
		lines,
		refunds,
		...(decision.cashRoundingMinor !== 0 && { roundingMinor: decision.cashRoundingMinor })
	};
	if (ledger === undefined || creditMinor === 0) return fact;
	const due = sale?.record && (await recordHash(sale.record.signed.a, parts.crypto));
	const record = await draftRecord(
		{
			kind: 'credit',
			ledger,
			minor: creditMinor,
			owedMinor: owedMinor(context, moment),
			receipt: receiptNumber(head.code, receipt),
			items: itemsOf(lines),
			...(due !== undefined && { ref: due })
		},
		moment,
		{ head, parts }
	);
	return { ...fact, record };
}
