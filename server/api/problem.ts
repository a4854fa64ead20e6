import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ProblemCode } from '#domain/problem-code.ts';

/** The one table from a reason to its HTTP status. */
export const STATUS_BY_CODE = {
	alreadyAsked: 409,
	alreadyLinked: 409,
	askAnswered: 409,
	bodyInvalid: 400,
	bodyTooLarge: 413,
	branchUnknown: 404,
	businessKnown: 409,
	busy: 503,
	codeExpired: 410,
	codeInvalid: 400,
	codeSendsSpent: 429,
	codesLocked: 409,
	codeSpent: 410,
	codeTooSoon: 429,
	codeWrong: 403,
	contactInvalid: 400,
	contactMissing: 400,
	databaseGone: 503,
	deviceRefused: 401,
	deviceRemoved: 403,
	documentClosed: 403,
	documentInvalid: 400,
	epochEnded: 409,
	factorKnown: 409,
	factorNeeded: 401,
	factorWrong: 403,
	fault: 500,
	foreignOrigin: 403,
	inviteExpired: 410,
	inviteOfAnother: 409,
	inviteUnknown: 404,
	inviteUsed: 410,
	nameInvalid: 400,
	nonceSpent: 401,
	noSet: 409,
	notAMember: 403,
	notAStore: 403,
	notFound: 404,
	notJson: 415,
	notLinked: 409,
	notSignedIn: 401,
	oldCodeNeeded: 409,
	ownerOnly: 403,
	ownShop: 409,
	passwordIsUsername: 400,
	passwordTooLong: 400,
	passwordTooShort: 400,
	passwordWrong: 403,
	personKnown: 409,
	phoneInvalid: 400,
	phoneUnproved: 409,
	queryInvalid: 400,
	recordUnknown: 404,
	signatureInvalid: 403,
	signInRefused: 401,
	shopAskedOften: 429,
	smsLimit: 409,
	smsOff: 409,
	tooManyAttempts: 429,
	usernameInvalid: 400,
	usernameReserved: 400,
	usernameTaken: 409
} as const satisfies Readonly<Record<ProblemCode, ContentfulStatusCode>>;

/** Why a request is refused, and what the caller may go by: `{epoch, survivedTo}`, `{retryAfterMs}` … */
export interface Refusal {
	readonly code: ProblemCode;
	readonly more?: Readonly<Record<string, string | number>>;
}

export function refusal(code: ProblemCode, more?: Refusal['more']): Refusal {
	return more === undefined ? { code } : { code, more };
}

/** Answers a refusal as RFC 9457 says. The words for people are the screen's. */
export function problem(c: Context, { code, more = {} }: Refusal): Response {
	const status = STATUS_BY_CODE[code];
	const { retryAfterMs } = more;
	if (typeof retryAfterMs === 'number') {
		c.header('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
	}
	const title = STATUS_CODES[status] ?? 'Error';
	const body = JSON.stringify({ ...more, type: 'about:blank', title, status, code });
	return c.body(body, status, { 'Content-Type': 'application/problem+json' });
}
