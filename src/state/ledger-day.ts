import { businessDayOf, dayFromNumber, dayNumber } from '#domain/calendar.ts';
import { AGES, ageOn } from '#domain/ledger/ageing.ts';
import { dueMsOf } from '#domain/ledger/due-date.ts';
import type { OpenRest, StoreReader } from '#storage/device-store.ts';
import type { Ageing } from './ledger-views.ts';
import { readMeta } from './meta.ts';
import { shopSettings, type ShopSettings } from './shop-settings.ts';

/** The day on which the ledger is looked at. */
export interface LedgerDay {
	/** By the corrected clock. */
	readonly nowMs: number;
	readonly today: string;
	/** The first instant of today, ms: what fell due before it is overdue. */
	readonly startMs: number;
	/** The first instant of tomorrow. */
	readonly endMs: number;
	readonly settings: ShopSettings;
	/** When the relay was last heard, ms; 0 for never. */
	readonly contactAt: number;
}

/** Needs `meta` and `settings`. */
export async function readLedgerDay(rows: StoreReader, clockMs: number): Promise<LedgerDay> {
	const settings = shopSettings(await rows.all('settings'));
	const nowMs = clockMs + ((await readMeta(rows, 'offset')) ?? 0);
	const contactAt = (await readMeta(rows, 'contactAt')) ?? 0;
	const today = businessDayOf(nowMs, settings.zone, settings.cutoff);
	return {
		nowMs,
		today,
		startMs: startOfDay(today, settings.zone),
		endMs: startOfDay(dayFromNumber(dayNumber(today) + 1), settings.zone),
		settings,
		contactAt
	};
}

/** The first minute of `day` in the zone, ms. */
export function startOfDay(day: string, zone: string): number {
	let end = dueMsOf(day, zone);
	let before = end - LONGEST_MS;
	while (end - before > MINUTE_MS) {
		const middle = before + Math.floor((end - before) / 2 / MINUTE_MS) * MINUTE_MS;
		if (businessDayOf(middle, zone, 0) < day) before = middle;
		else end = middle;
	}
	return Math.floor(end / MINUTE_MS) * MINUTE_MS;
}

/** Whole days past the due instant's day; 0 where it is not past. */
export function daysLate(dueMs: number, { startMs }: Pick<LedgerDay, 'startMs'>): number {
	return dueMs >= startMs ? 0 : Math.floor((startMs - 1 - dueMs) / DAY_MS) + 1;
}

/** Rests by how long they are past their day. */
export function ageingOf(open: readonly OpenRest[], day: LedgerDay): Ageing {
	const sums = { notYetDue: 0n, upTo30: 0n, upTo60: 0n, upTo90: 0n, over90: 0n };
	const today = dayNumber(day.today);
	for (const [dueMs, restMinor] of open) {
		const dueDay = dayFromNumber(today - daysLate(dueMs, day));
		sums[ageOn(dueDay, day.today)] += restMinor;
	}
	return sums;
}

export function addAgeing(a: Ageing, b: Ageing): Ageing {
	const sums = { ...a };
	for (const age of AGES) sums[age] += b[age];
	return sums;
}

/** Rests of dues whose day is over. */
export function overdueMinor(open: readonly OpenRest[], { startMs }: LedgerDay): bigint {
	return open.reduce(
		(sum, [dueMs, rest, hasDue]) => (hasDue === 1 && dueMs < startMs ? sum + rest : sum),
		0n
	);
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** From the latest noon back over the longest day that a change of the clock makes. */
const LONGEST_MS = 26 * 60 * MINUTE_MS;
