import type { CryptoParts, Signer } from '#domain/crypto.ts';
import type { BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import type { OneTimeCodes } from '#server/auth/one-time-codes.ts';
import type { Random } from '#server/auth/random.ts';
import type { AppendRelayFacts, LockScopes, ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Vault } from '#server/auth/vault.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import type { Messages } from '#server/gateways/messages.ts';

/** What acts on connections, codes and claims are made of. */
export interface LedgerParts {
	readonly executor: Executor;
	/** UTC milliseconds. */
	readonly clock: () => number;
	readonly random: Random;
	readonly crypto: CryptoParts;
	/** The database's epoch, which stands in every verdict. */
	readonly epoch: number;
	readonly appendRelayFacts: AppendRelayFacts;
	readonly lockScopes: LockScopes;
	readonly backfill: Backfill;
	/** Tells the sockets of a scope, once a transaction is committed. */
	readonly feedMoved: (scope: ScopeId) => Promise<void>;
	/** Seals the secrets that customers' codes come from. */
	readonly vault: Vault;
	/** What the codes of records by SMS come from, 32 bytes. */
	readonly smsKey: Uint8Array;
	/** Signs verdicts and check values. */
	readonly relayKey: Signer;
	readonly codes: OneTimeCodes;
	readonly messages: Pick<Messages, 'kinds' | 'wake'>;
}

/** Brings what was written before to who is linked now, in the transaction that links. */
export interface Backfill {
	/** To be called before any feed is locked: what the person answers meanwhile waits for the end. */
	hold(transaction: Transaction, link: LinkName): Promise<void>;
	/** All of the shop to the person; and to the shop what he had answered of it already. */
	bring(transaction: Transaction, link: LinkName): Promise<void>;
}

/** A ledger and the person who is to stand behind it. */
export interface LinkName {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly person: PersonId;
}

/** A ledger's whole name: another business may use the same id. */
export interface LedgerName {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
}

/** Who is to stand behind a ledger. */
export type Party =
	| { readonly way: 'app'; readonly person: PersonId }
	/** E.164, proved just now. */
	| { readonly way: 'phone'; readonly phone: string };
