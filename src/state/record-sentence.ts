import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { RecordStanding } from '#domain/confirmation/standing.ts';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
import type { RecordRow, SayingRow } from '#storage/device-store.ts';
import type { CodeTrouble, DisputeStep, RecordSentence } from './ledger-views.ts';
import type { Card } from './tally.ts';

/** What a sentence is made of. */
export interface Said {
	readonly card: Card;
	readonly standing: RecordStanding;
	/** Of the record and of the statements that list it, oldest first. */
	readonly sayings: readonly SayingRow[];
	/** A statement that lists it is told with a code, and not judged yet. */
	readonly isListedInEvidence: boolean;
	/** When its fact was written, ms. */
	readonly writtenAt: number;
}

/** The one sentence that stands beside a record. */
export function sentenceOf(row: RecordRow, said: Said): RecordSentence {
	const { standing } = said;
	const isNothing = (said.card.standing.counted.get(row.h) ?? 0n) === 0n;
	if (standing.isDisputed && !(isDebit(row.kind) && isNothing)) return saysNo(said);
	return SENTENCES[standing.state](row, said);
}

const reversed = (): RecordSentence => ({ kind: 'reversed' });

const SENTENCES: Readonly<
	Record<RecordStanding['state'], (row: RecordRow, said: Said) => RecordSentence>
> = {
	counted: () => ({ kind: 'counted' }),
	reversed,
	voided: reversed,
	confirmed: agreed,
	cancelled: (_row, said) => saysNo(said),
	evidence: () => ({ kind: 'codeFits' }),
	waiting: (_row, said) => waiting(said)
};

function waiting({ card, standing, isListedInEvidence, writtenAt }: Said): RecordSentence {
	if (isListedInEvidence) return { kind: 'codeFits' };
	if (card.link?.state !== 'linked') return { kind: 'ownBook' };
	const isSeen = card.link.seenUpToMs >= writtenAt;
	return { kind: 'waiting', isSeen, isOld: standing.isUnanswered };
}

function saysNo({ sayings, standing }: Said): RecordSentence {
	const cancel = sayings.find(
		({ saying }) => saying.kind === 'reply' && saying.decision === 'cancel'
	);
	const reply = cancel?.saying.kind === 'reply' ? cancel.saying : undefined;
	return {
		kind: 'saysNo',
		at: reply?.at ?? 0,
		reason: reply?.reason ?? 0,
		note: reply?.note ?? '',
		wasAgreed: standing.state === 'confirmed',
		isInsisted: sayings.some(
			({ saying }) => saying.kind === 'shopAnswer' && saying.way === 'insist'
		)
	};
}

function agreed(row: RecordRow, { sayings }: Said): RecordSentence {
	for (const { saying } of sayings) {
		if (saying.kind === 'reply' && saying.decision === 'accept')
			return { kind: 'agreed', at: saying.at, by: 'app' };
	}
	for (const { saying } of sayings) {
		if (saying.kind === 'verdict' && saying.result === 'ok')
			return { kind: 'agreed', at: saying.at, by: wayOf(saying.claimId, saying.al, sayings) };
	}
	return { kind: 'agreed', at: row.at, by: 'nobodyNeeded' };
}

type AgreedBy = Extract<RecordSentence, { kind: 'agreed' }>['by'];

/** By the claim; where that is not here, by how strong the relay found the evidence. */
function wayOf(claimId: string, al: number, sayings: readonly SayingRow[]): AgreedBy {
	const claim = sayings
		.map(({ saying }) => saying)
		.find((saying) => saying.kind === 'claimed' && saying.claimId === claimId);
	if (claim?.kind === 'claimed') return BY_WAY[claim.way];
	if (al === 2) return 'sms';
	return al >= 4 ? 'app' : 'code';
}

const BY_WAY = {
	sms: 'sms',
	sheet: 'code',
	app: 'code',
	sign: 'app',
	rule: 'rule'
} as const satisfies Readonly<Record<string, AgreedBy>>;

/** The last code told for a record came to nothing, and nothing better came since. */
export function troubleOf({
	standing,
	sayings
}: Pick<Said, 'standing' | 'sayings'>): CodeTrouble | undefined {
	if (standing.state !== 'waiting') return undefined;
	const last = sayings.findLast(({ saying }) => saying.kind === 'verdict')?.saying;
	return last?.kind === 'verdict' ? codeTrouble(last.result) : undefined;
}

export function codeTrouble(result: VerdictResult): CodeTrouble | undefined {
	return result === 'ok' ? undefined : result;
}

/** What was said since a record was first contested, oldest first. */
export function disputeOf(sayings: readonly SayingRow[]): readonly DisputeStep[] {
	const steps: DisputeStep[] = [];
	for (const { saying, factId: id, wall, by } of sayings) {
		if (saying.kind === 'shopAnswer')
			steps.push({ at: wall, id, by: 'shop', kind: saying.way, note: saying.note, member: by });
		else if (saying.kind === 'reply' && saying.decision === 'cancel') {
			const { at, reason, note } = saying;
			steps.push({ at, id, by: 'customer', kind: 'cancel', reason, note });
		} else if (saying.kind === 'reply' && steps.length > 0)
			steps.push({ at: saying.at, id, by: 'customer', kind: 'drop' });
	}
	return steps;
}
