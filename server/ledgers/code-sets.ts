import { and, asc, eq, max } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { sheetStatement } from '#domain/claim-statement.ts';
import { code, codeInfo } from '#domain/confirmation/codes.ts';
import { SHEET_CODES, type SheetFields, type SheetKind } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { codeEpoch, codeSpent, ledgerGuard, sheetSet } from '#server/database/ledgers.ts';
import { ledgerLink } from '#server/database/persons.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { Act } from './act.ts';
import { businessIn, ledgerIn, ofLedger, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { keyOfEpoch, personSecrets, secretOfEpoch } from './secrets.ts';
import { checkedCode, nextCounters, type SetKey } from './told-apart.ts';

/** What each code of a set opens: every record of the class, in one currency, up to the cap. */
export interface SetWorth {
	readonly kind: SheetKind;
	readonly currency: string;
	readonly exponent: number;
	/** Minor units. */
	readonly cap: number;
}

export type SheetSet = typeof sheetSet.$inferSelect;

/** Of the open counters, and of those that were used, so many are told of: the last ones. A fact has room for no more. */
const TOLD_MAX = 50;
/**
 * Of one set: nobody uses more codes at one shop from a backup to its loss, and what was judged moves on with
 * each. Of one further on, that only her phone can make, all before it would be made too.
 */
export const FORGOTTEN_REFILLS = 32;
/** So many numbers of sets a ledger has in one epoch of the database; facts hold them until 2085. */
export const SETS_OF_EPOCH = 32;

/** The class byte of a set: a debit's opens every debit, a credit's every credit. */
const KIND_OF_CLASS = { debit: 'due', credit: 'payment' } as const;

/** The info that a set's codes are bound to. */
export function infoOfSet({ kind, currency, exponent, cap }: SetWorth): Uint8Array {
	return codeInfo({ way: 'sheet', kind: KIND_OF_CLASS[kind], currency, exponent, minor: cap });
}

/**
 * Begins a new epoch of the ledger's codes: all codes before it are worth nothing, what was locked
 * is open unless wrong ones go on to count, and both sides are told of the set that ended. The guard and the feeds are locked.
 */
export async function raiseEpoch(
	act: Act,
	parts: LedgerParts,
	raised: {
		readonly name: LedgerName;
		/** Whose codes end. */
		readonly link: Pick<Link, 'person' | 'epoch'>;
		/** Whose secret the next ones come from; null for the ledger's own. */
		readonly holder: PersonId | null;
		/** What was guessed wrong goes on to count: nobody but the shop asked for this. */
		readonly keepsWrong?: boolean;
	}
): Promise<number> {
	const { name, link, holder, keepsWrong = false } = raised;
	const { tx } = act;
	const epoch = Math.max(await lastEpoch(tx, name, link.epoch), firstEpoch(parts.epoch)) + 1;
	const ended = await readSet(tx, { ...name, epoch: link.epoch });
	const secret = holder === null ? 1 : (await personSecrets(tx, parts, holder))[0].version;
	const began = { epoch, person: holder, secret, startedAt: parts.clock() };
	await tx.insert(codeEpoch).values({ ...name, ...began });
	if (!keepsWrong) {
		const none = { sheetWrong: 0, appWrong: 0 };
		await tx.update(ledgerGuard).set(none).where(ofLedger(ledgerGuard, name));
	}
	await tx.update(ledgerLink).set({ epoch }).where(ofLedger(ledgerLink, name));
	if (ended !== undefined) await tellSet(act, parts, { set: ended, link, isRevoked: true });
	return epoch;
}

/** Begins a new epoch for who stands there already, and tells both sides that it is the one in force. */
export async function renewEpoch(
	act: Act,
	parts: LedgerParts,
	renewed: { readonly name: LedgerName; readonly link: Link; readonly keepsWrong: boolean }
): Promise<number> {
	const { name, link } = renewed;
	const { person } = link;
	const { business, ledger } = name;
	const epoch = await raiseEpoch(act, parts, { ...renewed, holder: person });
	await act.write(business, { kind: 'link', ledgerId: ledger, fields: { epoch }, branch: null });
	if (person === null) return epoch;
	const secret = await secretOfEpoch(act.tx, parts, { ...name, epoch });
	await act.write(person, {
		kind: 'card',
		businessId: business,
		ledgerId: ledger,
		fields: { epoch, ...(secret !== undefined && { secret }) },
		branch: null
	});
	return epoch;
}

/**
 * CODES-13. The same number is the same codes, and a restored database knows neither how many sets nor
 * which connections it forgot. Its epoch is the minute of the restore, so these numbers begin above
 * all that any epoch before came to: nobody makes 32 sets a minute from one restore to the next.
 */
export function firstEpoch(databaseEpoch: number): number {
	return (databaseEpoch - 1) * SETS_OF_EPOCH;
}

async function lastEpoch(tx: Act['tx'], name: LedgerName, known: number): Promise<number> {
	const [row] = await tx
		.select({ epoch: max(codeEpoch.epoch) })
		.from(codeEpoch)
		.where(ofLedger(codeEpoch, name));
	return Math.max(known, row?.epoch ?? 0);
}

/** Makes the first codes of a set in the ledger's epoch, and tells both sides of it. */
export async function makeSet(
	act: Act,
	parts: LedgerParts,
	made: { readonly name: LedgerName; readonly link: Link; readonly worth: SetWorth }
): Promise<SheetSet> {
	const { name, link, worth } = made;
	const { epoch } = link;
	const none = { ...name, ...worth, epoch, issuedAt: parts.clock(), nextCounter: 0, skipped: [] };
	const set = await giveCodes(act.tx, parts, { set: none, used: [] });
	await act.tx.insert(sheetSet).values(set);
	await tellSet(act, parts, { set, link });
	return set;
}

/** Gives the next codes of a set for those that were used, where it `isRefilled`, and tells both sides of it as it is now. */
export async function refillSet(
	act: Act,
	parts: LedgerParts,
	{
		set,
		link,
		isRefilled
	}: { readonly set: SheetSet; readonly link: Link; readonly isRefilled: boolean }
): Promise<void> {
	const used = await readUsed(act.tx, set);
	const refilled = isRefilled ? await giveCodes(act.tx, parts, { set, used }) : set;
	const { nextCounter, skipped } = refilled;
	await act.tx
		.update(sheetSet)
		.set({ nextCounter, skipped })
		.where(and(ofLedger(sheetSet, nameOfSet(set)), eq(sheetSet.epoch, set.epoch)));
	await tellSet(act, parts, { set: refilled, link });
}

/**
 * The set with five open codes, and with all that it had when one was used of which a restore forgot that it was
 * given. JUDGE-15. One far beyond, that an older program took for spent, gives nothing of what lies before it.
 */
async function giveCodes(
	executor: Executor,
	parts: LedgerParts,
	{ set, used: all }: { readonly set: SheetSet; readonly used: readonly number[] }
): Promise<SheetSet> {
	const key = await keyOfSet(executor, parts, set);
	const from = set.nextCounter;
	const used = all.filter((counter) => counter < from + FORGOTTEN_REFILLS);
	const open = openCounters(set, used);
	const given = await nextCounters(
		key,
		{ from, open, used, count: SHEET_CODES - open.length },
		parts.crypto
	);
	const nextCounter = Math.max(from - 1, ...given, ...used) + 1;
	const isPassed = (counter: number): boolean => !given.includes(counter);
	return {
		...set,
		nextCounter,
		skipped: [...set.skipped, ...countersFrom(from, nextCounter).filter(isPassed)]
	};
}

/** Tells the shop the check values, and the person the counters, of a set as it is now. */
async function tellSet(
	act: Act,
	parts: LedgerParts,
	told: {
		readonly set: SheetSet;
		readonly link: Pick<Link, 'person'>;
		readonly isRevoked?: boolean;
	}
): Promise<void> {
	const { set, link, isRevoked = false } = told;
	const name = nameOfSet(set);
	const used = await readUsed(act.tx, set);
	const open = isRevoked ? [] : openCounters(set, used);
	const { epoch, kind, currency, exponent, cap, issuedAt } = set;
	const worth = { epoch, kind, currency, exponent, cap, issuedAt };
	const fields = await signedSheet(act.tx, parts, { set, open });
	await act.write(name.business, { kind: 'sheet', ledgerId: name.ledger, fields, branch: null });
	if (link.person === null) return;
	await act.write(link.person, {
		kind: 'codes',
		businessId: name.business,
		ledgerId: name.ledger,
		fields: { ...worth, open, used: used.slice(-TOLD_MAX) },
		branch: null
	});
}

/** The set of one epoch, where it has one. */
export async function readSet(
	executor: Executor,
	{ business, ledger, epoch }: LedgerName & { readonly epoch: number }
): Promise<SheetSet | undefined> {
	const name = { business, ledger };
	const [set] = await executor
		.select()
		.from(sheetSet)
		.where(and(ofLedger(sheetSet, name), eq(sheetSet.epoch, epoch)));
	return set;
}

/** Counters that were used, in order. */
export async function readUsed(executor: Executor, set: SheetSet): Promise<readonly number[]> {
	const rows = await executor
		.select({ counter: codeSpent.counter })
		.from(codeSpent)
		.where(
			and(
				ofLedger(codeSpent, nameOfSet(set)),
				eq(codeSpent.epoch, set.epoch),
				eq(codeSpent.way, 'sheet')
			)
		)
		.orderBy(asc(codeSpent.counter));
	return rows.map(({ counter }) => counter);
}

/** Those given out and not used; the last of them where there are very many. */
export function openCounters(
	{ nextCounter, skipped }: SheetSet,
	used: readonly number[]
): readonly number[] {
	const closed = new Set([...used, ...skipped]);
	const open = countersFrom(0, nextCounter).filter((counter) => !closed.has(counter));
	return open.slice(-TOLD_MAX);
}

/** Those from `from` on and before `end`. */
export function countersFrom(from: number, end: number): readonly number[] {
	return Array.from({ length: end - from }, (_, at) => from + at);
}

/** The codes themselves, for the person alone. */
export async function codesOfSet(
	executor: Executor,
	parts: LedgerParts,
	{ set, open }: { readonly set: SheetSet; readonly open: readonly number[] }
): Promise<readonly string[]> {
	const { key, info } = await keyOfSet(executor, parts, set);
	return Promise.all(open.map((counter) => code(key, { info, counter }, parts.crypto)));
}

async function signedSheet(
	executor: Executor,
	parts: LedgerParts,
	{ set, open }: { readonly set: SheetSet; readonly open: readonly number[] }
): Promise<SheetFields> {
	const { relayKey } = parts;
	const { epoch, kind, currency, exponent, cap, issuedAt } = set;
	const { business, ledger } = nameOfSet(set);
	const checks = open.length === 0 ? [] : await checksOfSet(executor, parts, { set, open });
	const said = { epoch, kind, currency, exponent, cap, issuedAt, open: checks };
	const sig = await relayKey.sign(sheetStatement(business, ledger, said));
	return { ...said, kid: encodeBase64url(relayKey.kid), sig: encodeBase64url(sig) };
}

async function checksOfSet(
	executor: Executor,
	parts: LedgerParts,
	{ set, open }: { readonly set: SheetSet; readonly open: readonly number[] }
): Promise<SheetFields['open']> {
	const key = await keyOfSet(executor, parts, set);
	const codes = await Promise.all(open.map((counter) => checkedCode(key, counter, parts.crypto)));
	return codes.map(({ counter, check }) => [counter, check] as const);
}

/** What the codes of a set are made from. */
async function keyOfSet(executor: Executor, parts: LedgerParts, set: SheetSet): Promise<SetKey> {
	const { business, ledger } = nameOfSet(set);
	const { epoch } = set;
	const key = await keyOfEpoch(executor, parts, { business, ledger, epoch });
	assert(key !== undefined, 'a set has an epoch');
	return { key, scope: { businessId: business, ledgerId: ledger, epoch }, info: infoOfSet(set) };
}

function nameOfSet({ business, ledger }: SheetSet): LedgerName {
	return { business: businessIn(business), ledger: ledgerIn(ledger) };
}
