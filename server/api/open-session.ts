import { and, eq } from 'drizzle-orm';
import type { SignedInFrom } from '#server/auth/sessions.ts';
import { account, session } from '#server/database/accounts.ts';
import type { Transaction } from '#server/database/transaction.ts';
import type { PeopleParts } from './people-parts.ts';
import type { AccountRow } from './step-up.ts';

/**
 * API-25. Opens a session for who said the password of this row; undefined where it is another by now. A
 * reset has ended all that it found, and one that is under way is waited for.
 */
export async function openWithPassword(
	{ executor, sessions }: PeopleParts,
	{ account: id, passwordHash }: AccountRow,
	from: SignedInFrom
): Promise<string | undefined> {
	return executor.transaction(async (tx) => {
		const [standing] = await tx
			.select({ id: account.account })
			.from(account)
			.where(and(eq(account.account, id), eq(account.passwordHash, passwordHash)))
			.for('share');
		return standing === undefined ? undefined : sessions.open(tx, standing.id, from);
	});
}

/** Whether the session is there; it stays until the transaction ends, for whoever ends it waits so long. */
export async function isOpenStill(transaction: Transaction, id: string): Promise<boolean> {
	const found = await transaction.select().from(session).where(eq(session.id, id)).for('share');
	return found.length > 0;
}
