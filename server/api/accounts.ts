import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { assert } from '#domain/assert.ts';
import { parsePersonId, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { callerOf, type SessionCaller } from '#server/auth/sessions.ts';
import { account, person, personAlias } from '#server/database/accounts.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { accountSchema, parseAccountForm, type AccountForm } from './account-form.ts';
import { readBody } from './body.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { giveSession } from './session-cookie.ts';

/** `POST /accounts`: signs up as a store or a customer, and signs in. */
export function accountRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/accounts', async (c) => {
		const counted = await parts.limits.count('signUpsByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const body = await readBody(c, accountSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const form = parseAccountForm(body.value);
		if (!form.ok) return problem(c, refusal(form.error));

		const userAgent = c.req.header('user-agent') ?? '';
		const signedUp = await signUp(parts, form.value, userAgent);
		if (!signedUp.ok) return problem(c, refusal(signedUp.error));
		giveSession(c, signedUp.value.token);
		return c.json(introduce(signedUp.value.caller), 201);
	});
	return routes;
}

/** What an account's holder learns of the account. */
export interface Introduction {
	readonly account: {
		readonly username: string;
		readonly kind: 'store' | 'customer';
		readonly name: string;
	};
	readonly person: PersonId;
}

export function introduce({ username, kind, name, person: id }: SessionCaller): Introduction {
	return { account: { username, kind, name }, person: id };
}

interface SignedIn {
	readonly caller: SessionCaller;
	readonly token: string;
}

type AccountRow = typeof account.$inferSelect;

/** One transaction makes account, person and session; an answer that was lost can be asked again. */
async function signUp(
	parts: PeopleParts,
	form: AccountForm,
	userAgent: string
): Promise<Result<SignedIn, ProblemCode>> {
	const { executor, passwords, sessions } = parts;
	const [known] = await executor.select().from(account).where(eq(account.username, form.username));
	if (known !== undefined) return signUpAgain(parts, { known, form, userAgent });

	const passwordHash = await passwords.hash(form.password);
	if (!passwordHash.ok) return passwordHash;
	return commitUnlessRefused(executor, async (transaction) => {
		const made = await insertAccount(transaction, {
			parts,
			form,
			passwordHash: passwordHash.value
		});
		if (!made.ok) return made;
		const token = await sessions.open(transaction, made.value.account, userAgent);
		return ok({ caller: callerOf(made.value), token });
	});
}

interface Again {
	readonly known: AccountRow;
	readonly form: AccountForm;
	readonly userAgent: string;
}

/**
 * The same person with the same password is the same sign-up. A stranger cannot guess with it: the
 * person's UUID is on the owner's device alone.
 */
async function signUpAgain(
	{ executor, passwords, sessions }: PeopleParts,
	{ known, form, userAgent }: Again
): Promise<Result<SignedIn, ProblemCode>> {
	if (form.person !== known.person || form.kind !== known.kind) return err('usernameTaken');
	const isRight = await passwords.isRight(form.password, known.passwordHash);
	if (!isRight.ok) return isRight;
	if (!isRight.value) return err('usernameTaken');
	const token = await sessions.open(executor, known.account, userAgent);
	return ok({ caller: callerOf(known), token });
}

interface NewAccount {
	readonly parts: PeopleParts;
	readonly form: AccountForm;
	readonly passwordHash: string;
}

async function insertAccount(
	transaction: Transaction,
	{ parts: { clock, random }, form, passwordHash }: NewAccount
): Promise<Result<AccountRow, ProblemCode>> {
	const createdAt = clock();
	const personId = form.person ?? mintPerson(random.uuid());
	const [row] = await transaction
		.insert(account)
		.values({
			account: random.uuid(),
			username: form.username,
			kind: form.kind,
			name: form.name,
			...form.contact,
			passwordHash,
			person: personId,
			createdAt
		})
		.onConflictDoNothing({ target: account.username })
		.returning();
	if (row === undefined) return err('usernameTaken');

	const [alias] = await transaction
		.select()
		.from(personAlias)
		.where(eq(personAlias.alias, personId));
	const [made] = await transaction
		.insert(person)
		.values({ person: personId, account: row.account, createdAt })
		.onConflictDoNothing()
		.returning();
	return alias === undefined && made !== undefined ? ok(row) : err('personKnown');
}

function mintPerson(uuid: string): PersonId {
	const parsed = parsePersonId(uuid);
	assert(parsed.ok, 'chance makes UUIDs v4');
	return parsed.value;
}
