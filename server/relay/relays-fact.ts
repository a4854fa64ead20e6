import type { Sql } from 'postgres';
import { decodeBase64url, equalBytes } from '#domain/bytes.ts';
import { claimHash } from '#domain/confirmation/claim.ts';
import { answerMessage, keyId } from '#domain/confirmation/signatures.ts';
import { verdictMessage } from '#domain/confirmation/verdict.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type {
	AnsweredFact,
	FiledFact,
	JudgedFact,
	LinkFact,
	VerdictFact
} from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { isRelaySigned } from '#domain/fact/relay-message.ts';
import type { LedgerId } from '#domain/ids.ts';
import { isRelaysWord, type WordParts } from '#server/auth/relay-word.ts';

/**
 * `authorUnknown`: an answer by a key that the database knows of nobody behind that ledger.
 * `linkOtherwise`: a connection that the database knows to stand otherwise.
 */
export type RelaysRefusal =
	| 'notYourKind'
	| 'epochNotEnded'
	| 'verdictUnsigned'
	| 'relayUnsigned'
	| 'answerUnsigned'
	| 'authorUnknown'
	| 'linkOtherwise';

/**
 * RELAY-41, RELAY-58. Why a fact is none that a relay of an epoch that has ended can have written;
 * undefined where it may be. What spends, confirms or moves what somebody owes counts by a
 * signature, or as far as the database's own tables do not say otherwise.
 */
export async function refusalOfRelays(
	fact: Fact,
	parts: RelaysParts
): Promise<RelaysRefusal | undefined> {
	const kinds = parts.isOfPerson ? RELAYS_OF_PERSON : RELAYS_OF_BUSINESS;
	if (!kinds.has(fact.kind)) return 'notYourKind';
	if (epochOf(fact) >= parts.epoch) return 'epochNotEnded';
	return refusalOfContent(fact, parts);
}

async function refusalOfContent(
	fact: Fact,
	parts: RelaysParts
): Promise<RelaysRefusal | undefined> {
	if (isRelaySigned(fact)) return (await isRelaysWord(fact, parts)) ? undefined : 'relayUnsigned';
	switch (fact.kind) {
		case 'verdict':
		case 'judged':
			return (await isVerdict(fact, parts)) ? undefined : 'verdictUnsigned';
		case 'answered':
		case 'filed':
			return refusalOfAnswer(fact, parts);
		case 'link':
			return (await isLinkedOtherwise(fact, parts)) ? 'linkOtherwise' : undefined;
		default:
			return undefined;
	}
}

export interface RelaysParts extends WordParts {
	readonly sql: Sql;
	readonly isOfPerson: boolean;
	readonly epoch: number;
	readonly crypto: CryptoParts;
}

/** What only a relay writes, by whose facts it is known; the rest of its code would be another's. */
const RELAYS_OF_BUSINESS: ReadonlySet<string> = new Set([
	...(['member', 'device', 'clock', 'ask', 'link', 'sheet', 'verdict', 'answered', 'saw'] as const)
]);
const RELAYS_OF_PERSON: ReadonlySet<string> = new Set([
	...(['card', 'asked', 'booked', 'judged', 'filed', 'told', 'codes'] as const)
]);

function epochOf({ code }: Fact): number {
	return Number(code.slice('0.'.length));
}

async function isVerdict(fact: VerdictFact | JudgedFact, parts: RelaysParts): Promise<boolean> {
	return (await isSignedByRelay(fact, parts)) && !(await isOfOtherClaim(fact, parts));
}

/** Claims of one record that are compared: a shop could hand in any number of its own. */
const CLAIMS_MAX = 64;

/**
 * RELAY-41. The relay signed which claim it judged and not the claim's id: by another id nobody would see that two
 * records were confirmed by one code. What is not here cannot be compared.
 */
async function isOfOtherClaim(
	fact: VerdictFact | JudgedFact,
	{ sql, scope, crypto }: RelaysParts
): Promise<boolean> {
	const { claimId, verdict } = fact;
	const business = fact.kind === 'judged' ? fact.businessId : scope;
	const rows = await sql<{ text: string }[]>`
		select text from claim join fact using (business, code, n)
		where business = ${business} and h = ${verdict.h} and claim <> ${claimId}
		order by claim limit ${CLAIMS_MAX}`;
	for (const { text } of rows) {
		const other = parseFact(text);
		if (!other.ok || other.value.kind !== 'claim') continue;
		const said = await claimHash(other.value.claim, crypto);
		if (equalBytes(said, verdict.claimHash)) return true;
	}
	return false;
}

/** Of the epoch that it is told of: one that is given now says nothing of what was forgotten. */
async function isSignedByRelay(
	fact: VerdictFact | JudgedFact,
	{ relayKeys: { current }, crypto }: RelaysParts
): Promise<boolean> {
	const [v, sig] = [decodeBase64url(fact.v), decodeBase64url(fact.sig)];
	if (!v.ok || !sig.ok || current === undefined) return false;
	if (fact.verdict.relayEpoch !== epochOf(fact)) return false;
	return crypto.verify(current, verdictMessage(v.value), sig.value);
}

/** A customer's word is the highest that a record can have, and it is signed by his phone. */
async function refusalOfAnswer(
	fact: AnsweredFact | FiledFact,
	parts: RelaysParts
): Promise<'authorUnknown' | 'answerUnsigned' | undefined> {
	const [key, sig] = [decodeBase64url(fact.key), decodeBase64url(fact.sig)];
	if (!key.ok || !sig.ok) return 'answerUnsigned';
	if (!(await isPhoneOfLedger(fact, key.value, parts))) return 'authorUnknown';
	const { decision, answerN: n, h, signedAt } = fact;
	const kid = await keyId(key.value, parts.crypto);
	const message = answerMessage({ decision, n, h, kid, signedAt });
	const isSigned = await parts.crypto.verify(key.value, message, sig.value);
	return isSigned ? undefined : 'answerUnsigned';
}

/**
 * Whether the key is a phone's of whoever stands or stood behind the ledger, removed or not; a person
 * is told what was answered there before too.
 */
async function isPhoneOfLedger(
	fact: AnsweredFact | FiledFact,
	key: Uint8Array,
	{ sql, scope, isOfPerson }: RelaysParts
): Promise<boolean> {
	const { ledgerId: ledger, h } = fact;
	const business = fact.kind === 'filed' ? fact.businessId : scope;
	const rows = await sql`
		with holder as (
			select person from ledger_link where business = ${business} and ledger = ${ledger}
			union
			select person from bridge_state where business = ${business} and ledger = ${ledger}
			union
			select person from bridged where business = ${business} and ledger = ${ledger} and key = ${h}
			union
			select ${isOfPerson ? scope : null}::uuid
		)
		select 1 from phone join holder using (person) where public_key = ${Buffer.from(key)} limit 1`;
	return rows.length > 0;
}

/** Two clocks of one relay's machine may differ by so much. */
const CLOCK_SLACK_MS = 300_000;

/**
 * What is told of a connection may fill in what was forgotten; it speaks of no time before the last
 * that the database knows of it, and ends what stands only in the name of a side. What it says to have
 * begun begins by it alone nowhere: CONNECT-19 says what becomes of it.
 */
async function isLinkedOtherwise(
	{ ledgerId, fields, at: stamp }: LinkFact,
	parts: RelaysParts
): Promise<boolean> {
	const { state, at = stamp.wall } = fields;
	if (state === undefined) return false;
	const { link, since } = await readKnownLink(ledgerId, parts);
	if (stamp.wall < since || at < since - CLOCK_SLACK_MS) return true;
	return link?.state === 'linked' && isOtherwise(link, fields, at);
}

/** Either side alone may have ended what stands, and say so: it is ended again. */
function isOtherwise(
	link: NonNullable<KnownLink['link']>,
	{ state, way = 'app', endedBy }: LinkFact['fields'],
	at: number
): boolean {
	if (state === 'linked') return way !== link.way;
	return link.way !== 'app' || endedBy === undefined || at <= link.at;
}

interface KnownLink {
	readonly link: { readonly state: string; readonly way: string; readonly at: number } | undefined;
	/** When the last fact of it that was not forgotten was written. */
	readonly since: number;
}

async function readKnownLink(
	ledgerId: LedgerId,
	{ sql, scope, epoch }: RelaysParts
): Promise<KnownLink> {
	const current = `0.${String(epoch)}`;
	const [[link], [last]] = await Promise.all([
		sql<{ state: string; way: string; at: string }[]>`
			select state, way, at from ledger_link where business = ${scope} and ledger = ${ledgerId}`,
		sql<{ wall: string | null }[]>`
			select max(wall) as wall from ledger_fact join fact using (business, code, n)
			where ledger_fact.business = ${scope} and ledger = ${ledgerId}
				and ledger_fact.kind = 'link' and carried_by is null and code <> ${current}`
	]);
	return { link: link && { ...link, at: Number(link.at) }, since: Number(last?.wall ?? 0) };
}
