/**
 * Every reason for which the service refuses a request, as the `code` of its problem+json answer.
 * Screens have a sentence for each; the relay has a status for each.
 */
export const PROBLEM_CODES = [
	'alreadyAsked',
	'alreadyLinked',
	'askAnswered',
	'bodyInvalid',
	'bodyTooLarge',
	'branchUnknown',
	'businessKnown',
	'busy',
	'codeExpired',
	'codeInvalid',
	'codeSendsSpent',
	'codesLocked',
	'codeSpent',
	'codeTooSoon',
	'codeWrong',
	'contactInvalid',
	'contactMissing',
	'databaseGone',
	'deviceRefused',
	'deviceRemoved',
	'documentClosed',
	'documentInvalid',
	'epochEnded',
	'factorKnown',
	'factorNeeded',
	'factorWrong',
	'fault',
	'foreignOrigin',
	'inviteExpired',
	'inviteOfAnother',
	'inviteUnknown',
	'inviteUsed',
	'nameInvalid',
	'nonceSpent',
	'noSet',
	'notAMember',
	'notAStore',
	'notFound',
	'notJson',
	'notLinked',
	'notSignedIn',
	'oldCodeNeeded',
	'ownerOnly',
	'ownShop',
	'passwordIsUsername',
	'passwordTooLong',
	'passwordTooShort',
	'passwordWrong',
	'personKnown',
	'phoneInvalid',
	'phoneUnproved',
	'queryInvalid',
	'recordUnknown',
	'shopAskedOften',
	'signatureInvalid',
	'signInRefused',
	'smsLimit',
	'smsOff',
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
