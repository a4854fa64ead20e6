import type { Sql } from 'postgres';
import type { DocumentAddress } from '#documents/document-name.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { isRelayCode } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { readRelayKeys, type RelayKeys } from '#server/auth/relay-word.ts';
import { createAncestorsOf, type Ancestors } from './ancestors.ts';
import { readAuthors } from './authors.ts';
import { checkFact, type CheckRefusal } from './check-fact.ts';
import type { Persons } from './persons.ts';
import { refusalOfRelays } from './relays-fact.ts';
import { isAuthorBack, type Returned, type TellsHimself } from './returned.ts';
import { mayOpen } from './rights.ts';

export interface CarriedParts {
	readonly sql: Sql;
	readonly crypto: CryptoParts;
	/** The device that tells it. */
	readonly caller: Caller;
	readonly address: DocumentAddress;
	/** The relay's clock, ms. */
	readonly now: number;
	/** The database's current epoch, which a restore began. */
	readonly epoch: number;
	readonly personsOf: (author: Caller) => Persons;
	readonly returned: Returned;
}

type Check = (text: string, fact: Fact) => Promise<Result<Fact, CheckRefusal>>;

/**
 * RELAY-53, RELAY-56. Checks what a device tells a restored relay of another: by the rights and the key
 * of its author as the database knows him, removed or not. Reads each author once.
 */
export function createCarriedCheck(parts: CarriedParts): Check {
	const { sql, caller, address } = parts;
	const authors = new Map<string, Promise<Caller | undefined>>();
	const ancestorsOf = createAncestorsOf(sql);
	const authorOf = (code: string): Promise<Caller | undefined> => {
		const author =
			authors.get(code) ?? readAuthors(sql, caller, [code]).then((found) => found.get(code));
		authors.set(code, author);
		return author;
	};
	let relayKeys: Promise<RelayKeys> | undefined;
	let tellsHimself: Promise<TellsHimself> | undefined;

	return async (text, fact) => {
		if (isRelayCode(fact.code)) {
			relayKeys ??= readRelayKeys(sql);
			return checkRelays(fact, { ...parts, relayKeys: await relayKeys });
		}
		const author = await authorOf(fact.code);
		if (author === undefined) return err('authorUnknown');
		tellsHimself ??= parts.returned.read(caller.scope);
		if (isAuthorBack(fact, await tellsHimself)) return err('authorBack');
		if (!mayOpen(author, address)) return err('notYourDocument');
		const ancestors = (): Promise<Ancestors> => ancestorsOf(author);
		const persons = parts.personsOf(author);
		return checkFact(text, { ...parts, caller: author, ancestors, persons });
	};
}

async function checkRelays(
	fact: Fact,
	parts: CarriedParts & { readonly relayKeys: RelayKeys }
): Promise<Result<Fact, CheckRefusal>> {
	const { kind } = parts.address;
	if (kind !== 'journal' && kind !== 'shopSide') return err('notYourDocument');
	const refusal = await refusalOfRelays(fact, {
		...parts,
		scope: parts.caller.scope,
		isOfPerson: kind === 'shopSide'
	});
	return refusal === undefined ? ok(fact) : err(refusal);
}
