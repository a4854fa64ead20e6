import { message } from '#server/database/messages.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { Channel } from './message-gateway.ts';

/** A message as what causes it writes it down. */
export interface QueuedMessage {
	readonly channel: Channel;
	/** E.164, or an e-mail address. */
	readonly to: string;
	readonly text: string;
	/** Of an e-mail. */
	readonly subject?: string;
	/** Names the cause, such as `code/{serial}`: the same key again is the same message. */
	readonly key: string;
	/** The text is to be forgotten once a gateway has it, as a code is. */
	readonly secret?: boolean;
	/** No sense in sending it later, UTC ms. */
	readonly expiresAt?: number;
	/** UTC ms; this machine's now where it is absent. */
	readonly at?: number;
}

/**
 * Writes a message into the queue, in the transaction of what causes it: it goes out after the
 * commit, once `messages.wake()` is called or a few seconds later, whatever is killed meanwhile.
 */
export async function queueMessage(tx: Executor, queued: QueuedMessage): Promise<void> {
	const { channel, to, text, subject, key, secret, expiresAt, at = Date.now() } = queued;
	await tx
		.insert(message)
		.values({
			key,
			channel,
			recipient: to,
			subject: subject ?? null,
			body: text,
			isSecret: secret === true,
			state: 'waiting',
			tries: 0,
			dueAt: at,
			expiresAt: expiresAt ?? null,
			createdAt: at
		})
		.onConflictDoNothing();
}
