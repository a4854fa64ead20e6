import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import type { Result } from '#domain/result.ts';

/** What statements run on: the pool, or one transaction of it. */
export type Executor = PgDatabase<PostgresJsQueryResultHKT>;
export type Transaction = Parameters<Parameters<Executor['transaction']>[0]>[0];

/** The same transaction, or pool, for statements written out, where Drizzle would only stand in the way. */
export function rawSql(transaction: Executor): Sql {
	// Drizzle keeps the driver's own in its session and names it in no type.
	const { session } = transaction as unknown as { readonly session: { readonly client: Sql } };
	return session.client;
}

/** Commits where `act` says ok; a refusal, like a fault, leaves no trace in the database. */
export async function commitUnlessRefused<T, E>(
	database: Executor,
	act: (transaction: Transaction) => Promise<Result<T, E>>
): Promise<Result<T, E>> {
	let refused: Result<T, E> | undefined;
	try {
		return await database.transaction(async (transaction) => {
			const decided = await act(transaction);
			if (!decided.ok) {
				refused = decided;
				transaction.rollback();
			}
			return decided;
		});
	} catch (fault) {
		if (refused !== undefined) return refused;
		throw fault;
	}
}
