import { and, desc, eq, gt, isNotNull, lte, ne } from 'drizzle-orm';
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
	return stoodThere(tx, { name, createdAt }, person);
}

/**
 * Whether an account stood behind the ledger when that was made or since, though a number alone may by now; but for
 * `person`, where one is named. One of which nobody knows any more when it left, was there still.
 */
export async function stoodThere(
	executor: Executor,
	{ name, createdAt }: MadeFor,
	person: PersonId | null = null
): Promise<boolean> {
	// Nobody's are those of a number that was proved.
	const isOther = person === null ? isNotNull(codeEpoch.person) : ne(codeEpoch.person, person);
	const [since] = await executor
		.select({ epoch: codeEpoch.epoch })
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, name), gt(codeEpoch.startedAt, createdAt), isOther))
		.limit(1);
	if (since !== undefined) return true;
	const [then] = await executor
		.select({ person: codeEpoch.person })
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, name), lte(codeEpoch.startedAt, createdAt)))
		.orderBy(desc(codeEpoch.epoch))
		.limit(1);
	if (then === undefined || then.person === null || then.person === person) return false;
	const link = await readLink(executor, name);
	return link?.person !== then.person || link.state === 'linked' || link.at > createdAt;
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
