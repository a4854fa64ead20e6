import type { Claim } from '#domain/confirmation/claim.ts';
import { WRONG_SHEETS_MAX } from '#domain/confirmation/judge.ts';
import { dayFromNumber, dayNumber } from '#domain/calendar.ts';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import { groupBy } from '#domain/group-by.ts';
import type { LedgerId } from '#domain/ids.ts';
import type {
	AskRow,
	LinkRow,
	RecordRow,
	SayingRow,
	StoreReader,
	TableName,
	TallyRow
} from '#storage/device-store.ts';
import type { CustomerIndex } from './customer-index.ts';
import type { Identity } from './identity.ts';
import { daysLate, type LedgerDay } from './ledger-day.ts';
import type { AskView, NoticesView, ShopNotice, ShopNoticeKind } from './ledger-views.ts';
import { loweredByHash } from './lowered.ts';
import { readMeta } from './meta.ts';
import { openSheets } from './open-sheets.ts';
import { codeTrouble } from './record-sentence.ts';

export const NOTICE_TABLES: readonly TableName[] = [
	'meta',
	'settings',
	'sayings',
	'records',
	'links',
	'asks',
	'sheets',
	'devices',
	'tallies'
];

const NOTICES_MAX = 200;
/** What is looked at of what was said last: a verdict and its claim are two. */
const SAYINGS_MAX = 600;
const CODES_FEW = 1;

export interface NoticeParts {
	readonly index: CustomerIndex;
	readonly day: LedgerDay;
	readonly identity: Identity;
}

/** A notice before it is known whether it was read. */
type Found = Omit<ShopNotice, 'isRead' | 'name'> & { readonly name?: string };

/** Everything the shop should know: a pure fold of what the tables hold. */
export async function readNotices(rows: StoreReader, parts: NoticeParts): Promise<NoticesView> {
	const { readUpTo = 0, hidden = [] } = (await readMeta(rows, 'notices')) ?? {};
	const found = [
		...(await saidNotices(rows)),
		...(await linkNotices(rows)),
		...(await askNotices(rows)),
		...(await sheetNotices(rows, parts)),
		...(await deviceNotices(rows, parts)),
		...dueNotices(parts)
	];
	const notices = found
		.filter(({ kind, at }) => !hidden.includes(kind) && at <= parts.day.nowMs)
		.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
		.slice(0, NOTICES_MAX)
		.map((notice) => named(notice, readUpTo, parts.index));
	return {
		notices,
		unread: notices.filter(({ isRead }) => !isRead).length,
		hidden: KINDS.filter((kind) => hidden.includes(kind))
	};
}

function named(notice: Found, readUpTo: number, index: CustomerIndex): ShopNotice {
	const { ledger } = notice;
	const known = ledger === undefined ? undefined : index.personOf(ledger)?.name;
	// Every found notice is one of the union, less what is added here.
	return {
		...notice,
		name: known ?? notice.name ?? '',
		isRead: notice.at <= readUpTo
	} as ShopNotice;
}

const KINDS: readonly ShopNoticeKind[] = [
	'connectionAsked',
	'connectionAnswered',
	'connected',
	'connectionEnded',
	'accepted',
	'dropped',
	'cancelled',
	'confirmedByCode',
	'wrongCode',
	'codeNotTaken',
	'codesRunningOut',
	'overdue',
	'dueToday',
	'promiseBroken',
	'newDevice',
	'tookOver'
];

async function saidNotices(rows: StoreReader): Promise<readonly Found[]> {
	const said = await rows.find('sayings', {
		index: 'wall',
		from: 0,
		to: Number.MAX_SAFE_INTEGER,
		isReverse: true,
		limit: SAYINGS_MAX
	});
	const hashes = [...new Set(said.map(({ h }) => h))];
	const records = await rows.getMany('records', hashes);
	const byHash = new Map(hashes.map((h, place) => [h, records[place]]));
	const cancelled = new Set(
		said.flatMap(({ saying, h }) =>
			saying.kind === 'reply' && saying.decision === 'cancel' ? [h] : []
		)
	);
	const wayOf = new Map(
		said.flatMap(({ saying }) =>
			saying.kind === 'claimed' ? [[saying.claimId, saying.way] as const] : []
		)
	);
	const found = said.flatMap((row, place) =>
		saidNotice(row, byHash.get(row.h), {
			wasCancelled: cancelled.has(row.h),
			isOpen: !said.slice(0, place).some((later) => later.h === row.h && answers(later, row)),
			wayOf
		})
	);
	return closeTakenBack(rows, found);
}

/** Whether `later` answers what `said` asks of the shop. */
function answers({ saying: later }: SayingRow, { saying: said }: SayingRow): boolean {
	if (later.kind === 'reply') return said.kind === 'verdict' || later.decision === 'accept';
	if (later.kind === 'shopAnswer') return said.kind === 'reply';
	return later.kind === 'verdict' && later.result === 'ok' && said.kind === 'verdict';
}

/** Of a record that was taken back whole there is nothing left to answer. */
async function closeTakenBack(
	rows: StoreReader,
	found: readonly Found[]
): Promise<readonly Found[]> {
	const ledgers = new Set(found.filter(isOpenTask).flatMap(({ ledger }) => ledger ?? []));
	const records = await rows.findAny('records', 'ledger', [...ledgers]);
	const lowered = loweredByHash(records);
	return found.map((notice) => {
		if (!isOpenTask(notice) || notice.record === undefined) return notice;
		const { h, amount } = notice.record;
		return (lowered.get(h) ?? 0) < amount ? notice : { ...notice, isOpen: false };
	});
}

interface OpenTask {
	readonly isOpen: true;
	readonly record?: RecordRow;
}

function isOpenTask(notice: Found): notice is Found & OpenTask {
	return 'isOpen' in notice && notice.isOpen === true;
}

interface SaidBefore {
	readonly wasCancelled: boolean;
	readonly isOpen: boolean;
	readonly wayOf: ReadonlyMap<string, Claim['way']>;
}

function saidNotice(
	{ id, wall, saying }: SayingRow,
	record: RecordRow | undefined,
	{ wasCancelled, isOpen, wayOf }: SaidBefore
): readonly Found[] {
	if (saying.kind !== 'reply' && saying.kind !== 'verdict') return [];
	const of = { id, at: wall, ledger: saying.ledgerId, ...(record !== undefined && { record }) };
	if (saying.kind === 'reply') {
		const { reason, note, decision } = saying;
		if (decision === 'cancel') return [{ ...of, kind: 'cancelled', reason, note, isOpen } as Found];
		return [{ ...of, kind: wasCancelled ? 'dropped' : 'accepted' }];
	}
	const why = codeTrouble(saying.result);
	if (why === undefined) return [{ ...of, kind: 'confirmedByCode' }];
	if (why !== 'wrong') return [{ ...of, kind: 'codeNotTaken', why, isOpen } as Found];
	const isLocked = wayOf.get(saying.claimId) === 'sheet' && saying.wrong >= WRONG_SHEETS_MAX;
	return [{ ...of, kind: 'wrongCode', wrong: saying.wrong, isLocked } as Found];
}

async function linkNotices(rows: StoreReader): Promise<readonly Found[]> {
	return (await rows.all('links')).flatMap(linkNotice);
}

function linkNotice({
	ledger,
	history,
	endedBy = 'customer',
	name = ''
}: LinkRow): readonly Found[] {
	return history.flatMap(({ id, wall: at, state, way, isLost }): readonly Found[] => {
		const of = { id: `link/${id}`, at, ledger, name };
		if (state === 'linked') return [{ ...of, kind: 'connected', way } as Found];
		return state === 'ended'
			? [{ ...of, kind: 'connectionEnded', by: isLost === true ? 'nobody' : endedBy } as Found]
			: [];
	});
}

async function askNotices(rows: StoreReader): Promise<readonly Found[]> {
	return (await rows.all('asks')).flatMap((row): readonly Found[] => {
		const ask = askViewOf(row);
		const of = {
			id: `ask/${ask.id}/${ask.state}`,
			at: ask.at,
			name: ask.name === '' ? ask.username : ask.name,
			...(ask.ledger !== undefined && { ledger: ask.ledger })
		};
		if (ask.by === 'customer' && ask.state === 'asked')
			return [{ ...of, kind: 'connectionAsked', ask } as Found];
		return ask.by === 'shop' && ask.state !== 'asked'
			? [{ ...of, kind: 'connectionAnswered', ask } as Found]
			: [];
	});
}

export function askViewOf(row: AskRow): AskView {
	const { id, by = 'customer', username = '', name = '', ledger, state = 'asked', at } = row;
	return { id, by, username, name, state, at, ...(ledger !== undefined && { ledger }) };
}

async function sheetNotices(rows: StoreReader, { day }: NoticeParts): Promise<readonly Found[]> {
	const bySheet = groupBy(await rows.all('sheets'), ({ ledger }) => ledger);
	const ledgers = [...bySheet.keys()];
	const links = await rows.getMany('links', ledgers);
	const sayings = groupBy(await rows.findAny('sayings', 'ledger', ledgers), (row) => row.ledger);
	return ledgers.flatMap((ledger, place) => {
		const of = {
			sheets: bySheet.get(ledger) ?? [],
			sayings: sayings.get(ledger) ?? [],
			link: links[place]
		};
		return openSheets(of, day.nowMs).flatMap(({ row, open }): readonly Found[] => {
			if (open.length > CODES_FEW) return [];
			const [wall, , id] = row.stamp;
			const left = open.length;
			return [{ id: `codes/${id}`, at: wall, ledger, kind: 'codesRunningOut', left } as Found];
		});
	});
}

/** Another device of this business began to write. */
async function deviceNotices(
	rows: StoreReader,
	{ identity }: NoticeParts
): Promise<readonly Found[]> {
	return (await rows.all('devices')).flatMap(({ code, stamps, heirOf }): readonly Found[] => {
		const at = stamps['key']?.[0];
		if (at === undefined) return [];
		const of = { id: `device/${code}`, at, device: code };
		if (heirOf !== undefined) return [{ ...of, kind: 'tookOver', from: heirOf } as Found];
		return code === identity.code ? [] : [{ ...of, kind: 'newDevice' }];
	});
}

/** One notice a customer and day: what falls due today, or fell due, and promises that were not kept. */
function dueNotices({ index, day }: NoticeParts): readonly Found[] {
	const { currency, exponent } = day.settings.money;
	return index.persons().flatMap((tally): readonly Found[] => {
		const sums = tally.sums.find((of) => of.currency === currency && of.exponent === exponent);
		if (sums === undefined || !tally.isActive) return [];
		return [...dueNotice(tally.ledger, sums, day), ...promiseNotice(tally.ledger, sums, day)];
	});
}

type Sums = TallyRow['sums'][number];

function dueNotice(ledger: LedgerId, sums: Sums, day: LedgerDay): readonly Found[] {
	const pressing = sums.open.filter(([dueMs, , hasDue]) => hasDue === 1 && dueMs < day.endMs);
	const [oldest] = pressing;
	if (oldest === undefined) return [];
	const { currency, exponent } = sums;
	const [dueMs] = oldest;
	const late = daysLate(dueMs, day);
	const kind = late > 0 ? 'overdue' : 'dueToday';
	const minor = pressing.reduce((sum, [, rest]) => sum + rest, 0n);
	// Overdue from the day after.
	const at = late > 0 ? dueMs + DAY_MS : day.startMs;
	const of = { id: `${kind}/${ledger}/${String(dueMs)}`, at, ledger, kind };
	return [{ ...of, minor, daysLate: late, currency, exponent } as Found];
}

function promiseNotice(ledger: LedgerId, sums: Sums, day: LedgerDay): readonly Found[] {
	const { promise, currency, exponent } = sums;
	if (promise === undefined || promise[0] >= dayNumber(day.today)) return [];
	const [number, minor] = promise;
	const promised = dayFromNumber(number);
	const at = dueMsOf(promised, day.settings.zone) + DAY_MS;
	const of = { id: `promise/${ledger}/${promised}`, at, ledger, kind: 'promiseBroken' };
	return [{ ...of, minor, day: promised, currency, exponent } as Found];
}

const DAY_MS = 86_400_000;
