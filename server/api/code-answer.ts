import type { CheckRefusal, IssueRefusal, SentCode } from '#server/auth/one-time-codes.ts';
import { refusal, type Refusal } from './problem.ts';

/** A code that was sent, as a screen shows it. */
export interface CodeAnswer {
	/** Where it went; null where that is not to be told. */
	readonly to: string | null;
	readonly sendsLeft: number;
	readonly triesLeft: number;
	/** In so many ms, by this server's clock: a phone's own may be of another day. */
	readonly expiresInMs: number;
	readonly againInMs: number;
}

export function codeAnswer(
	{ to, sendsLeft, triesLeft, expiresAt, againAt }: SentCode,
	now: number
): CodeAnswer {
	return {
		to: to?.address ?? null,
		sendsLeft,
		triesLeft,
		expiresInMs: Math.max(0, expiresAt - now),
		againInMs: Math.max(0, againAt - now)
	};
}

export function codeRefusal({ code, ...more }: CheckRefusal | IssueRefusal): Refusal {
	return refusal(code, more);
}
