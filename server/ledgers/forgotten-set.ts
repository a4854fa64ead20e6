import { and, eq, sql } from 'drizzle-orm';
import { decodeBase64url } from '#domain/bytes.ts';
import { sheetStatement } from '#domain/claim-statement.ts';
import { code, ledgerKey, sheetCheck } from '#domain/confirmation/codes.ts';
import type { SheetFields } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { claim } from '#server/database/journal.ts';
import { claimJudged, codeEpoch, ledgerGuard, sheetSet } from '#server/database/ledgers.ts';
import { ledgerLink } from '#server/database/persons.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import type { Act } from './act.ts';
import { countersFrom, firstEpoch, infoOfSet, readSet, renewEpoch } from './code-sets.ts';
import { ofLedger, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { knownSecrets, type PersonSecret } from './secrets.ts';

export interface Recalled {
	/** With the epoch that is in force now. */
	readonly link: Link;
	/** No code of the ledger can be told right from wrong, nor guessed: no set is in force. */
	readonly isLost: boolean;
}

/**
 * JUDGE-19. The set that the shop was told of last, where a restore forgot it. It stands again where a secret
 * that the database has gives its check values, which the relay signed; else all codes of the ledger end,
 * and both sides are told to make new ones. Those before it, and one that another ended since, are made out as
 * ended; so is the one in force where the shop was told of its end. JUDGE-20. None is put in force, or stays so, that another ended of which her phone alone tells.
 * Undefined where all is as it stands. The guard and the feeds are locked.
 */
export async function recallSet(
	act: Act,
	parts: LedgerParts,
	{ name, link }: { readonly name: LedgerName; readonly link: Link }
): Promise<Recalled | undefined> {
	if (link.state !== 'linked') return undefined;
	const epoch = await currentEpoch(act.tx, parts, { name, link });
	const sets = await readTold(act.tx, parts, name);
	if (epoch > link.epoch && lastIn(sets) < epoch) {
		const current = { ...link, epoch };
		await recallEnded(act.tx, parts, { name, link: current, sets });
		return { link: current, isLost: true };
	}
	const [told, ...before] = sets;
	const recalled =
		told === undefined ? undefined : await recallLast(act, parts, { name, link, told });
	const ended = recalled === undefined ? { link, sets } : { link: recalled.link, sets: before };
	await recallEnded(act.tx, parts, { name, ...ended });
	return recalled;
}

/** JUDGE-19. Whether codes of a ledger were given out whose connection, and all that they came from, is forgotten. */
export async function wasGivenCodes(
	tx: Transaction,
	parts: LedgerParts,
	name: LedgerName
): Promise<boolean> {
	return (await readTold(tx, parts, name)).length > 0;
}

function lastIn(sets: readonly Told[]): number {
	return sets[0]?.[0]?.epoch ?? 0;
}

/**
 * JUDGE-20. That of the connection, or a later one of which her own phone was told before a restore that forgot
 * it, as it handed in; none that can only have begun since.
 */
async function currentEpoch(
	tx: Transaction,
	parts: Pick<LedgerParts, 'epoch'>,
	{ name, link }: { readonly name: LedgerName; readonly link: Link }
): Promise<number> {
	const most = firstEpoch(parts.epoch);
	if (link.person === null || link.epoch > most) return link.epoch;
	const [row] = await rawSql(tx)<{ last: string | null }[]>`
		select max((text::json -> 8 ->> 'epoch')::bigint) as last from fact
		where business = ${link.person} and carried_by is not null and kind in ('codes', 'card')
			and text::json ->> 6 = ${name.business} and text::json ->> 7 = ${name.ledger}`;
	return Math.max(link.epoch, Math.min(Number(row?.last ?? 0), most));
}

async function recallLast(
	act: Act,
	parts: LedgerParts,
	{ name, link, told }: Forgotten
): Promise<Recalled | undefined> {
	const { tx } = act;
	const [last] = told;
	if (last === undefined) return undefined;
	if ((await readSet(tx, { ...name, epoch: last.epoch })) !== undefined) {
		if (last.epoch !== link.epoch || !(await hasEnded(tx, parts, { name, link }))) return undefined;
		const epoch = await renewEpoch(act, parts, { name, link, keepsWrong: true });
		return { link: { ...link, epoch }, isLost: false };
	}
	if (last.epoch < link.epoch) {
		const inForce = await readSet(tx, { ...name, epoch: link.epoch });
		return inForce === undefined ? { link, isLost: true } : undefined;
	}
	// What ended it is forgotten too, and none before it is in force again.
	if (last.open.length === 0) return { link: { ...link, epoch: last.epoch }, isLost: true };
	const secret = await secretOf(tx, parts, { name, link, told });
	if (secret === undefined) {
		const epoch = await renewEpoch(act, parts, { name, link, keepsWrong: true });
		return { link: { ...link, epoch }, isLost: true };
	}
	await keepSet(tx, { name, link, told, secret });
	return { link: { ...link, epoch: last.epoch }, isLost: false };
}

interface Ended extends Omit<Forgotten, 'told'> {
	readonly sets: readonly Told[];
}

/** Those that ended: their right codes are told as revoked, and are no guesses. */
async function recallEnded(
	tx: Transaction,
	parts: LedgerParts,
	{ name, link, sets }: Ended
): Promise<void> {
	for (const told of sets) {
		const epoch = told[0]?.epoch ?? link.epoch;
		if (epoch >= link.epoch || (await readSet(tx, { ...name, epoch })) !== undefined) continue;
		const secret = await secretOf(tx, parts, { name, link, told });
		if (secret !== undefined) await insertSet(tx, { name, link, told, secret });
	}
}

/** What the shop was told of one set of a ledger, the latest first. */
type Told = readonly SheetFields[];

/** Of so many that were handed in each signature is looked at: a shop could hand in any number of its own. */
const HANDED_IN_MAX = 64;

/** Of each set by itself, the last one first: of the last that is known here, and of all that are not. */
async function readTold(
	tx: Transaction,
	parts: LedgerParts,
	name: LedgerName
): Promise<readonly Told[]> {
	const { business, ledger } = name;
	const rows = await rawSql(tx)<{ text: string; is_own: boolean }[]>`
		with told as (
			select text, wall, counter, carried_by is null as is_own,
				(text::json -> 7 ->> 'epoch')::int as epoch
			from ledger_fact join fact using (business, code, n)
			where business = ${business} and ledger = ${ledger} and ledger_fact.kind = 'sheet'
		)
		(
			select * from told where is_own and epoch = (select max(epoch) from told where is_own)
			union all
			select * from (
				select * from told where not is_own and not exists (
					select from sheet_set where sheet_set.business = ${business}
						and sheet_set.ledger = ${ledger} and sheet_set.epoch = told.epoch
				)
				order by epoch desc, wall desc limit ${HANDED_IN_MAX}
			) as handed_in
		)
		order by epoch desc, wall desc, counter desc`;
	const told: SheetFields[] = [];
	for (const { text, is_own: isOwn } of rows) {
		const parsed = parseFact(text);
		if (!parsed.ok || parsed.value.kind !== 'sheet') continue;
		const { fields } = parsed.value;
		if (isOwn || (await isSigned(parts, name, fields))) told.push(fields);
	}
	return Array.from(Map.groupBy(told, ({ epoch }) => epoch).values());
}

/**
 * Whether the shop was told, before a restore that forgot it, that no code of the set in force is open any more. One
 * on paper alone runs out too, one code after the other: of that each was used for its record.
 */
async function hasEnded(
	tx: Transaction,
	parts: LedgerParts,
	{ name, link: { epoch } }: Pick<Forgotten, 'name' | 'link'>
): Promise<boolean> {
	if (epoch > firstEpoch(parts.epoch)) return false;
	const { business, ledger } = name;
	const rows = await rawSql(tx)<{ text: string }[]>`
		select text from ledger_fact join fact using (business, code, n)
		where business = ${business} and ledger = ${ledger} and ledger_fact.kind = 'sheet'
			and carried_by is not null and (text::json -> 7 ->> 'epoch')::int = ${epoch}
			and json_array_length(text::json -> 7 -> 'open') < 2
		order by wall desc limit ${HANDED_IN_MAX}`;
	let isToldSo = false;
	for (const { text } of rows) {
		const parsed = parseFact(text);
		if (!parsed.ok || parsed.value.kind !== 'sheet') continue;
		if (!(await isSigned(parts, name, parsed.value.fields))) continue;
		if (parsed.value.fields.open.length > 0) return false;
		isToldSo = true;
	}
	return isToldSo;
}

/** Whoever hands in what a restore forgot may write what he likes. */
async function isSigned(
	{ relayKey, crypto }: LedgerParts,
	{ business, ledger }: LedgerName,
	set: SheetFields
): Promise<boolean> {
	const signature = decodeBase64url(set.sig);
	if (!signature.ok) return false;
	return crypto.verify(relayKey.publicKey, sheetStatement(business, ledger, set), signature.value);
}

interface Forgotten {
	readonly name: LedgerName;
	readonly link: Link;
	readonly told: Told;
}

/** Of all secrets of whoever stands there, the one that makes every check value that was told. */
async function secretOf(
	tx: Transaction,
	parts: LedgerParts,
	{ name, link, told }: Forgotten
): Promise<PersonSecret | undefined> {
	const checks = new Map(told.flatMap(({ open }) => open));
	const [set] = told;
	if (set === undefined || checks.size === 0) return undefined;
	const { crypto } = parts;
	const scope = { businessId: name.business, ledgerId: name.ledger, epoch: set.epoch };
	const info = infoOfSet(set);
	for (const secret of await knownSecrets(tx, parts, { name, person: link.person })) {
		const key = await ledgerKey(secret.key, scope, crypto);
		const made = await Promise.all(
			[...checks].map(async ([counter, check]) => {
				const digits = await code(key, { info, counter }, crypto);
				return (await sheetCheck(scope, { info, counter, digits }, crypto)) === check;
			})
		);
		if (made.every(Boolean)) return secret;
	}
	return undefined;
}

const VERDICT_WRONG = 2;

interface Recall extends Forgotten {
	readonly secret: PersonSecret;
}

/** The set as it was, in force again; sheets' codes that were wrong since it was made are counted. */
async function keepSet(tx: Transaction, recall: Recall): Promise<void> {
	const { name, told } = recall;
	const [set] = told;
	if (set === undefined) return;
	const { epoch, issuedAt } = set;
	await insertSet(tx, recall);
	await tx.update(ledgerLink).set({ epoch }).where(ofLedger(ledgerLink, name));
	const [wrong] = await tx
		.select({ count: sql<number>`count(*)::int` })
		.from(claimJudged)
		.innerJoin(
			claim,
			and(eq(claim.business, claimJudged.business), eq(claim.claim, claimJudged.claim))
		)
		.where(
			and(
				ofLedger(claimJudged, name),
				eq(claim.way, 'sheet'),
				sql`get_byte(${claimJudged.v}, 0) = ${VERDICT_WRONG}`,
				sql`${claimJudged.judgedAt} >= ${issuedAt}`
			)
		);
	await tx
		.update(ledgerGuard)
		.set({ sheetWrong: wrong?.count ?? 0 })
		.where(ofLedger(ledgerGuard, name));
}

async function insertSet(
	tx: Transaction,
	{ name, link, told, secret: { version } }: Recall
): Promise<void> {
	const [set] = told;
	if (set === undefined) return;
	const { epoch, kind, currency, exponent, cap, issuedAt } = set;
	const counters = new Set(told.flatMap(({ open }) => open.map(([counter]) => counter)));
	const nextCounter = Math.max(...counters) + 1;
	const skipped = countersFrom(0, nextCounter).filter((counter) => !counters.has(counter));
	const began = { epoch, person: link.person, secret: version, startedAt: issuedAt };
	await tx
		.insert(codeEpoch)
		.values({ ...name, ...began })
		.onConflictDoNothing();
	await tx
		.insert(sheetSet)
		.values({ ...name, epoch, kind, currency, exponent, cap, issuedAt, nextCounter, skipped });
}
