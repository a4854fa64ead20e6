import { and, eq, gt, isNotNull, ne } from 'drizzle-orm';
import type { PersonId } from '#domain/ids.ts';
import { device } from '#server/database/accounts.ts';
import { codeEpoch } from '#server/database/ledgers.ts';
import type { Executor, Transaction } from '#server/database/transaction.ts';
import { lockGuard, ofLedger, readLink } from './guard.ts';
import type { LedgerName } from './ledger-parts.ts';

/** What a shop sent to somebody whom it meant for a ledger. */
export interface MadeFor {
	readonly name: LedgerName;
	/** UTC ms. */
	readonly createdAt: number;
}

/**
 * CONNECT-8, CONNECT-20. Whether another account stood behind the ledger when the invite or ask was made or
 * since: whoever was sent it by mistake, or before that one came, gets nothing of what that one's page
 * holds when she leaves.
 */
export async function wasOfAnother(
	tx: Transaction,
	{ name, createdAt }: MadeFor,
	person: PersonId
): Promise<boolean> {
	// Nobody comes or leaves from here on.
	await lockGuard(tx, name);
	const link = await readLink(tx, name);
	const isOther = link !== undefined && link.person !== null && link.person !== person;
	// Who stands there still is refused for that; of who left it says when.
	if (isOther && link.at > createdAt) return true;
	const rows = await tx
		.select({ epoch: codeEpoch.epoch })
		.from(codeEpoch)
		.where(
			and(
				ofLedger(codeEpoch, name),
				gt(codeEpoch.startedAt, createdAt),
				// Nobody's are those of a number that was proved.
				ne(codeEpoch.person, person)
			)
		)
		.limit(1);
	return rows.length > 0;
}

/**
 * CONNECT-21. Whether the device that sent it was taken out of the shop since: a thief would open by it what
 * he can read no more. `code` is null where a customer asked, or an older program wrote none down.
 */
export async function isOfRemoved(
	executor: Executor,
	{ business, code }: { readonly business: string; readonly code: string | null }
): Promise<boolean> {
	if (code === null) return false;
	const rows = await executor
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, business), eq(device.code, code), isNotNull(device.removedAt)));
	return rows.length > 0;
}
