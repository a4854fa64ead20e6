import type { Result } from '#domain/result.ts';

/** One message to one person, as a gateway is asked to carry it. */
export interface OutgoingMessage {
	/** E.164, or an e-mail address. */
	readonly to: string;
	readonly text: string;
	/** Of an e-mail. */
	readonly subject?: string;
	/** The same for every try of one message, for gateways that know one when it comes again. */
	readonly idempotencyKey: string;
}

/** Why a gateway did not take a message. Words are for the operator, and hold nothing private. */
export interface SendRefusal {
	/** Whether the same may be taken a little later: no answer, too busy, broken. */
	readonly isPassing: boolean;
	readonly reason: string;
}

/** Carries messages to people: one for SMS, one for e-mail. */
export interface MessageGateway {
	/** For the log: `twilio`, `smtp`, `practice`. */
	readonly name: string;
	/** It carries nothing anywhere: the operator reads what it was given. */
	readonly isPractice: boolean;
	/** Answers within its own time limit, and never rejects: what it calls the message, or why not. */
	send(message: OutgoingMessage): Promise<Result<string, SendRefusal>>;
}

export type Channel = 'sms' | 'email';
export type Gateways = Readonly<Record<Channel, MessageGateway>>;

/** How long one try may take, of any gateway. */
export const SEND_MS_MAX = 10_000;

export function passing(reason: string): SendRefusal {
	return { isPassing: true, reason };
}

export function final(reason: string): SendRefusal {
	return { isPassing: false, reason };
}
