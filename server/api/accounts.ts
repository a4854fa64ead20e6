import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { assert } from '#domain/assert.ts';
import { parsePersonId, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { KNOWN_DEVICE_COOKIE } from '#server/auth/known-devices.ts';
import { callerOf, type SessionCaller, type SignedInFrom } from '#server/auth/sessions.ts';
import { account, person, personAlias } from '#server/database/accounts.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { accountSchema, parseAccountForm, type AccountForm } from './account-form.ts';
import { readBody } from './body.ts';
import { openWithPassword } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { isBusiness, lockIds } from './persons.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { toOf } from './codes.ts';
import { giveKnownDevice, giveSession, signedInFrom } from './session-cookie.ts';

/** So long an answer that was lost may be asked again. */
const AGAIN_MS = 24 * 3_600_000;

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

		const kept = getCookie(c, KNOWN_DEVICE_COOKIE);
		const browser = parts.knownDevices.recognise(form.value.username, kept);
		const from = { ...signedInFrom(c, parts), browser };
		const signedUp = await signUp(parts, form.value, from);
		if (!signedUp.ok) return problem(c, signedUp.error);
		parts.messages.wake();
		giveSession(c, signedUp.value.token);
		giveKnownDevice(c, parts, form.value.username);
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
	/** Whether a code that was sent to its address came back. */
	readonly isProved: boolean;
}

export function introduce(caller: SessionCaller): Introduction {
	const { username, kind, name, person: id, isProved } = caller;
	return { account: { username, kind, name }, person: id, isProved };
}

interface SignedIn {
	readonly caller: SessionCaller;
	readonly token: string;
}

type AccountRow = typeof account.$inferSelect;

interface From extends SignedInFrom {
	/** What its tries are counted by, where the account knows this browser. */
	readonly browser: string | undefined;
}

/** An answer that was lost can be asked again. */
async function signUp(
	parts: PeopleParts,
	form: AccountForm,
	from: From
): Promise<Result<SignedIn, Refusal>> {
	const { executor } = parts;
	const [known] = await executor.select().from(account).where(eq(account.username, form.username));
	if (known !== undefined) return signUpAgain(parts, { known, form, from });
	const made = await makeAccount(parts, form, from);
	return made.ok ? made : err(refusal(made.error));
}

/** One transaction makes account, person and session. */
async function makeAccount(
	parts: PeopleParts,
	form: AccountForm,
	from: SignedInFrom
): Promise<Result<SignedIn, ProblemCode>> {
	const { executor, passwords, sessions } = parts;
	const passwordHash = await passwords.hash(form.password);
	if (!passwordHash.ok) return passwordHash;
	return commitUnlessRefused(executor, async (transaction) => {
		const made = await insertAccount(transaction, {
			parts,
			form,
			passwordHash: passwordHash.value
		});
		if (!made.ok) return made;
		const { account: subject, language, username } = made.value;
		const to = toOf(form.contact);
		// Where the address had too many codes the account is made all the same: it may ask later.
		await parts.codes.issueCode(transaction, {
			purpose: 'signup',
			subject,
			to,
			language,
			username
		});
		const token = await sessions.open(transaction, subject, from);
		return ok({ caller: callerOf(made.value), token });
	});
}

interface Again {
	readonly known: AccountRow;
	readonly form: AccountForm;
	readonly from: From;
}

/**
 * API-8. The same person with the same password is the same sign-up, for a day. The person's UUID is no
 * secret: it stands in all that he writes. So this is a sign-in by another name, at the pace of these,
 * and none at all where the password alone opens nothing.
 */
async function signUpAgain(
	parts: PeopleParts,
	{ known, form, from }: Again
): Promise<Result<SignedIn, Refusal>> {
	const { executor, clock, passwords, secondFactor, signInPace } = parts;
	const isOther = form.person !== known.person || form.kind !== known.kind;
	if (isOther || clock() - known.createdAt > AGAIN_MS) return err(refusal('usernameTaken'));
	const tried = { username: form.username, address: from.address, known: from.browser };
	const paced = await signInPace.begin(tried);
	if (!paced.ok) return err(refusal('tooManyAttempts', { ...paced.error }));
	const isRight = await passwords.isRight(form.password, known.passwordHash);
	if (!isRight.ok) return err(refusal(isRight.error));
	const { isOn } = await secondFactor.state(executor, known.account);
	if (!isRight.value || isOn) return err(refusal('usernameTaken'));
	await signInPace.succeed(tried);
	const token = await openWithPassword(parts, known, from);
	if (token === undefined) return err(refusal('usernameTaken'));
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
			language: form.language,
			passwordHash,
			person: personId,
			createdAt
		})
		.onConflictDoNothing({ target: account.username })
		.returning();
	if (row === undefined) return err('usernameTaken');
	await lockIds(transaction, [personId]);
	// Both name documents and feeds: whoever bore a shop's id would read all that it writes.
	if (await isBusiness(transaction, personId)) return err('personKnown');

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
