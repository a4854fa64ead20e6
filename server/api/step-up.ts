import { eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { account } from '#server/database/accounts.ts';
import type { PeopleParts } from './people-parts.ts';
import { refusal, type Refusal } from './problem.ts';
import type { NamedSession } from './session-cookie.ts';

export type AccountRow = typeof account.$inferSelect;

/**
 * Lets a signed-in person do what a phone left on a table must not: the password once more. AUTH-25. What is
 * tried by one session holds up no other.
 */
export async function stepUp(
	{ executor, limits, passwords }: PeopleParts,
	{ id, caller }: NamedSession,
	password: string
): Promise<Result<AccountRow, Refusal>> {
	const counted = await limits.count('stepUpsBySession', id);
	if (!counted.ok) return err(refusal('tooManyAttempts', { ...counted.error }));
	const [row] = await executor.select().from(account).where(eq(account.account, caller.account));
	assert(row !== undefined, 'a session belongs to an account');
	const isRight = await passwords.isRight(password, row.passwordHash);
	if (!isRight.ok) return err(refusal(isRight.error));
	if (!isRight.value) return err(refusal('passwordWrong'));
	await limits.forget('stepUpsBySession', id);
	return ok(row);
}
