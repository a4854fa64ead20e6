import type { CodeSheet } from './device.ts';

/** A row of a sheet as people read and print it. */
export interface SheetRow {
	/** 1 … on this sheet. */
	readonly number: number;
	/** In two groups: `4821 7730`; empty where there is nothing to tell any more. */
	readonly digits: string;
	/** Struck through. */
	readonly isUsed: boolean;
}

const GROUP_DIGITS = 4;

export function sheetRows({ set, codes }: CodeSheet): readonly SheetRow[] {
	return codes.map(({ counter, digits = '' }, place) => ({
		number: place + 1,
		digits: grouped(digits),
		isUsed: set.used.includes(counter)
	}));
}

/** The digits as they are spoken and typed, in groups of four. */
export function grouped(digits: string): string {
	const groups = [digits.slice(0, GROUP_DIGITS), digits.slice(GROUP_DIGITS)];
	return groups.filter((group) => group !== '').join(' ');
}

/** The words that a sheet's text is made of, in the person's language. */
export interface SheetWords {
	/** Whose codes, and for which shop. */
	readonly title: string;
	/** What one code is worth. */
	readonly worth: string;
	/** What to do with them, and what to do when they are lost. */
	readonly advice: string;
}

/** The open codes as plain text, to print or to send to oneself. */
export function sheetText(sheet: CodeSheet, { title, worth, advice }: SheetWords): string {
	const rows = sheetRows(sheet)
		.filter(({ digits, isUsed }) => digits !== '' && !isUsed)
		.map(({ number, digits }) => `${String(number)}.  ${digits}`);
	return [title, worth, '', ...rows, '', advice].join('\n');
}
