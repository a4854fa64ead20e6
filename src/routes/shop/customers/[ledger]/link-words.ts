import type { LinkView } from '#state/ledger-views.ts';
import type { Words } from '#ui/words.svelte.ts';

/** Who stands behind a page, in a few words: the app, a number, or nobody but the shop. */
export function linkWords(words: Words, link: LinkView | undefined, phone: string): string {
	const number = phone === '' ? '' : ` · \u2066${phone}\u2069`;
	if (link?.state === 'linked') {
		if (link.way === 'phone') return words.say('customer.linkedPhone', { end: link.phoneEnd });
		return words.say('customer.linked') + number;
	}
	if (link?.state === 'ended') return words.say('customer.linkEnded') + number;
	return words.say('customer.ownBook') + number;
}
