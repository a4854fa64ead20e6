import { eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { SessionCaller } from '#server/auth/sessions.ts';
import { account } from '#server/database/accounts.ts';
import type { PeopleParts } from './people-parts.ts';
import { refusal, type Refusal } from './problem.ts';

export type AccountRow = typeof account.$inferSelect;

/** Lets a signed-in person do what a phone left on a table must not: the password once more. */
export async function stepUp(
	{ executor, limits, passwords }: PeopleParts,
	caller: SessionCaller,
	password: string
): Promise<Result<AccountRow, Refusal>> {
	const counted = await limits.count('stepUpsByAccount', caller.account);
	if (!counted.ok) return err(refusal('tooManyAttempts', { ...counted.error }));
	const [row] = await executor.select().from(account).where(eq(account.account, caller.account));
	assert(row !== undefined, 'a session belongs to an account');
	const isRight = await passwords.isRight(password, row.passwordHash);
	if (!isRight.ok) return err(refusal(isRight.error));
	if (!isRight.value) return err(refusal('passwordWrong'));
	await limits.forget('stepUpsByAccount', caller.account);
	return ok(row);
}
