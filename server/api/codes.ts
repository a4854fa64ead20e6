import { eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { parseOneTimeCode } from '#domain/account/one-time-code.ts';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { CodeAddress, CodeName } from '#server/auth/one-time-codes.ts';
import type { SessionCaller } from '#server/auth/sessions.ts';
import { account } from '#server/database/accounts.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { addressOfAccount } from './account-address.ts';
import { contactFields, parseContact, type Contact } from './account-form.ts';
import { readBody } from './body.ts';
import { codeAnswer, codeRefusal } from './code-answer.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { currentSession, sessionCaller } from './session-cookie.ts';
import { stepUp, type AccountRow } from './step-up.ts';

const TYPED_LENGTH_MAX = 1_024;
export const codeField = v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX));
const checkSchema = v.object({ code: codeField });
const addressSchema = v.object({ ...contactFields, password: codeField });
const sendSchema = v.object({ language: v.optional(v.picklist(['en', 'ar'])) });

/**
 * The account's address and the code that proves it. `GET /codes` says how things stand, `POST
 * /codes` sends (again), `POST /codes/check` tries a code; `POST /address` asks a code of another
 * address, which takes the place of the first once its code came back.
 */
export function codeRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.get('/codes', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		return c.json(await standing(parts, caller.value.account));
	});
	routes.post('/codes', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const body = await readBody(c, sendSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const sent = await sendAgain(parts, c, { caller: caller.value, ...body.value });
		return sent.ok ? c.json(await standing(parts, caller.value.account)) : problem(c, sent.error);
	});
	routes.post('/codes/check', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const body = await readBody(c, checkSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const proved = await prove(parts, c, { caller: caller.value, typed: body.value.code });
		return proved.ok
			? c.json(await standing(parts, caller.value.account))
			: problem(c, proved.error);
	});
	routes.post('/address', async (c) => {
		const current = await currentSession(c, parts.sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const { caller } = current.value;
		const body = await readBody(c, addressSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const contact = parseContact(body.value);
		if (!contact.ok) return problem(c, refusal(contact.error));
		const row = await stepUp(parts, current.value, body.value.password);
		if (!row.ok) return problem(c, row.error);
		const to = toOf(contact.value);
		const sent = await sendTo(parts, c, { row: row.value, to, purpose: 'address' });
		return sent.ok ? c.json(await standing(parts, caller.account)) : problem(c, sent.error);
	});
	return routes;
}

interface Standing {
	readonly address: { readonly to: string; readonly isProved: boolean } | null;
	/** The code that is alive, and for which address it is. */
	readonly code: object | null;
	/** Whether messages go nowhere, and the operator reads them. */
	readonly isPractice: boolean;
}

async function standing(parts: PeopleParts, id: string): Promise<Standing> {
	const row = await rowOf(parts.executor, id);
	const address = addressOfAccount(row);
	const code = await aliveCode(parts, parts.executor, id);
	const channel = code?.sent.to?.channel ?? address?.channel ?? 'sms';
	return {
		address: address === undefined ? null : { to: address.address, isProved: address.isProved },
		code: code === undefined ? null : codeAnswer(code.sent, parts.clock()),
		isPractice: parts.messages.kinds[channel] === 'practice'
	};
}

interface AliveCode {
	readonly name: CodeName;
	readonly sent: NonNullable<Awaited<ReturnType<PeopleParts['codes']['findCode']>>>;
}

/** The one that a person is waiting for: of a new address before that of the first. */
async function aliveCode(
	{ codes }: PeopleParts,
	executor: Executor,
	subject: string
): Promise<AliveCode | undefined> {
	for (const purpose of ['address', 'signup'] as const) {
		const name = { purpose, subject };
		const sent = await codes.findCode(executor, name);
		if (sent !== undefined) return { name, sent };
	}
	return undefined;
}

async function sendAgain(
	parts: PeopleParts,
	c: Context,
	asked: { readonly caller: SessionCaller; readonly language?: 'en' | 'ar' | undefined }
): Promise<Result<void, Refusal>> {
	const { account: id } = asked.caller;
	const { language } = asked;
	if (language !== undefined)
		await parts.executor.update(account).set({ language }).where(eq(account.account, id));
	const row = await rowOf(parts.executor, id);
	const alive = await aliveCode(parts, parts.executor, id);
	const to = alive?.sent.to;
	if (alive?.name.purpose === 'address' && to !== undefined)
		return sendTo(parts, c, { row, to, purpose: 'address' });
	const address = addressOfAccount(row);
	// What is proved has nothing to be sent for.
	if (address === undefined || address.isProved) return ok(undefined);
	return sendTo(parts, c, { row, to: address, purpose: 'signup' });
}

interface Sending {
	readonly row: AccountRow;
	readonly to: CodeAddress;
	readonly purpose: 'signup' | 'address';
}

async function sendTo(
	parts: PeopleParts,
	c: Context,
	{ row, to, purpose }: Sending
): Promise<Result<void, Refusal>> {
	const byAccount = await parts.limits.count('codesByAccount', row.account);
	if (!byAccount.ok) return err(refusal('tooManyAttempts', { ...byAccount.error }));
	const byAddress = await parts.limits.count('codesByAddress', parts.addressOf(c));
	if (!byAddress.ok) return err(refusal('tooManyAttempts', { ...byAddress.error }));
	const { username, language, account: subject } = row;
	const issued = await parts.executor.transaction((tx) =>
		parts.codes.issueCode(tx, { purpose, subject, to, username, language })
	);
	if (!issued.ok) return err(codeRefusal(issued.error));
	parts.messages.wake();
	return ok(undefined);
}

async function prove(
	parts: PeopleParts,
	c: Context,
	{ caller, typed }: { readonly caller: SessionCaller; readonly typed: string }
): Promise<Result<void, Refusal>> {
	const counted = await parts.limits.count('codeTriesByAddress', parts.addressOf(c));
	if (!counted.ok) return err(refusal('tooManyAttempts', { ...counted.error }));
	if (!parseOneTimeCode(typed).ok) return err(refusal('codeInvalid'));
	const proved = await parts.executor.transaction(async (tx) => {
		const alive = await aliveCode(parts, tx, caller.account);
		if (alive === undefined) return err(refusal('codeExpired'));
		const checked = await parts.codes.checkCode(tx, { ...alive.name, code: typed });
		if (!checked.ok) return err(codeRefusal(checked.error));
		await keepProved(tx, parts, { id: caller.account, to: checked.value });
		return ok(undefined);
	});
	parts.messages.wake();
	return proved;
}

/** The proved address becomes the account's only one; the one before is told, where it was proved. */
async function keepProved(
	tx: Transaction,
	{ clock, random }: PeopleParts,
	{ id, to }: { readonly id: string; readonly to: CodeAddress }
): Promise<void> {
	const before = await rowOf(tx, id);
	const old = addressOfAccount(before);
	const now = clock();
	const { address, channel } = to;
	const isOther = old?.address !== address;
	const fields =
		channel === 'sms'
			? { phone: address, phoneProvedAt: now, ...(isOther ? NO_EMAIL : {}) }
			: { email: address, emailProvedAt: now, ...(isOther ? NO_PHONE : {}) };
	await tx.update(account).set(fields).where(eq(account.account, id));
	if (old === undefined || !old.isProved || !isOther) return;
	const { language, username } = before;
	await queueMessage(tx, {
		channel: old.channel,
		to: old.address,
		text: MOVED[language].replace('{username}', username),
		...(old.channel === 'email' ? { subject: 'Daftar' } : {}),
		key: `moved/${random.uuid()}`,
		at: now
	});
}

const NO_EMAIL = { email: null, emailProvedAt: null };
const NO_PHONE = { phone: null, phoneProvedAt: null };
const MOVED = {
	en: 'Daftar: the account {username} has another address from now on. Not you? Sign in and change your password.',
	ar: 'دفتر: صار لحساب {username} عنوان آخر. إن لم تكن أنت فغيّر كلمة السر.'
} as const;

async function rowOf(executor: Executor, id: string): Promise<AccountRow> {
	const [row] = await executor.select().from(account).where(eq(account.account, id));
	assert(row !== undefined, 'a session belongs to an account');
	return row;
}

/** Of a form's two ways the one that is written to: the phone. */
export function toOf({ email, phone }: Contact): CodeAddress {
	if (phone !== null) return { channel: 'sms', address: phone };
	assert(email !== null, 'a contact is a phone number or an e-mail address');
	return { channel: 'email', address: email };
}
