import { assert } from './assert.ts';
import { allocateMinor, roundedQuotient, sumMinor } from './money.ts';
import { err, ok, type Result } from './result.ts';

/**
 * A tax of a name, with its rate in parts per million: 18 % is 180,000, and New York City's 8.875 %
 * is 88,750, which hundredths of a per cent could not say.
 */
export interface TaxRate {
	readonly name: string;
	readonly ratePpm: number;
}

/** A tax as it was charged. */
export interface TaxPart extends TaxRate {
	readonly minor: number;
}

/** How a thing is taxed: its price holds the taxes of its class, or they come on top. */
export type TaxTerms = { readonly mode: 'none' } | Taxed<TaxRate>;

/** The taxes of one line, frozen at the sale. */
export type LineTax = { readonly mode: 'none' } | Taxed<TaxPart>;

interface Taxed<Component> {
	readonly mode: 'inclusive' | 'exclusive';
	readonly taxClass: string;
	readonly parts: readonly Component[];
}

/** Whether each tax is rounded once on each line, or once for the whole document. */
export type TaxRounding = 'line' | 'document';

export type TaxRefusal = 'rateNotWhole' | 'rateNegative' | 'rateTooLarge' | 'nameTwice' | 'tooMany';

/** All taxes of one line together are at most 100 %. */
export const TAX_RATE_PPM_MAX = 1_000_000;
export const TAX_PARTS_MAX = 8;

const WHOLE = 1_000_000n;

/** Checks the terms that a person set or a peer sent. */
export function parseTaxTerms(terms: TaxTerms): Result<TaxTerms, TaxRefusal> {
	if (terms.mode === 'none') return ok(terms);
	const rates = terms.parts.map((part) => part.ratePpm);
	if (rates.length > TAX_PARTS_MAX) return err('tooMany');
	if (!rates.every(Number.isSafeInteger)) return err('rateNotWhole');
	if (rates.some((rate) => rate < 0)) return err('rateNegative');
	if (sumMinor(rates) > TAX_RATE_PPM_MAX) return err('rateTooLarge');
	if (new Set(terms.parts.map(({ name }) => name)).size < rates.length) return err('nameTwice');
	return ok(terms);
}

/** An amount to be taxed: price × quantity in minor units, not negative. */
export interface TaxBase {
	readonly totalMinor: number;
	readonly terms: TaxTerms;
}

/**
 * The taxes of the lines of one document, in the order of the lines.
 *
 * Each part is rounded once, half away from zero: on each line, or on the document's sum of the
 * lines taxed alike, which is then split among them by largest remainder. The parts of a line are
 * rounded each for itself, so that on it equal rates (CGST and SGST) are equal amounts.
 */
export function taxOf(bases: readonly TaxBase[], rounding: TaxRounding): readonly LineTax[] {
	for (const { totalMinor, terms } of bases)
		assert(totalMinor >= 0 && parseTaxTerms(terms).ok, 'taxed a negative amount or by wrong terms');
	return rounding === 'line' ? bases.map(taxOfLine) : taxOfDocument(bases);
}

/** All taxes of a line. */
export function taxMinor(tax: LineTax): number {
	if (tax.mode === 'none') return 0;
	return Number(sumMinor(tax.parts.map((part) => part.minor)));
}

/** What the customer pays for a line of `totalMinor`, with all taxes. */
export function grossMinor(totalMinor: number, tax: LineTax): number {
	return tax.mode === 'exclusive' ? totalMinor + taxMinor(tax) : totalMinor;
}

/** What stays with the shop of a line of `totalMinor`, without taxes. */
export function netMinor(totalMinor: number, tax: LineTax): number {
	return grossMinor(totalMinor, tax) - taxMinor(tax);
}

function taxOfLine({ totalMinor, terms }: TaxBase): LineTax {
	return charge(terms, ({ ratePpm }) =>
		Number(roundedQuotient(BigInt(totalMinor) * BigInt(ratePpm), divisorOf(terms)))
	);
}

function taxOfDocument(bases: readonly TaxBase[]): readonly LineTax[] {
	const shares = sharesOfDocument(bases);
	return bases.map(({ terms }, index) =>
		charge(terms, (rate) => shares.get(alikeKey(terms, rate))?.get(index) ?? 0)
	);
}

interface AlikeLine {
	readonly index: number;
	readonly totalMinor: number;
	readonly terms: TaxTerms;
	readonly rate: TaxRate;
}

/** Of each tax: the amount by index of the lines that are taxed alike. */
function sharesOfDocument(bases: readonly TaxBase[]): Map<string, Map<number, number>> {
	const alike = new Map<string, AlikeLine[]>();
	for (const [index, { totalMinor, terms }] of bases.entries()) {
		for (const rate of partsOf(terms)) {
			const key = alikeKey(terms, rate);
			const lines = alike.get(key) ?? [];
			lines.push({ index, totalMinor, terms, rate });
			alike.set(key, lines);
		}
	}
	return new Map(Array.from(alike, ([key, lines]) => [key, splitTax(lines)]));
}

function splitTax(lines: readonly AlikeLine[]): Map<number, number> {
	const totals = lines.map((line) => line.totalMinor);
	const base = sumMinor(totals);
	const [first] = lines;
	if (first === undefined || base === 0n) return new Map();

	const exact = base * BigInt(first.rate.ratePpm);
	const tax = Number(roundedQuotient(exact, divisorOf(first.terms)));
	const parts = allocateMinor(tax, totals);
	return new Map(lines.map(({ index }, at) => [index, parts[at] ?? 0]));
}

function charge(terms: TaxTerms, amountOf: (rate: TaxRate) => number): LineTax {
	if (terms.mode === 'none') return { mode: 'none' };
	const { mode, taxClass } = terms;
	const parts = terms.parts.map(({ name, ratePpm }) => ({
		name,
		ratePpm,
		minor: amountOf({ name, ratePpm })
	}));
	return { mode, taxClass, parts };
}

/** What a rate is a part of: of the price alone, or of a price that holds all the taxes. */
function divisorOf(terms: TaxTerms): bigint {
	if (terms.mode !== 'inclusive') return WHOLE;
	return WHOLE + sumMinor(terms.parts.map((part) => part.ratePpm));
}

/** Lines with one key share one rounding: the same tax, at the same rate, of the same whole. */
function alikeKey(terms: TaxTerms, { name, ratePpm }: TaxRate): string {
	return JSON.stringify([terms.mode, String(divisorOf(terms)), ratePpm, name]);
}

function partsOf(terms: TaxTerms): readonly TaxRate[] {
	return terms.mode === 'none' ? [] : terms.parts;
}
