import {
	parseAmount,
	parseQuantity,
	type AmountReading,
	type AmountRefusal
} from '#domain/digits.ts';
import type { ASK_TIMES, SettingFields } from '#domain/fact/fact.ts';
import { THOUSANDTHS } from '#domain/quantity.ts';

/** What a person typed of the rules for customers' pages. */
export interface TypedRules {
	readonly ask: (typeof ASK_TIMES)[number];
	readonly above: string;
	readonly terms: string;
	readonly payday: string;
	readonly sms: boolean;
	readonly smsLimit: string;
}

interface ReadNumber {
	readonly isRight: boolean;
	/** Undefined where nothing stands, or nothing that is right. */
	readonly value: number | undefined;
}

/** What was read; `fields` is there only where all of it is right. */
export interface ReadRules {
	readonly above: { readonly minor: number | undefined; readonly refusal?: AmountRefusal };
	readonly terms: ReadNumber;
	readonly payday: ReadNumber;
	readonly smsLimit: ReadNumber;
	readonly fields: SettingFields | undefined;
}

const TERMS_DAYS_MAX = 3_660;
const MONTH_DAYS = 31;
const MESSAGES_MAX = 100_000;

/** Reads the rules as typed, each by itself, so that every field can say what is wrong with it. */
export function readRules(typed: TypedRules, reading: AmountReading): ReadRules {
	const above = readAbove(typed, reading);
	const whole = (text: string, bounds: Bounds): ReadNumber =>
		readWhole(text, { ...bounds, locale: reading.locale });
	const terms = whole(typed.terms, { least: 0, most: TERMS_DAYS_MAX });
	const payday = whole(typed.payday, { least: 1, most: MONTH_DAYS });
	const smsLimit = whole(typed.smsLimit, { least: 0, most: MESSAGES_MAX });
	const isRight =
		above.refusal === undefined && terms.isRight && payday.isRight && smsLimit.isRight;
	if (!isRight) return { above, terms, payday, smsLimit, fields: undefined };
	const fields: SettingFields = {
		ask: typed.ask,
		...(above.minor !== undefined && { askAbove: above.minor }),
		terms: terms.value ?? null,
		...(payday.value !== undefined && { payday: payday.value }),
		sms: typed.sms,
		...(smsLimit.value !== undefined && { smsLimit: smsLimit.value })
	};
	return { above, terms, payday, smsLimit, fields };
}

function readAbove({ ask, above }: TypedRules, reading: AmountReading): ReadRules['above'] {
	if (ask !== 'above') return { minor: undefined };
	const amount = parseAmount(above, reading);
	return amount.ok ? { minor: amount.value } : { minor: undefined, refusal: amount.error };
}

interface Bounds {
	readonly least: number;
	readonly most: number;
}

/** A whole number in any script, inside its bounds; nothing is right too. */
function readWhole(
	text: string,
	{ least, most, locale }: Bounds & { readonly locale: string }
): ReadNumber {
	if (text.trim() === '') return { isRight: true, value: undefined };
	const read = parseQuantity(text, { locale, decimalsMax: 0 });
	const value = read.ok ? read.value / THOUSANDTHS : undefined;
	const isRight = value !== undefined && value >= least && value <= most;
	return { isRight, value: isRight ? value : undefined };
}
