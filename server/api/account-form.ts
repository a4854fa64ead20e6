import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';
import * as v from 'valibot';
import { parsePassword, type Password } from '#domain/account/password.ts';
import { parseUsername, type Username } from '#domain/account/username.ts';
import { asciiDigits } from '#domain/digits.ts';
import type { PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import { personField } from './body.ts';

/** One way to reach a person, as it was typed. */
export const contactFields = {
	email: v.optional(v.string()),
	phone: v.optional(v.string()),
	/** The country of the device's locale, for a phone number written without one: `KE`. */
	region: v.optional(v.string())
};

/** What a sign-up sends, as far as its shape goes. */
export const accountSchema = v.object({
	kind: v.picklist(['store', 'customer']),
	username: v.string(),
	name: v.string(),
	...contactFields,
	/** The language that messages to the person are in. */
	language: v.optional(v.picklist(['en', 'ar'])),
	password: v.string(),
	person: v.optional(personField)
});

export type AccountBody = v.InferOutput<typeof accountSchema>;

export interface AccountForm {
	readonly kind: 'store' | 'customer';
	readonly username: Username;
	readonly name: string;
	readonly contact: Contact;
	readonly language: 'en' | 'ar';
	readonly password: Password;
	/** The person that the device minted; none where it did not. */
	readonly person: PersonId | undefined;
}

export interface Contact {
	readonly email: string | null;
	/** E.164. */
	readonly phone: string | null;
}

export const NAME_CODE_POINTS_MAX = 80;
const EMAIL_LENGTH_MAX = 254;
const PHONE_LENGTH_MAX = 40;
/** As far as one can tell without sending a letter: one `@`, a dot in the host, nothing blank. */
const EMAIL = /^[^\s@<>"]{1,64}@[^\s@<>"]+\.[^\s@<>".]{2,}$/u;

/** Judges a sign-up, in the order of its fields on the page. */
export function parseAccountForm(body: AccountBody): Result<AccountForm, ProblemCode> {
	const username = parseUsername(body.username);
	if (!username.ok) return username;
	const name = cleanName(body.name, NAME_CODE_POINTS_MAX);
	if (!name.ok) return err('nameInvalid');
	const contact = parseContact(body);
	if (!contact.ok) return contact;
	const password = parsePassword(body.password, username.value);
	if (!password.ok) return password;
	return ok({
		kind: body.kind,
		username: username.value,
		name: name.value,
		contact: contact.value,
		language: body.language ?? 'en',
		password: password.value,
		person: body.person
	});
}

export type ContactBody = Pick<AccountBody, 'email' | 'phone' | 'region'>;

/** Reads one or both; refuses none. */
export function parseContact({
	email = '',
	phone = '',
	region
}: ContactBody): Result<Contact, ProblemCode> {
	if (isBlank(email) && isBlank(phone)) return err('contactMissing');
	const parsedEmail = isBlank(email) ? ok(null) : parseEmail(email);
	if (!parsedEmail.ok) return parsedEmail;
	const parsedPhone = isBlank(phone) ? ok(null) : parsePhone(phone, region);
	if (!parsedPhone.ok) return parsedPhone;
	return ok({ email: parsedEmail.value, phone: parsedPhone.value });
}

function parseEmail(typed: string): Result<string, ProblemCode> {
	const email = typed.trim().normalize('NFC');
	const isWhole = email.length <= EMAIL_LENGTH_MAX && EMAIL.test(email) && !/\p{C}/u.test(email);
	return isWhole ? ok(email) : err('contactInvalid');
}

/**
 * Asks whether a number is possible, not whether its range is given out: new ranges open before a
 * library knows them, and a code sent to the number will tell.
 */
function parsePhone(typed: string, region?: string): Result<string, ProblemCode> {
	if (typed.length > PHONE_LENGTH_MAX) return err('contactInvalid');
	const country = region?.toUpperCase() ?? '';
	const parsed = parsePhoneNumberFromString(asciiDigits(typed), {
		extract: false,
		...(isSupportedCountry(country) ? { defaultCountry: country } : {})
	});
	return parsed?.isPossible() === true ? ok(parsed.number) : err('contactInvalid');
}

function isBlank(text: string): boolean {
	return text.trim() === '';
}
