import { dayNumber } from '#domain/calendar.ts';
import { isAmount, isInstant } from '#domain/confirmation/limits.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import { parseCurrency } from '#domain/currency.ts';
import type { EntryFact, EntryRow, MergeFact } from '#domain/fact/ledger-fact.ts';
import type { FactId, LedgerId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type {
	BookEntryRow,
	CustomerRow,
	EdgeRow,
	EndRow,
	LinkRow,
	RecordRow
} from '#storage/device-store.ts';
import { readGroups, type Groups } from './fold-tallies.ts';
import type { EntryRefusal, MergeRefusal } from './ledger-acts.ts';
import { cleanNote } from './sell.ts';
import type { Act, Moment } from './write-path.ts';

interface EntryContext {
	readonly customer: CustomerRow | undefined;
	readonly record: RecordRow | undefined;
	/** What `bounced` and `slipDone` name. */
	readonly named: BookEntryRow | undefined;
	readonly end: EndRow | undefined;
}

/** Writes a line of the shop's own book. It moves no balance. */
export function addEntryAct(
	ledger: LedgerId | 0,
	row: EntryRow
): Act<EntryContext, EntryFact, EntryRefusal> {
	const names = row[0] === 'bounced' || row[0] === 'slipDone' ? row[1] : undefined;
	return {
		tables: ['customers', 'records', 'entries', 'ends'],
		load: async (rows) => ({
			customer: ledger === 0 ? undefined : await rows.get('customers', ledger),
			record: row[0] === 'dueMove' ? await rows.get('records', row[1]) : undefined,
			named: names === undefined ? undefined : await rows.get('entries', names),
			end: names === undefined ? undefined : await rows.get('ends', names)
		}),
		decide: (context, moment) => {
			const refusal = accountRefusal(ledger, row, context);
			if (refusal !== undefined) return Promise.resolve(err(refusal));
			const clean = cleanRow(row, { ledger, context, moment });
			if (!clean.ok) return Promise.resolve(clean);
			const head = moment.head(0);
			const fact: EntryFact = { ...head, kind: 'entry', ledgerId: ledger, row: clean.value };
			return Promise.resolve(ok({ facts: [fact], value: fact }));
		}
	};
}

/** A rough slip has no name; every other line has one. */
function accountRefusal(
	ledger: LedgerId | 0,
	row: EntryRow,
	{ customer }: EntryContext
): EntryRefusal | undefined {
	const isNameless = row[0] === 'slip' || row[0] === 'slipDone';
	if (ledger === 0) return isNameless ? undefined : { kind: 'nameNeeded' };
	if (isNameless) return { kind: 'noName' };
	if (customer === undefined) return { kind: 'unknownCustomer', ledger };
	return undefined;
}

interface Writing {
	readonly ledger: LedgerId | 0;
	readonly context: EntryContext;
	readonly moment: Moment;
}

function cleanRow(row: EntryRow, writing: Writing): Result<EntryRow, EntryRefusal> {
	switch (row[0]) {
		case 'promise':
			return cleanPromise(row, writing);
		case 'dueMove':
			return cleanDueMove(row, writing);
		case 'writeOff':
			return cleanWriteOff(row);
		case 'pending':
			return cleanPending(row);
		case 'slip':
			return cleanSlip(row);
		case 'bounced':
		case 'slipDone':
			return cleanEnd(row, writing);
	}
}

type RowOf<Kind extends EntryRow[0]> = Extract<EntryRow, readonly [Kind, ...unknown[]]>;

function cleanWriteOff(row: RowOf<'writeOff'>): Result<EntryRow, EntryRefusal> {
	const [kind, minor, currency, exponent, reason] = row;
	if (!isMoney(minor, currency)) return err({ kind: 'amountRefused' });
	const why = reasonOf(reason);
	return why.ok ? ok([kind, minor, currency, exponent, why.value]) : why;
}

function cleanPending(row: RowOf<'pending'>): Result<EntryRow, EntryRefusal> {
	const [kind, minor, currency, exponent, tender, typed] = row;
	if (!isMoney(minor, currency)) return err({ kind: 'amountRefused' });
	const note = cleanNote(typed);
	return note.ok ? ok([kind, minor, currency, exponent, tender, note.value ?? '']) : note;
}

function cleanSlip(row: RowOf<'slip'>): Result<EntryRow, EntryRefusal> {
	const [kind, side, minor, currency, exponent, typed] = row;
	if (!isMoney(minor, currency)) return err({ kind: 'amountRefused' });
	const note = cleanNote(typed);
	return note.ok ? ok([kind, side, minor, currency, exponent, note.value ?? '']) : note;
}

function isMoney(minor: number, currency: string): boolean {
	return isAmount(minor) && parseCurrency(currency).ok;
}

function reasonOf(typed: string): Result<string, EntryRefusal> {
	const reason = cleanNote(typed);
	if (!reason.ok) return reason;
	return reason.value === undefined ? err({ kind: 'reasonMissing' }) : ok(reason.value);
}

function cleanPromise(row: RowOf<'promise'>, { moment }: Writing): Result<EntryRow, EntryRefusal> {
	const [, day, minor, currency] = row;
	if (!isMoney(minor, currency)) return err({ kind: 'amountRefused' });
	const today = dayNumber(moment.head(0).on);
	if (!Number.isSafeInteger(day) || day < today || day > today + PROMISE_DAYS_MAX)
		return err({ kind: 'dayRefused' });
	return ok(row);
}

const PROMISE_DAYS_MAX = 3_660;

function cleanDueMove(
	row: RowOf<'dueMove'>,
	{ ledger, context }: Writing
): Result<EntryRow, EntryRefusal> {
	const [kind, h, dueMs, typed] = row;
	const { record } = context;
	if (record?.ledger !== ledger || !isDebit(record.kind)) return err({ kind: 'unknownRecord' });
	if (!isInstant(dueMs)) return err({ kind: 'dayRefused' });
	const reason = reasonOf(typed);
	return reason.ok ? ok([kind, h, dueMs, reason.value]) : reason;
}

/** A slip or a pending payment ends once, and under its own name. */
function cleanEnd(
	row: readonly ['bounced' | 'slipDone', FactId],
	{ ledger, context: { named, end } }: Writing
): Result<EntryRow, EntryRefusal> {
	const kind = row[0] === 'bounced' ? 'pending' : 'slip';
	if (named?.row[0] !== kind || named.ledger !== (ledger === 0 ? '' : ledger))
		return err({ kind: 'unknownEntry' });
	return end === undefined ? ok(row) : err({ kind: 'entryEnded' });
}

interface MergeContext {
	readonly customers: readonly (CustomerRow | undefined)[];
	readonly edges: readonly EdgeRow[];
	readonly groups: Groups;
	readonly links: readonly LinkRow[];
}

/** Joins the pages of two cards, or takes `b` off the page again; records stay where they are. */
export function mergeCardsAct(
	a: LedgerId,
	b: LedgerId,
	isJoined: boolean
): Act<MergeContext, undefined, MergeRefusal> {
	return {
		tables: ['customers', 'edges', 'links'],
		load: async (rows) => ({
			customers: await rows.getMany('customers', [a, b]),
			edges: await rows.all('edges'),
			groups: await readGroups(rows),
			links: await rows.all('links')
		}),
		decide: (context, moment) => {
			const refusal = mergeRefusal([a, b], isJoined, context);
			if (refusal !== undefined) return Promise.resolve(err(refusal));
			const pairs = isJoined ? [[a, b] as const] : edgesOf(b, context);
			const facts = pairs.map(([one, other], place): MergeFact => ({
				...moment.head(place),
				kind: 'merge',
				a: one < other ? one : other,
				b: one < other ? other : one,
				isJoined
			}));
			return Promise.resolve(ok({ facts, value: undefined }));
		}
	};
}

/** Everything that holds a card on its page. */
function edgesOf(
	ledger: LedgerId,
	{ edges }: MergeContext
): readonly (readonly [LedgerId, LedgerId])[] {
	return edges
		.filter((edge) => edge.isJoined && (edge.a === ledger || edge.b === ledger))
		.map((edge) => [edge.a, edge.b]);
}

function mergeRefusal(
	[a, b]: readonly [LedgerId, LedgerId],
	isJoined: boolean,
	{ customers, groups, links }: MergeContext
): MergeRefusal | undefined {
	if (a === b) return { kind: 'sameCard' };
	if (customers[0] === undefined) return { kind: 'unknownCustomer', ledger: a };
	if (customers[1] === undefined) return { kind: 'unknownCustomer', ledger: b };
	const [headA, headB] = [groups.headOf(a), groups.headOf(b)];
	if (!isJoined) return headA === headB ? undefined : { kind: 'notJoined' };
	if (headA === headB) return { kind: 'alreadyJoined' };
	const cards = [...groups.cardsOf(headA), ...groups.cardsOf(headB)];
	const linked = links.filter(({ ledger, state }) => state === 'linked' && cards.includes(ledger));
	return linked.length > 1 ? { kind: 'bothLinked' } : undefined;
}
