import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';
import { asciiDigits } from '#domain/digits.ts';
import { err, ok, type Result } from '#domain/result.ts';

const TYPED_LENGTH_MAX = 40;

/**
 * A number in E.164, read by the country of the device where it names none. Possible, not proved:
 * new ranges open before a library knows them, and a code sent there will tell.
 */
export function parsePhone(typed: string, region?: string): Result<string, 'phoneInvalid'> {
	if (typed.length > TYPED_LENGTH_MAX) return err('phoneInvalid');
	const country = region?.toUpperCase() ?? '';
	const parsed = parsePhoneNumberFromString(asciiDigits(typed), {
		extract: false,
		...(isSupportedCountry(country) ? { defaultCountry: country } : {})
	});
	return parsed?.isPossible() === true ? ok(parsed.number) : err('phoneInvalid');
}

/** As much of a number as a screen may show: `…678`. */
export function maskedPhone(phone: string): string {
	return `…${phone.slice(-3)}`;
}
