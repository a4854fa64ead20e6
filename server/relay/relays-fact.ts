import type { Sql } from 'postgres';
import { decodeBase64url } from '#domain/bytes.ts';
import { answerMessage, keyId } from '#domain/confirmation/signatures.ts';
import { verdictMessage } from '#domain/confirmation/verdict.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { clockMessage } from '#domain/fact/clock-fact.ts';
import type { ClockFact, Fact } from '#domain/fact/fact.ts';
import type {
	AnsweredFact,
	FiledFact,
	JudgedFact,
	LinkFact,
	VerdictFact
} from '#domain/fact/ledger-fact.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';

/**
 * `authorUnknown`: an answer by a key that the database knows of nobody behind that ledger.
 * `linkOtherwise`: a connection that the database knows to stand otherwise.
 */
export type RelaysRefusal =
	| 'notYourKind'
	| 'epochNotEnded'
	| 'verdictUnsigned'
	| 'clockUnsigned'
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
	switch (fact.kind) {
		case 'verdict':
		case 'judged':
			return (await isSignedByRelay(fact, parts)) ? undefined : 'verdictUnsigned';
		case 'clock':
			return (await isRelaysClock(fact, parts)) ? undefined : 'clockUnsigned';
		case 'answered':
		case 'filed':
			return refusalOfAnswer(fact, parts);
		case 'link':
			return (await isLinkedOtherwise(fact, parts)) ? 'linkOtherwise' : undefined;
		default:
			return undefined;
	}
}

export interface RelaysParts {
	readonly sql: Sql;
	/** In whose feed it would stand. */
	readonly scope: ScopeId;
	readonly isOfPerson: boolean;
	readonly epoch: number;
	readonly crypto: CryptoParts;
	readonly relayKeys: RelayKeys;
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

/**
 * RELAY-90. When a fact counts is told as the relay told it, or by nobody: devices that hold such a word count
 * by it. So it stands by a key too of which the secret was lost.
 */
async function isRelaysClock(
	fact: ClockFact,
	{ relayKeys: { all }, crypto, scope }: RelaysParts
): Promise<boolean> {
	const sig = decodeBase64url(fact.sig ?? '');
	if (!sig.ok) return false;
	// Only a business has them.
	const message = clockMessage(scope as BusinessId, fact);
	for (const key of all) if (await crypto.verify(key, message, sig.value)) return true;
	return false;
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
 * that the database knows of it, and does not end or begin what the database has otherwise.
 */
async function isLinkedOtherwise(
	{ ledgerId, fields, at: stamp }: LinkFact,
	parts: RelaysParts
): Promise<boolean> {
	const { state, way = 'app', at = stamp.wall } = fields;
	if (state === undefined) return false;
	const { link, since } = await readKnownLink(ledgerId, parts);
	if (stamp.wall < since || at < since - CLOCK_SLACK_MS) return true;
	if (link === undefined) return false;
	const isLinked = state === 'linked';
	return isLinked !== (link.state === 'linked') || (isLinked && way !== link.way);
}

interface KnownLink {
	readonly link: { readonly state: string; readonly way: string } | undefined;
	/** When the last fact of it that was not forgotten was written. */
	readonly since: number;
}

async function readKnownLink(
	ledgerId: LedgerId,
	{ sql, scope, epoch }: RelaysParts
): Promise<KnownLink> {
	const current = `0.${String(epoch)}`;
	const [[link], [last]] = await Promise.all([
		sql<{ state: string; way: string }[]>`
			select state, way from ledger_link where business = ${scope} and ledger = ${ledgerId}`,
		sql<{ wall: string | null }[]>`
			select max(wall) as wall from ledger_fact join fact using (business, code, n)
			where ledger_fact.business = ${scope} and ledger = ${ledgerId}
				and ledger_fact.kind = 'link' and carried_by is null and code <> ${current}`
	]);
	return { link, since: Number(last?.wall ?? 0) };
}

export interface RelayKeys {
	/** Undefined where this relay never made one. */
	readonly current: Uint8Array | undefined;
	/** That, and those of which the secret was lost. */
	readonly all: readonly Uint8Array[];
}

export async function readRelayKeys(sql: Sql): Promise<RelayKeys> {
	const rows = await sql<{ place: number; key: Uint8Array }[]>`
		select place, public_key as key from relay_key order by place`;
	const [first] = rows;
	const all = rows.map(({ key }) => new Uint8Array(key));
	return { current: first?.place === 1 ? all[0] : undefined, all };
}
