import { asciiDigits } from '#domain/digits.ts';
import { searchKey } from '#domain/text.ts';

/** What of a customer is searched. */
export interface SearchedCustomer {
	readonly phone?: string;
	/** Name, nickname and phone, folded. */
	readonly searchKey: string;
}

const DIGITS_MIN = 2;

/** Customers that bear every word of `query` in name or nickname, or its digits in their phone. */
export function searchCustomers<T extends SearchedCustomer>(
	customers: readonly T[],
	query: string
): readonly T[] {
	const words = searchKey(query)
		.split(' ')
		.filter((word) => word !== '');
	if (words.length === 0) return customers;
	const digits = digitsOf(query);
	const isNumber = digits.length >= DIGITS_MIN && /^[+()\d\s./-]+$/.test(asciiDigits(query));
	return customers.filter((customer) => {
		if (isNumber && digitsOf(customer.phone ?? '').includes(digits)) return true;
		return words.every((word) => customer.searchKey.includes(word));
	});
}

function digitsOf(text: string): string {
	return asciiDigits(text).replace(/\D/g, '');
}
