import { assert } from '#domain/assert.ts';
import { isAmount, isInstant } from '#domain/confirmation/limits.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isCredit, isDebit, isOpening } from '#domain/confirmation/record-kind.ts';
import {
	FACT_RECORDS_MAX,
	type FactRecord,
	type RecordFact,
	type UndoneKind
} from '#domain/fact/fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { RecordRow } from '#storage/device-store.ts';
import { draftRecord, owedBy } from './draft-record.ts';
import {
	checkAccount,
	cleanNote,
	loadAccount,
	owedMinor,
	type AccountContext,
	type CustomerRefusal
} from './sell.ts';
import type { Act, DeviceParts, Moment } from './write-path.ts';

/** A record that a person writes without a sale. */
export interface RecordDraft {
	readonly kind:
		| 'due'
		| 'payment'
		| 'openingDebit'
		| 'openingCredit'
		| 'credit'
		| 'reversalOfDebit'
		| 'reversalOfCredit';
	/** Minor units of the shop's currency, above zero. */
	readonly minor: number;
	readonly note?: string;
	/** When a due falls due, ms UTC; by the customer's terms where absent. */
	readonly dueAt?: number;
	/** The record that this one reverses or lowers. */
	readonly ref?: RecordHash;
}

export interface RecordOptions {
	/** How the money of the payments came or goes back; cash where absent, null where none changed hands here. */
	readonly tender?: 'cash' | null;
}

/** Why records are not written, in the order in which it is asked; `place` counts the drafts from 0. */
export type RecordRefusal =
	| { readonly kind: 'noRecords' }
	| { readonly kind: 'tooManyRecords'; readonly recordsMax: number }
	| CustomerRefusal
	| { readonly kind: 'amountRefused'; readonly place: number }
	| { readonly kind: 'dueAtRefused'; readonly place: number }
	| { readonly kind: 'refMissing'; readonly place: number }
	| { readonly kind: 'refNotAllowed'; readonly place: number }
	| { readonly kind: 'unknownRecord'; readonly place: number }
	| { readonly kind: 'wrongSide'; readonly place: number }
	| { readonly kind: 'moreThanLeft'; readonly place: number; readonly leftMinor: number }
	| { readonly kind: 'openingKnown'; readonly place: number }
	| { readonly kind: 'noteTooLong' };

interface RecordsContext extends AccountContext {
	readonly records: readonly RecordRow[];
}

export function writeRecordsAct(
	ledger: LedgerId,
	drafts: readonly RecordDraft[],
	{ options, parts }: { readonly options: RecordOptions; readonly parts: DeviceParts }
): Act<RecordsContext, RecordFact, RecordRefusal> {
	return {
		tables: ['customers', 'balances', 'records'],
		load: async (rows) => ({
			...(await loadAccount(rows, ledger)),
			records: await rows.findAny('records', 'ledger', [ledger])
		}),
		decide: async (context, moment) => {
			const checked = check(drafts, ledger, { context, moment });
			if (!checked.ok) return checked;
			const records = await sign(checked.value, ledger, { context, moment, parts });
			const undoes = undoneKind(checked.value, context);
			const isPaid = undoes === 'payment' || drafts.some(({ kind }) => kind === 'payment');
			const isCash = isPaid && options.tender !== null;
			const fact: RecordFact = {
				...moment.head(0),
				kind: 'record',
				records,
				...(isCash && { tender: 'cash' }),
				...(undoes !== undefined && { undoes })
			};
			return ok({ facts: [fact], value: fact });
		}
	};
}

/** What the reversals among `drafts` take back, where a day's totals counted it. */
function undoneKind(
	drafts: readonly RecordDraft[],
	{ records }: RecordsContext
): UndoneKind | undefined {
	const kinds = drafts.flatMap(({ kind, ref }) => {
		if (kind !== 'reversalOfDebit' && kind !== 'reversalOfCredit') return [];
		const named = records.find(({ h }) => h === ref);
		return [named?.receipt === undefined ? named?.kind : undefined];
	});
	assert(new Set(kinds).size <= 1, 'one act takes back records of one kind');
	const [kind] = kinds;
	return kind === 'due' || kind === 'payment' ? kind : undefined;
}

interface Standing {
	readonly context: RecordsContext;
	readonly moment: Moment;
}

function check(
	drafts: readonly RecordDraft[],
	ledger: LedgerId,
	standing: Standing
): Result<readonly RecordDraft[], RecordRefusal> {
	if (drafts.length === 0) return err({ kind: 'noRecords' });
	if (drafts.length > FACT_RECORDS_MAX)
		return err({ kind: 'tooManyRecords', recordsMax: FACT_RECORDS_MAX });
	const asked = checkAccount(ledger, standing.context, undefined);
	if (!asked.ok) return asked;

	const checked: RecordDraft[] = [];
	for (const [place, draft] of drafts.entries()) {
		const refusal = refusalOf(draft, place, { ...standing, before: checked });
		if (refusal !== undefined) return err(refusal);
		const note = cleanNote(draft.note);
		if (!note.ok) return note;
		checked.push({ ...draft, note: note.value ?? '' });
	}
	return ok(checked);
}

function refusalOf(
	draft: RecordDraft,
	place: number,
	standing: Standing & { readonly before: readonly RecordDraft[] }
): RecordRefusal | undefined {
	if (!isAmount(draft.minor)) return { kind: 'amountRefused', place };
	if (draft.dueAt !== undefined && !isInstant(draft.dueAt)) return { kind: 'dueAtRefused', place };
	if (isOpening(draft.kind) && hasOpening(standing)) return { kind: 'openingKnown', place };
	return refRefusal(draft, place, standing);
}

/** An opening counts once in a ledger and currency; a second would stand there and mean nothing. */
function hasOpening({
	context,
	moment,
	before
}: Standing & { before: readonly RecordDraft[] }): boolean {
	const { currency } = moment.settings.money;
	const isKnown = context.records.some((row) => isOpening(row.kind) && row.currency === currency);
	return isKnown || before.some(({ kind }) => isOpening(kind));
}

function refRefusal(
	{ kind, ref, minor }: RecordDraft,
	place: number,
	{ context, moment, before }: Standing & { readonly before: readonly RecordDraft[] }
): RecordRefusal | undefined {
	const isReversal = kind === 'reversalOfDebit' || kind === 'reversalOfCredit';
	if (ref === undefined) return isReversal ? { kind: 'refMissing', place } : undefined;
	if (!isReversal && kind !== 'credit') return { kind: 'refNotAllowed', place };
	const named = context.records.find(({ h }) => h === ref);
	if (named === undefined) return { kind: 'unknownRecord', place };
	if (!isRightSide(kind, named) || named.currency !== moment.settings.money.currency)
		return { kind: 'wrongSide', place };
	const lowered =
		sumOf(context.records.filter((row) => row.ref === ref).map(({ amount }) => amount)) +
		sumOf(before.filter((draft) => draft.ref === ref).map((draft) => draft.minor));
	const leftMinor = Math.max(0, named.amount - lowered);
	return minor > leftMinor ? { kind: 'moreThanLeft', place, leftMinor } : undefined;
}

/** A credit is undone by a reversal of a credit, a debit by all else. */
function isRightSide(kind: RecordDraft['kind'], named: RecordRow): boolean {
	return kind === 'reversalOfCredit' ? isCredit(named.kind) : isDebit(named.kind);
}

function sumOf(amounts: readonly number[]): number {
	return amounts.reduce((sum, amount) => sum + amount, 0);
}

async function sign(
	drafts: readonly RecordDraft[],
	ledger: LedgerId,
	{ context, moment, parts }: Standing & { readonly parts: DeviceParts }
): Promise<readonly FactRecord[]> {
	const head = moment.head(0);
	const terms = context.customer?.terms ?? undefined;
	let owed = owedMinor(context, moment);
	const records: FactRecord[] = [];
	for (const draft of drafts) {
		const byTerms = terms === undefined ? undefined : moment.nowMs + terms * DAY_MS;
		const dueAt = draft.dueAt ?? (draft.kind === 'due' ? byTerms : undefined);
		const of = { ...draft, ledger, owedMinor: owed, ...(dueAt !== undefined && { dueAt }) };
		records.push(await draftRecord(of, moment, { head, parts }));
		owed += owedBy(draft);
	}
	return records;
}

const DAY_MS = 86_400_000;
