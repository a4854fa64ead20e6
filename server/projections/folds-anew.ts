import { refOf } from '#domain/confirmation/counted-amounts.ts';
import type { LedgerRecord } from '#domain/confirmation/ledger-fold.ts';
import { isOpening } from '#domain/confirmation/record-kind.ts';
import { recordsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { movesBalance } from './ledger-facts.ts';

/** Whether a record of itself touches no other and waits for no list. */
export function isPlain(record: Pick<LedgerRecord, 'kind' | 'ref'>): boolean {
	const { kind } = record;
	if (isOpening(kind) || kind === 'statement' || kind.startsWith('reversal')) return false;
	return refOf(record) === undefined;
}

/** Whether a ledger of many records is folded anew for a fact, whatever came before it. */
export function foldsAnew(fact: Fact): boolean {
	if (movesBalance(fact)) return true;
	return recordsOf(fact).some(({ core: { kind }, rest: { ref } }) => {
		return !isPlain(ref === undefined ? { kind } : { kind, ref });
	});
}
