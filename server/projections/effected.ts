import type { Sql } from 'postgres';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Effects } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { BranchId, BusinessId } from '#domain/ids.ts';

/** A fact that was never folded before, and where it belongs. */
export interface FactToProject {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly fact: Fact;
}

/** The same with what it does. */
export interface Effected extends FactToProject {
	readonly effects: Effects;
}

/** Hears how many rows of a business's ledgers were read to fold them anew. */
export type TellFolded = (business: BusinessId, rows: number) => void;

/** Keeps what facts say of ledgers beside their records, and moves the balances that change by it. */
export type ProjectLedgerFacts = (
	sql: Sql,
	facts: readonly Pick<FactToProject, 'business' | 'fact'>[]
) => Promise<void>;

/** Moves the projections by facts that were never folded before, in the transaction that `sql` is. */
export type Project = (sql: Sql, facts: readonly FactToProject[]) => Promise<void>;

/** What others want to hear of while it is projected, in the transaction. */
export interface ToldOf {
	readonly folded?: TellFolded | undefined;
	/** Hears of the records that were not there before. */
	readonly recorded?: (sql: Sql, records: readonly RecordName[]) => Promise<void>;
}

/** A record by its H, in the business whose it is. */
export interface RecordName {
	readonly business: BusinessId;
	readonly h: RecordHash;
}
