import type { DeviceFact, MemberFact } from '#domain/fact/fact.ts';
import type { BranchId, BusinessId } from '#domain/ids.ts';
import type { Transaction } from '#server/database/transaction.ts';

/**
 * What the relay is asked to write of a member or device; it adds id, stamp and day. `branch` is the
 * branch in whose journal the fact also stands; null where it is in the feed only.
 */
export type RelayFactDraft = (
	Pick<MemberFact, 'kind' | 'member' | 'fields'> | Pick<DeviceFact, 'kind' | 'device' | 'fields'>
) & { readonly branch: BranchId | null };

/** Writes the facts in the caller's transaction, so that who joins and the fact of it commit as one. */
export type AppendRelayFacts = (
	transaction: Transaction,
	business: BusinessId,
	drafts: readonly RelayFactDraft[]
) => Promise<void>;
