import { timingSafeEqual } from 'node:crypto';
import { and, asc, between, desc, eq, isNull, lte } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { utf8 } from '#domain/bytes.ts';
import { code, codeInfo, phoneCounter, pickedKind, smsCode } from '#domain/confirmation/codes.ts';
import type { CodeMatch, CodeWay, JudgedRecord } from '#domain/confirmation/judge.ts';
import { parseRecordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
import type { PersonId } from '#domain/ids.ts';
import { codeEpoch, codeSpent, smsSend } from '#server/database/ledgers.ts';
import { phone } from '#server/database/persons.ts';
import type { Transaction } from '#server/database/transaction.ts';
import { firstEpoch, FORGOTTEN_REFILLS, infoOfSet, readSet } from '#server/ledgers/code-sets.ts';
import { numberBehind, ofLedger, type Guard, type Link } from '#server/ledgers/guard.ts';
import type { LedgerName, LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { isOfLatest, keyOfEpoch } from '#server/ledgers/secrets.ts';
import { findCarriedSpending, type Spending } from './carried-spending.ts';

/** A claim by a code, and all that the relay knows around it. */
export interface CodeClaim {
	readonly name: LedgerName;
	readonly guard: Guard;
	readonly link: Link | undefined;
	readonly record: JudgedRecord;
	readonly way: CodeWay;
	/** As typed: 6, 8 or 9 digits. */
	readonly code: string;
	/** Of a sheet the code's, of an SMS the send; a phone's is found. */
	readonly counter: number;
	/** Before a restore, which may have forgotten that the code was given out. */
	readonly wasJudged: boolean;
}

/** The code that was meant, where it is in the ledger's books and what it was spent for. */
export interface Found {
	readonly match: CodeMatch;
	readonly epoch: number;
	readonly counter: number;
	/** What it came to when it was presented for the same record before. */
	readonly old: OldAnswer | undefined;
	/** What it was spent for, where that is not in the books, and her phone alone remembers it. */
	readonly remembered?: Spending | undefined;
}

export interface OldAnswer {
	readonly result: VerdictResult;
	readonly al: number;
}

/** How many sets that were revoked are looked through: a right code of one is told as such. */
const PAST_EPOCHS = 8;
/** How many codes of each phone that were not used are tried. */
const PHONE_WINDOW = 10;
/** How many of them may lie before the last that was used: two devices hand in late. */
const PHONE_LOOK_BACK = 4;
const PHONES_MAX = 4;

/** Finds the code by computing it anew; undefined where none of the ledger's is the one presented. */
export async function findCode(
	tx: Transaction,
	parts: LedgerParts,
	claim: CodeClaim
): Promise<Found | undefined> {
	switch (claim.way) {
		case 'sms':
			return findSms(tx, parts, claim);
		case 'sheet':
			return findInEpochs(tx, claim, (epoch) => findInSet(tx, parts, { claim, epoch }));
		case 'app':
			return findInEpochs(tx, claim, (epoch) => findOfPhone(tx, parts, { claim, epoch }));
	}
}

/** Compares in constant time what may have different lengths. */
export function isSameCode(a: string, b: string): boolean {
	const [left, right] = [utf8(a), utf8(b)];
	return left.length === right.length && timingSafeEqual(left, right);
}

async function findSms(
	tx: Transaction,
	{ smsKey, crypto }: LedgerParts,
	{ name, guard, link, record, code: typed, counter }: CodeClaim
): Promise<Found | undefined> {
	const { h } = record;
	const [sent] = await tx
		.select()
		.from(smsSend)
		.where(and(ofLedger(smsSend, name), eq(smsSend.h, h), eq(smsSend.send, counter)));
	if (sent === undefined) return undefined;
	if (!isSameCode(await smsCode(smsKey, { h, send: counter }, crypto), typed)) return undefined;
	// Whoever stood there before said yes for himself: what was sent to him has no recipient any more.
	const isCurrent =
		link !== undefined && sent.recipient === (await numberBehind(tx, { guard, link }));
	const match = { isCurrent, issuedAt: sent.sentAt };
	const old = sent.result === null ? undefined : { result: sent.result, al: sent.al ?? 0 };
	return { match: old === undefined ? match : { ...match, spentFor: h }, epoch: 0, counter, old };
}

/** The epoch in force, then those before it: their numbers have gaps. */
async function findInEpochs(
	tx: Transaction,
	{ name, link }: CodeClaim,
	find: (epoch: number) => Promise<Found | undefined>
): Promise<Found | undefined> {
	const epochs = await tx
		.select({ epoch: codeEpoch.epoch })
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, name), lte(codeEpoch.epoch, link?.epoch ?? 0)))
		.orderBy(desc(codeEpoch.epoch))
		.limit(PAST_EPOCHS + 1);
	for (const { epoch } of epochs) {
		const found = await find(epoch);
		if (found !== undefined) return found;
	}
	return undefined;
}

interface InEpoch {
	readonly claim: CodeClaim;
	readonly epoch: number;
}

async function findInSet(
	tx: Transaction,
	parts: LedgerParts,
	{ claim, epoch }: InEpoch
): Promise<Found | undefined> {
	const { name, counter, link, wasJudged } = claim;
	const set = await readSet(tx, { ...name, epoch });
	if (set === undefined) return undefined;
	// JUDGE-19. What took the place of used codes since the backup was told to her, and is forgotten.
	const isForgotten = wasJudged || epoch <= firstEpoch(parts.epoch);
	const end = set.nextCounter + (isForgotten ? FORGOTTEN_REFILLS : 0);
	if (counter >= end) return undefined;
	const key = await keyOfEpoch(tx, parts, { ...name, epoch });
	assert(key !== undefined, 'a set has an epoch');
	const right = await code(key, { info: infoOfSet(set), counter }, parts.crypto);
	if (!isSameCode(right, claim.code)) return undefined;
	const { kind, currency, exponent, cap, issuedAt } = set;
	const sheet = { kind, currency, exponent, cap };
	const match = { isCurrent: epoch === link?.epoch, issuedAt, sheet };
	return withSpending(tx, claim, { match, epoch, counter });
}

async function findOfPhone(
	tx: Transaction,
	parts: LedgerParts,
	{ claim, epoch }: InEpoch
): Promise<Found | undefined> {
	const { name, record, link } = claim;
	if (link === undefined || link.person === null) return undefined;
	const key = await keyOfEpoch(tx, parts, { ...name, epoch });
	if (key === undefined) return undefined;
	const { currency, exponent, amount: minor } = record;
	const info = codeInfo({ way: 'app', kind: pickedKind(record.kind), currency, exponent, minor });
	const typed = claim.code.slice(0, -1);
	for (const counter of await countersOfPhones(tx, { name, epoch, person: link.person })) {
		if (!isSameCode(await code(key, { info, counter }, parts.crypto), typed)) continue;
		const isCurrent =
			epoch === link.epoch &&
			(await isOfLatest(tx, parts, { ...name, epoch, person: link.person }));
		const match = { isCurrent, issuedAt: parts.clock() };
		return withSpending(tx, claim, { match, epoch, counter });
	}
	return undefined;
}

interface PhonesOf {
	readonly name: LedgerName;
	readonly epoch: number;
	readonly person: PersonId;
}

/** Of each phone: those that were used of late, and the next that were not. */
async function countersOfPhones(
	tx: Transaction,
	{ name, epoch, person }: PhonesOf
): Promise<readonly number[]> {
	const phones = await tx
		.select({ number: phone.number })
		.from(phone)
		.where(and(eq(phone.person, person), isNull(phone.removedAt)))
		.orderBy(phone.number)
		.limit(PHONES_MAX);
	const each = phones.map(async ({ number }) => {
		const spent = await spentOfPhone(tx, { name, epoch, number });
		return countersToTry(spent).map((k) => phoneCounter(number, k));
	});
	return (await Promise.all(each)).flat();
}

/** The window over a phone's codes, given the k that were used, ascending. */
export function countersToTry(spent: readonly number[]): readonly number[] {
	const used = new Set(spent);
	const tried: number[] = [];
	let unused = 0;
	for (let k = Math.max(0, (spent.at(-1) ?? -1) - PHONE_LOOK_BACK); unused < PHONE_WINDOW; k += 1) {
		tried.push(k);
		if (!used.has(k)) unused += 1;
	}
	return tried;
}

async function spentOfPhone(
	tx: Transaction,
	{ name, epoch, number }: { name: LedgerName; epoch: number; number: number }
): Promise<readonly number[]> {
	const first = phoneCounter(number, 0);
	const rows = await tx
		.select({ counter: codeSpent.counter })
		.from(codeSpent)
		.where(
			and(
				ofLedger(codeSpent, name),
				eq(codeSpent.epoch, epoch),
				eq(codeSpent.way, 'app'),
				between(codeSpent.counter, first, phoneCounter(number + 1, 0) - 1)
			)
		)
		.orderBy(asc(codeSpent.counter));
	return rows.map(({ counter }) => counter - first);
}

/** Adds for which record the code was presented before, and what that came to. */
async function withSpending(
	tx: Transaction,
	claim: CodeClaim,
	{ match, epoch, counter }: Omit<Found, 'old'>
): Promise<Found> {
	const { name, way, record } = claim;
	assert(way !== 'sms', 'an SMS code is of one record');
	const [kept] = await tx
		.select()
		.from(codeSpent)
		.where(
			and(
				ofLedger(codeSpent, name),
				eq(codeSpent.epoch, epoch),
				eq(codeSpent.way, way),
				eq(codeSpent.counter, counter)
			)
		);
	const person = claim.link?.person ?? null;
	const remembered =
		kept === undefined && person !== null
			? await findCarriedSpending(tx, { name, person, way, epoch, counter })
			: undefined;
	const spent = kept ?? remembered;
	if (spent === undefined) return { match, epoch, counter, old: undefined };
	const spentFor = hashIn(spent.h);
	const old = spentFor === record.h ? { result: spent.result, al: spent.al } : undefined;
	return { match: { ...match, spentFor }, epoch, counter, old, remembered };
}

function hashIn(text: string): RecordHash {
	const parsed = parseRecordHash(text);
	assert(parsed.ok, 'a row holds a hash');
	return parsed.value;
}
