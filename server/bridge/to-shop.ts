import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { DISPUTE_WINDOW_MS } from '#domain/confirmation/standing.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { ReplyFact, SeenFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { BranchId, BusinessId, LedgerId, PersonId } from '#domain/ids.ts';
import type { RelayFactDraft, ScopeId } from '#server/auth/relay-fact-draft.ts';
import { keepEarly, takeEarly, type Brought } from './early-answers.ts';

/** A fact to be written, and into whose feed. */
export interface Delivery {
	readonly scope: ScopeId;
	readonly draft: RelayFactDraft;
	/** Of an answer: the feed of the other side, which hears the same. */
	readonly other?: ScopeId;
}

interface ToDeliver {
	readonly facts: readonly Fact[];
	readonly now: number;
	/** Shops that get no answer now: theirs are kept until they may, and hold up nobody else's. */
	readonly isHeldBack: (business: BusinessId) => boolean;
}

/**
 * BRIDGE-4. What a customer's phone wrote, for the shops that it concerns and for his own other
 * phones. An answer to what he was not brought waits until he is.
 */
export async function deliveriesOf(
	sql: Sql,
	person: PersonId,
	{ facts, now, isHeldBack }: ToDeliver
): Promise<readonly Delivery[]> {
	const deliveries: Delivery[] = [];
	const before: ReplyFact[] = [];
	for (const fact of facts) {
		if (fact.kind !== 'reply') continue;
		const isEarly = isHeldBack(fact.businessId);
		const answer = isEarly ? 'early' : await answerOf(sql, person, { fact, before, now });
		if (answer === 'early') await keepEarly(sql, person, fact);
		else deliveries.push(...answer);
		before.push(fact);
	}
	const seen = facts.filter((fact): fact is SeenFact => fact.kind === 'seen');
	// No phone saw what is still to come, whatever its clock says.
	const upTo = Math.min(now, Math.max(0, ...seen.map(({ upToMs }) => upToMs)));
	return seen.length === 0 ? deliveries : [...deliveries, ...(await sawOf(sql, person, upTo))];
}

/** BRIDGE-9. The answers that were there before what is brought only now. */
export async function earlyDeliveriesOf(
	sql: Sql,
	{ now, ...way }: Way,
	brought: readonly Brought[]
): Promise<readonly Delivery[]> {
	const deliveries: Delivery[] = [];
	const before: ReplyFact[] = [];
	for (const fact of await takeEarly(sql, way, brought)) {
		const answer = await answerOf(sql, way.person, { fact, before, now });
		assert(answer !== 'early', 'what is brought now is held');
		deliveries.push(...answer);
		before.push(fact);
	}
	return deliveries;
}

/** Between a person and a shop; `now` in ms UTC. */
interface Way {
	readonly business: BusinessId;
	readonly person: PersonId;
	readonly now: number;
}

interface InLine {
	readonly now: number;
	readonly fact: ReplyFact;
	/** What is carried with it, and is not written yet. */
	readonly before: readonly ReplyFact[];
}

async function answerOf(
	sql: Sql,
	person: PersonId,
	{ fact, before, now }: InLine
): Promise<readonly Delivery[] | 'early'> {
	const { businessId, ledgerId, h, decision, answerN, signedAt, sig, kid, reason, note } = fact;
	const [[held], [phone]] = await Promise.all([
		sql<{ branch: BranchId | null }[]>`
			select branch from bridged where business = ${businessId} and ledger = ${ledgerId}
				and person = ${person} and key = ${h}`,
		sql<{ public_key: Uint8Array }[]>`
			select public_key from phone
			where person = ${person} and kid = ${Buffer.from(kid, 'base64url')}`
	]);
	if (held === undefined) return 'early';
	if (phone === undefined) return [];
	const key = encodeBase64url(new Uint8Array(phone.public_key));
	const goneAt = await leftAt(sql, person, fact);
	if (decision === 'cancel' && goneAt !== undefined) {
		const saidBy = [fact.h, ...(await statementsWith(sql, fact))];
		if (await hasAgreed(sql, person, { fact, before, saidBy })) return [];
		if (await isCodeOver(sql, person, { fact, now, saidBy })) return [];
	}
	const saidAt = decision === 'accept' ? goneAt : undefined;
	const body = {
		...{ ledgerId, h, decision, answerN, signedAt, sig, key, reason, note },
		...(saidAt !== undefined && { saidAt })
	};
	return [
		{
			...{ scope: businessId, other: person },
			draft: { kind: 'answered', ...body, branch: held.branch }
		},
		{
			...{ scope: person, other: businessId },
			draft: { kind: 'filed', businessId, ...body, branch: null }
		}
	];
}

/**
 * BRIDGE-25. Both sides have an answer by one stamp: each feed alone would stamp it no earlier than what stands
 * there, and in one of them the relay's clock may have been ahead. The feeds are locked; `now` in ms UTC.
 */
export async function stampAlike(
	sql: Sql,
	deliveries: readonly Delivery[],
	now: number
): Promise<readonly Delivery[]> {
	const scopes = deliveries.flatMap(({ scope, other }) => (other === undefined ? [] : scope));
	if (scopes.length === 0) return deliveries;
	const rows = await sql<{ business: ScopeId; relay_wall: string }[]>`
		select business, relay_wall from feed_head where business = any(${scopes}::uuid[])`;
	const wallByScope = new Map(rows.map((row) => [row.business, Number(row.relay_wall)]));
	const wallOf = (scope: ScopeId): number => wallByScope.get(scope) ?? 0;
	return deliveries.map((delivery) => {
		const { scope, other, draft } = delivery;
		if (other === undefined || draft.saidAt !== undefined) return delivery;
		const saidAt = Math.max(now, Math.min(wallOf(scope), wallOf(other)));
		return { ...delivery, draft: { ...draft, saidAt } };
	});
}

/**
 * BRIDGE-18. A yes that comes when another stands there, or stood there last, was said before: when
 * its person did, last. Undefined for who stands there, and where nothing is known of it.
 */
async function leftAt(
	sql: Sql,
	person: PersonId,
	{ businessId, ledgerId }: ReplyFact
): Promise<number | undefined> {
	const [row] = await sql<{ at: string | null }[]>`
		select max((text::json -> 8 ->> 'at')::bigint) as at from fact
		where business = ${person} and kind = 'card' and text::json ->> 6 = ${businessId}
			and text::json ->> 7 = ${ledgerId} and text::json -> 8 ->> 'state' = 'ended'
			and exists (
				select from ledger_link where business = ${businessId} and ledger = ${ledgerId}
					and person is distinct from ${person}
			)`;
	return row === undefined || row.at === null ? undefined : Number(row.at);
}

/** BRIDGE-22. The shop's statements that list it: a yes to one is a yes to it. */
async function statementsWith(
	sql: Sql,
	{ businessId, ledgerId, h }: ReplyFact
): Promise<readonly RecordHash[]> {
	const rows = await sql<{ h: RecordHash }[]>`
		select record.h from record join fact using (business, code, n)
		where business = ${businessId} and ledger = ${ledgerId} and record.kind = 'statement'
			and text::jsonb -> 7 -> 'list' @> to_jsonb(${h}::text)`;
	return rows.map((row) => row.h);
}

/** What the person may have said yes by: the record itself, and the statements that list it. */
interface SaidBy {
	readonly saidBy: readonly RecordHash[];
}

/**
 * BRIDGE-22. Whether the person signed yes to it himself: that stands for good, and the days in which who
 * stands there now may contest it are not his.
 */
async function hasAgreed(
	sql: Sql,
	person: PersonId,
	{ fact: { businessId, ledgerId }, before, saidBy }: Pick<InLine, 'fact' | 'before'> & SaidBy
): Promise<boolean> {
	const isOfIt = (one: ReplyFact): boolean =>
		one.businessId === businessId && one.ledgerId === ledgerId && saidBy.includes(one.h);
	if (before.some((one) => isOfIt(one) && one.decision === 'accept')) return true;
	const [rows, phones] = await Promise.all([
		sql<{ key: string }[]>`
			select text::json ->> 13 as key from fact
			where business = ${person} and kind = 'filed' and text::json ->> 6 = ${businessId}
				and text::json ->> 7 = ${ledgerId} and text::json ->> 8 = any(${[...saidBy]})
				and text::json ->> 9 = 'accept'`,
		sql<{ public_key: Uint8Array }[]>`select public_key from phone where person = ${person}`
	]);
	const own = new Set(phones.map((one) => encodeBase64url(new Uint8Array(one.public_key))));
	return rows.some(({ key }) => own.has(key));
}

/** BRIDGE-22. Whether he confirmed it by a code, and his own days to contest that are over. */
async function isCodeOver(
	sql: Sql,
	person: PersonId,
	{ fact: { businessId, ledgerId }, now, saidBy }: Pick<InLine, 'fact' | 'now'> & SaidBy
): Promise<boolean> {
	const rows = await sql<{ text: string }[]>`
		select text from fact
		where business = ${person} and kind = 'judged' and text::json ->> 6 = ${businessId}
			and text::json ->> 7 = ${ledgerId}`;
	return rows.some(({ text }) => {
		const fact = parseFact(text);
		if (!fact.ok || fact.value.kind !== 'judged') return false;
		const { h, result, at } = fact.value.verdict;
		return saidBy.includes(h) && result === 'ok' && at + DISPUTE_WINDOW_MS < now;
	});
}

/** Told only where something was brought since the last time: a look at nothing new is no news. */
async function sawOf(sql: Sql, person: PersonId, upToMs: number): Promise<readonly Delivery[]> {
	const rows = await sql<{ business: BusinessId; ledger: LedgerId }[]>`
		insert into bridge_state as held (business, ledger, person, saw_up_to)
		select business, ledger, person, ${upToMs} from ledger_link
		where person = ${person} and state = 'linked' and exists (
			select 1 from bridged where bridged.business = ledger_link.business
				and bridged.ledger = ledger_link.ledger and bridged.person = ${person}
				and booked_at <= ${upToMs}
		)
		order by business, ledger
		on conflict (business, ledger, person) do update set saw_up_to = ${upToMs}
		where held.saw_up_to < ${upToMs} and exists (
			select 1 from bridged where bridged.business = held.business
				and bridged.ledger = held.ledger and bridged.person = ${person}
				and booked_at > held.saw_up_to and booked_at <= ${upToMs}
		)
		returning business, ledger`;
	return rows.map(({ business, ledger }) => ({
		scope: business,
		draft: { kind: 'saw', ledgerId: ledger, upToMs, branch: null }
	}));
}
