import { encodeBase64url, utf8 } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { cleanName } from '#domain/text.ts';
import { NOTE_CHARACTERS_MAX } from '#domain/confirmation/limits.ts';
import { encodeSoldLines, encodeTenders } from '#domain/fact/encode-fact.ts';
import { FACT_TENDERS_MAX, type SaleFact, type SoldLine } from '#domain/fact/fact.ts';
import { receiptNumber, type LedgerId, type ProductId } from '#domain/ids.ts';
import { dueMsByTerms } from '#domain/ledger/due-date.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { ringUp, type CartRefusal, type LineDraft, type SaleLine } from '#domain/sale/line.ts';
import { saleTotals } from '#domain/sale/sale-totals.ts';
import { settle, type Settlement, type Tender, type TenderRefusal } from '#domain/sale/tender.ts';
import type { TaxTerms } from '#domain/tax.ts';
import type { BalanceRow, CustomerRow, StoreReader } from '#storage/device-store.ts';
import { draftRecord } from './draft-record.ts';
import { itemsOf, lineName, lineProduct, soldLine } from './sold-line.ts';
import { readMeta, type CartSold } from './meta.ts';
import type { Act, DeviceParts, Moment } from './write-path.ts';

/** A line of the cart; without tax terms it is not taxed. */
export interface SaleDraftLine extends Omit<LineDraft, 'productId' | 'taxTerms'> {
	readonly productId?: ProductId | undefined;
	readonly taxTerms?: TaxTerms;
}

export type TenderDraft =
	| { readonly kind: 'cash'; readonly minor: number }
	| { readonly kind: 'account'; readonly minor: number; readonly ledger: LedgerId };

export interface SaleDraft {
	readonly lines: readonly SaleDraftLine[];
	readonly tenders: readonly TenderDraft[];
	/** Stands in the record of what goes on account. */
	readonly note?: string;
	/**
	 * These lines are the kept cart's, which the sale empties: as it stood after the sale of this number,
	 * 0 where none emptied it before.
	 */
	readonly cartAfter?: number;
}

export interface Sold {
	readonly fact: SaleFact;
	/** As people read it: `A-000123`. */
	readonly receipt: string;
	readonly changeMinor: number;
}

export type CustomerRefusal =
	| { readonly kind: 'unknownCustomer'; readonly ledger: LedgerId }
	| { readonly kind: 'customerArchived'; readonly ledger: LedgerId };

/** Why a sale is not made, in the order in which it is asked. */
export type SellRefusal =
	| CartRefusal
	| { readonly kind: 'lineNameTooLong'; readonly lineIndex: number }
	| { readonly kind: 'totalTooLarge' }
	| TenderRefusal
	| CustomerRefusal
	| { readonly kind: 'noteTooLong' }
	/** More lines and longer names than one fact holds. */
	| { readonly kind: 'saleTooLong' }
	/** Another tab sold what it was shown of the cart. */
	| { readonly kind: 'cartSold'; readonly sold: CartSold };

/** Lines of a fact take this much of its 64 kB at the most; the record and the rest need the remainder. */
export const LINES_BYTES_MAX = 56_000;

/** What an act on a customer's account looks at. */
export interface AccountContext {
	readonly customer: CustomerRow | undefined;
	readonly balances: readonly BalanceRow[];
}

interface SaleContext extends AccountContext {
	readonly cartSold: CartSold | undefined;
}

export function sellAct(draft: SaleDraft, parts: DeviceParts): Act<SaleContext, Sold, SellRefusal> {
	const ledger = draft.tenders.find((tender) => tender.kind === 'account')?.ledger;
	const { cartAfter } = draft;
	return {
		tables: ['customers', 'balances'],
		load: async (rows) => {
			const cartSold = await readMeta(rows, 'cartSold');
			return { ...(await loadAccount(rows, ledger)), cartSold };
		},
		decide: async ({ cartSold, ...context }, moment) => {
			// One of two tabs that slept is asked once more, after the sale of the other.
			if (cartAfter !== undefined && cartSold !== undefined && cartSold.sale !== cartAfter)
				return err({ kind: 'cartSold', sold: cartSold });
			const rung = ring(draft, moment);
			if (!rung.ok) return rung;
			const asked = checkAccount(ledger, context, draft.note);
			if (!asked.ok) return asked;
			const fact = await write({ rung: rung.value, ledger, note: asked.value }, moment, {
				context,
				parts
			});
			const receipt = receiptNumber(fact.code, fact.receipt);
			const { changeMinor } = rung.value.settlement;
			const value = { fact, receipt, changeMinor };
			const ofCart = cartAfter === undefined ? {} : { ofCart: draft.lines };
			return ok({ facts: [fact], value, ...ofCart });
		}
	};
}

export async function loadAccount(
	rows: StoreReader,
	ledger: LedgerId | undefined
): Promise<AccountContext> {
	if (ledger === undefined) return { customer: undefined, balances: [] };
	const customer = await rows.get('customers', ledger);
	const balances = await rows.findAny('balances', 'ledger', [ledger]);
	return { customer, balances };
}

/** What the customer owes in the currency of the moment. */
export function owedMinor(context: AccountContext, { settings }: Moment): bigint {
	return owedIn(context, settings.money);
}

export function owedIn(
	{ balances }: AccountContext,
	money: Parameters<typeof currencyKey>[0]
): bigint {
	const key = currencyKey(money);
	return balances.find(({ currency }) => currency === key)?.total ?? 0n;
}

/** Days until a due falls due: the customer's terms, else the shop's. */
export function termsOf({ customer }: AccountContext, { settings }: Moment): number | undefined {
	return customer?.terms ?? settings.terms ?? undefined;
}

/** Whether the account may be written on; the note cleaned, `undefined` where there is none. */
export function checkAccount(
	ledger: LedgerId | undefined,
	{ customer }: AccountContext,
	note: string | undefined
): Result<string | undefined, CustomerRefusal | { readonly kind: 'noteTooLong' }> {
	if (ledger !== undefined) {
		if (customer === undefined) return err({ kind: 'unknownCustomer', ledger });
		if (customer.active === false) return err({ kind: 'customerArchived', ledger });
	}
	return cleanNote(note);
}

export function cleanNote(
	note: string | undefined
): Result<string | undefined, { readonly kind: 'noteTooLong' }> {
	const clean = cleanName(note ?? '', NOTE_CHARACTERS_MAX);
	if (clean.ok) return clean;
	return clean.error === 'empty' ? ok(undefined) : err({ kind: 'noteTooLong' });
}

interface Rung {
	readonly lines: readonly SoldLine[];
	readonly settlement: Settlement;
}

function ring(draft: SaleDraft, { settings }: Moment): Result<Rung, SellRefusal> {
	const priced = ringUp(
		draft.lines.map(({ taxTerms, productId, ...line }) => ({
			...(productId !== undefined && { productId }),
			...line,
			taxTerms: taxTerms ?? { mode: 'none' }
		})),
		'line'
	);
	if (!priced.ok) return priced;
	const lines = soldLines(priced.value);
	if (!lines.ok) return lines;
	const totals = saleTotals(priced.value);
	if (!totals.ok) return err({ kind: 'totalTooLarge' });
	const settlement = settle(
		totals.value.totalMinor,
		draft.tenders.flatMap(tenderOf),
		settings.money
	);
	if (!settlement.ok) return settlement;
	if (settlement.value.tenders.length > FACT_TENDERS_MAX)
		return err({ kind: 'tooManyTenders', tendersMax: FACT_TENDERS_MAX });
	if (bytesOf(lines.value) > LINES_BYTES_MAX) return err({ kind: 'saleTooLong' });
	return ok({ lines: lines.value, settlement: settlement.value });
}

/** The domain's lines in the form of a fact, each with a clean name. */
function soldLines(
	priced: readonly SaleLine[]
): Result<readonly SoldLine[], { readonly kind: 'lineNameTooLong'; readonly lineIndex: number }> {
	const lines: SoldLine[] = [];
	for (const [lineIndex, line] of priced.entries()) {
		const name = lineName(line.name);
		if (!name.ok) return err({ kind: 'lineNameTooLong', lineIndex });
		lines.push(soldLine({ ...line, name: name.value, productId: lineProduct(line.productId) }));
	}
	return ok(lines);
}

/** Nothing tendered is no tender. */
function tenderOf(tender: TenderDraft): readonly Tender[] {
	if (tender.minor === 0) return [];
	return [{ kind: tender.kind, minor: tender.minor }];
}

export function bytesOf(lines: readonly SoldLine[]): number {
	return utf8(JSON.stringify(encodeSoldLines(lines))).length;
}

interface Ready {
	readonly rung: Rung;
	readonly ledger: LedgerId | undefined;
	readonly note: string | undefined;
}

async function write(
	{ rung: { lines, settlement }, ledger, note }: Ready,
	moment: Moment,
	{ context, parts }: { readonly context: AccountContext; readonly parts: DeviceParts }
): Promise<SaleFact> {
	const head = moment.head(0);
	const { receipt } = moment;
	const rounding = settlement.cashRoundingMinor;
	const fact: SaleFact = {
		...head,
		kind: 'sale',
		receipt,
		lines,
		tenders: settlement.tenders,
		...(rounding !== 0 && { roundingMinor: rounding })
	};
	if (ledger === undefined || settlement.accountMinor === 0) return fact;
	const terms = termsOf(context, moment);
	const record = await draftRecord(
		{
			kind: 'due',
			ledger,
			minor: settlement.accountMinor,
			owedMinor: owedMinor(context, moment),
			receipt: receiptNumber(head.code, receipt),
			items: itemsOf(lines),
			saleHash: await saleHash(fact, parts.crypto),
			...(terms !== undefined && { dueAt: dueMsByTerms(terms, head.on, moment.settings.zone) }),
			...(note !== undefined && { note })
		},
		moment,
		{ head, parts }
	);
	return { ...fact, record };
}

/** What binds a due to the whole of its sale. */
async function saleHash(
	{ receipt, lines, tenders }: SaleFact,
	crypto: CryptoParts
): Promise<string> {
	const text = JSON.stringify([receipt, encodeSoldLines(lines), encodeTenders(tenders)]);
	return encodeBase64url(await crypto.sha256(utf8(text)));
}
