import type { RecordTender } from '#domain/fact/ledger-fact.ts';
import type { MessageKey } from '#ui/words.svelte.ts';

/** How money came, in the shop's words. */
export const TENDER_WORDS: Readonly<Record<RecordTender, MessageKey>> = {
	cash: 'tender.cash',
	card: 'tender.card',
	mobile: 'tender.mobile',
	bank: 'tender.bank'
};
