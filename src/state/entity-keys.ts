import type { CustomerFields, ProductFields } from '#domain/fact/fact.ts';
import { codeKey, searchKey } from '#domain/text.ts';
import { tileKeyOf } from '#domain/tile-key.ts';
import type { CustomerRow, ProductRow } from '#storage/device-store.ts';

type ProductKeys = Pick<ProductRow, 'searchKey' | 'codeKeys' | 'tileKey'>;

/** By what a product is found, from what is said of it. */
export function productKeys(fields: ProductFields): ProductKeys {
	return {
		searchKey: searchKey(fields.name ?? ''),
		codeKeys: [...new Set((fields.codes ?? []).map(codeKey))],
		tileKey: tileKeyOf(fields)
	};
}

/** The same of a customer. */
export function customerKeys({
	name = '',
	nick = '',
	phone = ''
}: CustomerFields): Pick<CustomerRow, 'searchKey'> {
	return { searchKey: searchKey([name, nick, phone].join(' ')) };
}
