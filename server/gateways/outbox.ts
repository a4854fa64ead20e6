import { desc } from 'drizzle-orm';
import { message } from '#server/database/messages.ts';
import type { Executor } from '#server/database/transaction.ts';

export type LoggedMessage = Readonly<typeof message.$inferSelect>;

/** The last messages and what became of each, newest first. */
export async function readOutbox(
	executor: Executor,
	most: number
): Promise<readonly LoggedMessage[]> {
	return executor
		.select()
		.from(message)
		.orderBy(desc(message.createdAt), desc(message.key))
		.limit(most);
}

/** What became of a message, for the operator: `sent by practice (kept in the outbox)`. */
export function outcomeOf({ state, gateway, answer, tries }: LoggedMessage): string {
	const by = gateway === null ? '' : ` by ${gateway}`;
	const after = tries > 1 ? ` after ${String(tries)} tries` : '';
	return `${state}${by}${after}${answer === null ? '' : ` (${answer})`}`;
}

export function textOf({ body }: LoggedMessage): string {
	return body ?? '(the text was private and is not kept)';
}
