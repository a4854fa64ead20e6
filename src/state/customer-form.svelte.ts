import { formatDecimal, parseAmount, parseQuantity, type AmountRefusal } from '#domain/digits.ts';
import type { CustomerFields } from '#domain/fact/fact.ts';
import { THOUSANDTHS } from '#domain/quantity.ts';
import { ok, type Result } from '#domain/result.ts';
import { changedOf } from './clean-fields.ts';
import type { CustomerPage } from './customers.svelte.ts';
import type { CustomerEditRefusal } from './entity-acts.ts';
import type { FieldWhy, TypedNumbers } from './products.svelte.ts';

export type CustomerField = 'name' | 'nick' | 'phone' | 'address' | 'note' | 'limit' | 'terms';

const TERMS_DAYS_MAX = 3_660;

/** What a person fills in of a customer; what was typed stays until it is saved. */
export class CustomerForm {
	readonly #numbers: TypedNumbers;
	/** What stood in it first, or was saved last: only what is other than that is written. */
	#filled: CustomerFields;
	name = $state('');
	nick = $state('');
	phone = $state('');
	address = $state('');
	note = $state('');
	limit = $state('');
	/** Days until a due falls due. */
	terms = $state('');
	refusals = $state.raw<Readonly<Partial<Record<CustomerField, FieldWhy>>>>({});

	constructor(customer: CustomerFields, numbers: TypedNumbers) {
		this.#numbers = numbers;
		const { name = '', nick = '', phone = '', address = '', note = '', limit, terms } = customer;
		Object.assign(this, { name, nick, phone, address, note });
		if (typeof limit === 'number')
			this.limit = formatDecimal(limit, numbers.exponent, 0).replace('.', numbers.decimalMark);
		if (typeof terms === 'number') this.terms = String(terms);
		this.#filled = this.#read() ?? {};
		this.refusals = {};
	}

	/** Saves and answers whether it was taken; where a field is not, `refusals` says which. */
	async save(page: CustomerPage): Promise<boolean> {
		const fields = this.#read();
		if (fields === undefined) return false;
		const saved = await page.change(changedOf(fields, this.#filled));
		if (saved.ok) this.#filled = fields;
		else this.refusals = refusalsOf(saved.error);
		return saved.ok;
	}

	#read(): CustomerFields | undefined {
		const { locale, exponent } = this.#numbers;
		const limit = readOptional(this.limit, (typed) => parseAmount(typed, { locale, exponent }));
		const terms = readOptional(this.terms, (typed) => parseDays(typed, locale));
		this.refusals = {
			...(this.name.trim() === '' && { name: 'empty' }),
			...(!limit.ok && { limit: limit.error }),
			...(!terms.ok && { terms: terms.error })
		};
		if (!limit.ok || !terms.ok || Object.keys(this.refusals).length > 0) return undefined;
		const { name, nick, phone, address, note } = this;
		return { name, nick, phone, address, note, limit: limit.value, terms: terms.value };
	}
}

function parseDays(typed: string, locale: string): Result<number, AmountRefusal> {
	const read = parseQuantity(typed, { locale, decimalsMax: 0 });
	if (!read.ok) return read;
	const days = read.value / THOUSANDTHS;
	return days > TERMS_DAYS_MAX ? { ok: false, error: 'tooLarge' } : ok(days);
}

/** Null where nothing stands: there is no limit, there are no terms. */
function readOptional(
	typed: string,
	parse: (typed: string) => Result<number, AmountRefusal>
): Result<number | null, AmountRefusal> {
	return typed.trim() === '' ? ok(null) : parse(typed);
}

function refusalsOf(refusal: CustomerEditRefusal): Partial<Record<CustomerField, FieldWhy>> {
	if (refusal.kind === 'unknownCustomer') return { name: 'wrong' };
	return { [FIELDS.find((field) => field === refusal.field) ?? 'name']: refusal.why };
}

const FIELDS: readonly CustomerField[] = [
	'name',
	'nick',
	'phone',
	'address',
	'note',
	'limit',
	'terms'
];
