import type { ClockFact, DeviceFact, FactHead, MemberFact } from '#domain/fact/fact.ts';
import type {
	AnsweredFact,
	AskedFact,
	AskFact,
	BookedFact,
	CardFact,
	CodesFact,
	FiledFact,
	JudgedFact,
	LinkFact,
	SawFact,
	SheetFact,
	ToldFact,
	VerdictFact
} from '#domain/fact/ledger-fact.ts';
import type { BranchId, BusinessId, PersonId } from '#domain/ids.ts';
import type { Transaction } from '#server/database/transaction.ts';

/** Whose facts they are, and whose feed and documents they stand in. */
export type ScopeId = BusinessId | PersonId;

/** What the relay alone writes into a business. */
export type BusinessRelayFact =
	| MemberFact
	| DeviceFact
	| ClockFact
	| AskFact
	| LinkFact
	| SheetFact
	| VerdictFact
	| AnsweredFact
	| SawFact;

/** What the relay alone writes for a person. */
export type PersonRelayFact =
	| CardFact
	| AskedFact
	| BookedFact
	| JudgedFact
	| FiledFact
	| ToldFact
	| CodesFact;

export type RelayFact = BusinessRelayFact | PersonRelayFact;

/**
 * What the relay is asked to write; it adds id, stamp and day. `branch` is the branch in whose
 * journal of today the fact also stands; null where it is in the feed only. A fact of a person has
 * no branch, and always stands in the person's document of the year. `saidAt` (ms) is the stamp of
 * what the relay said before to somebody else and says again; now where it is left out.
 */
export type RelayFactDraft = DraftOf<RelayFact>;

type DraftOf<F> = F extends FactHead
	? Omit<F, keyof FactHead> & { readonly branch: BranchId | null; readonly saidAt?: number }
	: never;

/**
 * Writes the facts in the caller's transaction, so that who joins and the fact of it commit as one.
 * A transaction that writes into several scopes calls `LockScopes` with all of them first.
 */
export type AppendRelayFacts = (
	transaction: Transaction,
	scope: ScopeId,
	drafts: readonly RelayFactDraft[]
) => Promise<void>;

/**
 * Locks the feeds of these scopes in the one order that every writer keeps to, so that two who
 * write into the same scopes wait for each other and never for ever. Locks on other rows come before.
 */
export type LockScopes = (transaction: Transaction, scopes: readonly ScopeId[]) => Promise<void>;
