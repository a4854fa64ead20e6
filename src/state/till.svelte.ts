import type { CurrencySettings } from '#domain/currency.ts';
import { cashToPay, quickCash } from '#domain/sale/cash.ts';
import { ringUp, type CartRefusal } from '#domain/sale/line.ts';
import { saleTotals } from '#domain/sale/sale-totals.ts';
import type { SaleFact } from '#domain/fact/fact.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { QUANTITY_THOUSANDTHS_MAX, THOUSANDTHS } from '#domain/quantity.ts';
import type { Result } from '#domain/result.ts';
import type { CartSold } from './meta.ts';
import type { SaleDraft, SaleDraftLine, SellRefusal, Sold, TenderDraft } from './sell.ts';
import type { ReturnDraft, ReturnRefusal, TakenBack } from './take-back.ts';
import type * as Goods from './without-goods.ts';

/** A line of the open sale. Plain data: it is kept as it is, and survives a reload. */
export interface CartLine {
	/** Its own number in this cart. */
	readonly key: number;
	/** Undefined for an amount without a product. */
	readonly productId?: ProductId;
	readonly name: string;
	readonly unitPriceMinor: number;
	readonly quantityThousandths: number;
}

/** What the till sells: a product of the book, as far as a line needs it. */
export interface Sellable {
	readonly id: string;
	readonly name?: string;
	readonly price?: number;
}

/** A finished sale, as the till shows it until the next one. */
export interface FinishedSale {
	readonly receipt: string;
	readonly fact: SaleFact;
	/** As they stood in the cart; undoing puts them back. */
	readonly lines: readonly CartLine[];
	readonly totalMinor: number;
	/** What was handed over in cash; 0 on account. */
	readonly handedMinor: number;
	readonly changeMinor: number;
	/** Who owes it now. */
	readonly customer?: { readonly ledger: LedgerId; readonly name: string };
}

export interface TillParts {
	readonly sell: (draft: SaleDraft) => Promise<Result<Sold, SellRefusal>>;
	readonly takeBack: (draft: ReturnDraft) => Promise<Result<TakenBack, ReturnRefusal>>;
	/**
	 * Keeps the cart, where the sale of number `after` emptied it last, 0 where none did; else answers which did.
	 */
	readonly keepCart: (lines: readonly CartLine[], after: number) => Promise<CartSold | undefined>;
	readonly currency: () => CurrencySettings;
	/** Another tab leads, whose cart it is: nothing is sold or taken back here. */
	readonly isReadOnly: () => boolean;
	/** Needed as seldom as another tab sells of the cart: no part of the first load. */
	readonly loadGoods: () => Promise<Pick<typeof Goods, 'withoutGoods'>>;
}

/** A sale that is being written, or was. */
interface Written {
	readonly lines: readonly CartLine[];
	isSold: boolean;
}

/** What was emptied last, and may be put back. */
interface Emptied {
	lines: readonly CartLine[];
}

export interface Quick {
	readonly handedMinor: number;
	readonly changeMinor: number;
}

/** The sale being rung up on this device. */
export class Till {
	readonly #parts: TillParts;
	/** No key is given twice, so that a line is known by it whatever became of the others. */
	#lastKey = 0;
	/** The number of the sale that emptied the cart last, as far as this tab knows. */
	#cartSale = 0;
	#writing: Written | undefined;
	#emptied: Emptied | undefined;
	lines = $state.raw<readonly CartLine[]>([]);
	/** The last sale of this page, until the next line is rung up. */
	finished = $state.raw<FinishedSale | undefined>();
	/** A sale is being written; a second tap waits for it and does nothing. */
	isSelling = $state.raw(false);

	readonly #rung = $derived.by(() => ringUp(this.lines.map(draftOf), 'line'));
	readonly #totals = $derived.by(() => (this.#rung.ok ? saleTotals(this.#rung.value) : undefined));
	/** What all lines come to, minor units. */
	readonly totalMinor = $derived.by(() =>
		this.#totals?.ok === true ? this.#totals.value.totalMinor : 0
	);
	/** What that is in cash, by the smallest coin. */
	readonly cashMinor = $derived.by(
		() => cashToPay(this.totalMinor, this.#parts.currency()).cashMinor
	);
	/** Why this cart is no sale yet. */
	readonly refusal = $derived.by<CartRefusal['kind'] | 'totalTooLarge' | undefined>(() => {
		if (!this.#rung.ok) return this.#rung.error.kind;
		return this.#totals?.ok === false ? 'totalTooLarge' : undefined;
	});
	/** Line totals by line key, minor units. */
	readonly lineTotals = $derived.by<ReadonlyMap<number, number>>(() => {
		const rung = this.#rung.ok ? this.#rung.value : [];
		return new Map(this.lines.map(({ key }, index) => [key, rung[index]?.totalMinor ?? 0]));
	});
	/** How much of each product stands in the cart, thousandths by product id. */
	readonly quantityByProductId = $derived.by<ReadonlyMap<string, number>>(() => {
		const sums = new Map<string, number>();
		for (const { productId, quantityThousandths } of this.lines) {
			if (productId !== undefined)
				sums.set(productId, (sums.get(productId) ?? 0) + quantityThousandths);
		}
		return sums;
	});
	/** Whole pieces, where a weight counts as one. */
	readonly pieces = $derived.by(() =>
		this.lines.reduce((sum, line) => sum + piecesOf(line.quantityThousandths), 0)
	);
	/** What people are likely to hand over, exact first. */
	readonly quick = $derived.by<readonly Quick[]>(() =>
		quickCash(this.totalMinor, this.#parts.currency()).map((handedMinor) => ({
			handedMinor,
			changeMinor: handedMinor - this.cashMinor
		}))
	);

	constructor(parts: TillParts) {
		this.#parts = parts;
	}

	/** Takes up the cart that was kept, as it was before the reload, since the sale of number `cartSale`. */
	restore(lines: readonly CartLine[], cartSale: number): void {
		this.lines = lines;
		this.#cartSale = cartSale;
		this.#lastKey = Math.max(this.#lastKey, ...lines.map(({ key }) => key));
	}

	/** One more of a product; its own line grows where there is one at the same price. */
	add(product: Sellable): void {
		const unitPriceMinor = product.price ?? 0;
		const line = this.lines.find(
			(other) => other.productId === product.id && other.unitPriceMinor === unitPriceMinor
		);
		if (line !== undefined) {
			this.setQuantity(line.key, line.quantityThousandths + THOUSANDTHS);
			return;
		}
		this.#append({
			productId: product.id as ProductId,
			name: product.name ?? '',
			unitPriceMinor,
			quantityThousandths: THOUSANDTHS
		});
	}

	/** An amount of its own, without a product, or for a product whose price is open. */
	addAmount(minor: number, name: string, product?: Sellable): void {
		if (minor <= 0 || minor > AMOUNT_MINOR_MAX) return;
		const line = { name, unitPriceMinor: minor, quantityThousandths: THOUSANDTHS };
		this.#append(product === undefined ? line : { ...line, productId: product.id as ProductId });
	}

	/** Nothing is left of a line at nothing. */
	setQuantity(key: number, quantityThousandths: number): void {
		if (quantityThousandths > QUANTITY_THOUSANDTHS_MAX) return;
		this.#set(
			this.lines
				.map((line) => (line.key === key ? { ...line, quantityThousandths } : line))
				.filter((line) => line.quantityThousandths > 0)
		);
	}

	setPrice(key: number, unitPriceMinor: number): void {
		if (unitPriceMinor < 0 || unitPriceMinor > AMOUNT_MINOR_MAX) return;
		this.#set(this.lines.map((line) => (line.key === key ? { ...line, unitPriceMinor } : line)));
	}

	remove(key: number): void {
		this.#set(this.lines.filter((line) => line.key !== key));
	}

	/** Empties the cart and answers what puts back, once, what of it was not sold meanwhile. */
	clear(): () => void {
		const emptied: Emptied = { lines: this.lines };
		const writing = this.#writing;
		this.#emptied = emptied;
		this.#set([]);
		return () => {
			const { lines } = emptied;
			this.#putBack(writing?.isSold === true ? rungUpSince(writing.lines, lines) : lines);
			emptied.lines = [];
		};
	}

	/** Ends the sale with cash. */
	async takeCash(handedMinor: number): Promise<Result<Sold, SellRefusal> | undefined> {
		return this.#sell({ kind: 'cash', minor: handedMinor });
	}

	/** Ends the sale on a customer's account, whole. */
	async putOnAccount(customer: {
		readonly ledger: LedgerId;
		readonly name: string;
	}): Promise<Result<Sold, SellRefusal> | undefined> {
		return this.#sell(
			{ kind: 'account', minor: this.totalMinor, ledger: customer.ledger },
			customer
		);
	}

	/** Takes the last sale back, all of it, and puts its lines into the cart again, before what stands there. */
	async undo(): Promise<Result<TakenBack, ReturnRefusal> | undefined> {
		const sale = this.finished;
		if (sale === undefined || this.#parts.isReadOnly()) return undefined;
		const taken = await this.#parts.takeBack({
			sale: sale.fact.id,
			lines: sale.fact.lines.map(({ name, quantityThousandths }, saleLine) => ({
				saleLine,
				name,
				quantity: quantityThousandths,
				damaged: false
			})),
			refund:
				sale.customer === undefined
					? { kind: 'cash' }
					: { kind: 'account', ledger: sale.customer.ledger }
		});
		if (!taken.ok) return taken;
		if (this.finished === sale) this.finished = undefined;
		this.#putBack(sale.lines);
		return taken;
	}

	/**
	 * Answers nothing where a sale is being written already, or another tab leads. The cart stays until
	 * it is saved; what is rung up meanwhile is no part of it, and stands in the next.
	 */
	async #sell(
		tender: TenderDraft,
		customer?: FinishedSale['customer']
	): Promise<Result<Sold, SellRefusal> | undefined> {
		if (this.isSelling || this.#parts.isReadOnly()) return undefined;
		this.isSelling = true;
		const { lines, totalMinor } = this;
		const writing: Written = { lines, isSold: false };
		this.#writing = writing;
		let kept = lines;
		try {
			const sold = await this.#parts.sell({
				lines: lines.map(soldLineOf),
				tenders: tender.minor === 0 ? [] : [tender],
				cartAfter: this.#cartSale
			});
			if (!sold.ok) {
				if (sold.error.kind === 'cartSold') {
					await this.#soldElsewhere(sold.error.sold);
					// A tab that slept does not write over what the leading one keeps.
					kept = this.lines;
				}
				return sold;
			}
			writing.isSold = true;
			this.#cartSale = sold.value.fact.n;
			this.finished = {
				receipt: sold.value.receipt,
				fact: sold.value.fact,
				lines,
				totalMinor,
				handedMinor: tender.kind === 'cash' ? tender.minor : 0,
				changeMinor: sold.value.changeMinor,
				...(customer === undefined ? {} : { customer })
			};
			// The kept cart went with the sale, in its own transaction.
			kept = [];
			this.lines = this.lines === lines ? kept : rungUpSince(lines, this.lines);
			return sold;
		} finally {
			this.#writing = undefined;
			this.isSelling = false;
			if (this.lines !== kept) this.#set(this.lines);
		}
	}

	#append(line: Omit<CartLine, 'key'>): void {
		this.#set([...this.lines, { key: this.#nextKey(), ...line }]);
	}

	/** In front of what stands there. A line keeps its key, but where another tab gave it too. */
	#putBack(lines: readonly CartLine[]): void {
		const taken = new Set(this.lines.map(({ key }) => key));
		const back = lines.map((line) =>
			taken.has(line.key) ? { ...line, key: this.#nextKey() } : line
		);
		this.#set([...back, ...this.lines]);
	}

	#nextKey(): number {
		this.#lastKey += 1;
		return this.#lastKey;
	}

	/** Kept at once, but not beside a sale: after it the sold lines would be the kept cart again. */
	#set(lines: readonly CartLine[]): void {
		this.lines = lines;
		if (!this.isSelling) void this.#keep(lines);
	}

	async #keep(lines: readonly CartLine[]): Promise<void> {
		const after = this.#cartSale;
		const sold = await this.#parts.keepCart(lines, after);
		if (sold !== undefined) await this.#soldElsewhere(sold);
	}

	/**
	 * Where what it takes cannot be loaded now, the lines stay as they are: of them nothing is sold or kept
	 * before it is, since whoever asks for that is told again.
	 */
	async #soldElsewhere({ sale, lines }: CartSold): Promise<void> {
		const goods = await this.#parts.loadGoods().catch(() => undefined);
		if (goods === undefined || sale <= this.#cartSale) return;
		const { withoutGoods } = goods;
		this.#cartSale = sale;
		const ofEmptied = withoutGoods(lines, this.lines);
		this.lines = withoutGoods(this.lines, lines);
		if (this.#emptied !== undefined)
			this.#emptied.lines = withoutGoods(this.#emptied.lines, ofEmptied);
	}
}

/** What stands in the cart `now` beyond the lines that were `sold`. */
function rungUpSince(sold: readonly CartLine[], now: readonly CartLine[]): readonly CartLine[] {
	const soldByKey = new Map(sold.map((line) => [line.key, line.quantityThousandths]));
	return now.flatMap((line) => {
		const quantityThousandths = line.quantityThousandths - (soldByKey.get(line.key) ?? 0);
		return quantityThousandths > 0 ? { ...line, quantityThousandths } : [];
	});
}

/** Reads a kept cart back; what is no cart of ours is an empty one. */
export function parseCart(value: unknown): readonly CartLine[] {
	return Array.isArray(value) && value.every(isCartLine) ? value : [];
}

function isCartLine(value: unknown): value is CartLine {
	if (typeof value !== 'object' || value === null) return false;
	const line = value as Partial<Record<keyof CartLine, unknown>>;
	const amounts = [line.key, line.unitPriceMinor, line.quantityThousandths];
	return typeof line.name === 'string' && amounts.every(Number.isSafeInteger);
}

function draftOf(line: CartLine): Parameters<typeof ringUp>[0][number] {
	const { name, unitPriceMinor, quantityThousandths } = line;
	return { name, unitPriceMinor, quantityThousandths, taxTerms: { mode: 'none' } };
}

function soldLineOf(line: CartLine): SaleDraftLine {
	const { productId, name, unitPriceMinor, quantityThousandths } = line;
	const amounts = { name, unitPriceMinor, quantityThousandths };
	return productId === undefined ? amounts : { productId, ...amounts };
}

function piecesOf(quantityThousandths: number): number {
	return quantityThousandths % THOUSANDTHS === 0 ? quantityThousandths / THOUSANDTHS : 1;
}
