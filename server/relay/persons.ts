import type { Sql } from 'postgres';
import type { Caller } from '#server/auth/phone-auth.ts';

/** The UUIDs of the person under whose hand a device is. */
export interface Persons {
	readonly has: (person: string) => Promise<boolean>;
}

/** Whose persons, as far as one update asks for them. */
export type PersonsOf = (caller: Caller) => Persons;

/**
 * RELAY-55. Reads them when they are first asked for, and once more in an update for one that it does
 * not know: a device may have minted it, and its account taken it as another name, a moment ago.
 * Answers what is to be asked for each update, however many persons it names.
 */
export function createPersonsOf(sql: Sql): () => PersonsOf {
	// Most sockets never name a person, and an idle one is to take little.
	let knownByCode: Map<string, ReadonlySet<string>> | undefined;
	return () => {
		const readByCode = new Map<string, Promise<ReadonlySet<string>>>();
		return (caller) => ({
			has: async (person) => {
				const { code } = caller;
				if (knownByCode?.get(code)?.has(person) === true) return true;
				const read = readByCode.get(code) ?? readPersons(sql, caller);
				readByCode.set(code, read);
				const persons = await read;
				(knownByCode ??= new Map()).set(code, persons);
				return persons.has(person);
			}
		});
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
