import { addDays, businessDayOf } from '#domain/calendar.ts';
import { groupBy } from '#domain/group-by.ts';
import { firstText } from '#domain/fact/issued-again.ts';
import type { BranchId } from '#domain/ids.ts';
import {
	only,
	TEXT_END,
	type FactRow,
	type NumberRange,
	type StoreReader,
	type StoreWriter
} from '#storage/device-store.ts';
import { UNKNOWN_REF } from './arrived-fact.ts';
import type { Identity } from './identity.ts';
import { readMeta, writeMeta, type AloneRange } from './meta.ts';
import { joined, withNumbers } from './number-ranges.ts';
import { shopSettings } from './shop-settings.ts';
import type { DeviceParts } from './write-path.ts';

/** A device keeps its shop's sales for so many days, and what they came to for ever. */
export const SALES_KEPT_DAYS = 400;
/** Facts let go in one transaction: a sale that is rung up meanwhile waits for no more. */
const PIECE = 100;

/** A breath between two days. */
const STEP_MS = 500;
const MINUTE_MS = 60_000;

/** What lets old sales go while a page of a shop is open. */
export interface Pruning {
	readonly device: { prune(): Promise<boolean> };
	/** Another tab leads, and does it. */
	readonly isReadOnly: boolean;
	today(): string;
	awaitless(work: Promise<unknown>): Promise<void>;
}

/**
 * Lets old sales go, a day at a time, while this tab leads and nobody waits; and again at each new
 * day: a till may stay open for weeks, and each day it opens has one more that is too old to keep.
 */
export async function pruneDaily(app: Pruning): Promise<void> {
	let [day, isPruning] = [app.today(), false];
	const prune = async (): Promise<void> => {
		if (isPruning) return;
		isPruning = true;
		try {
			while (!app.isReadOnly && (await app.device.prune()))
				await new Promise((resolve) => setTimeout(resolve, STEP_MS));
		} finally {
			isPruning = false;
		}
	};
	setInterval(() => {
		if (app.today() === day) return;
		day = app.today();
		void app.awaitless(prune());
	}, MINUTE_MS);
	await prune();
}

/**
 * Lets the sales and returns of one old day go, in small transactions: their day's totals, stock and
 * records stay, and they are not counted again should they come back. What is not sent stays, and what
 * the relay would not have, and all of it while a restored relay was not told yet what it forgot. False
 * where no day is left to look at. Of the last `keptDays` days nothing goes.
 */
export async function pruneDay(
	{ store, clock, changes }: Pick<DeviceParts, 'store' | 'clock' | 'changes'>,
	{ code }: Pick<Identity, 'code'>,
	keptDays = SALES_KEPT_DAYS
): Promise<boolean> {
	const day = await store.read(['meta', 'settings', 'days'], async (rows) => {
		if (await isToBeTold(rows)) return undefined;
		// A clock that jumps ahead takes no sale away: no day is old before the relay's was seen to be.
		const heardAt = (await readMeta(rows, 'contactAt')) ?? 0;
		const nowMs = Math.min(clock() + ((await readMeta(rows, 'offset')) ?? 0), heardAt);
		const { zone, cutoff } = shopSettings(await rows.all('settings'));
		return nextDay(rows, addDays(businessDayOf(nowMs, zone, cutoff), -keptDays));
	});
	if (day === undefined) return false;
	const sales = await store.read(['facts'], (rows) => salesOf(rows, day));
	let isOver = false;
	for (let start = 0; start < sales.length && !isOver; start += PIECE) {
		const piece = sales.slice(start, start + PIECE);
		isOver = await store.write(['meta', 'facts', 'journal'], async (rows) => {
			// Another tab may have heard of a restore since the day was looked at.
			if (await isToBeTold(rows)) return true;
			await letGo(rows, await notNeeded(rows, piece, code));
			return false;
		});
	}
	if (sales.length > 0) changes.tell(['facts']);
	if (isOver) return false;
	await store.write(['meta'], async (rows) => {
		const prunedTo = (await readMeta(rows, 'prunedTo')) ?? {};
		await writeMeta(rows, 'prunedTo', { ...prunedTo, [day.branch]: addDays(day.on, 1) });
	});
	return true;
}

/** What a restored relay forgot may be here alone. */
async function isToBeTold(rows: StoreReader): Promise<boolean> {
	return (await readMeta(rows, 'carry'))?.isDone === false;
}

interface OldDay {
	readonly branch: BranchId;
	readonly on: string;
}

/** The oldest day before `keptFrom` that was not looked through yet, of any branch. */
async function nextDay(rows: StoreReader, keptFrom: string): Promise<OldDay | undefined> {
	const prunedTo = (await readMeta(rows, 'prunedTo')) ?? {};
	let [next] = await rows.find('days', { from: ['', ''], to: [TEXT_END, ''], limit: 1 });
	while (next !== undefined) {
		const { branch } = next;
		const from = [branch, prunedTo[branch] ?? ''];
		const span = { from, to: [branch, addDays(keptFrom, -1)], limit: 1 };
		const [day] = await rows.find('days', span);
		if (day !== undefined) return { branch, on: day.on };
		const after = { from: [branch, TEXT_END], to: [TEXT_END, ''], limit: 1 };
		[next] = await rows.find('days', after);
	}
	return undefined;
}

/**
 * Sales and returns. What was kept uncounted is in no total yet; what was issued again is known by its
 * first name too, which numbers that were let go do not say.
 */
async function salesOf(rows: StoreReader, { branch, on }: OldDay): Promise<readonly FactRow[]> {
	const ofDay = await rows.find('facts', only('branch+on', [branch, on]));
	const sales = ofDay.filter(({ kind }) => kind === 'sale' || kind === 'return');
	return sales.filter(({ text, refs }) => !refs.includes(UNKNOWN_REF) && firstText(text) === text);
}

/** Of these facts those that somebody else has: not what is unsent, nor what the relay would not have. */
async function notNeeded(
	rows: StoreReader,
	sales: readonly FactRow[],
	code: string
): Promise<readonly FactRow[]> {
	const alone = (await readMeta(rows, 'alone')) ?? [];
	const own = await rows.getMany(
		'journal',
		sales.map(({ n }) => n)
	);
	return sales.filter((row, place) => {
		const isUnsent = row.code === code && own[place]?.sent === 0;
		return !isUnsent && !alone.some((range) => isAlone(row, range));
	});
}

/** CARRY-5. What another book has is not here. */
function isAlone({ code, n }: FactRow, range: AloneRange): boolean {
	return range.book === undefined && range.code === code && n >= range.from && n <= range.to;
}

async function letGo(rows: StoreWriter, gone: readonly FactRow[]): Promise<void> {
	await rows.remove(
		'facts',
		gone.map(({ id }) => id)
	);
	const pruned: Record<string, readonly NumberRange[]> = {
		...(await readMeta(rows, 'pruned'))
	};
	for (const [code, ofCode] of groupBy(gone, (row) => row.code)) {
		const numbers = ofCode.map(({ n }) => n);
		pruned[code] = await closed(rows, code, withNumbers(pruned[code] ?? [], numbers));
	}
	await writeMeta(rows, 'pruned', pruned);
}

/** Ranges between which every fact is held and counted are one. */
async function closed(
	rows: StoreReader,
	code: string,
	ranges: readonly NumberRange[]
): Promise<readonly NumberRange[]> {
	const bridges: NumberRange[] = [];
	for (const [place, [from]] of ranges.entries()) {
		const before = ranges[place - 1];
		if (before === undefined) continue;
		const gap: NumberRange = [before[1] + 1, from - 1];
		if (await isCounted(rows, code, gap)) bridges.push(gap);
	}
	return joined([...ranges, ...bridges]);
}

/** What is kept uncounted is to be counted one day. */
async function isCounted(
	rows: StoreReader,
	code: string,
	[from, to]: NumberRange
): Promise<boolean> {
	const span = { index: 'code+n', from: [code, from], to: [code, to] };
	if ((await rows.countIn('facts', span)) !== to - from + 1) return false;
	const held = await rows.find('facts', span);
	return held.every(({ refs }) => !refs.includes(UNKNOWN_REF));
}
