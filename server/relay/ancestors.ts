import type { Sql } from 'postgres';
import type { Caller } from '#server/auth/phone-auth.ts';

/** The public points of the devices, or phones, whose heir somebody is, by their codes. */
export type Ancestors = ReadonlyMap<string, Uint8Array>;

/**
 * RELAY-45. The line of devices that the caller takes the place of: the one it is the heir of, the one
 * that one was the heir of, and so on. Whether their access has ended makes no difference.
 */
export async function readAncestors(sql: Sql, caller: Caller): Promise<Ancestors> {
	const { scope, code } = caller;
	const rows =
		caller.sort === 'phone'
			? await sql<AncestorRow[]>`
				with recursive line (code) as (
					select heir_of from phone where person = ${scope} and code = ${code}
					union
					select phone.heir_of from phone join line using (code) where person = ${scope}
				)
				select code, public_key from phone join line using (code) where person = ${scope}`
			: await sql<AncestorRow[]>`
				with recursive line (code) as (
					select heir_of from device where business = ${scope} and code = ${code}
					union
					select device.heir_of from device join line using (code) where business = ${scope}
				)
				select code, public_key from device join line using (code) where business = ${scope}`;
	return new Map(rows.map(({ code: of, public_key: key }) => [of, new Uint8Array(key)]));
}

/** The same under a code that the database forgot: the line of the device whose heir it is told to be. */
async function readLineOf(sql: Sql, { scope }: Caller, heirOf: string): Promise<Ancestors> {
	const rows = await sql<AncestorRow[]>`
		with recursive line (code) as (
			select ${heirOf}::text
			union
			select device.heir_of from device join line using (code) where business = ${scope}
		)
		select code, public_key from device join line using (code) where business = ${scope}`;
	return new Map(rows.map(({ code: of, public_key: key }) => [of, new Uint8Array(key)]));
}

/** `heirOf`: whose heir the author is told to be, where the database has none of that code. */
export type AncestorsOf = (author: Caller, heirOf?: string) => Promise<Ancestors>;

/** Reads each author's once, for as long as it is kept. */
export function createAncestorsOf(sql: Sql): AncestorsOf {
	const ancestorsByCode = new Map<string, Promise<Ancestors>>();
	return (author, heirOf) => {
		const read = (): Promise<Ancestors> =>
			heirOf === undefined ? readAncestors(sql, author) : readLineOf(sql, author, heirOf);
		const ancestors = ancestorsByCode.get(author.code) ?? read();
		ancestorsByCode.set(author.code, ancestors);
		return ancestors;
	};
}

interface AncestorRow {
	readonly code: string;
	readonly public_key: Uint8Array;
}
