import { eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import { getCookie } from 'hono/cookie';
import * as v from 'valibot';
import { parseOneTimeCode } from '#domain/account/one-time-code.ts';
import { parsePassword } from '#domain/account/password.ts';
import { parseUsername, type Username } from '#domain/account/username.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { KNOWN_DEVICE_COOKIE } from '#server/auth/known-devices.ts';
import type { CodeName } from '#server/auth/one-time-codes.ts';
import { createSecretToken, parseSecretToken } from '#server/auth/secret-token.ts';
import { account } from '#server/database/accounts.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { addressOfAccount } from './account-address.ts';
import { readBody } from './body.ts';
import { codeAnswer, codeRefusal } from './code-answer.ts';
import { codeField } from './codes.ts';
import { endInvites } from './invites.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { closeSockets } from './sessions.ts';

const askSchema = v.object({
	username: codeField,
	/** Of the request before, to have its message sent once more. */
	ticket: v.optional(codeField)
});
const checkSchema = v.object({
	username: codeField,
	ticket: codeField,
	code: codeField,
	password: codeField
});
type CheckBody = v.InferOutput<typeof checkSchema>;

/**
 * A new password by a code. `POST /resets` gives a ticket, which only who asked has: nobody uses up
 * another's tries. Nothing here tells whether there is such an account, nor how long it takes: up
 * to the answer the same is done, and a message is written after it.
 */
export function resetRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/resets', async (c) => {
		const counted = await parts.limits.count('resetsByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const body = await readBody(c, askSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const username = parseUsername(body.value.username);
		if (!username.ok) return problem(c, refusal(username.error));
		const ticket = body.value.ticket ?? createSecretToken(parts.random).text;
		const name = nameOf(ticket, username.value);
		if (!name.ok) return problem(c, refusal(name.error));

		const { codes, executor } = parts;
		const prepared = await executor.transaction((tx) => codes.prepareCode(tx, name.value));
		if (!prepared.ok) return problem(c, codeRefusal(prepared.error));
		const isTrusted = isKnown(parts, c, username.value);
		parts.later(() => deliver(parts, { name: name.value, username: username.value, isTrusted }));
		// Sent again, its row has an address by now; that there is one is not to be told.
		const code = codeAnswer({ ...prepared.value, to: undefined }, parts.clock());
		return c.json({ ticket, code, isPractice: parts.messages.kinds.sms === 'practice' }, 202);
	});
	routes.post('/resets/check', async (c) => {
		const counted = await parts.limits.count('codeTriesByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const body = await readBody(c, checkSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const done = await reset(parts, body.value);
		return done.ok ? c.body(null, 204) : problem(c, done.error);
	});
	return routes;
}

function nameOf(ticket: string, username: Username): Result<CodeName, 'codeExpired'> {
	const digest = parseSecretToken(ticket);
	if (!digest.ok) return err('codeExpired');
	return ok({ purpose: 'reset', subject: `${encodeBase64url(digest.value)} ${username}` });
}

function isKnown({ knownDevices }: PeopleParts, c: Context, username: Username): boolean {
	return knownDevices.recognise(username, getCookie(c, KNOWN_DEVICE_COOKIE)) !== undefined;
}

interface Delivering {
	readonly name: CodeName;
	readonly username: Username;
	readonly isTrusted: boolean;
}

/** Once the answer is out: writes to the account's proved address, where there are both. */
async function deliver(
	{ executor, codes, messages }: PeopleParts,
	{ name, username, isTrusted }: Delivering
): Promise<void> {
	const [row] = await executor.select().from(account).where(eq(account.username, username));
	const address = row === undefined ? undefined : addressOfAccount(row);
	if (row === undefined || address?.isProved !== true) return;
	const { language } = row;
	await executor.transaction((tx) =>
		codes.deliverCode(tx, { ...name, to: address, username, language, isTrusted })
	);
	messages.wake();
}

/** What is wrong with the new password is said before a try is spent. */
async function reset(parts: PeopleParts, body: CheckBody): Promise<Result<void, Refusal>> {
	const username = parseUsername(body.username);
	if (!username.ok) return err(refusal(username.error));
	const password = parsePassword(body.password, username.value);
	if (!password.ok) return err(refusal(password.error));
	if (!parseOneTimeCode(body.code).ok) return err(refusal('codeInvalid'));
	const name = nameOf(body.ticket, username.value);
	if (!name.ok) return err(refusal(name.error));

	// A wrong try is committed too; a server too busy to hash leaves the code as it was.
	let changed: string | undefined;
	const tried = await commitUnlessRefused(
		parts.executor,
		async (tx): Promise<Result<Refusal | undefined, ProblemCode>> => {
			const checked = await parts.codes.checkCode(tx, { ...name.value, code: body.code });
			if (!checked.ok) return ok(codeRefusal(checked.error));
			const passwordHash = await parts.passwords.hash(password.value);
			if (!passwordHash.ok) return passwordHash;
			const to = { username: username.value, passwordHash: passwordHash.value };
			changed = await setPassword(tx, parts, to);
			return ok(undefined);
		}
	);
	if (!tried.ok) return err(refusal(tried.error));
	if (changed !== undefined) await closeSockets(parts, changed);
	return tried.value === undefined ? ok(undefined) : err(tried.value);
}

/** Whoever was signed in with the old one is not any more. Answers whose it is. */
async function setPassword(
	tx: Transaction,
	{ sessions }: PeopleParts,
	{ username, passwordHash }: { readonly username: Username; readonly passwordHash: string }
): Promise<string | undefined> {
	const [row] = await tx
		.update(account)
		.set({ passwordHash })
		.where(eq(account.username, username))
		.returning();
	if (row === undefined) return undefined;
	await sessions.endOthers(tx, row.account);
	await endInvites(tx, row.account);
	return row.account;
}
