import type { ApiRefusal } from '#state/account-api.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { apiRefusalWords } from '../account-refusals.ts';

/** What these mean of a shop's invite; of a device's they mean something else. */
const SENTENCES: Partial<Readonly<Record<ApiRefusal, MessageKey>>> = {
	inviteUsed: 'me.invite.used',
	inviteExpired: 'me.invite.expired',
	inviteUnknown: 'me.invite.unknown',
	notFound: 'me.invite.unknown',
	inviteOfAnother: 'me.invite.another',
	alreadyLinked: 'me.invite.already'
};

/** Why an invite does not connect, and what to do about it. */
export function linkRefusalWords(words: Words, refusal: ApiRefusal): string {
	const key = SENTENCES[refusal];
	return key === undefined ? apiRefusalWords(words, refusal) : words.say(key);
}
