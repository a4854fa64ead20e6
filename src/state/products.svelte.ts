import { formatDecimal, parseAmount, parseQuantity, type AmountRefusal } from '#domain/digits.ts';
import type { AdjustReason, ProductFields, ProductKind, ProductUnit } from '#domain/fact/fact.ts';
import { parseProductId, type ProductId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import type { App } from './app.svelte.ts';
import type { StockedProduct } from './book.ts';
import { categoriesIn } from './categories.ts';
import { changedOf } from './clean-fields.ts';
import type { AdjustRefusal, ProductEditRefusal } from './entity-acts.ts';
import type { Live } from './live.ts';
import { searchProducts } from './product-search.ts';

/** Which products a list shows. */
export type ProductSieve = 'all' | 'low' | 'below' | 'archived';

const FOUND_MAX = 500;

/** The shop's products with what is left of them. */
export class ProductList {
	readonly #rows: Live<readonly StockedProduct[]>;
	query = $state('');
	sieve = $state.raw<ProductSieve>('all');

	/** Undefined until the book was read. */
	readonly all = $derived.by(() => this.#rows.value);
	readonly #inUse = $derived.by(() => (this.all ?? []).filter(({ active }) => active !== false));
	readonly #low = $derived.by(() => this.#inUse.filter(isLow));
	readonly #below = $derived.by(() => this.#inUse.filter(isBelowZero));
	/** How many each sieve lets through. */
	readonly counts = $derived.by<Readonly<Record<ProductSieve, number>>>(() => ({
		all: this.#inUse.length,
		low: this.#low.length,
		below: this.#below.length,
		archived: (this.all?.length ?? 0) - this.#inUse.length
	}));
	readonly categories = $derived.by(() =>
		categoriesIn(this.#inUse.map(({ category }) => category)).toSorted((a, b) => a.localeCompare(b))
	);
	readonly shown = $derived.by(() => {
		const sifted = this.#sifted();
		return this.query.trim() === '' ? sifted : searchProducts(sifted, this.query, FOUND_MAX);
	});

	constructor(app: App) {
		this.#rows = app.live(['products', 'stock'], () => app.book.allProducts());
	}

	#sifted(): readonly StockedProduct[] {
		switch (this.sieve) {
			case 'all':
				return this.#inUse;
			case 'low':
				return this.#low;
			case 'below':
				return this.#below;
			case 'archived':
				// Search leaves archived ones out; here they are what is looked for.
				return (this.all ?? [])
					.filter(({ active }) => active === false)
					.map((product) => ({ ...product, active: true }));
		}
	}
}

/** Whether stock of it is kept at all. */
export function isStocked({ kind }: Pick<ProductFields, 'kind'>): boolean {
	return kind === undefined || kind === 'goods';
}

export function isLow(product: StockedProduct): boolean {
	const { low, level } = product;
	return isStocked(product) && typeof low === 'number' && level <= BigInt(low);
}

export function isBelowZero(product: StockedProduct): boolean {
	return isStocked(product) && product.level < 0n;
}

/** A product's page in an address: a point in it would make a file of it. */
export function productPath(id: ProductId | string): string {
	return `/shop/products/${id.replace('.', '~')}`;
}

export function productOfPath(part: string): ProductId | undefined {
	const parsed = parseProductId(part.replace('~', '.'));
	return parsed.ok ? parsed.value : undefined;
}

export type ProductField = 'name' | 'price' | 'codes' | 'category' | 'low';
export type FieldWhy = AmountRefusal | 'tooLong' | 'wrong' | 'taken';

/** How a person's numbers are read: by the shop's money and the person's separators. */
export interface TypedNumbers {
	readonly exponent: number;
	readonly locale: string;
	readonly decimalMark: string;
}

/** What a person fills in of a product; what was typed stays until it is saved. */
export class ProductForm {
	readonly #app: App;
	readonly #numbers: () => TypedNumbers;
	readonly #id: ProductId | undefined;
	readonly #hadPrice: boolean;
	/** What stood in it first, or was saved last: only what is other than that is written. */
	#filled: ProductFields;
	name = $state('');
	price = $state('');
	codes = $state<string[]>(['']);
	category = $state('');
	low = $state('');
	unit = $state<ProductUnit>('piece');
	kind = $state<ProductKind>('goods');
	refusals = $state.raw<Readonly<Partial<Record<ProductField, FieldWhy>>>>({});

	constructor(app: App, numbers: () => TypedNumbers, product?: StockedProduct) {
		this.#app = app;
		this.#numbers = numbers;
		this.#id = product?.id;
		this.#hadPrice = product?.price !== undefined;
		this.#filled = product === undefined ? {} : this.#fill(product);
	}

	/** Saves the product and answers its id; where a field is not taken, `refusals` says which. */
	async save(): Promise<ProductId | undefined> {
		const fields = this.#read();
		if (fields === undefined) return undefined;
		const saved = await this.#app.keeping(() => this.#write(fields));
		if (saved.ok) {
			this.#filled = fields;
			return saved.value;
		}
		this.refusals = refusalsOf(saved.error);
		return undefined;
	}

	async #write(fields: ProductFields): Promise<Result<ProductId | undefined, ProductEditRefusal>> {
		const { device } = this.#app;
		if (this.#id === undefined) {
			const added = await device.addProducts([fields]);
			return added.ok ? { ok: true, value: added.value[0] } : added;
		}
		const changed = await device.changeProduct(this.#id, changedOf(fields, this.#filled));
		return changed.ok ? { ok: true, value: this.#id } : changed;
	}

	/** The fields as they would be written; undefined where one is not to be understood. */
	#read(): ProductFields | undefined {
		const { exponent, locale } = this.#numbers();
		const price = readOptional(this.price, (typed) => parseAmount(typed, { locale, exponent }));
		const low = readOptional(this.low, (typed) => parseQuantity(typed, { locale }));
		this.refusals = {
			...(this.name.trim() === '' && { name: 'empty' }),
			...this.#priceRefusal(price),
			...(!low.ok && { low: low.error })
		};
		if (!price.ok || !low.ok || Object.keys(this.refusals).length > 0) return undefined;
		return {
			name: this.name,
			...(price.value !== undefined && { price: price.value }),
			codes: this.codes.filter((code) => code.trim() !== ''),
			category: this.category,
			unit: this.unit,
			kind: this.kind,
			low: low.value ?? null
		};
	}

	/** A price that stands can be changed, not taken away. */
	#priceRefusal(price: Result<number | undefined, AmountRefusal>): { price?: FieldWhy } {
		if (!price.ok) return { price: price.error };
		return price.value === undefined && this.#hadPrice ? { price: 'empty' } : {};
	}

	#fill(product: StockedProduct): ProductFields {
		const { exponent, decimalMark } = this.#numbers();
		const typed = (units: number, digits: number): string =>
			formatDecimal(units, digits, 0).replace('.', decimalMark);
		this.name = product.name ?? '';
		this.price = product.price === undefined ? '' : typed(product.price, exponent);
		this.codes =
			product.codes === undefined || product.codes.length === 0 ? [''] : [...product.codes];
		this.category = product.category ?? '';
		this.low = typeof product.low === 'number' ? typed(product.low, 3) : '';
		this.unit = product.unit ?? 'piece';
		this.kind = product.kind ?? 'goods';
		const filled = this.#read() ?? {};
		this.refusals = {};
		return filled;
	}
}

/** Marks a product as one for the first tiles, or no longer. */
export async function setFavourite(
	app: App,
	product: ProductId,
	favourite: boolean
): Promise<void> {
	await app.keeping(() => app.device.changeProduct(product, { favourite }));
}

/** Takes a product out of the lists, or back into them; its past stays. */
export async function setActive(
	app: App,
	product: ProductId,
	active: boolean
): Promise<Result<undefined, ProductEditRefusal>> {
	return app.keeping(() => app.device.changeProduct(product, { active }));
}

/** The reasons a person may give for more or less on the shelf. */
export const TAKING_REASONS = [
	'waste',
	'expired',
	'ownUse',
	'gift',
	'theft',
	'correction'
] as const;
export const ADDING_REASONS = ['found', 'correction'] as const;

export type StockRefusal = AmountRefusal | AdjustRefusal['kind'] | 'zero';

/** Writes that `typed` more (or less) of the product is there, and why. */
export async function adjustStock(
	app: App,
	product: ProductId,
	of: {
		readonly typed: string;
		readonly isMore: boolean;
		readonly reason: AdjustReason;
		readonly locale: string;
	}
): Promise<Result<unknown, { readonly kind: StockRefusal }>> {
	const quantity = parseQuantity(of.typed, { locale: of.locale });
	if (!quantity.ok) return { ok: false, error: { kind: quantity.error } };
	if (quantity.value === 0) return { ok: false, error: { kind: 'zero' } };
	const delta = of.isMore ? quantity.value : -quantity.value;
	return app.keeping(() => app.device.adjustStock([{ product, delta }], of.reason));
}

function readOptional(
	typed: string,
	parse: (typed: string) => Result<number, AmountRefusal>
): Result<number | undefined, AmountRefusal> {
	return typed.trim() === '' ? { ok: true, value: undefined } : parse(typed);
}

function refusalsOf(refusal: ProductEditRefusal): Partial<Record<ProductField, FieldWhy>> {
	switch (refusal.kind) {
		case 'codeTaken':
			return { codes: 'taken' };
		case 'fieldRefused':
			return { [FORM_FIELDS.find((field) => field === refusal.field) ?? 'name']: refusal.why };
		case 'noRows':
		case 'unknownProduct':
			return { name: 'wrong' };
	}
}

const FORM_FIELDS: readonly ProductField[] = ['name', 'price', 'codes', 'category', 'low'];
