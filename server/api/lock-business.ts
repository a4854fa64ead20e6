import { eq } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';
import { business } from '#server/database/accounts.ts';
import type { Transaction } from '#server/database/transaction.ts';

export interface LockedBusiness {
	readonly business: BusinessId;
	readonly name: string;
	readonly lastDeviceCode: DeviceCode;
}

/** Of several devices that join at once, one after the other gets its code. */
export async function lockBusiness(
	transaction: Transaction,
	id: BusinessId
): Promise<LockedBusiness | undefined> {
	const [row] = await transaction
		.select()
		.from(business)
		.where(eq(business.business, id))
		.for('update');
	if (row === undefined) return undefined;
	const last = parseDeviceCode(row.lastDeviceCode);
	assert(last.ok, 'a business has the code it gave last');
	return { business: id, name: row.name, lastDeviceCode: last.value };
}
