import { eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { parseBusinessId, parsePersonId } from '#domain/ids.ts';
import { member, person } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { ScopeId } from './relay-fact-draft.ts';

/** The businesses and persons whose documents a session of the account may have opened. */
export async function scopesOfAccount(
	executor: Executor,
	account: string
): Promise<readonly ScopeId[]> {
	const [members, persons] = await Promise.all([
		executor.select({ id: member.business }).from(member).where(eq(member.account, account)),
		executor.select({ id: person.person }).from(person).where(eq(person.account, account))
	]);
	const businesses = members.map(({ id }) => parseBusinessId(id));
	return [...businesses, ...persons.map(({ id }) => parsePersonId(id))].map((parsed) => {
		assert(parsed.ok, 'a row holds an id');
		return parsed.value;
	});
}
