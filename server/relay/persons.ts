import type { Sql } from 'postgres';
import type { Caller } from '#server/auth/phone-auth.ts';

/** The UUIDs of the person under whose hand a device is. */
export interface Persons {
	readonly has: (person: string) => Promise<boolean>;
}

/**
 * RELAY-55. Reads them when they are first asked for, and once more for one that it does not know: a
 * device may have minted it, and its account taken it as another name, a moment ago.
 */
export function createPersonsOf(sql: Sql): (caller: Caller) => Persons {
	const personsByCode = new Map<string, Persons>();
	return (caller) => {
		const known = personsByCode.get(caller.code) ?? createPersons(sql, caller);
		personsByCode.set(caller.code, known);
		return known;
	};
}

function createPersons(sql: Sql, caller: Caller): Persons {
	let known: Promise<ReadonlySet<string>> | undefined;
	return {
		has: async (person) => {
			if ((await known)?.has(person) === true) return true;
			known = readPersons(sql, caller);
			return (await known).has(person);
		}
	};
}

async function readPersons(sql: Sql, caller: Caller): Promise<ReadonlySet<string>> {
	if (caller.sort === 'phone') return new Set([caller.scope]);
	const rows = await sql<{ person: string }[]>`
		with own as (
			select member.person, member.account from member
			where business = ${caller.business} and member = ${caller.member}
		), named as (
			select person from own
			union
			select person.person from person join own using (account)
		)
		select person from named
		union
		select alias from person_alias join named using (person)`;
	return new Set(rows.map(({ person }) => person));
}
