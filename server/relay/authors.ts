import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { parseBranchId, parseDeviceCode } from '#domain/ids.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import type { Caller, PhoneCaller } from '#server/auth/phone-auth.ts';

/**
 * The devices of the caller's business, or the phones of the caller's person, by these codes: as they
 * were, whether or not their access has ended since.
 */
export async function readAuthors(
	sql: Sql,
	caller: Caller,
	codes: readonly string[]
): Promise<ReadonlyMap<string, Caller>> {
	const authors =
		caller.sort === 'phone'
			? await readPhones(sql, caller, codes)
			: await readDevices(sql, caller, codes);
	return new Map(authors.map((author) => [author.code, author]));
}

/** The branches of the caller's business. */
export async function readBranches(sql: Sql, caller: Caller): Promise<ReadonlySet<string>> {
	if (caller.sort === 'phone') return new Set();
	const rows = await sql<{ branch: string }[]>`
		select branch from branch where business = ${caller.business}`;
	return new Set(rows.map(({ branch }) => branch));
}

interface DeviceRow {
	readonly code: string;
	readonly branch: string;
	readonly member: number;
	readonly role: DeviceCaller['role'];
	readonly sight: DeviceCaller['sight'];
	readonly public_key: Uint8Array;
}

async function readDevices(
	sql: Sql,
	{ business }: DeviceCaller,
	codes: readonly string[]
): Promise<readonly DeviceCaller[]> {
	const rows = await sql<DeviceRow[]>`
		select device.code, device.branch, device.member, member.role, device.sight, device.public_key
		from device join member using (business, member)
		where device.business = ${business} and device.code = any(${codes}::text[])`;
	return rows.map(({ public_key: key, ...row }) => {
		const [branch, code] = [parseBranchId(row.branch), parseDeviceCode(row.code)];
		assert(branch.ok && code.ok, 'a device row holds ids');
		const { member, role, sight } = row;
		return {
			sort: 'device',
			scope: business,
			business,
			branch: branch.value,
			code: code.value,
			member,
			role,
			sight,
			publicKey: new Uint8Array(key)
		};
	});
}

async function readPhones(
	sql: Sql,
	{ scope }: PhoneCaller,
	codes: readonly string[]
): Promise<readonly PhoneCaller[]> {
	const rows = await sql<{ code: string; public_key: Uint8Array }[]>`
		select code, public_key from phone
		where person = ${scope} and code = any(${codes}::text[])`;
	return rows.map(({ code, public_key: key }) => ({
		sort: 'phone',
		scope,
		code,
		member: 1,
		publicKey: new Uint8Array(key)
	}));
}
