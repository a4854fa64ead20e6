import type { Sql } from 'postgres';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import type { AppendRelayFacts, LockScopes, ScopeId } from '#server/auth/relay-fact-draft.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import { hasEarly } from './early-answers.ts';
import type { Carry } from './to-person.ts';
import { earlyDeliveriesOf, stampAlike, type Delivery } from './to-shop.ts';

export interface DeliverParts {
	readonly clock: () => number;
	readonly appendRelayFacts: AppendRelayFacts;
	readonly lockScopes: LockScopes;
}

/** Writes them; returns whose feeds moved. */
export async function deliver(
	parts: DeliverParts,
	transaction: Transaction,
	deliveries: readonly Delivery[]
): Promise<ReadonlySet<ScopeId>> {
	const scopes = new Set(deliveries.map(({ scope }) => scope));
	await parts.lockScopes(transaction, Array.from(scopes));
	const stamped = await stampAlike(rawSql(transaction), deliveries, parts.clock());
	for (const [scope, ofScope] of Map.groupBy(stamped, (one) => one.scope))
		await parts.appendRelayFacts(
			transaction,
			scope,
			ofScope.map(({ draft }) => draft)
		);
	return scopes;
}

export interface OfShop {
	readonly transaction: Transaction;
	readonly business: BusinessId;
}

/** The feeds of these people, and the shop's own where it is to hear an answer of theirs. */
export async function lockForAnswers(
	{ lockScopes }: Pick<DeliverParts, 'lockScopes'>,
	{ transaction, business }: OfShop,
	people: readonly PersonId[]
): Promise<void> {
	const isAnswered = await hasEarly(rawSql(transaction), business, people);
	await lockScopes(transaction, isAnswered ? [business, ...people] : people);
}

/** What a person gets, and what he had answered of it before. */
export async function bring(
	{ sql, ...way }: { readonly sql: Sql; readonly business: BusinessId; readonly now: number },
	person: PersonId,
	fresh: readonly Carry[]
): Promise<readonly Delivery[]> {
	const early = await earlyDeliveriesOf(sql, { ...way, person }, fresh);
	return [...fresh.map(({ draft }) => ({ scope: person, draft })), ...early];
}
