import { and, asc, eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import type { BusinessId } from '#domain/ids.ts';
import { account, business as businessTable, member } from '#server/database/accounts.ts';
import { customer, setting } from '#server/database/journal.ts';
import type { Executor } from '#server/database/transaction.ts';
import { businessIn, ofLedger } from './guard.ts';
import type { LedgerName } from './ledger-parts.ts';

/** A shop as others may know it. */
export interface Shop {
	readonly name: string;
	readonly username: string;
	/** The language of its owner, for whoever has chosen none. */
	readonly language: 'en' | 'ar';
	readonly settings: ShopSettings;
}

interface ShopSettings {
	readonly currency: string | undefined;
	readonly isSmsOn: boolean;
	/** Messages a month. */
	readonly smsLimit: number;
}

/** Where the owner switched messages on and wrote no limit. */
const SMS_LIMIT_DEFAULT = 100;

export async function readShop(executor: Executor, business: BusinessId): Promise<Shop> {
	const [row] = await executor
		.select({ account, name: businessTable.name, fields: setting.fields })
		.from(businessTable)
		.innerJoin(member, and(eq(member.business, businessTable.business), eq(member.member, 1)))
		.innerJoin(account, eq(account.account, member.account))
		.leftJoin(setting, eq(setting.business, businessTable.business))
		.where(eq(businessTable.business, business));
	assert(row !== undefined, 'a business has its owner');
	const fields = fieldsOf(row.fields);
	const { name } = fields;
	const { username, language } = row.account;
	const settings = settingsOf(fields);
	return { name: typeof name === 'string' ? name : row.name, username, language, settings };
}

function settingsOf({ currency, sms, smsLimit }: Fields): ShopSettings {
	return {
		currency: typeof currency === 'string' ? currency : undefined,
		isSmsOn: sms === true,
		smsLimit: typeof smsLimit === 'number' ? smsLimit : SMS_LIMIT_DEFAULT
	};
}

/** The business of a store's username: the first that it claimed. */
export async function findBusiness(
	executor: Executor,
	username: string
): Promise<BusinessId | undefined> {
	const [row] = await executor
		.select({ business: member.business })
		.from(account)
		.innerJoin(member, eq(member.account, account.account))
		.innerJoin(businessTable, eq(businessTable.business, member.business))
		.where(and(eq(account.username, username), eq(account.kind, 'store')))
		.orderBy(asc(businessTable.claimedAt), asc(businessTable.business))
		.limit(1);
	return row === undefined ? undefined : businessIn(row.business);
}

/** What the shop calls the customer of a ledger; empty where it has written nothing of him yet. */
export async function customerName(executor: Executor, name: LedgerName): Promise<string> {
	const [row] = await executor
		.select({ fields: customer.fields })
		.from(customer)
		.where(ofLedger(customer, name));
	const called = fieldsOf(row?.fields).name;
	return typeof called === 'string' ? called : '';
}

interface Fields {
	readonly name?: unknown;
	readonly currency?: unknown;
	readonly sms?: unknown;
	readonly smsLimit?: unknown;
}

/** JSON comes from this connection as text or as what it says. */
function fieldsOf(json: unknown): Fields {
	const value: unknown = typeof json === 'string' ? JSON.parse(json) : json;
	return typeof value === 'object' && value !== null ? { ...value } : {};
}
