import { encodeBase64url } from '#domain/bytes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { answerMessage, type Decision } from '#domain/confirmation/signatures.ts';
import type { Signer } from '#domain/crypto.ts';
import type { CancelReason, ReplyFact } from '#domain/fact/ledger-fact.ts';
import type { PersonFold } from '#domain/person/fold-person.ts';
import { saidByHash } from '#domain/person/said.ts';
import { shopId, type PersonView, type RecordView } from '#domain/person/view.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import type { AnswerRefusal } from './device.ts';
import type { PhoneMoment, Written } from './phone-path.ts';

/** What a person wants to say to some records. */
export interface AnswerDraft {
	readonly act: 'accept' | 'cancel' | 'drop';
	readonly hs: readonly RecordHash[];
	readonly reason: CancelReason | 0;
	readonly note: string;
	/** An answer of before that is given once more: a no that was said without it, or later, stays. */
	readonly before?: ReplyFact;
}

export interface AnswerContext {
	readonly view: PersonView;
	readonly fold: PersonFold;
	readonly signer: Signer;
}

const NOTE_CODE_POINTS_MAX = 280;
/** n is a byte of what is signed. */
const N_MAX = 255;

/** The note as it is kept; one that shows nothing is none. */
export function cleanNote(note: string): Result<string, 'noteTooLong'> {
	const cleaned = cleanName(note, NOTE_CODE_POINTS_MAX);
	if (cleaned.ok) return cleaned;
	return cleaned.error === 'empty' ? ok('') : err('noteTooLong');
}

/** Signs an answer to each record that needs one. One refused alone is refused; of several the rest goes. */
export async function answersOf(
	draft: AnswerDraft,
	context: AnswerContext,
	moment: PhoneMoment
): Promise<Result<readonly Written[], AnswerRefusal>> {
	const records = recordsOf(draft.hs, context.view);
	if (records === undefined) return err('recordUnknown');
	const refusals = records.map((record) =>
		isOutdated(draft, record, context) ? 'alreadyAnswered' : refusalOf(draft, record)
	);
	const wanted = records.filter((_record, place) => refusals[place] === undefined);
	if (wanted.length === 0) return err(refusals[0] ?? 'notToAnswer');

	const written: Written[] = [];
	for (const record of wanted) {
		const fact = await replyOf(record, draft, { ...context, moment, place: written.length });
		if (fact === undefined) return err('tooManyAnswers');
		written.push({ fact, minor: BigInt(record.amountMinor) });
	}
	return ok(written);
}

/** Each record once; undefined where one of them is not here. */
function recordsOf(
	hs: readonly RecordHash[],
	{ shops }: PersonView
): readonly RecordView[] | undefined {
	const known = new Map(shops.flatMap(({ records }) => records).map((one) => [one.h, one]));
	const records = [...new Set(hs)].map((h) => known.get(h));
	return records.every((record) => record !== undefined) ? records : undefined;
}

function refusalOf(
	{ act, before }: Pick<AnswerDraft, 'act' | 'before'>,
	record: RecordView
): AnswerRefusal | undefined {
	switch (act) {
		case 'accept':
			return acceptRefusal(record, before);
		case 'cancel':
			return cancelRefusal(record);
		case 'drop':
			return record.canDrop ? undefined : 'notDisputed';
	}
}

/** A signed yes stands for good beside any no, so an old one is signed over none that is not older still. */
function isOutdated(
	{ act, before }: AnswerDraft,
	{ h, key }: RecordView,
	{ fold }: AnswerContext
): boolean {
	if (act !== 'accept' || before === undefined) return false;
	const { filed, replies } = fold.facts(shopId(key)) ?? { filed: [], replies: [] };
	return [...filed, ...replies].some(
		(said) =>
			said.h === h &&
			said.decision === 'cancel' &&
			(said.answerN >= before.answerN || said.signedAt >= before.signedAt)
	);
}

/**
 * A yes from a screen where the record still waited takes back no no that was said meanwhile, here or on
 * another phone: that is let go by its own act. One that is given once more may have been one that did.
 */
function acceptRefusal(
	{ standing, canDrop }: RecordView,
	before: ReplyFact | undefined
): AnswerRefusal | undefined {
	if (standing.kind === 'toAnswer' || (canDrop && before !== undefined)) return undefined;
	const isAnswered = canDrop || standing.kind === 'agreed' || standing.kind === 'agreedHere';
	return isAnswered ? 'alreadyAnswered' : 'notToAnswer';
}

/** What was signed for stands for good; what a code confirmed may be contested for 14 days. */
function cancelRefusal({ standing, canCancel }: RecordView): AnswerRefusal | undefined {
	if (canCancel) return undefined;
	if (standing.kind === 'reversed') return 'notToAnswer';
	return standing.kind === 'agreed' && standing.by !== 'app' ? 'tooLate' : 'alreadyAnswered';
}

interface Signing extends AnswerContext {
	readonly moment: PhoneMoment;
	readonly place: number;
}

/** Undefined where the person answered the record as often as can be counted. */
async function replyOf(
	{ h, key }: RecordView,
	{ act, reason, note }: AnswerDraft,
	{ fold, signer, moment, place }: Signing
): Promise<ReplyFact | undefined> {
	const facts = fold.facts(shopId(key));
	const n = 1 + (facts === undefined ? 0 : saidByHash(facts)(h).lastN);
	if (n > N_MAX) return undefined;
	const decision: Decision = act === 'cancel' ? 'cancel' : 'accept';
	const signedAt = moment.nowMs;
	const sig = await signer.sign(answerMessage({ decision, n, h, kid: signer.kid, signedAt }));
	return {
		...moment.head(place),
		kind: 'reply',
		businessId: key.business,
		ledgerId: key.ledger,
		h,
		decision,
		answerN: n,
		signedAt,
		sig: encodeBase64url(sig),
		kid: encodeBase64url(signer.kid),
		reason: decision === 'cancel' ? reason : 0,
		note
	};
}
