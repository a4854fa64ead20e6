/**
 * Every reason for which the service refuses a request, as the `code` of its problem+json answer.
 * Screens have a sentence for each; the relay has a status for each.
 */
export const PROBLEM_CODES = [
	'bodyInvalid',
	'bodyTooLarge',
	'branchUnknown',
	'busy',
	'businessKnown',
	'contactInvalid',
	'contactMissing',
	'databaseGone',
	'deviceRefused',
	'deviceRemoved',
	'documentClosed',
	'documentInvalid',
	'epochEnded',
	'fault',
	'foreignOrigin',
	'inviteExpired',
	'inviteUnknown',
	'inviteUsed',
	'nameInvalid',
	'nonceSpent',
	'notAMember',
	'notAStore',
	'notFound',
	'notJson',
	'notSignedIn',
	'ownerOnly',
	'passwordIsUsername',
	'passwordTooLong',
	'passwordTooShort',
	'personKnown',
	'queryInvalid',
	'signatureInvalid',
	'signInRefused',
	'tooManyAttempts',
	'usernameInvalid',
	'usernameReserved',
	'usernameTaken'
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(PROBLEM_CODES);

export function isProblemCode(value: unknown): value is ProblemCode {
	return KNOWN.has(value);
}
