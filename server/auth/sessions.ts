import { and, desc, eq, gt, ne } from 'drizzle-orm';
import type { PersonId } from '#domain/ids.ts';
import { parsePersonId } from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';
import { account, session } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { Random } from './random.ts';
import { createSecretToken, parseSecretToken } from './secret-token.ts';
import { sweepExpired } from './sweep.ts';

/** Who is signed in. */
export interface SessionCaller {
	readonly account: string;
	readonly username: string;
	readonly kind: 'store' | 'customer';
	readonly name: string;
	readonly person: PersonId;
	/** Whether a code that was sent to its address came back. */
	readonly isProved: boolean;
}

export interface FoundSession {
	/** What its owner calls it by. */
	readonly id: string;
	readonly caller: SessionCaller;
	/** Whether the session was prolonged just now, and its cookie should be too. */
	readonly isProlonged: boolean;
}

export interface Sessions {
	/** Makes a session and gives its token, which only the browser keeps. */
	open(executor: Executor, account: string, from: SignedInFrom): Promise<string>;
	find(token: string): Promise<FoundSession | undefined>;
	/** Ends the session; one that is not there has ended already. */
	end(token: string): Promise<void>;
	/** All that are open, the last used first. */
	list(account: string): Promise<readonly OpenSession[]>;
	/** Ends one of the account's; false where it has none of that name. */
	endOne(executor: Executor, account: string, id: string): Promise<boolean>;
	/** Ends every session of the account, but the one that is to stay. */
	endOthers(executor: Executor, account: string, staying?: string): Promise<void>;
}

/** Where a session was opened, as far as one can tell. */
export interface SignedInFrom {
	readonly userAgent: string;
	readonly address: string;
}

export interface OpenSession extends SignedInFrom {
	readonly id: string;
	readonly createdAt: number;
	/** To the day: a session is not written at each use. */
	readonly seenAt: number;
}

export interface SessionsParts {
	readonly executor: Executor;
	readonly clock: () => number;
	readonly random: Random;
}

export const SESSION_COOKIE = '__Host-session';
export const SESSION_MS = 90 * 24 * 3_600_000;
/** A session is written again at most once in this time, however often it is used. */
const PROLONG_AFTER_MS = 24 * 3_600_000;
const TEXT_LENGTH_MAX = 200;
const SESSIONS_SHOWN_MAX = 100;

export function createSessions(parts: SessionsParts): Sessions {
	const { clock, random } = parts;
	return {
		async open(executor, owner, { userAgent, address }) {
			const now = clock();
			const { text, digest } = createSecretToken(random);
			await sweepExpired(executor, session, { column: session.expiresAt, before: now });
			await executor.insert(session).values({
				tokenHash: digest,
				account: owner,
				id: random.uuid(),
				userAgent: cleanText(userAgent),
				address: cleanText(address),
				createdAt: now,
				seenAt: now,
				expiresAt: now + SESSION_MS
			});
			return text;
		},
		find: (token) => findSession(parts, token),
		async end(token) {
			const digest = parseSecretToken(token);
			if (!digest.ok) return;
			await parts.executor.delete(session).where(eq(session.tokenHash, digest.value));
		},
		list: (owner) => listSessions(parts, owner),
		async endOne(executor, owner, id) {
			const ended = await executor
				.delete(session)
				.where(and(eq(session.account, owner), eq(session.id, id)))
				.returning();
			return ended.length > 0;
		},
		async endOthers(executor, owner, staying) {
			const others = staying === undefined ? undefined : ne(session.id, staying);
			await executor.delete(session).where(and(eq(session.account, owner), others));
		}
	};
}

async function listSessions(
	{ executor, clock }: SessionsParts,
	owner: string
): Promise<readonly OpenSession[]> {
	const { id, userAgent, address, createdAt, seenAt } = session;
	return executor
		.select({ id, userAgent, address, createdAt, seenAt })
		.from(session)
		.where(and(eq(session.account, owner), gt(session.expiresAt, clock())))
		.orderBy(desc(session.seenAt), desc(session.createdAt))
		.limit(SESSIONS_SHOWN_MAX);
}

async function findSession(
	{ executor, clock }: SessionsParts,
	token: string
): Promise<FoundSession | undefined> {
	const digest = parseSecretToken(token);
	if (!digest.ok) return undefined;
	const now = clock();
	const [row] = await executor
		.select()
		.from(session)
		.innerJoin(account, eq(account.account, session.account))
		.where(and(eq(session.tokenHash, digest.value), gt(session.expiresAt, now)));
	if (row === undefined) return undefined;

	const isProlonged = now - row.session.seenAt >= PROLONG_AFTER_MS;
	if (isProlonged) {
		await executor
			.update(session)
			.set({ seenAt: now, expiresAt: now + SESSION_MS })
			.where(eq(session.tokenHash, digest.value));
	}
	return { id: row.session.id, caller: callerOf(row.account), isProlonged };
}

export function callerOf(row: typeof account.$inferSelect): SessionCaller {
	const person = parsePersonId(row.person);
	assert(person.ok, 'an account has a person');
	const { username, kind, name } = row;
	const isProved = row.emailProvedAt !== null || row.phoneProvedAt !== null;
	return { account: row.account, username, kind, name, person: person.value, isProved };
}

/** A browser's own words about itself, for the list of sessions: bounded, and nothing but text. */
function cleanText(text: string): string {
	const printable = text.replace(/[^\x20-\x7e]/g, '');
	return printable.slice(0, TEXT_LENGTH_MAX);
}
