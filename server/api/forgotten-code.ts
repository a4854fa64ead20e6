import { and, asc, eq, isNotNull, ne, sql, type SQL } from 'drizzle-orm';
import { encodeBase64url } from '#domain/bytes.ts';
import { parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';
import { device } from '#server/database/accounts.ts';
import { fact } from '#server/database/journal.ts';
import type { Transaction } from '#server/database/transaction.ts';

/**
 * The code that a device had which joined between a backup and its restore: as a relay's fact says
 * that was carried in since or, where none was, that the device itself showed. Only whoever is let in
 * anew with that key gets it back, only where nobody else has it or is named by it, and only one that
 * is not after `last`: such a one is still to be given out.
 */
export async function findForgottenCode(
	transaction: Transaction,
	{ business, lastDeviceCode: last }: Locked,
	{ publicKey, had }: Forgotten
): Promise<DeviceCode | undefined> {
	const key = encodeBase64url(publicKey);
	const told = await transaction
		.select({ code: CODE_TOLD })
		.from(fact)
		.where(and(isTold(business), eq(KEY_TOLD, key)))
		.orderBy(asc(fact.s));
	const code = [...told.map((one) => one.code), had]
		.map(parseDeviceCode)
		.find((one) => one.ok && !isAfter(one.value, last));
	if (code?.ok !== true) return undefined;
	const others = await transaction
		.select({ s: fact.s })
		.from(fact)
		.where(and(isTold(business), eq(CODE_TOLD, code.value), ne(KEY_TOLD, key)))
		.limit(1);
	if (others.length > 0) return undefined;
	const taken = await transaction
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, business), eq(device.code, code.value)));
	return taken.length === 0 ? code.value : undefined;
}

interface Forgotten {
	readonly publicKey: Uint8Array;
	/** The code that the device showed it had. */
	readonly had?: DeviceCode | undefined;
}

/** KEEP-16. Every code that such facts name: whoever bears it is not forgotten by all. */
export async function readToldCodes(
	transaction: Transaction,
	business: BusinessId
): Promise<readonly string[]> {
	const told = await transaction
		.selectDistinct({ code: CODE_TOLD })
		.from(fact)
		.where(isTold(business));
	return told.map(({ code }) => code);
}

/** Looked through in the database, for a device may hand in any number of them. */
function isTold(business: BusinessId): SQL | undefined {
	return and(eq(fact.business, business), eq(fact.kind, 'device'), isNotNull(fact.carriedBy));
}

/** As `encodeFact` writes a relay's fact of a device: its code, and of its fields the key. */
const CODE_TOLD = sql<string>`(${fact.text}::json ->> 6)`;
const KEY_TOLD = sql<string | null>`(${fact.text}::json -> 7 ->> 'key')`;

interface Locked {
	readonly business: BusinessId;
	/** The code that was given out last. */
	readonly lastDeviceCode: DeviceCode;
}

/** As they are given out: `Z` before `AA`. */
function isAfter(code: DeviceCode, last: DeviceCode): boolean {
	return code.length === last.length ? code > last : code.length > last.length;
}
