import { and, eq, isNotNull } from 'drizzle-orm';
import { encodeBase64url } from '#domain/bytes.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { BusinessId, DeviceCode } from '#domain/ids.ts';
import { device } from '#server/database/accounts.ts';
import { fact } from '#server/database/journal.ts';
import type { Transaction } from '#server/database/transaction.ts';

/**
 * The code that a device had which joined between a backup and its restore: as a relay's fact says
 * that was carried in since. Only whoever is let in anew with that key gets it back, only where
 * nobody else has it or is named by it, and only one that is not after `last`: such a one is still to
 * be given out.
 */
export async function findForgottenCode(
	transaction: Transaction,
	{ business, lastDeviceCode: last }: Locked,
	publicKey: Uint8Array
): Promise<DeviceCode | undefined> {
	const carried = await transaction
		.select({ text: fact.text })
		.from(fact)
		.where(and(eq(fact.business, business), eq(fact.kind, 'device'), isNotNull(fact.carriedBy)));
	const named = carried.flatMap(({ text }) => {
		const parsed = parseFact(text);
		if (!parsed.ok || parsed.value.kind !== 'device') return [];
		const { device: code, fields } = parsed.value;
		return fields.key === undefined || isAfter(code, last) ? [] : [{ code, key: fields.key }];
	});
	const key = encodeBase64url(publicKey);
	const code = named.find((one) => one.key === key)?.code;
	if (code === undefined) return undefined;
	if (named.some((one) => one.code === code && one.key !== key)) return undefined;
	const taken = await transaction
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, business), eq(device.code, code)));
	return taken.length === 0 ? code : undefined;
}

interface Locked {
	readonly business: BusinessId;
	/** The code that was given out last. */
	readonly lastDeviceCode: DeviceCode;
}

/** As they are given out: `Z` before `AA`. */
function isAfter(code: DeviceCode, last: DeviceCode): boolean {
	return code.length === last.length ? code > last : code.length > last.length;
}
