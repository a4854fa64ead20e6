import type { Sql } from 'postgres';
import type { LinkSpan } from '#domain/confirmation/standing.ts';
import { BEFORE_MAX, type LinkFact, type LinkSpanRow } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import { rawSql, type Transaction } from '#server/database/transaction.ts';
import type { Act } from './act.ts';
import { readHolder, type Link } from './guard.ts';
import type { LedgerName, LedgerParts, Party } from './ledger-parts.ts';
import { secretOfEpoch } from './secrets.ts';

const PHONE_END_DIGITS = 3;

/** What a shop may know of a proved number; nothing where there is none. */
export function phoneEndOf(phone: string | null): string {
	return phone === null ? '' : phone.slice(-PHONE_END_DIGITS);
}

/**
 * Tells the shop who is behind the ledger now, and the person which shop it is, and when somebody
 * stood there before.
 */
export async function makeCard(
	act: Act,
	parts: LedgerParts,
	{ name, link, party, isBack }: MadeCard
): Promise<void> {
	const { way, epoch, at } = link;
	const spans = await readSpans(act.tx, name);
	const last = spans.at(-1);
	const since = isBack && last !== undefined ? { since: last.since ?? last.from } : {};
	const who = party.way === 'app' ? await introduce(act, party.person) : nobody(party.phone);
	await act.write(name.business, {
		kind: 'link',
		ledgerId: name.ledger,
		fields: { state: 'linked', way, epoch, at, ...since, ...who },
		branch: null
	});
	if (party.way === 'phone') return;
	const secret = await secretOfEpoch(act.tx, parts, { ...name, epoch });
	const of = secret === undefined ? {} : { secret };
	await act.write(party.person, {
		kind: 'card',
		businessId: name.business,
		ledgerId: name.ledger,
		fields: { state: 'linked', way, epoch, ...of, at, ...since },
		branch: null
	});
	const before = spans.map((span): LinkSpanRow => {
		const { from, to } = span;
		return [from, to ?? at, span.way, span.since ?? from];
	});
	for (let start = 0; start < before.length; start += BEFORE_MAX)
		await act.write(party.person, {
			kind: 'card',
			businessId: name.business,
			ledgerId: name.ledger,
			fields: { before: before.slice(start, start + BEFORE_MAX) },
			branch: null
		});
}

interface MadeCard {
	readonly name: LedgerName;
	readonly link: Link;
	readonly party: Party;
	/** Who stood there last comes back, or goes on by another way. */
	readonly isBack: boolean;
}

/** BRIDGE-16. From the facts by which the shop knows it, so that both sides know the same. */
async function readSpans(tx: Transaction, name: LedgerName): Promise<readonly LinkSpan[]> {
	return linkSpans(await readLinkFacts(rawSql(tx), name));
}

/** All that the shop was ever told of who stands behind a ledger, in no order. */
export async function readLinkFacts(
	sql: Sql,
	{ business, ledger }: LedgerName
): Promise<readonly LinkFact[]> {
	const rows = await sql<StoredText[]>`
		select fact.text, ${clockColumns(sql)}
		from ledger_fact join fact using (business, code, n) left join clock using (business, code, n)
		where ledger_fact.business = ${business} and ledger = ${ledger} and ledger_fact.kind = 'link'`;
	return rows.map(storedFact).filter((fact) => fact.kind === 'link');
}

interface Who {
	readonly username: string;
	readonly name: string;
	readonly phoneEnd: string;
}

async function introduce({ tx }: Act, person: PersonId): Promise<Who> {
	const { username, name, phone } = await readHolder(tx, person);
	return { username, name, phoneEnd: phoneEndOf(phone) };
}

/** Whoever has the number has no account: a name that stood here before is gone. */
function nobody(phone: string): Who {
	return { username: '', name: '', phoneEnd: phoneEndOf(phone) };
}
