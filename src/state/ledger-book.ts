import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { STATEMENT_RECORDS_MAX } from '#domain/confirmation/limits.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { groupBy } from '#domain/group-by.ts';
import type { BusinessId } from '#domain/ids.ts';
import { mayBeTwice, TWICE_WITHIN_MS, type WrittenRecord } from '#domain/ledger/twice.ts';
import { codeKey } from '#domain/text.ts';
import {
	only,
	type DeviceStore,
	type RecordRow,
	type StoreReader,
	type TableName,
	type TallyRow
} from '#storage/device-store.ts';
import { leftOfTries } from './code-tries.ts';
import { createCustomerIndex, moneyOf, type CustomerIndex } from './customer-index.ts';
import { readDashboard } from './dashboard.ts';
import type { Identity } from './identity.ts';
import { readLedgerDay, type LedgerDay } from './ledger-day.ts';
import { PAGE_TABLES, readPage, readPageCards, type PageCards } from './ledger-page.ts';
import { readStatement } from './ledger-statement.ts';
import type {
	LedgerBook,
	SlipView,
	TwiceQuestion,
	TwiceView,
	WaitingView
} from './ledger-views.ts';
import { askViewOf, NOTICE_TABLES, readNotices } from './notices.ts';
import { linkViewOf, openSheets, sheetView } from './open-sheets.ts';

export type * from './ledger-views.ts';
export type { RecordRow } from '#storage/device-store.ts';

export interface LedgerBookParts {
	readonly store: DeviceStore;
	readonly identity: () => Identity;
	/** This device's own clock, ms. */
	readonly clock: () => number;
}

const INDEX_TABLES: readonly TableName[] = ['meta', 'settings', 'tallies'];

/** Asks the store with the day that it is asked on, and the list as it stands. */
type Ask = <T>(
	tables: readonly TableName[],
	question: (rows: StoreReader, day: LedgerDay) => Promise<T>
) => Promise<T>;

interface Asking extends Pick<LedgerBookParts, 'identity'> {
	readonly ask: Ask;
	readonly index: CustomerIndex;
}

export function createLedgerBook({ store, identity, clock }: LedgerBookParts): LedgerBook {
	const index = createCustomerIndex();
	const ask: Ask = (tables, question) =>
		store.read([...new Set([...INDEX_TABLES, ...tables])], async (rows) => {
			await index.refresh(rows);
			return question(rows, await readLedgerDay(rows, clock()));
		});
	const asking = { ask, index, identity };
	return { ...pageQuestions(asking), ...counterQuestions(asking), ...shopQuestions(asking) };
}

/** Questions of one customer's page. */
function pageQuestions({
	ask,
	identity
}: Asking): Pick<LedgerBook, 'page' | 'statement' | 'waiting' | 'twice'> {
	const business = (): BusinessId => identity().business;
	return {
		page: (ledger, limit) =>
			ask(PAGE_TABLES, (rows, day) => readPage(rows, ledger, { business: business(), day, limit })),
		statement: (ledger, period) =>
			ask(PAGE_TABLES, (rows, day) =>
				readStatement(rows, ledger, { business: business(), day, period })
			),
		waiting: (ledger) =>
			ask(PAGE_TABLES, async (rows, day) =>
				waitingOf(await readPageCards(rows, ledger, { business: business(), day }))
			),
		twice: (ledger, of) =>
			ask(PAGE_TABLES, async (rows, day) => {
				const page = await readPageCards(rows, ledger, { business: business(), day });
				return twiceOf(page, of, identity().code);
			})
	};
}

/** Questions of the sheet on the counter. */
function counterQuestions({
	ask
}: Asking): Pick<LedgerBook, 'sheets' | 'link' | 'statementOf' | 'triesLeft'> {
	return {
		sheets: (ledger) =>
			ask(['sheets', 'sayings', 'links'], async (rows, day) => {
				const sheets = await rows.find('sheets', only('ledger', ledger));
				const sayings = await rows.find('sayings', only('ledger', ledger));
				const link = await rows.get('links', ledger);
				return openSheets({ sheets, sayings, link }, day.nowMs).map(sheetView);
			}),
		link: (ledger) =>
			ask(['links'], async (rows) => {
				const link = await rows.get('links', ledger);
				return link === undefined || link.history.length === 0 ? undefined : linkViewOf(link);
			}),
		statementOf: (fact) =>
			ask(['records'], async (rows) => {
				const records = await rows.find('records', only('factId', fact));
				return records.find(({ kind }) => kind === 'statement')?.h;
			}),
		triesLeft: (ledger, hs) =>
			ask(['tries'], async (rows, day) =>
				leftOfTries(await rows.get('tries', ledger), hs, day.today)
			)
	};
}

/** Questions over all customers. */
function shopQuestions({
	ask,
	index,
	identity
}: Asking): Pick<
	LedgerBook,
	'customers' | 'dashboard' | 'slips' | 'notices' | 'asks' | 'duplicates'
> {
	return {
		customers: (query) => ask([], (_rows, day) => Promise.resolve(index.answer(query, day))),
		dashboard: () =>
			ask(['records', 'entries', 'ends'], (rows, day) => readDashboard(rows, index, day)),
		slips: () => ask(['entries', 'ends'], readSlips),
		notices: () =>
			ask(NOTICE_TABLES, (rows, day) => readNotices(rows, { index, day, identity: identity() })),
		asks: () =>
			ask(['asks'], async (rows) =>
				(await rows.all('asks')).map(askViewOf).toSorted((a, b) => b.at - a.at)
			),
		duplicates: (ledger) =>
			ask([], () => Promise.resolve(likeOf(index.personOf(ledger), index.persons())))
	};
}

/** What waits for the customer, by card and currency, the oldest first. */
function waitingOf(page: PageCards | undefined): readonly WaitingView[] {
	const waiting = (page?.records ?? [])
		.filter(({ isAskable }) => isAskable)
		.toSorted((a, b) => a.at - b.at || (a.h < b.h ? -1 : 1));
	return [...groupBy(waiting, (row) => `${row.ledger} ${currencyKey(row)}`).values()].flatMap(
		(of): readonly WaitingView[] => {
			const asked = of.slice(0, STATEMENT_RECORDS_MAX);
			const [first] = asked;
			if (first === undefined) return [];
			return [
				{
					ledger: first.ledger,
					currency: first.currency,
					exponent: first.exponent,
					hs: asked.map(({ h }): RecordHash => h),
					count: asked.length,
					sumMinor: asked.reduce((sum, { effectMinor }) => sum + effectMinor, 0n),
					oldestAt: first.at
				}
			];
		}
	);
}

async function readSlips(rows: StoreReader): Promise<readonly SlipView[]> {
	const entries = await rows.findAny('entries', 'ledger', ['']);
	const ends = await rows.getMany(
		'ends',
		entries.map(({ id }) => id)
	);
	return entries
		.flatMap(({ id, row, wall, by }, place): readonly SlipView[] => {
			if (row[0] !== 'slip' || ends[place] !== undefined) return [];
			const [, side, minor, currency, exponent, note] = row;
			return [{ id, side, minor, currency, exponent, note, at: wall, by }];
		})
		.toSorted((a, b) => b.at - a.at);
}

/** E10: the same customer, side and amount within ten minutes, written on another device. */
function twiceOf(
	page: PageCards | undefined,
	{ minor, side, currency }: TwiceQuestion,
	device: string
): TwiceView | undefined {
	if (page === undefined) return undefined;
	const { day, records } = page;
	const money = moneyOf(currency, day);
	const written: WrittenRecord = {
		kind: side === 'took' ? 'due' : 'payment',
		amount: minor,
		...money,
		occurredAt: day.nowMs,
		device
	};
	const found = records.find(
		(record) =>
			record.leftMinor + (record.receipt === undefined ? 0 : 1) > 0 &&
			record.writtenAt >= day.nowMs - TWICE_WITHIN_MS &&
			mayBeTwice(written, { ...record, occurredAt: record.at })
	);
	if (found === undefined) return undefined;
	const { by, device: other, at } = found;
	const record: RecordRow = recordOf(found);
	return {
		record,
		by,
		device: other,
		minutesAgo: Math.max(0, Math.floor((day.nowMs - at) / 60_000))
	};
}

function recordOf({ isLate, ...found }: PageCards['records'][number]): RecordRow {
	return isLate ? { ...found, isLate: true } : found;
}

/** Cards that look like one person's: the same phone, or the same name and nickname. */
function likeOf(of: TallyRow | undefined, all: readonly TallyRow[]): readonly TallyRow[] {
	if (of === undefined) return [];
	const digits = digitsOf(of.phone);
	const name = codeKey(`${of.name} ${of.nick}`);
	return all.filter((other) => {
		if (other.ledger === of.ledger) return false;
		if (digits.length >= PHONE_DIGITS_MIN && digitsOf(other.phone) === digits) return true;
		return name !== '' && codeKey(`${other.name} ${other.nick}`) === name;
	});
}

const PHONE_DIGITS_MIN = 6;

/** The last nine: a number written with and without its country is the same. */
function digitsOf(phone: string): string {
	return codeKey(phone).replace(/\D/g, '').slice(-9);
}
