import type { Context } from 'hono';
import type { CryptoParts } from '#domain/crypto.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { Auth } from '#server/auth/auth.ts';
import type { Random } from '#server/auth/random.ts';
import type { AppendRelayFacts, ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { Messages } from '#server/gateways/messages.ts';
import type { Executor } from '#server/database/transaction.ts';

/** What the routes of accounts, businesses and devices need. */
export interface PeopleParts extends Omit<Auth, 'tickets'> {
	readonly executor: Executor;
	readonly clock: () => number;
	readonly random: Random;
	readonly crypto: Pick<CryptoParts, 'verify'>;
	readonly messages: Pick<Messages, 'kinds' | 'wake'>;
	/** Does it once the answer is out. */
	readonly later: (work: () => Promise<void>) => void;
	/** The caller's network address, grouped, as far as it can be believed. */
	readonly addressOf: (c: Context) => string;
	/** The database's epoch. */
	readonly epoch: number;
	/** Tells the feed who joined, in the transaction that lets him in. */
	readonly appendRelayFacts: AppendRelayFacts;
	/** Tells the sockets of a business, once that transaction is committed. */
	readonly feedMoved: (business: BusinessId) => Promise<void>;
	/** Closes the sockets of whoever lost his access to a business or person, once that is committed. */
	readonly revoked: (scope: ScopeId) => Promise<void>;
}
