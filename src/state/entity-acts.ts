import { utf8 } from '#domain/bytes.ts';
import {
	FACT_ROWS_MAX,
	type AdjustFact,
	type AdjustReason,
	type CustomerFields,
	type Fact,
	type FactHead,
	type ProductFields
} from '#domain/fact/fact.ts';
import { isCustomerFields, isProductFields } from '#domain/fact/fields.ts';
import { isSignedAmount } from '#domain/fact/shape.ts';
import { parseLedgerId, productIdOf, type LedgerId, type ProductId } from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName, codeKey } from '#domain/text.ts';
import type { CustomerRow, ProductRow } from '#storage/device-store.ts';
import {
	changedOf,
	cleanTexts,
	NAME_MAX,
	NOTE_MAX,
	nothingWritten,
	wrongField,
	type FieldRefusal,
	type TextFields
} from './clean-fields.ts';
import type { Act, DeviceParts } from './write-path.ts';

export type CustomerEditRefusal =
	| FieldRefusal
	| { readonly kind: 'unknownCustomer'; readonly ledger: LedgerId };

export type ProductEditRefusal =
	| FieldRefusal
	| { readonly kind: 'noRows' }
	| { readonly kind: 'unknownProduct'; readonly product: ProductId }
	/** Another product in use bears the code. */
	| { readonly kind: 'codeTaken'; readonly row: number; readonly code: string };

export type AdjustRefusal =
	| { readonly kind: 'noRows' }
	| { readonly kind: 'amountRefused'; readonly row: number }
	| { readonly kind: 'unknownProduct'; readonly product: ProductId };

/** What a person may fill in of a product; codes and names as typed. */
export type ProductDraft = ProductFields;

export interface AdjustRow {
	readonly product: ProductId;
	/** Thousandths; negative takes away. */
	readonly delta: number;
}

const CODE_MAX = 48;
/** What the rows of one fact may take of its 64 kB. */
const ROWS_BYTES_MAX = 48_000;

export function addCustomerAct(
	draft: CustomerFields,
	{ uuid }: DeviceParts
): Act<undefined, LedgerId, FieldRefusal> {
	return {
		tables: [],
		load: () => Promise.resolve(undefined),
		decide: (_nothing, moment) => {
			const ledger = parseLedgerId(uuid.v4());
			assert(ledger.ok, 'the ids handed in are UUIDs v4');
			const fields = cleanCustomer({ ...draft, name: draft.name ?? '' });
			if (!fields.ok) return Promise.resolve(fields);
			const rows = [{ ledgerId: ledger.value, fields: fields.value }];
			const fact: Fact = { ...moment.head(0), kind: 'customer', rows };
			return Promise.resolve(ok({ facts: [fact], value: ledger.value }));
		}
	};
}

export function changeCustomerAct(
	ledger: LedgerId,
	draft: CustomerFields
): Act<CustomerRow | undefined, undefined, CustomerEditRefusal> {
	return {
		tables: ['customers'],
		load: (rows) => rows.get('customers', ledger),
		decide: (held, moment) => {
			if (held === undefined) return Promise.resolve(err({ kind: 'unknownCustomer', ledger }));
			const fields = cleanCustomer(draft);
			if (!fields.ok) return Promise.resolve(fields);
			const changed = changedOf(fields.value, held);
			if (Object.keys(changed).length === 0) return nothingWritten();
			const rows = [{ ledgerId: ledger, fields: changed }];
			const fact: Fact = { ...moment.head(0), kind: 'customer', rows };
			return Promise.resolve(ok({ facts: [fact], value: undefined }));
		}
	};
}

/** Makes products; many rows become several facts in one transaction, all of them or none. */
export function addProductsAct(
	drafts: readonly ProductDraft[]
): Act<readonly ProductRow[], readonly ProductId[], ProductEditRefusal> {
	return {
		tables: ['products'],
		load: (rows) => rows.findAny('products', 'codeKeys', [...new Set(drafts.flatMap(codeKeysOf))]),
		decide: (held, moment) => {
			if (drafts.length === 0) return Promise.resolve(err({ kind: 'noRows' }));
			const cleaned = cleanProducts(drafts, held);
			if (!cleaned.ok) return Promise.resolve(cleaned);
			const chunks = inChunks(cleaned.value);
			const facts = chunks.map((chunk, place): Fact => {
				const rows = chunk.map((fields) => ({ productId: null, fields }));
				return { ...moment.head(place), kind: 'product', rows };
			});
			const ids = chunks.flatMap((chunk, place) =>
				chunk.map((_fields, row) => productIdOf(moment.head(place).id, row))
			);
			return Promise.resolve(ok({ facts, value: ids }));
		}
	};
}

interface ProductContext {
	readonly held: ProductRow | undefined;
	readonly sameCodes: readonly ProductRow[];
}

export function changeProductAct(
	product: ProductId,
	draft: ProductDraft
): Act<ProductContext, undefined, ProductEditRefusal> {
	return {
		tables: ['products'],
		load: async (rows) => {
			const held = await rows.get('products', product);
			const codes = codeKeysOf(inUseAgain(draft, held));
			return { held, sameCodes: await rows.findAny('products', 'codeKeys', codes) };
		},
		decide: ({ held, sameCodes }, moment) => {
			if (held === undefined) return Promise.resolve(err({ kind: 'unknownProduct', product }));
			const others = sameCodes.filter(({ id }) => id !== product);
			const cleaned = cleanProducts([inUseAgain(draft, held)], others);
			if (!cleaned.ok) return Promise.resolve(cleaned);
			const changed = changedOf(cleaned.value[0] ?? {}, held);
			if (Object.keys(changed).length === 0) return nothingWritten();
			const rows = [{ productId: product, fields: changed }];
			const fact: Fact = { ...moment.head(0), kind: 'product', rows };
			return Promise.resolve(ok({ facts: [fact], value: undefined }));
		}
	};
}

/** What is taken into use again comes with its codes, which another may bear by now. */
function inUseAgain(draft: ProductDraft, held: ProductRow | undefined): ProductDraft {
	const isBack = held?.active === false && draft.active === true;
	return isBack && held.codes !== undefined ? { codes: held.codes, ...draft } : draft;
}

export function adjustStockAct(
	rows: readonly AdjustRow[],
	reason: AdjustReason
): Act<readonly (ProductRow | undefined)[], readonly AdjustFact[], AdjustRefusal> {
	return {
		tables: ['products'],
		load: (store) =>
			store.getMany(
				'products',
				rows.map(({ product }) => product)
			),
		decide: (held, moment) => {
			if (rows.length === 0) return Promise.resolve(err({ kind: 'noRows' }));
			for (const [row, { product, delta }] of rows.entries()) {
				if (!isSignedAmount(delta) || delta === 0)
					return Promise.resolve(err({ kind: 'amountRefused', row }));
				if (held[row] === undefined)
					return Promise.resolve(err({ kind: 'unknownProduct', product }));
			}
			const facts = inChunks(rows).map((chunk, place) =>
				adjustFact(moment.head(place), chunk, reason)
			);
			return Promise.resolve(ok({ facts, value: facts }));
		}
	};
}

export function adjustFact(
	head: FactHead,
	rows: readonly AdjustRow[],
	reason: AdjustReason
): AdjustFact {
	const deltas = rows.map(({ product, delta }) => ({
		productId: product,
		deltaThousandths: delta
	}));
	return { ...head, kind: 'adjust', rows: deltas, reason };
}

function codeKeysOf({ codes }: ProductDraft): readonly string[] {
	return (codes ?? []).map(codeKey);
}

export function cleanProducts(
	drafts: readonly ProductDraft[],
	held: readonly ProductRow[]
): Result<readonly ProductFields[], ProductEditRefusal> {
	const taken = new Set(
		held.filter(({ active }) => active !== false).flatMap((row) => row.codeKeys)
	);
	const cleaned: ProductFields[] = [];
	for (const [row, draft] of drafts.entries()) {
		const fields = cleanTexts(draft, PRODUCT_TEXTS, row);
		if (!fields.ok) return fields;
		const codes = cleanCodes(fields.value, row);
		if (!codes.ok) return codes;
		const twice = codeKeysOf(codes.value).find((key) => taken.has(key));
		if (twice !== undefined) return err({ kind: 'codeTaken', row, code: twice });
		for (const key of codeKeysOf(codes.value)) taken.add(key);
		const wrong = wrongField(codes.value, isProductFields);
		if (wrong !== undefined) return err({ kind: 'fieldRefused', field: wrong, row, why: 'wrong' });
		cleaned.push(codes.value);
	}
	return ok(cleaned);
}

/** Codes without control characters, none empty, none twice. */
function cleanCodes(fields: ProductFields, row: number): Result<ProductFields, FieldRefusal> {
	if (fields.codes === undefined) return ok(fields);
	const codes = new Map<string, string>();
	for (const typed of fields.codes) {
		const clean = cleanName(typed, CODE_MAX);
		if (!clean.ok && clean.error === 'tooLong')
			return err({ kind: 'fieldRefused', field: 'codes', row, why: 'tooLong' });
		if (clean.ok) codes.set(codeKey(clean.value), clean.value);
	}
	return ok({ ...fields, codes: [...codes.values()] });
}

function cleanCustomer(draft: CustomerFields): Result<CustomerFields, FieldRefusal> {
	const fields = cleanTexts(draft, CUSTOMER_TEXTS, 0);
	if (!fields.ok) return fields;
	const wrong = wrongField(fields.value, isCustomerFields);
	return wrong === undefined
		? fields
		: err({ kind: 'fieldRefused', field: wrong, row: 0, why: 'wrong' });
}

const PRODUCT_TEXTS: TextFields = { name: NAME_MAX, category: NAME_MAX, sku: NAME_MAX };
const CUSTOMER_TEXTS: TextFields = {
	name: NAME_MAX,
	nick: NAME_MAX,
	phone: NAME_MAX,
	address: NOTE_MAX / 2,
	note: NOTE_MAX / 2,
	takers: NAME_MAX
};
/** Rows in pieces that fit into one fact each, in their order. */
export function inChunks<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
	const chunks: Row[][] = [];
	let bytes = 0;
	for (const row of rows) {
		const size = utf8(JSON.stringify(row)).length + ROW_FRAME_BYTES;
		const last = chunks.at(-1);
		if (last === undefined || bytes + size > ROWS_BYTES_MAX || last.length >= FACT_ROWS_MAX) {
			chunks.push([row]);
			bytes = size;
		} else {
			last.push(row);
			bytes += size;
		}
	}
	return chunks;
}

const ROW_FRAME_BYTES = 8;
