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
	const whole = numberFormat(locale).format(absolute / size);
	const fraction = shownFraction((absolute % size).toString().padStart(digits, '0'), scale);
	const decimals = fraction === '' ? '' : decimalMark(locale) + inDigitsOf(locale, fraction);
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
	const part = numberFormat(locale)
		.formatToParts(1.1)
		.find(({ type }) => type === 'decimal');
	return part?.value ?? '.';
}

function inDigitsOf(locale: string, latin: string): string {
	const digits = new Intl.NumberFormat(locale, { useGrouping: false });
	return latin.replace(/\d/g, (digit) => digits.format(Number(digit)));
}

const formats = new Map<string, Intl.NumberFormat>();

// Making one takes longer than using it a thousand times, and there is one a language.
function numberFormat(locale: string): Intl.NumberFormat {
	let format = formats.get(locale);
	if (format === undefined) {
		format = new Intl.NumberFormat(locale);
		formats.set(locale, format);
	}
	return format;
}
