/** How a currency is written: its minor digits by ISO 4217, and how many of them people care to see. */
export interface MoneyForm {
	/** ISO 4217, `KES`. */
	readonly currency: string;
	/** Digits of the minor unit: 0, 2 or 3. */
	readonly exponent: number;
	/** Digits shown where the hidden ones are zero; never more than `exponent`. */
	readonly shownDecimals: number;
}

export type SignShown = 'negative' | 'always' | 'never';

const MINUS = '\u2212';
const THOUSANDTHS_DIGITS = 3;

/**
 * Writes minor units as people of `locale` read them, exact at any size. Hidden decimals that are
 * not zero are shown all the same: a figure on the screen is never less than what is owed.
 */
export function formatMinor(
	minor: number | bigint,
	form: MoneyForm,
	{ locale, sign = 'negative' }: { readonly locale: string; readonly sign?: SignShown }
): string {
	const { exponent, shownDecimals } = form;
	return formatScaled(BigInt(minor), { locale, digits: exponent, kept: shownDecimals, sign });
}

/** Writes thousandths of a piece, kilo or litre with as many decimals as they need. */
export function formatThousandths(thousandths: number | bigint, locale: string): string {
	return formatScaled(BigInt(thousandths), {
		locale,
		digits: THOUSANDTHS_DIGITS,
		kept: 0,
		trims: true,
		sign: 'negative'
	});
}

interface Scale {
	readonly locale: string;
	readonly digits: number;
	/** Decimals that stay though they are zero. */
	readonly kept: number;
	/** Whether zeros at the end go, where others before them stay. */
	readonly trims?: boolean;
	readonly sign: SignShown;
}

function formatScaled(value: bigint, scale: Scale): string {
	const { locale, digits, sign } = scale;
	const size = 10n ** BigInt(digits);
	const absolute = value < 0n ? -value : value;
	const whole = formatWhole(absolute / size, locale);
	const fraction = shownFraction((absolute % size).toString().padStart(digits, '0'), scale);
	const form = figureForm(locale);
	const decimals = fraction === '' ? '' : form.decimal + inDigitsOf(form, fraction);
	return signOf(value, sign) + whole + decimals;
}

function shownFraction(fraction: string, { digits, kept, trims = false }: Scale): string {
	if (digits === 0) return '';
	const needed = fraction.replace(/0+$/, '').length;
	if (trims || needed === 0) return fraction.slice(0, Math.max(kept, needed));
	// Money is never shown with one decimal of two.
	return needed <= kept ? fraction.slice(0, kept) : fraction;
}

function signOf(value: bigint, sign: SignShown): string {
	if (sign === 'never' || value === 0n) return '';
	if (value < 0n) return MINUS;
	return sign === 'always' ? '+' : '';
}

/** The locale's decimal mark, `.` or `,` or `٫`. */
export function decimalMark(locale: string): string {
	return figureForm(locale).decimal;
}

/** Writes a whole number of zero or more as `Intl.NumberFormat` does, in the locale's digits and groups. */
function formatWhole(value: bigint, locale: string): string {
	const form = figureForm(locale);
	const latin = value.toString();
	if (form.groupsFrom === 0 || latin.length < form.groupsFrom) return inDigitsOf(form, latin);
	const [last, others] = form.groups;
	const groups = [latin.slice(-last)];
	for (let rest = latin.slice(0, -last); rest !== ''; rest = rest.slice(0, -others))
		groups.unshift(rest.slice(-others));
	return groups.map((group) => inDigitsOf(form, group)).join(form.group);
}

function inDigitsOf({ digits }: FigureForm, latin: string): string {
	return latin.replace(/\d/g, (digit) => digits[Number(digit)] ?? digit);
}

/** How people of a locale write numbers. Plain data: it may be kept. */
export interface FigureForm {
	/** Those of 0 to 9. */
	readonly digits: readonly string[];
	readonly decimal: string;
	readonly group: string;
	/** How many digits stand in the last group, and in each before it: 3 and 2 in India. */
	readonly groups: readonly [last: number, others: number];
	/** How many digits a number has that is written in groups; 0 where none is. */
	readonly groupsFrom: number;
}

const forms = new Map<string, FigureForm>();

/** The first question to `Intl` takes a slow phone a tenth of a second: an answer of before spares it. */
export function keepFigureForm(locale: string, form: FigureForm): void {
	forms.set(locale, form);
}

function figureForm(locale: string): FigureForm {
	const known = forms.get(locale);
	if (known !== undefined) return known;
	const form = learnFigureForm(locale);
	forms.set(locale, form);
	return form;
}

const LONG = 12_345_678.5;
const LENGTHS = [4, 5, 6, 7];

/** As this browser has it now. */
export function learnFigureForm(locale: string): FigureForm {
	const plain = new Intl.NumberFormat(locale, { useGrouping: false });
	const grouped = new Intl.NumberFormat(locale);
	const parts = grouped.formatToParts(LONG);
	const of = (type: string): string | undefined => parts.find((one) => one.type === type)?.value;
	const whole = parts.filter(({ type }) => type === 'integer').map(({ value }) => value.length);
	const isGrouped = (length: number): boolean =>
		grouped.formatToParts(10 ** (length - 1)).some(({ type }) => type === 'group');
	return {
		digits: Array.from({ length: 10 }, (_, digit) => plain.format(digit)),
		decimal: of('decimal') ?? '.',
		group: of('group') ?? '',
		groups: [whole.at(-1) ?? 3, whole.at(-2) ?? 3],
		groupsFrom: LENGTHS.find(isGrouped) ?? 0
	};
}

/** Reads a form that was kept; what is none is none. */
export function parseFigureForm(value: unknown): FigureForm | undefined {
	const form = Object(value) as Partial<Record<keyof FigureForm, unknown>>;
	const digits = [form.digits].flat();
	const counts = [form.groups, form.groupsFrom].flat();
	const isWritten = [...digits, form.decimal, form.group].every((one) => typeof one === 'string');
	const isCounted = counts.every((one) => Number.isInteger(one) && Number(one) >= 0);
	return isWritten && isCounted && digits.length === 10 && counts.length === 3
		? (value as FigureForm)
		: undefined;
}
