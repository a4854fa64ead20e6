import { hash } from 'node:crypto';
import { utcDay, type DocumentAddress } from '#documents/document-name.ts';
import { claimMessage, encodeClaim } from '#domain/confirmation/claim.ts';
import { answerMessage, keyId } from '#domain/confirmation/signatures.ts';
import type { ClaimFact, ReplyFact } from '#domain/fact/ledger-fact.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
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
import { mayWrite } from './rights.ts';

/** Why a fact is refused, in the words of the nack; the first that applies. */
export type CheckRefusal =
	| FactRefusal
	| 'notYourMember'
	| 'notYourKind'
	| 'beyondTomorrow'
	| 'recordWrong'
	| 'recordUnsigned'
	| 'recordOfAnother'
	| 'claimUnsigned'
	| 'claimOfAnother'
	| 'answerUnsigned';

export interface CheckParts {
	readonly caller: Caller;
	readonly address: DocumentAddress;
	readonly crypto: CryptoParts;
	/** The relay's clock, ms. */
	readonly now: number;
}

const DAY_MS = 86_400_000;

/** RELAY-6, RELAY-7, RELAY-8. Whether this device may write this text as a fact into this document. */
export async function checkFact(
	text: string,
	parts: CheckParts
): Promise<Result<Fact, CheckRefusal>> {
	const { caller, address, now } = parts;
	const parsed = parseFact(text);
	if (!parsed.ok) return parsed;
	const fact = parsed.value;
	if (!mayWrite({ caller, document: address.kind, fact: fact.kind })) {
		return err('notYourKind');
	}
	if (fact.by !== caller.member) return err('notYourMember');
	if (isBeyondTomorrow(address, now)) return err('beyondTomorrow');
	const unsigned = await refusalOfSignature(fact, parts);
	if (unsigned !== undefined) return err(unsigned);
	if (caller.sort === 'phone') return ok(fact);
	for (const record of effectsOf(fact).records) {
		const refusal = await refusalOfRecord(record, { fact, text }, { ...parts, caller });
		if (refusal !== undefined) return err(refusal);
	}
	return ok(fact);
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
	parts: CheckParts
): Promise<CheckRefusal | undefined> {
	if (fact.kind === 'claim') return refusalOfClaim(fact, parts);
	return fact.kind === 'reply' ? refusalOfReply(fact, parts) : undefined;
}

async function refusalOfClaim(
	{ claim, sig, code }: ClaimFact,
	{ caller, crypto }: CheckParts
): Promise<CheckRefusal | undefined> {
	if (claim.d !== code) return 'claimOfAnother';
	const isSigned = await isBy(caller, { message: claimMessage(encodeClaim(claim)), sig }, crypto);
	return isSigned ? undefined : 'claimUnsigned';
}

async function refusalOfReply(
	{ decision, answerN, h, signedAt, sig, kid }: ReplyFact,
	{ caller, crypto }: CheckParts
): Promise<CheckRefusal | undefined> {
	const own = await keyId(caller.publicKey, crypto);
	if (encodeBase64url(own) !== kid) return 'answerUnsigned';
	const message = answerMessage({ decision, n: answerN, h, kid: own, signedAt });
	return (await isBy(caller, { message, sig }, crypto)) ? undefined : 'answerUnsigned';
}

async function isBy(
	{ publicKey }: Caller,
	{ message, sig }: { readonly message: Uint8Array; readonly sig: string },
	crypto: CryptoParts
): Promise<boolean> {
	const signature = decodeBase64url(sig);
	return signature.ok && crypto.verify(publicKey, message, signature.value);
}

async function refusalOfRecord(
	{ signed }: FactRecord,
	{ fact, text }: FactWithText,
	{ caller, crypto }: Omit<CheckParts, 'caller'> & { readonly caller: DeviceCaller }
): Promise<CheckRefusal | undefined> {
	const verified = await verifyRecord(signed, caller.publicKey, crypto);
	if (!verified.ok) {
		const { kind } = verified.error;
		return kind === 'unknownKid' || kind === 'wrongSignature' ? 'recordUnsigned' : 'recordWrong';
	}
	const { core, rest } = verified.value;
	const isOurs = core.businessId === caller.business && rest.br === caller.branch;
	if (!isOurs || !isOfFact(rest, { fact, text })) return 'recordOfAnother';
	const listed = core.kind === 'statement' ? effectsOf(fact).list : [];
	return (await isListOf(rest, listed, crypto)) ? undefined : 'recordOfAnother';
}

interface FactWithText {
	readonly fact: Fact;
	readonly text: string;
}

function isOfFact(rest: RecordRest, { fact, text }: FactWithText): boolean {
	const isNamed = rest.d === fact.code && rest.n === fact.n && rest.on === fact.on;
	return isNamed && isOfReceipt(rest, { fact, text });
}

/** What the record of a sale or return says of its receipt is so; a record alone may name any. */
function isOfReceipt(rest: RecordRest, { fact, text }: FactWithText): boolean {
	if (fact.kind !== 'sale' && fact.kind !== 'return') return true;
	if (rest.rc !== undefined && rest.rc !== receiptNumber(fact.code, fact.receipt)) return false;
	return fact.kind !== 'sale' || rest.sale === undefined || rest.sale === hashOfSale(text);
}

/** SHA-256 of `[receipt counter, lines, tenders]` as the fact has them, base64url. */
function hashOfSale(text: string): string {
	const parts = JSON.parse(text) as readonly unknown[];
	return hash('sha256', JSON.stringify(parts.slice(HEAD_LENGTH, HEAD_LENGTH + 3)), 'base64url');
}

/** Id, kind, wall, counter, day, member. */
const HEAD_LENGTH = 6;
