import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { Entry } from '#state/customer-thread.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

const KINDS: Readonly<Record<RecordKind, MessageKey>> = {
	due: 'record.due',
	openingDebit: 'record.opening',
	fee: 'record.fee',
	advancePaidBack: 'record.advancePaidBack',
	payment: 'record.payment',
	credit: 'record.credit',
	openingCredit: 'record.opening',
	forgiveness: 'record.forgiveness',
	reversalOfDebit: 'record.reversal',
	reversalOfCredit: 'record.reversal',
	statement: 'record.statement'
};

/** What the line is about: its note, its receipt, what it takes back, else what kind it is. */
export function whatWords(words: Words, { row, undoes }: Entry): string {
	if (row.note !== undefined) return row.note;
	if (undoes !== undefined) {
		const isTaken = undoes.kind !== 'payment' && undoes.kind !== 'credit';
		return words.say('record.undoes', {
			amount: words.amount(isTaken ? undoes.amount : -undoes.amount, 'always'),
			day: words.day(undoes.on, 'short')
		});
	}
	if (row.receipt !== undefined) return words.say('record.receipt', { receipt: row.receipt });
	return words.say(KINDS[row.kind]);
}

/** The one word under the figure. */
export function sideWord({ row, signedMinor }: Entry): MessageKey {
	if (row.kind === 'reversalOfDebit' || row.kind === 'reversalOfCredit') return 'record.undone';
	if (row.kind === 'credit') return 'record.brought';
	return signedMinor > 0 ? 'record.took' : 'record.paid';
}
