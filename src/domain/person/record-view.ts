import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { humanReference } from '#domain/confirmation/record-hash.ts';
import { isDebit, pageSide } from '#domain/confirmation/record-kind.ts';
import type { RecordCore } from '#domain/confirmation/record.ts';
import {
	DISPUTE_WINDOW_MS,
	type RecordStanding as Standing
} from '#domain/confirmation/standing.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { BookedFact, CardFields } from '#domain/fact/ledger-fact.ts';
import { disputeSteps } from './dispute.ts';
import type { HeldRecord, ShopKeys } from './held-fact.ts';
import type { Moves } from './moves.ts';
import type { AgreedBy, Said, SaidByHash } from './said.ts';
import type { ShopFacts } from './shop-facts.ts';
import { moneyForm } from './shop-card.ts';
import {
	shopId,
	type DisputeStep,
	type RecordStanding,
	type RecordView,
	type Settling,
	type SignatureCheck
} from './view.ts';

/** All that a record's view is made of beside the record. */
export interface RecordContext {
	readonly facts: ShopFacts;
	readonly card: CardFields;
	readonly keys: ShopKeys;
	readonly saidOf: SaidByHash;
	/** Since when the person stands there. */
	readonly since: number;
	readonly standings: ReadonlyMap<RecordHash, Standing>;
	readonly statements: ReadonlyMap<RecordHash, AgreedBy>;
	readonly moves: Moves;
	readonly settlings: ReadonlyMap<RecordHash, Settling>;
	readonly twins: ReadonlySet<RecordHash>;
	readonly shopSteps: ReadonlyMap<RecordHash, readonly DisputeStep[]>;
	readonly nowMs: number;
}

export function recordView(held: HeldRecord, context: RecordContext): RecordView {
	const { h, fact } = held;
	const { core } = fact.record;
	const said = context.saidOf(h);
	const standing = standingOf(held, context);
	const settling = context.settlings.get(h);
	return {
		h,
		shop: shopId(context.facts.key),
		shopName: context.card.shop ?? '',
		key: context.facts.key,
		reference: humanReference(h),
		kind: core.kind,
		side: pageSide(core.kind),
		amountMinor: core.amount,
		writtenMinor: writtenMinorOf(core),
		effectMinor: context.moves.effectByHash.get(h) ?? 0n,
		money: moneyForm(core, context.card),
		at: core.occurredAt,
		arrivedAt: fact.at.wall,
		standing,
		check: checkOf(held, context.keys),
		canCancel: canCancel(standing, context.standings.get(h), context),
		canDrop: standing.kind === 'saidNo' || standing.kind === 'saidNoHere',
		hasTwin: context.twins.has(h),
		isMadeOffline: core.isMadeOffline,
		...writtenOf(fact),
		...(settling !== undefined && { settling }),
		dispute: disputeSteps(said, context.shopSteps.get(h) ?? [])
	};
}

/** What the record says in the shop's words. */
function writtenOf({
	record: { rest },
	more
}: BookedFact): Pick<
	RecordView,
	| 'on'
	| 'isLate'
	| 'writer'
	| 'device'
	| 'note'
	| 'takenBy'
	| 'receipt'
	| 'lines'
	| 'tenders'
	| 'ref'
	| 'list'
> {
	const { writer = rest.d, d: device = rest.d, lines = [], tenders = [], list = [] } = more;
	return {
		on: rest.on,
		isLate: more.late === true,
		writer,
		device,
		...(rest.note !== undefined && { note: rest.note }),
		...(rest.by !== undefined && { takenBy: rest.by }),
		...(rest.rc !== undefined && { receipt: rest.rc }),
		lines,
		tenders,
		...(rest.ref !== undefined && { ref: rest.ref }),
		list
	};
}

function writtenMinorOf({ kind, amount }: RecordCore): number {
	if (isDebit(kind)) return amount;
	return kind === 'statement' ? 0 : -amount;
}

function standingOf(held: HeldRecord, context: RecordContext): RecordStanding {
	const said = context.saidOf(held.h);
	const no = noOf(said, context);
	if (!isDebit(held.fact.record.core.kind)) return no ?? { kind: 'counted' };
	const { state, isDisputed } = context.standings.get(held.h) ?? UNSAID;
	if (state === 'reversed' || state === 'voided') return { kind: 'reversed' };
	if (isDisputed && no !== undefined) return no;
	return state === 'confirmed' ? agreedBy(held, context) : waitingOf(said);
}

const UNSAID: Pick<Standing, 'state' | 'isDisputed'> = { state: 'waiting', isDisputed: false };

function waitingOf({ agreedHereAt }: Said): RecordStanding {
	return agreedHereAt === undefined
		? { kind: 'toAnswer' }
		: { kind: 'agreedHere', at: agreedHereAt };
}

function noOf(
	{ cancelled, verdict, agreedAt, agreedBeforeAt }: Said,
	{ since }: RecordContext
): RecordStanding | undefined {
	if (cancelled === undefined || agreedAt !== undefined) return undefined;
	if (agreedBeforeAt !== undefined && cancelled.at <= since) return undefined;
	const { at, reason, note, isFiled } = cancelled;
	return {
		kind: isFiled ? 'saidNo' : 'saidNoHere',
		at,
		reason,
		note,
		isByCode: verdict !== undefined && verdict.at > since
	};
}

const WAYS = {
	sms: 'sms',
	sheet: 'code',
	app: 'code',
	sign: 'app',
	rule: 'rule'
} as const satisfies Record<AgreedBy['way'], string>;

/** What nobody confirmed and stands confirmed all the same was written when nobody was to be asked. */
function agreedBy({ h, fact }: HeldRecord, context: RecordContext): RecordStanding {
	const { verdict, agreedAt, agreedBeforeAt } = context.saidOf(h);
	if (agreedAt !== undefined) return { kind: 'agreed', at: agreedAt, by: 'app' };
	const by = verdict ?? context.statements.get(h);
	if (by !== undefined && by.at > context.since)
		return { kind: 'agreed', at: by.at, by: WAYS[by.way] };
	const beforeAt = agreedBeforeAt ?? by?.at;
	if (beforeAt !== undefined) return { kind: 'agreed', at: beforeAt, by: 'before' };
	return { kind: 'agreed', at: fact.at.wall, by: 'nobodyNeeded' };
}

/**
 * Any time while it waits; 14 days after a code, and after the person came to stand there what others
 * said yes to; never what he signed for.
 */
function canCancel(
	standing: RecordStanding,
	counted: Pick<Standing, 'codedAt'> | undefined,
	{ since, nowMs }: RecordContext
): boolean {
	if (standing.kind === 'toAnswer' || standing.kind === 'counted') return true;
	if (standing.kind !== 'agreed' || standing.by === 'app') return false;
	if (standing.by === 'before') return nowMs <= since + DISPUTE_WINDOW_MS;
	if (standing.by === 'nobodyNeeded') return false;
	return counted?.codedAt !== undefined && nowMs <= counted.codedAt + DISPUTE_WINDOW_MS;
}

/** A key that ended before the record was written may be in a thief's hands: flagged, and counted. */
function checkOf({ check, fact }: HeldRecord, keys: ShopKeys): SignatureCheck {
	if (check !== 'verified') return 'cannotBeCheckedYet';
	const span = keys.get(encodeBase64url(fact.record.signed.kid));
	const endedAt = span?.[3] ?? 0;
	return endedAt > 0 && fact.record.core.occurredAt > endedAt ? 'keyEnded' : 'verified';
}
