import { and, eq } from 'drizzle-orm';
import type { SignedInFrom } from '#server/auth/sessions.ts';
import { account } from '#server/database/accounts.ts';
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
