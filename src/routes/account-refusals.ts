import type { ApiRefusal } from '#state/account-api.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<ApiRefusal, MessageKey>> = {
	unreachable: 'api.unreachable',
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
	usernameTaken: 'api.usernameTaken'
};

/** What happened, what about the person's data, and what to do, in one breath. */
export function apiRefusalWords(words: Words, code: ApiRefusal): string {
	return words.say(SENTENCES[code]);
}
