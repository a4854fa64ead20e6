import { joinedCodes } from '#domain/catalog/joined-codes.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { productIdOf, type ProductId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { codeKey } from '#domain/text.ts';
import type { ProductRow } from '#storage/device-store.ts';
import { changedOf } from './clean-fields.ts';
import {
	adjustFact,
	cleanProducts,
	inChunks,
	type AdjustRow,
	type ProductDraft,
	type ProductEditRefusal
} from './entity-acts.ts';
import type { Act, Moment } from './write-path.ts';

/** Products of a list: new ones with what lies on the shelf, and what changes of known ones. */
export interface ProductList {
	readonly added: readonly {
		readonly fields: ProductDraft;
		/** Thousandths, not negative. */
		readonly openingThousandths: number;
	}[];
	/** `codes` come in addition to those that stand when it is written: others may have come since it was read. */
	readonly updated: readonly { readonly product: ProductId; readonly fields: ProductDraft }[];
}

interface ListContext {
	readonly sameCodes: readonly ProductRow[];
	readonly held: readonly (ProductRow | undefined)[];
}

/** Writes the whole list or none of it: no product is there without the stock it came with. */
export function keepProductsAct(
	list: ProductList
): Act<ListContext, { readonly facts: number }, ProductEditRefusal> {
	return {
		tables: ['products'],
		load: async (rows) => ({
			sameCodes: await rows.findAny('products', 'codeKeys', codeKeysOf(list)),
			held: await rows.getMany(
				'products',
				list.updated.map(({ product }) => product)
			)
		}),
		decide: (context, moment) => {
			const checked = check(list, context);
			if (!checked.ok) return Promise.resolve(checked);
			const facts = factsOf(checked.value, moment);
			return Promise.resolve(ok({ facts, value: { facts: facts.length } }));
		}
	};
}

interface CheckedRow {
	readonly productId: ProductId | null;
	readonly fields: ProductDraft;
	readonly openingThousandths: number;
}

function check(
	{ added, updated }: ProductList,
	{ sameCodes, held }: ListContext
): Result<readonly CheckedRow[], ProductEditRefusal> {
	if (added.length + updated.length === 0) return err({ kind: 'noRows' });
	const fresh = cleanProducts(
		added.map(({ fields }) => fields),
		sameCodes
	);
	if (!fresh.ok) return fresh;
	const rows: CheckedRow[] = fresh.value.map((fields, place) => ({
		productId: null,
		fields,
		openingThousandths: added[place]?.openingThousandths ?? 0
	}));
	for (const [place, { product, fields }] of updated.entries()) {
		const standing = held[place];
		if (standing === undefined) return err({ kind: 'unknownProduct', product });
		const others = sameCodes.filter(({ id }) => id !== product);
		const { codes } = fields;
		const added = codes && { codes: joinedCodes(standing.codes ?? [], codes) };
		const cleaned = cleanProducts([{ ...fields, ...added }], others);
		if (!cleaned.ok) return cleaned;
		const changed = changedOf(cleaned.value[0] ?? {}, standing);
		if (Object.keys(changed).length === 0) continue;
		rows.push({ productId: product, fields: changed, openingThousandths: 0 });
	}
	return ok(rows);
}

function factsOf(rows: readonly CheckedRow[], moment: Moment): readonly Fact[] {
	const openings: AdjustRow[] = [];
	const facts = inChunks(rows).map((chunk, place): Fact => {
		const head = moment.head(place);
		for (const [row, { productId, openingThousandths }] of chunk.entries()) {
			if (productId !== null || openingThousandths === 0) continue;
			openings.push({ product: productIdOf(head.id, row), delta: openingThousandths });
		}
		return {
			...head,
			kind: 'product',
			rows: chunk.map(({ productId, fields }) => ({ productId, fields }))
		};
	});
	const opened = inChunks(openings).map((chunk, place) =>
		adjustFact(moment.head(facts.length + place), chunk, 'opening')
	);
	return [...facts, ...opened];
}

function codeKeysOf({ added, updated }: ProductList): readonly string[] {
	const drafts = [...added, ...updated].map(({ fields }) => fields);
	return [...new Set(drafts.flatMap(({ codes }) => (codes ?? []).map(codeKey)))];
}
