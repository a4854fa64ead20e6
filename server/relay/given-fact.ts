import { setImmediate as turn } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { formatDocumentName, utcDay, type DocumentAddress } from '#documents/document-name.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { isRelayCode, parseBranchId, parseDeviceCode, type BranchId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { FactToHandIn, HandInWay } from '#server/auth/handed-in.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { readRelayKeys, type RelayKeys } from '#server/auth/relay-word.ts';
import { createAncestorsOf, type Ancestors, type AncestorsOf } from './ancestors.ts';
import { readAuthors, readBranches } from './authors.ts';
import { checkFact, type CheckRefusal } from './check-fact.ts';
import { readFormerCodes, type FormerCode } from './former-codes.ts';
import { createPersonsOf, type Persons } from './persons.ts';
import { refusalOfRelays } from './relays-fact.ts';
import { isAuthorBack, type Returned, type TellsHimself } from './returned.ts';
import type { Device } from './submission.ts';

/** A fact that may be written, and where. */
export interface Given {
	readonly kind: 'fact';
	readonly given: FactToHandIn;
	readonly fact: Fact;
	readonly author: Device;
	/** Null where it stands in no document. */
	readonly address: DocumentAddress | null;
	/** The document's name; empty where there is none. */
	readonly name: string;
	/** RELAY-56. Whether it is carried of an author who tells it himself, or nobody. */
	readonly isAuthorBack: boolean;
}

interface Refused {
	readonly kind: 'refused';
	readonly given: FactToHandIn;
	readonly id: string;
	readonly reason: string;
}

export type Read = Given | Refused;

export interface ReadParts {
	readonly sql: Sql;
	readonly clock: () => number;
	readonly crypto: CryptoParts;
	readonly epoch: number;
	readonly caller: Caller;
	readonly as: HandInWay;
	readonly returned: Returned;
}

/** RELAY-41. Reads what is handed in: a fact its own author might have written, with its place; or why not. */
export async function readGiven(
	facts: readonly FactToHandIn[],
	parts: ReadParts
): Promise<readonly Read[]> {
	const { sql, caller } = parts;
	const parsed: { readonly given: FactToHandIn; readonly fact: ReturnType<typeof parseFact> }[] =
		[];
	for await (const given of inPieces(facts, ({ text }) => text.length))
		parsed.push({ given, fact: parseFact(given.text) });
	const codes = new Set(parsed.flatMap(({ fact }) => (fact.ok ? [fact.value.code] : [])));
	const authors = await readAuthors(sql, caller, Array.from(codes));
	const unknown = Array.from(codes).filter((code) => !isRelayCode(code) && !authors.has(code));
	const [former, branches, relayKeys, tellsHimself] = await Promise.all([
		readFormer(unknown, parts),
		readBranches(sql, caller),
		readRelayKeys(sql),
		parts.as === 'carried' ? parts.returned.read(caller.scope) : new Map<string, number>()
	]);
	const personsOf = createPersonsOf(sql)();
	const ancestorsOf = createAncestorsOf(sql);
	const ground = {
		...parts,
		authors,
		former,
		branches,
		relayKeys,
		personsOf,
		tellsHimself,
		ancestorsOf
	};
	const read: Read[] = [];
	for await (const { given, fact } of inPieces(parsed, (one) => one.given.text.length)) {
		const admitted = fact.ok ? await admit(given, fact.value, ground) : fact;
		if (admitted.ok) read.push(admitted.value);
		else read.push({ kind: 'refused', given, id: idOf(given.text), reason: admitted.error });
	}
	return read;
}

/** Letters that are read before others have their turn: what one hands in at once holds nobody up. */
const PIECE_LENGTH = 128 * 1024;

async function* inPieces<T>(
	all: readonly T[],
	lengthOf: (one: T) => number
): AsyncGenerator<T, undefined> {
	let length = 0;
	for (const one of all) {
		length += lengthOf(one);
		if (length > PIECE_LENGTH) {
			await turn();
			length = 0;
		}
		yield one;
	}
	return undefined;
}

async function readFormer(
	codes: readonly string[],
	{ sql, caller, as }: ReadParts
): Promise<ReadonlyMap<string, FormerCode>> {
	if (as !== 'carried' || caller.sort === 'phone') return new Map();
	return readFormerCodes(sql, caller, codes);
}

interface Ground extends ReadParts {
	readonly authors: ReadonlyMap<string, Caller>;
	/** Of the caller, before a restore forgot it. */
	readonly former: ReadonlyMap<string, FormerCode>;
	readonly branches: ReadonlySet<string>;
	readonly relayKeys: RelayKeys;
	readonly personsOf: (author: Caller) => Persons;
	readonly tellsHimself: TellsHimself;
	readonly ancestorsOf: AncestorsOf;
}

async function admit(
	given: FactToHandIn,
	fact: Fact,
	ground: Ground
): Promise<Result<Given, string>> {
	if (isRelayCode(fact.code)) return admitRelays(given, fact, ground);
	const author = ground.authors.get(fact.code) ?? formerSelf(fact, ground);
	if (author === undefined) return err('authorUnknown');
	const { clock, crypto } = ground;
	const now = clock();
	const address = addressOf(author, fact, now);
	if (author.sort === 'device' && given.branch !== null && given.branch !== author.branch) {
		return err('branchUnknown');
	}
	const former = ground.former.get(fact.code);
	const ancestors = (): Promise<Ancestors> => ground.ancestorsOf(author, former?.heirOf);
	const persons = ground.personsOf(author);
	const parts = { caller: author, address, crypto, now, ancestors, persons };
	const checked = await checkFact(given.text, parts);
	if (!checked.ok) return err(refusalOf(checked.error, former));
	const isOwn = author.code === ground.caller.code;
	const isBack = !isOwn && isAuthorBack(fact, ground.tellsHimself);
	return ok({ ...place(given, fact, { author, address }), isAuthorBack: isBack });
}

/** RELAY-65. The caller, under the code that it had. */
function formerSelf({ code }: Fact, { former, caller }: Ground): Caller | undefined {
	const parsed = parseDeviceCode(code);
	const isOwn = parsed.ok && former.has(code) && caller.sort === 'device';
	return isOwn ? { ...caller, code: parsed.value } : undefined;
}

/** Whose heir it was may have been forgotten too, and be known again later. */
function refusalOf(refusal: CheckRefusal, former: FormerCode | undefined): CheckRefusal {
	return former !== undefined && refusal === 'wasOfAnother' ? 'authorUnknown' : refusal;
}

/** What an author writes goes into the journal of his branch, or his own, of the day of its stamp. */
function addressOf(author: Caller, fact: Fact, now: number): DocumentAddress {
	const day = dayOf(fact, now);
	return author.sort === 'phone'
		? { kind: 'customerSide', person: author.scope, year: day.slice(0, 4) }
		: { kind: 'journal', business: author.business, branch: author.branch, day };
}

/** The UTC day of a fact's stamp, and never one that is not yet. */
function dayOf({ at }: Fact, now: number): string {
	return utcDay(Math.min(at.wall, now));
}

function place(
	given: FactToHandIn,
	fact: Fact,
	{ author, address }: { readonly author: Device; readonly address: DocumentAddress | null }
): Given {
	const { scope, code } = author;
	const name = address === null ? '' : formatDocumentName(address);
	const whose = { author: { scope, code }, isAuthorBack: false };
	return { kind: 'fact', given, fact, address, name, ...whose };
}

/**
 * A relay's own fact of an epoch that has ended: its numbers are not given out again. It is shown and
 * folded as it is; accounts, keys and rights stand in tables that it does not move.
 */
async function admitRelays(
	given: FactToHandIn,
	fact: Fact,
	ground: Ground
): Promise<Result<Given, string>> {
	const { caller, as, clock } = ground;
	const isOfPerson = caller.sort === 'phone';
	if (as !== 'carried') return err('notYourKind');
	const { scope } = caller;
	const refusal = await refusalOfRelays(fact, { ...ground, scope, isOfPerson });
	if (refusal !== undefined) return err(refusal);
	const author = { scope, code: fact.code };
	if (isOfPerson) {
		const year = dayOf(fact, clock()).slice(0, 4);
		const address = { kind: 'shopSide', person: caller.scope, year } as const;
		return ok(place(given, fact, { author, address }));
	}
	const branch = branchIn(given, ground);
	if (!branch.ok) return branch;
	if (branch.value === null) {
		return OF_BRANCHES.has(fact.kind)
			? err('branchUnknown')
			: ok(place(given, fact, { author, address: null }));
	}
	const day = dayOf(fact, clock());
	const of = { business: caller.business, branch: branch.value, day };
	return ok(place(given, fact, { author, address: { kind: 'journal', ...of } }));
}

/** A relay's facts that belong to a branch, and move what stands there. */
const OF_BRANCHES: ReadonlySet<string> = new Set(['verdict', 'clock'] satisfies Fact['kind'][]);

function branchIn(
	{ branch }: FactToHandIn,
	{ branches }: Ground
): Result<BranchId | null, 'branchUnknown'> {
	if (branch === null) return ok(null);
	const parsed = parseBranchId(branch);
	return parsed.ok && branches.has(branch) ? ok(parsed.value) : err('branchUnknown');
}

/** What a text that is no fact calls itself, so that whoever sent it knows which it was. */
function idOf(text: string): string {
	return idAtStart(text) ?? '';
}
