import type { JudgedRecord } from '#domain/confirmation/judge.ts';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import type { BranchId } from '#domain/ids.ts';
import type { Guard, Link } from '#server/ledgers/guard.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import type { Found } from './match-code.ts';

/** Everything around a claim, read under the ledger's lock. */
export interface Case {
	readonly fact: ClaimFact;
	readonly branch: BranchId | null;
	readonly name: LedgerName;
	readonly record: JudgedRecord;
	readonly guard: Guard;
	readonly link: Link | undefined;
	readonly found: Found | undefined;
}
