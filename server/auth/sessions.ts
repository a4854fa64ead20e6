import { and, eq, gt } from 'drizzle-orm';
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
}

interface FoundSession {
	readonly caller: SessionCaller;
	/** Whether the session was prolonged just now, and its cookie should be too. */
	readonly isProlonged: boolean;
}

export interface Sessions {
	/** Makes a session and gives its token, which only the browser keeps. */
	open(executor: Executor, account: string, userAgent: string): Promise<string>;
	find(token: string): Promise<FoundSession | undefined>;
	/** Ends the session; one that is not there has ended already. */
	end(token: string): Promise<void>;
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
const USER_AGENT_LENGTH_MAX = 200;

export function createSessions(parts: SessionsParts): Sessions {
	const { clock, random } = parts;
	return {
		async open(executor, owner, userAgent) {
			const now = clock();
			const { text, digest } = createSecretToken(random);
			await sweepExpired(executor, session, { column: session.expiresAt, before: now });
			await executor.insert(session).values({
				tokenHash: digest,
				account: owner,
				userAgent: cleanUserAgent(userAgent),
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
		}
	};
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
	return { caller: callerOf(row.account), isProlonged };
}

export function callerOf(row: typeof account.$inferSelect): SessionCaller {
	const person = parsePersonId(row.person);
	assert(person.ok, 'an account has a person');
	const { username, kind, name } = row;
	return { account: row.account, username, kind, name, person: person.value };
}

/** A browser's own words about itself, for the list of sessions: bounded, and nothing but text. */
function cleanUserAgent(userAgent: string): string {
	const printable = userAgent.replace(/[^\x20-\x7e]/g, '');
	return printable.slice(0, USER_AGENT_LENGTH_MAX);
}
