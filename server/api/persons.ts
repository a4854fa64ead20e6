import { and, asc, eq, isNull, max, sql } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { assert } from '#domain/assert.ts';
import { equalBytes } from '#domain/bytes.ts';
import { phoneStatement } from '#domain/claim-statement.ts';
import { parsePersonId, phoneCode, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import { sha256 } from '#server/auth/secret-token.ts';
import { account, business, person } from '#server/database/accounts.ts';
import { feedHead } from '#server/database/journal.ts';
import { personSecret } from '#server/database/ledgers.ts';
import { personDetail, phone } from '#server/database/persons.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { personField, publicKeyField, readBody, signatureField } from './body.ts';
import { isOpenStill } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { currentSession, sessionCaller, type NamedSession } from './session-cookie.ts';

const NAME_CODE_POINTS_MAX = 80;
const PERSONS_MAX = 20;
/** A phone's number stands in the codes it makes, so few at a time are looked through. */
export const PHONES_MAX = 4;
export const KID_BYTES = 8;
const personSchema = v.object({ name: v.string() });
const phoneSchema = v.object({
	person: personField,
	publicKey: publicKeyField,
	signature: signatureField
});

/** `/people`: whom an account looks after. `/phones`: the phones on which each of them answers. */
export function personRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.get('/people', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		return c.json(await readPersons(parts, caller.value.account));
	});
	routes.post('/people', (c) => addPerson(c, parts));
	routes.post('/phones', (c) => enrol(c, parts));
	routes.delete('/phones/:person/:code', (c) => dismiss(c, parts));
	return routes;
}

interface PersonName {
	readonly person: PersonId;
	readonly name: string;
}

async function readPersons(
	{ executor }: { readonly executor: Pick<Transaction, 'select'> },
	of: string
): Promise<readonly PersonName[]> {
	const rows = await executor
		.select({ person: person.person, own: personDetail.name, name: account.name })
		.from(person)
		.innerJoin(account, eq(account.account, person.account))
		.leftJoin(personDetail, eq(personDetail.person, person.person))
		.where(eq(person.account, of))
		.orderBy(asc(person.createdAt), asc(person.person));
	return rows.map((row) => ({ person: personIn(row.person), name: row.own ?? row.name }));
}

async function addPerson(c: Context, parts: PeopleParts): Promise<Response> {
	const caller = await sessionCaller(c, parts.sessions);
	if (!caller.ok) return problem(c, refusal(caller.error));
	const body = await readBody(c, personSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const name = cleanName(body.value.name, NAME_CODE_POINTS_MAX);
	if (!name.ok) return problem(c, refusal('nameInvalid'));
	const added = await commitUnlessRefused(parts.executor, (transaction) =>
		insertPerson(transaction, parts, { of: caller.value.account, name: name.value })
	);
	if (!added.ok) return problem(c, refusal(added.error));
	return c.json({ person: added.value }, 201);
}

async function insertPerson(
	transaction: Transaction,
	{ random, clock }: Pick<PeopleParts, 'random' | 'clock'>,
	{ of, name }: { readonly of: string; readonly name: string }
): Promise<Result<string, ProblemCode>> {
	// One after the other, so that two at once do not both find room.
	const locked = transaction.select().from(account).where(eq(account.account, of));
	await locked.for('update');
	const known = await readPersons({ executor: transaction }, of);
	if (known.length >= PERSONS_MAX) return err('tooManyAttempts');
	const id = random.uuid();
	await transaction.insert(person).values({ person: id, account: of, createdAt: clock() });
	await transaction.insert(personDetail).values({ person: id, name });
	return ok(id);
}

async function enrol(c: Context, parts: PeopleParts): Promise<Response> {
	const current = await currentSession(c, parts.sessions);
	if (!current.ok) return problem(c, refusal(current.error));
	const body = await readBody(c, phoneSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const { person: who, publicKey, signature } = body.value;
	const statement = phoneStatement(who, publicKey);
	if (!(await parts.crypto.verify(publicKey, statement, signature)))
		return problem(c, refusal('signatureInvalid'));
	const enrolled = await commitUnlessRefused(parts.executor, (transaction) =>
		enrolKey(transaction, parts, { by: current.value, who, publicKey })
	);
	if (!enrolled.ok) return problem(c, refusal(enrolled.error));
	// The phone that made room is not to go on.
	await parts.revoked(who);
	return c.json({ person: who, ...enrolled.value, epoch: parts.epoch }, 201);
}

interface Enrolment {
	readonly by: NamedSession;
	readonly who: PersonId;
	readonly publicKey: Uint8Array;
}

interface Enrolled {
	readonly code: string;
	readonly number: number;
	/** The UTC year since which there may be documents of the person. */
	readonly year: number;
}

/** Gives the key the person's next number; a key that has one keeps it. */
async function enrolKey(
	transaction: Transaction,
	{ clock, epoch }: Pick<PeopleParts, 'clock' | 'epoch'>,
	{ by: { id, caller }, who, publicKey }: Enrolment
): Promise<Result<Enrolled, ProblemCode>> {
	const [owned] = await transaction
		.select()
		.from(person)
		.where(and(eq(person.person, who), eq(person.account, caller.account)))
		// A row that names this one may be written meanwhile, by who has the feed's lock that this may wait for.
		.for('no key update');
	if (owned === undefined) return err('notFound');
	// Asked again under the lock: who ends a session that was stolen looks which phones there are, once.
	if (!(await isOpenStill(transaction, id))) return err('notSignedIn');
	// A phone reads the feed that bears its person's id: never a shop's.
	if (await isBusiness(transaction, who)) return err('notFound');
	const year = new Date(owned.createdAt).getUTCFullYear();
	const kid = sha256(publicKey).slice(0, KID_BYTES);
	const ofPerson = await transaction.select().from(phone).where(eq(phone.person, who));
	const known = ofPerson.find((one) => equalBytes(one.publicKey, publicKey));
	if (known !== undefined) {
		if (known.removedAt !== null) return err('deviceRemoved');
		return ok({ code: known.code, number: known.number, year });
	}
	if (ofPerson.some((one) => equalBytes(one.kid, kid))) return err('signatureInvalid');
	const now = clock();
	await makeRoom(transaction, { who, phones: ofPerson, now, leaving: firstOf(ofPerson) });
	const number = await nextNumber(transaction, who);
	const code = phoneCode(number);
	await transaction
		.insert(phone)
		.values({ person: who, code, number, publicKey, kid, joinedAt: now, joinedEpoch: epoch });
	return ok({ code, number, year });
}

export interface ToMakeRoom {
	readonly who: PersonId;
	readonly phones: readonly (typeof phone.$inferSelect)[];
	readonly now: number;
	/** The code of the phone that ends where there are as many as there may be. */
	readonly leaving: string | undefined;
}

export async function makeRoom(
	transaction: Transaction,
	{ who, phones, now, leaving }: ToMakeRoom
): Promise<void> {
	if (inForce(phones).length < PHONES_MAX || leaving === undefined) return;
	await remove(transaction, { who, code: leaving, now });
}

/** The phone that was enrolled first: whoever lost it is not held up by it. */
function firstOf(phones: ToMakeRoom['phones']): string | undefined {
	return inForce(phones).toSorted((a, b) => a.number - b.number)[0]?.code;
}

function inForce(phones: ToMakeRoom['phones']): ToMakeRoom['phones'] {
	return phones.filter(({ removedAt }) => removedAt === null);
}

export async function nextNumber(transaction: Transaction, who: PersonId): Promise<number> {
	const [row] = await transaction
		.insert(personDetail)
		.values({ person: who, lastPhone: 1 })
		.onConflictDoUpdate({
			target: personDetail.person,
			set: { lastPhone: sql`${personDetail.lastPhone} + 1` }
		})
		.returning({ number: personDetail.lastPhone });
	assert(row !== undefined, 'an upsert returns its row');
	return row.number;
}

interface Dismissal {
	readonly who: PersonId;
	readonly code: string;
	readonly now: number;
}

/**
 * Under the feed's lock, as every batch that reads who was removed, and whoever makes a secret. CODES-14. No
 * earlier than the last of these, which the phone may have: it was made while this one waited, or by a clock ahead.
 */
async function remove(transaction: Transaction, { who, code, now }: Dismissal): Promise<void> {
	await lockFeed(transaction, who);
	const [last] = await transaction
		.select({ at: max(personSecret.createdAt) })
		.from(personSecret)
		.where(eq(personSecret.person, who));
	await transaction
		.update(phone)
		.set({ removedAt: Math.max(now, last?.at ?? 0) })
		.where(and(eq(phone.person, who), eq(phone.code, code), isNull(phone.removedAt)));
}

/** Before any phone of the person, by all who lock both: else two wait for each other. */
export async function lockFeed(transaction: Transaction, who: PersonId): Promise<void> {
	await transaction.insert(feedHead).values({ business: who }).onConflictDoNothing();
	await transaction.select().from(feedHead).where(eq(feedHead.business, who)).for('update');
}

async function dismiss(c: Context, parts: PeopleParts): Promise<Response> {
	const caller = await sessionCaller(c, parts.sessions);
	if (!caller.ok) return problem(c, refusal(caller.error));
	const who = parsePersonId(c.req.param('person'));
	const persons = await readPersons(parts, caller.value.account);
	if (!who.ok || !persons.some((one) => one.person === who.value))
		return problem(c, refusal('notFound'));
	const code = c.req.param('code') ?? '';
	await parts.executor.transaction((transaction) =>
		remove(transaction, { who: who.value, code, now: parts.clock() })
	);
	await parts.revoked(who.value);
	return c.body(null, 204);
}

/**
 * API-35. Until the transaction ends nobody else makes these ids anybody's: to be called before one asks whose
 * they are, for who asks at the same moment sees as little of us as we of him.
 */
export async function lockIds(
	transaction: Pick<Transaction, 'execute'>,
	ids: readonly string[]
): Promise<void> {
	// In one order for all, so that no two wait for each other.
	for (const id of Array.from(new Set(ids)).toSorted())
		await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${id}, 0))`);
}

/** Whether an id of a business is a person's already: both name documents and feeds. */
export async function isPerson(
	executor: Pick<Transaction, 'select'>,
	id: string
): Promise<boolean> {
	const rows = await executor
		.select({ person: person.person })
		.from(person)
		.where(eq(person.person, id));
	return rows.length > 0;
}

export async function isBusiness(
	executor: Pick<Transaction, 'select'>,
	id: string
): Promise<boolean> {
	const rows = await executor
		.select({ business: business.business })
		.from(business)
		.where(eq(business.business, id));
	return rows.length > 0;
}

function personIn(text: string): PersonId {
	const parsed = parsePersonId(text);
	assert(parsed.ok, 'a person row holds an id');
	return parsed.value;
}
