import type { Sql } from 'postgres';
import { isPhoneCode } from '#domain/ids.ts';
import {
	CARRIED_DAY_FACTS_MAX,
	DEVICE_DAY_FACTS_MAX,
	PHONE_CARRIED_DAY_FACTS_MAX,
	PHONE_DAY_FACTS_MAX,
	RECORD_ANSWERS_MAX
} from '#sync/limits.ts';
import { deviceKey, type Device, type NewFact, type Submission } from './submission.ts';

/** How many items of documents a day may bring, by who brings them. */
export interface DayLimits {
	readonly device: number;
	readonly phone: number;
	/** Of others, told to a restored relay. */
	readonly carried: number;
	readonly phoneCarried: number;
}

export const DAY_LIMITS: DayLimits = {
	device: DEVICE_DAY_FACTS_MAX,
	phone: PHONE_DAY_FACTS_MAX,
	carried: CARRIED_DAY_FACTS_MAX,
	phoneCarried: PHONE_CARRIED_DAY_FACTS_MAX
};

/** What an update adds to a document. */
export interface Bringing {
	/** Those that the database does not have. */
	readonly facts: readonly NewFact[];
	/** All that is stored, twins of known facts too, by `itemsOf`. */
	readonly items: number;
	/** Of others, told to a restored relay. */
	readonly isCarried: boolean;
}

/** RELAY-51. What a text counts for: who tells long ones fills no more than who tells many. */
export function itemsOf(text: string | undefined, isCarried: boolean): number {
	const { length } = text ?? '';
	return 1 + Math.floor(length / (isCarried ? CARRIED_ITEM_LENGTH : OWN_ITEM_LENGTH));
}

const CARRIED_ITEM_LENGTH = 1_024;
/** Longer than nearly every sale. */
const OWN_ITEM_LENGTH = 4_096;

/** RELAY-51. What devices may still bring today, under the locks of a batch. */
export interface Allowance {
	/** Those of the new facts that there is no room left for; `'all'` where there is none for the update. */
	readonly beyond: (bearer: Device, bringing: Bringing) => readonly NewFact[] | 'all';
	/** Counts what comes in. */
	readonly take: (bearer: Device, bringing: Bringing) => void;
	/** Writes down what was counted. */
	readonly keep: (tx: Sql) => Promise<void>;
}

export interface AllowanceParts {
	/** The relay's clock, ms. */
	readonly now: number;
	readonly limits: DayLimits;
}

interface Today {
	readonly device: Device;
	own: number;
	carried: number;
	isMoved: boolean;
}

interface Answers {
	readonly scope: string;
	readonly h: string;
	count: number;
	isMoved: boolean;
}

/** Reads what the devices of a batch brought today and which records they answered; locks nothing. */
export async function readAllowance(
	tx: Sql,
	bearers: readonly Device[],
	{ batch, now, limits }: AllowanceParts & { readonly batch: readonly Submission[] }
): Promise<Allowance> {
	const [days, answers] = await Promise.all([
		readDays(tx, bearers, dayOf(now)),
		readAnswers(tx, batch, dayOf(now))
	]);
	return createAllowance({ days, answers, limits, day: dayOf(now) });
}

interface Read {
	readonly days: ReadonlyMap<string, Today>;
	readonly answers: ReadonlyMap<string, Answers>;
	readonly limits: DayLimits;
	readonly day: number;
}

function createAllowance({ days, answers, limits, day }: Read): Allowance {
	const todays = new Map(days);
	const todayOf = (device: Device): Today => {
		const key = deviceKey(device);
		const today = todays.get(key) ?? { device, own: 0, carried: 0, isMoved: false };
		todays.set(key, today);
		return today;
	};
	return {
		beyond: (bearer, { facts, items, isCarried }) => {
			const today = todayOf(bearer);
			const [ownMax, carriedMax] = isPhoneCode(bearer.code)
				? [limits.phone, limits.phoneCarried]
				: [limits.device, limits.carried];
			const isFull = isCarried ? today.carried + items > carriedMax : today.own + items > ownMax;
			return items > 0 && isFull ? 'all' : beyondAnswers(answers, facts);
		},
		take: (bearer, { facts, items, isCarried }) => {
			if (items === 0) return;
			const today = todayOf(bearer);
			today.isMoved = true;
			if (isCarried) today.carried += items;
			else today.own += items;
			for (const fact of facts) {
				const answered = answersTo(answers, fact);
				if (answered === undefined) continue;
				answered.count += 1;
				answered.isMoved = true;
			}
		},
		keep: async (tx) => {
			await Promise.all([
				keepDays(
					tx,
					Array.from(todays.values()).filter(({ isMoved }) => isMoved),
					day
				),
				keepAnswers(
					tx,
					Array.from(answers.values()).filter(({ isMoved }) => isMoved),
					day
				)
			]);
		}
	};
}

/** The answers that would be one too many to their record, also among themselves. */
function beyondAnswers(
	answers: ReadonlyMap<string, Answers>,
	facts: readonly NewFact[]
): readonly NewFact[] {
	const meanwhile = new Map<Answers, number>();
	return facts.filter((fact) => {
		const answered = answersTo(answers, fact);
		if (answered === undefined) return false;
		const count = meanwhile.get(answered) ?? answered.count;
		meanwhile.set(answered, count + 1);
		return count >= RECORD_ANSWERS_MAX;
	});
}

function answersTo(
	answers: ReadonlyMap<string, Answers>,
	{ device, fact }: NewFact
): Answers | undefined {
	return fact.kind === 'reply' ? answers.get(`${device.scope} ${fact.h}`) : undefined;
}

const DAY_MS = 86_400_000;

function dayOf(now: number): number {
	return Math.floor(now / DAY_MS);
}

async function readDays(
	tx: Sql,
	bearers: readonly Device[],
	day: number
): Promise<ReadonlyMap<string, Today>> {
	const rows = await tx<
		{ business: Device['scope']; code: string; own: number; carried: number }[]
	>`
		select business, code, own, carried from device_day
		where day = ${day} and (business, code) in (
			select * from unnest(
				${bearers.map(({ scope }) => scope)}::uuid[],
				${bearers.map(({ code }) => code)}::text[]
			)
		)`;
	return new Map(
		rows.map(({ business: scope, code, own, carried }) => {
			const device = { scope, code };
			return [deviceKey(device), { device, own, carried, isMoved: false }];
		})
	);
}

async function keepDays(tx: Sql, days: readonly Today[], day: number): Promise<void> {
	if (days.length === 0) return;
	await tx`
		insert into device_day (business, code, day, own, carried)
		select business, code, ${day}::int, own, carried from unnest(
			${days.map(({ device }) => device.scope)}::uuid[],
			${days.map(({ device }) => device.code)}::text[],
			${days.map(({ own }) => own)}::int[],
			${days.map(({ carried }) => carried)}::int[]
		) as given (business, code, own, carried)
		on conflict (business, code) do update
			set day = excluded.day, own = excluded.own, carried = excluded.carried`;
}

async function readAnswers(
	tx: Sql,
	batch: readonly Submission[],
	day: number
): Promise<ReadonlyMap<string, Answers>> {
	const answers = new Map<string, Answers>();
	for (const { caller, checks } of batch) {
		for (const check of checks.values()) {
			if (!check.ok || check.value.kind !== 'reply') continue;
			const { h } = check.value;
			const { scope } = caller;
			answers.set(`${scope} ${h}`, { scope, h, count: 0, isMoved: false });
		}
	}
	if (answers.size === 0) return answers;
	const asked = Array.from(answers.values());
	const rows = await tx<{ person: string; h: string; answers: number }[]>`
		select person, h, answers from record_answers
		where day = ${day} and (person, h) in (
			select * from unnest(
				${asked.map(({ scope }) => scope)}::uuid[],
				${asked.map(({ h }) => h)}::text[]
			)
		)`;
	for (const { person, h, answers: count } of rows) {
		answers.set(`${person} ${h}`, { scope: person, h, count, isMoved: false });
	}
	return answers;
}

async function keepAnswers(tx: Sql, answers: readonly Answers[], day: number): Promise<void> {
	if (answers.length === 0) return;
	await tx`
		insert into record_answers (person, h, day, answers)
		select person, h, ${day}::int, answers from unnest(
			${answers.map(({ scope }) => scope)}::uuid[],
			${answers.map(({ h }) => h)}::text[],
			${answers.map(({ count }) => count)}::int[]
		) as given (person, h, answers)
		on conflict (person, h) do update set day = excluded.day, answers = excluded.answers`;
}
