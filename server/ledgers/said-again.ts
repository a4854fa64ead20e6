import { and, eq, max } from 'drizzle-orm';
import type { CardFact, LinkFact } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { err, type Result } from '#domain/result.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { account, person as personTable } from '#server/database/accounts.ts';
import { databaseEpoch } from '#server/database/journal.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import { rawSql, type Executor } from '#server/database/transaction.ts';
import { commitAct, commitWhatever, type Act } from './act.ts';
import { readLinkFacts } from './cards.ts';
import { lockGuard, personIn, readLink, type Link } from './guard.ts';
import type { LedgerName, LedgerParts } from './ledger-parts.ts';
import { endLink, linkLedger, type LinkRefusal } from './linking.ts';

/** Of which connection something was carried in that a restored database forgot. */
export interface ToldConnection extends LedgerName {
	/** Whose phone told his side; undefined where a device of the shop told its own. */
	readonly person?: PersonId | undefined;
}

/**
 * CONNECT-19. What a restore forgot of a connection, as the shop's devices and its customer's phones say it
 * again. It is made anew where both have said that it was made at one moment and neither that it
 * ended since: neither side makes one alone, nor with anybody else. Either side alone ends one.
 * Until it stands, whoever holds that it does is told that it ended.
 */
export async function sayAgain(
	parts: LedgerParts,
	{ person, ...name }: ToldConnection
): Promise<void> {
	const { executor } = parts;
	const theirs = await readSide(executor, name);
	const people = person === undefined ? await peopleOf(executor, theirs) : [person];
	await endAgain(parts, name);
	for (const one of people) {
		await putBehind(parts, name.business, theirs);
		await putBehind(parts, one, await readSide(executor, { ...name, person: one }));
		await endAgain(parts, { ...name, person: one });
		await linkAgain(parts, { ...name, person: one });
	}
	await tellEnded(parts, { ...name, person });
}

/** What one side holds of how a connection stands, in the order of facts. */
type Said = readonly (LinkFact | CardFact)[];

/** A ledger, as a person has it where one is named, else as the shop has it. */
type Side = ToldConnection;

async function readSide(executor: Executor, { person, business, ledger }: Side): Promise<Said> {
	const sql = rawSql(executor);
	if (person === undefined) return inOrder(await readLinkFacts(sql, { business, ledger }));
	const rows = await sql<StoredText[]>`
		select fact.text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where business = ${person} and kind = 'card'
			and text::json ->> 6 = ${business} and text::json ->> 7 = ${ledger}`;
	return inOrder(rows.map(storedFact).filter((fact) => fact.kind === 'card'));
}

function inOrder(facts: Said): Said {
	return facts
		.filter(({ fields }) => fields.state !== undefined)
		.sort((a, b) => compareFactOrder({ ...a.at, id: a.id }, { ...b.at, id: b.id }));
}

/** Since when what it says stands, ms. */
function sinceOf({ fields, at }: LinkFact | CardFact): number {
	return fields.at ?? at.wall;
}

/** A side's own last word: not the relay's, that it knows nothing of the connection any more. */
function lastWord(said: Said): LinkFact | CardFact | undefined {
	return said
		.filter((fact) => fact.fields.state !== 'ended' || fact.fields.endedBy !== undefined)
		.reduce<LinkFact | CardFact | undefined>(
			(last, fact) => (last === undefined || sinceOf(fact) >= sinceOf(last) ? fact : last),
			undefined
		);
}

/** Whom the shop names: an account may have several persons. */
async function peopleOf(executor: Executor, theirs: Said): Promise<readonly PersonId[]> {
	const last = lastWord(theirs);
	if (last?.kind !== 'link') return [];
	const { username = '' } = last.fields;
	const rows = await executor
		.select({ person: personTable.person })
		.from(personTable)
		.innerJoin(account, eq(account.account, personTable.account))
		.where(eq(account.username, username));
	return rows.map((row) => personIn(row.person));
}

/** Two clocks of one relay's machine may differ by so much. */
const CLOCK_SLACK_MS = 300_000;

/** What the relay says from now on stands behind what was said by the one whose clock was ahead. */
async function putBehind(parts: LedgerParts, scope: ScopeId, said: Said): Promise<void> {
	const now = parts.clock();
	const last = said.at(-1)?.at.wall ?? 0;
	if (last < now) return;
	const wall = Math.min(last, now + CLOCK_SLACK_MS) + 1;
	await commitWhatever(parts, async (act) => {
		await act.lock(scope);
		await rawSql(act.tx)`
			update feed_head set relay_wall = greatest(relay_wall, ${wall}) where business = ${scope}`;
	});
}

/** Ends what one side says to have ended since it was made, at the moment that it says. */
async function endAgain(parts: LedgerParts, side: Side): Promise<void> {
	if ((await endingOf(parts.executor, side)) === undefined) return;
	await commitAct<unknown, 'notLinked' | 'notSaid'>(parts, async (act) => {
		await lockGuard(act.tx, side);
		const ending = await endingOf(act.tx, side);
		return ending === undefined
			? err('notSaid')
			: endLink(act, parts, { ...nameOf(side), ...ending });
	});
}

async function endingOf(
	executor: Executor,
	side: Side
): Promise<{ readonly by: 'shop' | 'customer'; readonly at: number } | undefined> {
	const link = await readLink(executor, side);
	if (link === undefined || !isOf(link, side)) return undefined;
	for (const fact of await readSide(executor, side)) {
		const { state, endedBy } = fact.fields;
		const at = sinceOf(fact);
		if (state !== 'ended' || endedBy === undefined || at <= link.at) continue;
		// A side says so in its own name, whoever it says that it was.
		return { by: side.person === undefined ? 'shop' : 'customer', at };
	}
	return undefined;
}

/** Whether the connection stands as far as this side is concerned. */
function isOf(link: Link, { person }: Pick<Side, 'person'>): boolean {
	if (link.state !== 'linked') return false;
	return person === undefined ? link.person !== null : link.person === person;
}

interface Between extends LedgerName {
	readonly person: PersonId;
}

async function linkAgain(parts: LedgerParts, between: Between): Promise<void> {
	if ((await agreedOn(parts.executor, between)) === undefined) return;
	await commitAct<unknown, LinkRefusal | 'notSaid'>(parts, async (act) => {
		// What was agreed on is agreed on still under the lock of all that links or ends.
		await lockGuard(act.tx, between);
		const since = await agreedOn(act.tx, between);
		return since === undefined ? err('notSaid') : linkAt(act, parts, { between, since });
	});
}

function linkAt(
	act: Act,
	parts: LedgerParts,
	{ between, since }: { readonly between: Between; readonly since: number }
): Promise<Result<Link, LinkRefusal>> {
	const party = { way: 'app', person: between.person } as const;
	return linkLedger(act, parts, { name: nameOf(between), party, since });
}

/** Since when both sides say that they are connected, where the database knows of nobody there. */
async function agreedOn(
	executor: Executor,
	{ person, ...name }: Between
): Promise<number | undefined> {
	const link = await readLink(executor, name);
	if (link?.state === 'linked') return undefined;
	const theirs = lastWord(await readSide(executor, name));
	const since = linkedSince(theirs);
	const hers = linkedSince(lastWord(await readSide(executor, { ...name, person })));
	if (since === undefined || since !== hers || since < (link?.at ?? 0)) return undefined;
	return (await isNamed(executor, person, theirs)) ? since : undefined;
}

/** Undefined where it says something else than that an account stands there. */
function linkedSince(said: LinkFact | CardFact | undefined): number | undefined {
	if (said?.fields.state !== 'linked' || said.fields.way !== 'app') return undefined;
	return sinceOf(said);
}

/** Whoever signed up since the restore may have taken the name of somebody that it forgot. */
async function isNamed(
	executor: Executor,
	person: PersonId,
	theirs: LinkFact | CardFact | undefined
): Promise<boolean> {
	if (theirs?.kind !== 'link') return false;
	const { username = '' } = theirs.fields;
	const [epoch] = await executor.select({ epoch: max(databaseEpoch.epoch) }).from(databaseEpoch);
	const [began] = await executor
		.select({ at: databaseEpoch.startedAt })
		.from(databaseEpoch)
		.where(eq(databaseEpoch.epoch, epoch?.epoch ?? 0));
	const rows = await executor
		.select({ since: account.createdAt })
		.from(personTable)
		.innerJoin(account, eq(account.account, personTable.account))
		.where(and(eq(personTable.person, person), eq(account.username, username)));
	return rows.some(({ since }) => since < (began?.at ?? 0));
}

/** Tells a side that holds a connection which does not stand that it ended, when it had just begun. */
async function tellEnded(parts: LedgerParts, side: Side): Promise<void> {
	await putBehind(parts, side.person ?? side.business, await readSide(parts.executor, side));
	await commitWhatever(parts, async (act) => {
		// Whoever links or ends holds this lock too.
		await act.lock(side.person ?? side.business);
		const link = await readLink(act.tx, side);
		const last = (await readSide(act.tx, side)).at(-1);
		if (last?.fields.state !== 'linked') return;
		if (link !== undefined && (isOf(link, side) || isByPhone(link, side))) return;
		await writeEnded(act, side, sinceOf(last));
	});
}

function isByPhone({ state, person }: Link, side: Side): boolean {
	return side.person === undefined && state === 'linked' && person === null;
}

/**
 * By nobody. That it was over as it began is what both sides come to, whichever of them is told, and
 * what one who never heard of it has too.
 */
async function writeEnded(act: Act, { person, business, ledger }: Side, at: number): Promise<void> {
	const of = { ledgerId: ledger, fields: { state: 'ended', at }, branch: null } as const;
	if (person === undefined) await act.write(business, { kind: 'link', ...of });
	else await act.write(person, { kind: 'card', businessId: business, ...of });
}

function nameOf({ business, ledger }: LedgerName): LedgerName {
	return { business, ledger };
}
