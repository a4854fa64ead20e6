import type { OneTimeCodeRefusal } from '#domain/account/one-time-code.ts';
import type { ApiRefusal } from '#state/account-api.ts';
import type { ProofRefusal } from '#state/account-proof.svelte.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<ApiRefusal, MessageKey>> = {
	unreachable: 'api.unreachable',
	alreadyAsked: 'api.alreadyAsked',
	alreadyLinked: 'api.alreadyLinked',
	askAnswered: 'api.askAnswered',
	bodyInvalid: 'api.older',
	bodyTooLarge: 'api.older',
	branchUnknown: 'api.older',
	busy: 'api.busy',
	businessKnown: 'api.businessKnown',
	contactInvalid: 'api.contactInvalid',
	contactMissing: 'api.contactMissing',
	databaseGone: 'api.busy',
	deviceRefused: 'api.deviceRefused',
	deviceRemoved: 'api.deviceRemoved',
	documentClosed: 'api.older',
	documentInvalid: 'api.older',
	epochEnded: 'api.older',
	fault: 'api.fault',
	foreignOrigin: 'api.foreignOrigin',
	inviteExpired: 'api.inviteExpired',
	inviteUnknown: 'api.inviteUnknown',
	inviteUsed: 'api.inviteUsed',
	nameInvalid: 'api.nameInvalid',
	nonceSpent: 'api.again',
	notAMember: 'api.notAMember',
	notAStore: 'api.notAStore',
	notFound: 'api.older',
	notJson: 'api.older',
	notSignedIn: 'api.notSignedIn',
	ownerOnly: 'api.ownerOnly',
	passwordIsUsername: 'api.passwordIsUsername',
	passwordTooLong: 'api.passwordTooLong',
	passwordTooShort: 'api.passwordTooShort',
	personKnown: 'api.personKnown',
	queryInvalid: 'api.older',
	signatureInvalid: 'api.again',
	signInRefused: 'api.signInRefused',
	tooManyAttempts: 'api.tooManyAttempts',
	usernameInvalid: 'api.usernameInvalid',
	usernameReserved: 'api.usernameReserved',
	usernameTaken: 'api.usernameTaken',
	codeExpired: 'api.codeExpired',
	codeInvalid: 'api.codeInvalid',
	codeSendsSpent: 'api.codeSendsSpent',
	codesLocked: 'api.codesLocked',
	codeSpent: 'api.codeSpent',
	codeTooSoon: 'api.codeTooSoon',
	codeWrong: 'api.codeWrong',
	factorKnown: 'api.factorKnown',
	factorNeeded: 'api.factorNeeded',
	factorWrong: 'api.factorWrong',
	inviteOfAnother: 'api.inviteOfAnother',
	noSet: 'api.noSet',
	notLinked: 'api.notLinked',
	oldCodeNeeded: 'api.oldCodeNeeded',
	ownShop: 'api.ownShop',
	passwordWrong: 'api.passwordWrong',
	phoneInvalid: 'api.phoneInvalid',
	phoneUnproved: 'api.phoneUnproved',
	recordUnknown: 'api.recordUnknown',
	shopAskedOften: 'api.shopAskedOften',
	smsLimit: 'api.smsLimit',
	smsOff: 'api.smsOff'
};

const CODE_SENTENCES: Readonly<Record<OneTimeCodeRefusal, MessageKey>> = {
	codeEmpty: 'prove.empty',
	codeNotDigits: 'prove.notDigits',
	codeTooShort: 'prove.tooShort',
	codeTooLong: 'prove.tooLong'
};

/** Of a code that was typed: what is wrong with it, before it was sent or after. */
export function proofRefusalWords(words: Words, code: ProofRefusal): string {
	return isOfCode(code) ? words.say(CODE_SENTENCES[code]) : apiRefusalWords(words, code);
}

function isOfCode(code: ProofRefusal): code is OneTimeCodeRefusal {
	return Object.hasOwn(CODE_SENTENCES, code);
}

/** What happened, what about the person's data, and what to do, in one breath. */
export function apiRefusalWords(words: Words, code: ApiRefusal): string {
	return words.say(SENTENCES[code]);
}
