import { COUNTERS_PER_PHONE, pickedKind } from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import {
	standingRecord,
	type LedgerSaying,
	type StandingFacts
} from '#domain/confirmation/standing.ts';
import type { FiledFact, JudgedFact, ReplyFact } from '#domain/fact/ledger-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { cardSpans, standsSince } from './card-spans.ts';
import type { HeldRecord } from './held-fact.ts';
import type { ShopFacts } from './shop-facts.ts';

/** An answer of the person: as the relay filed it, or only on a phone so far. */
export interface SaidReply extends Pick<FiledFact, 'decision' | 'reason' | 'note'> {
	/** The person's answers to this record, counted. */
	readonly n: number;
	readonly id: FactId;
	/** By the relay's clock; by the phone's where it was not filed. */
	readonly at: number;
	readonly isFiled: boolean;
}

/** How a record, or a statement that lists it, was agreed to with the relay's knowledge. */
export interface AgreedBy {
	readonly at: number;
	readonly way: JudgedFact['way'];
}

/** What was said of one record since it was written. */
export interface Said {
	/** The verdict that took a code or rule. */
	readonly verdict?: AgreedBy;
	/** The earliest signature of the person that says yes, at the relay. */
	readonly agreedAt?: number;
	/** The earliest of whoever stood there before. */
	readonly agreedBeforeAt?: number;
	/** Said yes on a phone, not at the relay yet. */
	readonly agreedHereAt?: number;
	/** The latest no that was not taken back here. */
	readonly cancelled?: SaidReply;
	/** Every answer, oldest first. */
	readonly replies: readonly SaidReply[];
	/** Most n of the person's answers so far. */
	readonly lastN: number;
}

const NOTHING: Said = { replies: [], lastN: 0 };

/** What was said of each record of a shop, by H. */
export type SaidByHash = (h: RecordHash) => Said;

export function saidByHash(facts: ShopFacts): SaidByHash {
	const replies = repliesOf(facts);
	const since = standsSince(facts.cards.map(({ fact }) => fact));
	const verdicts = new Map<RecordHash, AgreedBy>();
	for (const { verdict, way } of facts.judged) {
		const before = verdicts.get(verdict.h);
		const isFirst = before === undefined || verdict.at < before.at;
		if (verdict.result === 'ok' && isFirst) verdicts.set(verdict.h, { at: verdict.at, way });
	}
	const known = new Map(
		[...new Set([...replies.keys(), ...verdicts.keys()])].map((h) => [
			h,
			said(replies.get(h) ?? [], verdicts.get(h), since)
		])
	);
	return (h) => known.get(h) ?? NOTHING;
}

/** The statements that list a record and were agreed to, by the H of what they list. */
export function statementsAgreed(
	records: readonly HeldRecord[],
	saidOf: SaidByHash
): ReadonlyMap<RecordHash, AgreedBy> {
	const agreed = new Map<RecordHash, AgreedBy>();
	for (const { h, fact } of records) {
		const { agreedAt, agreedBeforeAt, verdict } = saidOf(h);
		const signedAt = agreedAt ?? agreedBeforeAt;
		const by = signedAt === undefined ? verdict : { at: signedAt, way: 'sign' as const };
		if (by === undefined) continue;
		for (const one of fact.more.list ?? []) {
			const before = agreed.get(one);
			if (before === undefined || by.at < before.at) agreed.set(one, by);
		}
	}
	return agreed;
}

/**
 * What the fold of confirmation.md section 7 hears. A no that is only on this phone counts at once,
 * and one that the person let go here no longer does; a yes counts when the relay filed it.
 */
export function standingFacts(facts: ShopFacts, saidOf: SaidByHash): StandingFacts {
	const verdicts = facts.judged.map(({ claimId, verdict }): LedgerSaying => {
		const { h, result, al, relayEpoch: epoch, seq, at } = verdict;
		return { kind: 'verdict', h, claimId, result, al, epoch, seq, at };
	});
	const hashes = new Set([...facts.filed, ...facts.replies].map(({ h }) => h));
	const replies = [...hashes].flatMap((h) => countedReplies(h, saidOf(h)));
	return {
		records: facts.records.map(({ h, fact: { record, more } }) =>
			standingRecord({ ...record, h }, more.list)
		),
		sayings: [...verdicts, ...codesSaid(facts), ...replies],
		spans: cardSpans(facts.cards.map(({ fact }) => fact))
	};
}

/**
 * CP-23. By which code each verdict said yes. The phone was not told its digits: they come from the set,
 * the counter and, where the phone made it, what it was made for. A code confirms only while its
 * set is in force; of what was judged while the person did not stand there the sets are not known.
 */
function codesSaid(facts: ShopFacts): readonly LedgerSaying[] {
	const beginnings = epochBeginnings(facts);
	const own = linkSpans(facts.cards.map(({ fact }) => fact));
	const stood = (at: number): boolean =>
		own.some(({ from, to }) => from <= at && (to === null || at <= to));
	const coreByHash = new Map(facts.records.map(({ h, fact }) => [h, fact.record.core]));
	return facts.judged.flatMap(({ claimId, way, counter, verdict: { h, result, at } }) => {
		if (!stood(at)) return [];
		const epoch = beginnings.findLast(([, began]) => began <= at)?.[0];
		const core = coreByHash.get(h);
		if (result !== 'ok' || epoch === undefined || core === undefined) return [];
		const place = [way, epoch, counter];
		if (way === 'sheet') return [{ kind: 'claimed', h, claimId, codeKey: place.join(' ') }];
		// Of what others were told by a phone the counter is not known.
		if (way !== 'app' || counter < COUNTERS_PER_PHONE) return [];
		const { kind, currency, exponent, amount } = core;
		const worth = [pickedKind(kind), currency, exponent, amount];
		return [{ kind: 'claimed', h, claimId, codeKey: [...place, ...worth].join(' ') }];
	});
}

/** When each epoch of the ledger's codes began, by the relay's clock, in their order. */
function epochBeginnings({
	cards,
	codes
}: ShopFacts): readonly (readonly [epoch: number, began: number])[] {
	const told = [
		...cards.map(({ fact: { fields, at } }) => ({ epoch: fields.epoch, at: at.wall })),
		...codes.map(({ fields: { epoch, issuedAt } }) => ({ epoch, at: issuedAt }))
	];
	const began = new Map<number, number>();
	for (const { epoch, at } of told) {
		if (epoch !== undefined) began.set(epoch, Math.min(began.get(epoch) ?? Infinity, at));
	}
	return [...began].toSorted(([a], [b]) => a - b);
}

function countedReplies(h: RecordHash, { replies, cancelled }: Said): readonly LedgerSaying[] {
	const hasLetGo = cancelled === undefined;
	return replies
		.filter(({ decision, isFiled }) => (decision === 'cancel' ? !hasLetGo : isFiled))
		.map(({ decision, n, at }) => ({ kind: 'reply', h, decision, n, at }));
}

function said(replies: readonly SaidReply[], verdict: AgreedBy | undefined, since: number): Said {
	const filed = replies.filter(({ decision, isFiled }) => decision === 'accept' && isFiled);
	const own = filed.find(({ at }) => at > since);
	const before = filed.find(({ at }) => at <= since);
	const here = replies.findLast(({ decision, isFiled }) => decision === 'accept' && !isFiled);
	const cancelled = replies.findLast(
		({ decision, n }) => decision === 'cancel' && (here === undefined || n > here.n)
	);
	return {
		replies,
		lastN: replies.reduce((most, { n }) => Math.max(most, n), 0),
		...(verdict !== undefined && { verdict }),
		...(own !== undefined && { agreedAt: own.at }),
		...(before !== undefined && { agreedBeforeAt: before.at }),
		...(here !== undefined && { agreedHereAt: here.at }),
		...(cancelled !== undefined && { cancelled })
	};
}

/** Each answer once: a phone's fact and what the relay filed of it bear one signature. */
function repliesOf({ filed, replies }: ShopFacts): ReadonlyMap<RecordHash, readonly SaidReply[]> {
	const byHash = new Map<RecordHash, SaidReply[]>();
	const signatures = new Set<string>();
	const add = (fact: FiledFact | ReplyFact, isFiled: boolean): void => {
		if (signatures.has(fact.sig)) return;
		signatures.add(fact.sig);
		const { id, decision, answerN: n, reason, note, at } = fact;
		const of = byHash.get(fact.h) ?? [];
		of.push({ id, decision, n, reason, note, at: at.wall, isFiled });
		byHash.set(fact.h, of);
	};
	for (const fact of filed) add(fact, true);
	for (const fact of replies) add(fact, false);
	for (const of of byHash.values()) of.sort(compareReplies);
	return byHash;
}

/** By n first, as the protocol orders noes; two phones may have given one n. */
function compareReplies(a: SaidReply, b: SaidReply): number {
	return a.n - b.n || a.at - b.at || (a.id < b.id ? -1 : 1);
}
