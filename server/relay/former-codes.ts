import type { Sql } from 'postgres';
import { encodeBase64url } from '#domain/bytes.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';

/** A code under which a device wrote before a restore forgot it. */
export interface FormerCode {
	/** Whose heir it was under that code, as it is told. */
	readonly heirOf: string | undefined;
}

/**
 * RELAY-65. Which of these codes, that no device of the business has, the caller had itself before a
 * restore forgot that. A relay's fact that was carried in says which key had the code. It counts for
 * that key alone, as long as it is let in, and for nobody who carries for it; where no other key had the
 * code in another epoch; and where the caller was let in after the epoch that the fact is of had ended,
 * for who was never forgotten is nobody else. Never for a code that is still to be given out.
 */
export async function readFormerCodes(
	sql: Sql,
	caller: DeviceCaller,
	codes: readonly string[]
): Promise<ReadonlyMap<string, FormerCode>> {
	const told = codes.length === 0 ? [] : await readTold(sql, caller, codes);
	const key = encodeBase64url(caller.publicKey);
	const own = Array.from(Map.groupBy(told, ({ code }) => code).values())
		.flatMap((keys) => (keys.length === 1 ? keys : []))
		.filter((one) => one.key === key);
	const possible = own.length === 0 ? new Set() : await readPossible(sql, caller, own);
	return new Map(
		own
			.filter(({ code }) => possible.has(code))
			.map(({ code, heir_of: heirOf }) => [code, { heirOf: heirOf ?? undefined }])
	);
}

interface Told {
	readonly code: string;
	/** Of the latest fact that says so. */
	readonly epoch: number;
}

interface ToldRow extends Told {
	readonly key: string;
	readonly heir_of: string | null;
}

async function readTold(
	sql: Sql,
	{ business }: DeviceCaller,
	codes: readonly string[]
): Promise<readonly ToldRow[]> {
	return sql<ToldRow[]>`
		with told as (
			select text::json ->> 6 as code, text::json -> 7 as fields,
				split_part(code, '.', 2)::int as epoch
			from fact
			where business = ${business} and kind = 'device' and carried_by is not null
		)
		select told.code, fields ->> 'key' as key, max(fields ->> 'heirOf') as heir_of,
			max(epoch) as epoch
		from told
		where told.code = any(${codes}::text[]) and fields ->> 'key' is not null
		group by 1, 2`;
}

/** Codes that were given out before this device was let in, and that nobody has. */
async function readPossible(
	sql: Sql,
	{ business, code }: DeviceCaller,
	told: readonly Told[]
): Promise<ReadonlySet<unknown>> {
	const rows = await sql<{ code: string }[]>`
		with told as (
			select code collate "C" as code, epoch from unnest(
				${told.map((one) => one.code)}::text[],
				${told.map(({ epoch }) => epoch)}::int[]
			) as given (code, epoch)
		)
		select told.code from told
		join device as own on own.business = ${business} and own.code = ${code}
		join business on business.business = own.business
		where told.epoch >= (select min(epoch) from database_epoch)
			and own.joined_epoch > told.epoch
			and (length(told.code), told.code)
				<= (length(business.last_device_code), business.last_device_code collate "C")
			and not exists (
				select 1 from device as another
				where another.business = ${business} and another.code = told.code)`;
	return new Set(rows.map((row) => row.code));
}
