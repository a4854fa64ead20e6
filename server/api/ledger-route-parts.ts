import { and, eq } from 'drizzle-orm';
import type { Context } from 'hono';
import type { PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { ok, type Result } from '#domain/result.ts';
import type { DeviceAuth, DeviceCaller } from '#server/auth/device-auth.ts';
import type { Limits } from '#server/auth/limits.ts';
import type { PhoneAuth } from '#server/auth/phone-auth.ts';
import type { SessionCaller, Sessions } from '#server/auth/sessions.ts';
import { person } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { sessionCaller } from './session-cookie.ts';

/** What the routes of connections and codes need. */
export interface LedgerRouteParts extends LedgerParts {
	readonly sessions: Sessions;
	readonly deviceAuth: Pick<DeviceAuth, 'authenticateDevice'>;
	readonly phoneAuth: Pick<PhoneAuth, 'authenticatePhone'>;
	readonly limits: Limits;
	/** The caller's network address, grouped, as far as it can be believed. */
	readonly addressOf: (c: Context) => string;
}

/** Whoever calls: a shop by a device, or somebody by a session. */
export type LedgerCaller =
	| { readonly by: 'shop'; readonly device: DeviceCaller; readonly key: string }
	| { readonly by: 'customer'; readonly session: SessionCaller; readonly key: string };

/** A caller of either side. A device's proof comes before a session's. */
export async function eitherCaller(
	c: Context,
	{ deviceAuth, sessions }: LedgerRouteParts
): Promise<Result<LedgerCaller, ProblemCode>> {
	const names = ['authorization', 'daftar-device'];
	if (names.some((name) => c.req.header(name) !== undefined)) {
		const device = await deviceAuth.authenticateDevice(c.req.raw.headers);
		if (!device.ok) return device;
		return ok({ by: 'shop', device: device.value, key: device.value.business });
	}
	const session = await sessionCaller(c, sessions);
	if (!session.ok) return session;
	return ok({ by: 'customer', session: session.value, key: session.value.account });
}

/** Whether the person is one of the account's. */
export async function ownsPerson(
	executor: Executor,
	{ account }: SessionCaller,
	who: PersonId
): Promise<boolean> {
	const rows = await executor
		.select({ person: person.person })
		.from(person)
		.where(and(eq(person.person, who), eq(person.account, account)));
	return rows.length > 0;
}

type LimitName = Parameters<Limits['count']>[0];

/** Counts one more of what `who` does; the refusal where it is too much. */
export async function tooMany(
	limits: Limits,
	name: LimitName,
	who: string
): Promise<Refusal | undefined> {
	const counted = await limits.count(name, who);
	return counted.ok ? undefined : refusal('tooManyAttempts', { ...counted.error });
}

/** Answers a decision: its value as JSON, or its reason. */
export function answer<T extends object>(
	c: Context,
	decided: Result<T, ProblemCode | Refusal>,
	status: 200 | 201 = 200
): Response {
	if (decided.ok) return c.json(decided.value, status);
	const { error } = decided;
	return problem(c, typeof error === 'string' ? refusal(error) : error);
}

/** What a refusal of a code says beside its name: the tries that are left, or when to come back. */
export function codeRefusal(error: CodeRefusal): Refusal {
	const { code, triesLeft, retryAfterMs } = error;
	return refusal(code, {
		...(triesLeft === undefined ? {} : { triesLeft }),
		...(retryAfterMs === undefined ? {} : { retryAfterMs })
	});
}

interface CodeRefusal {
	readonly code: ProblemCode;
	readonly triesLeft?: number;
	readonly retryAfterMs?: number;
}
