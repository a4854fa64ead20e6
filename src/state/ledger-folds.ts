/**
 * What facts do to ledgers, and to what came before them, in one part: a till that sells for cash alone never loads it. It is
 * loaded before the transaction that needs it, because nothing may be waited for inside.
 */
export { addLedgerFacts, attachSayings } from './fold-ledger-facts.ts';
export { keepClocks, moveInTime } from './fold-clocks.ts';
export { foldTallies } from './fold-tallies.ts';
