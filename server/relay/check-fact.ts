import { hash } from 'node:crypto';
import { utcDay, type DocumentAddress } from '#documents/document-name.ts';
import { claimMessage, encodeClaim } from '#domain/confirmation/claim.ts';
import { answerMessage, keyId } from '#domain/confirmation/signatures.ts';
import type { ClaimFact, ReplyFact } from '#domain/fact/ledger-fact.ts';
import { effectsOf, recordsOf } from '#domain/fact/effects.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
import { firstName } from '#domain/fact/issued-again.ts';
import { parseFact, type FactRefusal } from '#domain/fact/parse-fact.ts';
import { verifyRecord } from '#domain/confirmation/signed-record.ts';
import { isListOf } from '#domain/confirmation/statement-list.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { receiptNumber } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import type { Ancestors } from './ancestors.ts';
import type { Persons } from './persons.ts';
import type { RelaysRefusal } from './relays-fact.ts';
import { mayWrite } from './rights.ts';

/** Why a fact is refused, in the words of the nack; the first that applies. */
export type CheckRefusal =
	| FactRefusal
	| 'notYourMember'
	| 'notYourKind'
	| 'notYourPerson'
	| 'beyondTomorrow'
	| 'recordWrong'
	| 'recordUnsigned'
	| 'recordOfAnother'
	| 'wasOfAnother'
	| 'claimUnsigned'
	| 'claimOfAnother'
	| 'answerUnsigned'
	| RelaysRefusal
	| 'notYourDocument'
	| 'authorUnknown'
	| 'authorBack';

export interface CheckParts {
	readonly caller: Caller;
	readonly address: DocumentAddress;
	readonly crypto: CryptoParts;
	/** The relay's clock, ms. */
	readonly now: number;
	/** Whose heir the caller is; asked for what was issued again, and where it is absent nobody's. */
	readonly ancestors?: () => Promise<Ancestors>;
	/** Who the caller's member is; where it is absent, a fact may name anybody. */
	readonly persons?: Persons;
}

const DAY_MS = 86_400_000;

/**
 * RELAY-6, RELAY-7, RELAY-8. Whether this device may write this text as a fact into this document. Of
 * what nobody signs, as most of a shop's day is, it is said at once.
 */
export function checkFact(
	text: string,
	parts: CheckParts
): Result<Fact, CheckRefusal> | Promise<Result<Fact, CheckRefusal>> {
	const { caller, address, now } = parts;
	const parsed = parseFact(text);
	if (!parsed.ok) return parsed;
	const fact = parsed.value;
	if (!mayWrite({ caller, document: address.kind, fact: fact.kind })) {
		return err('notYourKind');
	}
	if (fact.by !== caller.member) return err('notYourMember');
	if (isBeyondTomorrow(address, now)) return err('beyondTomorrow');
	return isPlain(fact) ? parsed : checkSigned({ fact, text }, parts);
}

/** Whether nobody's key says anything of it. */
function isPlain(fact: Fact): boolean {
	if (fact.was !== undefined || fact.kind === 'claim' || fact.kind === 'reply') return false;
	return recordsOf(fact).length === 0;
}

async function checkSigned(
	given: FactWithText,
	parts: CheckParts
): Promise<Result<Fact, CheckRefusal>> {
	const signer = await signerOf(given.fact, parts);
	if (signer === undefined) return err('wasOfAnother');
	const refusal = await refusalOfSignatures(given, { ...parts, signer });
	return refusal === undefined ? ok(given.fact) : err(refusal);
}

/**
 * RELAY-45. Whose key signed what the fact holds: the caller's, or that of the ancestor who wrote it
 * first. Undefined where it says to have been somebody else's.
 */
async function signerOf(
	fact: Fact,
	{ caller, ancestors }: CheckParts
): Promise<Uint8Array | undefined> {
	if (fact.was === undefined) return caller.publicKey;
	return (await ancestors?.())?.get(firstName(fact).code);
}

interface SignedParts extends CheckParts {
	readonly signer: Uint8Array;
}

async function refusalOfSignatures(
	{ fact, text }: FactWithText,
	parts: SignedParts
): Promise<CheckRefusal | undefined> {
	const unsigned = await refusalOfSignature(fact, parts);
	if (unsigned !== undefined) return unsigned;
	const { caller } = parts;
	if (caller.sort === 'phone') return undefined;
	for (const record of recordsOf(fact)) {
		const refusal = await refusalOfRecord(record, { fact, text }, { ...parts, caller });
		if (refusal !== undefined) return refusal;
	}
	return undefined;
}

/** The first 8 bytes of the SHA-256 of a fact's text, unsigned. */
export function digestOf(text: string): bigint {
	return hash('sha256', text, 'buffer').readBigUInt64BE(0);
}

function isBeyondTomorrow(address: DocumentAddress, now: number): boolean {
	const tomorrow = utcDay(now + DAY_MS);
	return 'day' in address ? address.day > tomorrow : address.year > tomorrow.slice(0, 4);
}

/** What a fact itself is signed for, beside its records: a claim by its device, an answer by its phone. */
async function refusalOfSignature(
	fact: Fact,
	parts: SignedParts
): Promise<CheckRefusal | undefined> {
	if (fact.kind === 'claim') return refusalOfClaim(fact, parts);
	return fact.kind === 'reply' ? refusalOfReply(fact, parts) : undefined;
}

async function refusalOfClaim(
	fact: ClaimFact,
	parts: SignedParts
): Promise<CheckRefusal | undefined> {
	const { signer, crypto } = parts;
	const { claim, sig } = fact;
	if (claim.d !== firstName(fact).code) return 'claimOfAnother';
	const isSigned = await isBy(signer, { message: claimMessage(encodeClaim(claim)), sig }, crypto);
	if (!isSigned) return 'claimUnsigned';
	return (await isOwnPerson(claim.u, parts)) ? undefined : 'notYourPerson';
}

async function refusalOfReply(
	{ decision, answerN, h, signedAt, sig, kid }: ReplyFact,
	{ signer, crypto }: SignedParts
): Promise<CheckRefusal | undefined> {
	const own = await keyId(signer, crypto);
	if (encodeBase64url(own) !== kid) return 'answerUnsigned';
	const message = answerMessage({ decision, n: answerN, h, kid: own, signedAt });
	return (await isBy(signer, { message, sig }, crypto)) ? undefined : 'answerUnsigned';
}

async function isBy(
	publicKey: Uint8Array,
	{ message, sig }: { readonly message: Uint8Array; readonly sig: string },
	crypto: CryptoParts
): Promise<boolean> {
	const signature = decodeBase64url(sig);
	return signature.ok && crypto.verify(publicKey, message, signature.value);
}

interface DeviceParts extends Omit<SignedParts, 'caller'> {
	readonly caller: DeviceCaller;
}

async function refusalOfRecord(
	{ signed }: FactRecord,
	{ fact, text }: FactWithText,
	parts: DeviceParts
): Promise<CheckRefusal | undefined> {
	const { caller, signer, crypto } = parts;
	const verified = await verifyRecord(signed, signer, crypto);
	if (!verified.ok) {
		const { kind } = verified.error;
		return kind === 'unknownKid' || kind === 'wrongSignature' ? 'recordUnsigned' : 'recordWrong';
	}
	const { core, rest } = verified.value;
	const isOurs = core.businessId === caller.business && rest.br === caller.branch;
	if (!isOurs || !isOfFact(rest, { fact, text })) return 'recordOfAnother';
	if (!(await isOwnPerson(rest.u, parts))) return 'notYourPerson';
	const listed = core.kind === 'statement' ? effectsOf(fact).list : [];
	return (await isListOf(rest, listed, crypto)) ? undefined : 'recordOfAnother';
}

/** RELAY-55. */
async function isOwnPerson(
	person: string,
	{ persons }: Pick<SignedParts, 'persons'>
): Promise<boolean> {
	return persons === undefined || persons.has(person);
}

interface FactWithText {
	readonly fact: Fact;
	readonly text: string;
}

function isOfFact(rest: RecordRest, { fact, text }: FactWithText): boolean {
	const { code, n } = firstName(fact);
	const isNamed = rest.d === code && rest.n === n && rest.on === fact.on;
	return isNamed && isOfReceipt(rest, { fact, text });
}

/** What the record of a sale or return says of its receipt is so; a record alone may name any. */
function isOfReceipt(rest: RecordRest, { fact, text }: FactWithText): boolean {
	if (fact.kind !== 'sale' && fact.kind !== 'return') return true;
	if (rest.rc !== undefined && rest.rc !== receiptNumber(firstName(fact).code, fact.receipt))
		return false;
	return fact.kind !== 'sale' || rest.sale === undefined || rest.sale === hashOfSale(text);
}

/** SHA-256 of `[receipt counter, lines, tenders]` as the fact has them, base64url. */
function hashOfSale(text: string): string {
	const parts = JSON.parse(text) as readonly unknown[];
	return hash('sha256', JSON.stringify(parts.slice(HEAD_LENGTH, HEAD_LENGTH + 3)), 'base64url');
}

/** Id, kind, wall, counter, day, member. */
const HEAD_LENGTH = 6;
