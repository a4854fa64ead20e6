import { present } from '#domain/assert.ts';
import { dayNumber } from '#domain/calendar.ts';

export const AGES = ['notYetDue', 'upTo30', 'upTo60', 'upTo90', 'over90'] as const;
/** Days past the due date: none, 1–30, 31–60, 61–90, more. */
export type Age = (typeof AGES)[number];

export interface AgeingDue {
	/** The day it falls due; one without a due date ages from its own business day. */
	readonly dueDay: string;
	/** Minor units. */
	readonly restMinor: bigint;
}

const DAYS_A_BUCKET = 30;

/** How old what is open was on `day`. Due on the day itself is not yet past it. */
export function ageOn(dueDay: string, day: string): Age {
	const daysPast = dayNumber(day) - dayNumber(dueDay);
	const bucket = Math.ceil(Math.max(0, daysPast) / DAYS_A_BUCKET);
	return present(AGES[Math.min(bucket, AGES.length - 1)], 'a name for each bucket');
}

/** The open rests by age, minor units; they sum to what is open. */
export function ageing(dues: Iterable<AgeingDue>, day: string): Readonly<Record<Age, bigint>> {
	const sums = { notYetDue: 0n, upTo30: 0n, upTo60: 0n, upTo90: 0n, over90: 0n };
	for (const { dueDay, restMinor } of dues) sums[ageOn(dueDay, day)] += restMinor;
	return sums;
}
