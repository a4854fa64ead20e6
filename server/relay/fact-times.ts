import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { businessDayOf, dayNumber, isZone } from '#domain/calendar.ts';
import { clockedTime, inTime, type ClockedTime, type ClockFact } from '#domain/fact/clock-fact.ts';
import type { Signer } from '#domain/crypto.ts';
import type { SettingFields } from '#domain/fact/fact.ts';
import { isRelayCode, type BusinessId } from '#domain/ids.ts';
import { compareFactOrder, STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';
import type { Random } from '#server/auth/random.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { clocksIn, keepClocks, nameOf, readTimes } from '#server/projections/clocks.ts';
import type { FactToProject } from '#server/projections/effected.ts';
import { moveInTime } from '#server/projections/move-in-time.ts';
import { writeRelayFacts } from './relay-facts.ts';

/** The latest stamp by which a device's fact of a scope counts, ms. */
export type Tops = ReadonlyMap<ScopeId, number>;

export interface TimesParts {
	/** The relay's clock, ms. */
	readonly now: number;
	readonly epoch: number | undefined;
	/** Whether a clock fact may be here, or come, without its fact. */
	readonly isRestored: boolean;
	readonly random: Random | undefined;
	readonly relayKey: Signer | undefined;
	/** Of what was there before. */
	readonly tops: Tops;
}

/** Facts as the projections take them, and what came of it. */
export interface Timed {
	readonly facts: readonly FactToProject[];
	readonly tops: Tops;
	/** The scopes of which clock facts were written, behind all else in their feeds. */
	readonly clocked: ReadonlySet<ScopeId>;
}

/** Whether these are facts that simply count when they say so, as nearly all are. */
export function areInTime(
	facts: readonly FactToProject[],
	{ now, isRestored }: Pick<TimesParts, 'now' | 'isRestored'>
): boolean {
	if (facts.length === 0) return true;
	return !isRestored && facts.every((of) => of.fact.kind !== 'clock' && !isAhead(of, now));
}

function isAhead({ fact }: FactToProject, now: number): boolean {
	return fact.at.wall > now + STAMP_AHEAD_MAX_MS && !isRelayCode(fact.code);
}

/**
 * RELAY-75. The facts of a batch, which stand in their feeds already, when they count. What is
 * stamped further ahead of the relay than anybody follows gets a clock fact; one that was carried
 * here, with it or before it, stands for that. What it says of facts from before is done to them.
 */
export async function timeFacts(
	sql: Sql,
	facts: readonly FactToProject[],
	parts: TimesParts
): Promise<Timed> {
	const rulings = await keepClocks(sql, clocksIn(facts));
	const times = new Map(
		await readTimes(
			sql,
			facts.map(({ business, fact: { id } }) => ({ business, id }))
		)
	);
	const lacking = facts.filter(
		(of) => isAhead(of, parts.now) && !times.has(nameOf(of.business, of.fact.id))
	);
	const behind = facts.filter((of) => !lacking.includes(of));
	const tops = topsOf(inTheirTime(behind, times), parts.tops);
	for (const [business, clocks] of await writeAll(sql, lacking, { ...parts, tops, facts }))
		for (const clock of clocks) times.set(nameOf(business, clock.factId), clockedTime(clock));
	// Those of this batch are not folded yet.
	const here = new Set(facts.map(({ business, fact }) => nameOf(business, fact.id)));
	await moveInTime(
		sql,
		rulings.filter(({ business, id }) => !here.has(nameOf(business, id)))
	);
	const timed = inTheirTime(facts, times);
	const clocked = new Set<ScopeId>(lacking.map(({ business }) => business));
	return { facts: timed, tops: topsOf(timed, parts.tops), clocked };
}

function inTheirTime(
	facts: readonly FactToProject[],
	times: ReadonlyMap<string, ClockedTime>
): readonly FactToProject[] {
	return facts.map((of) => {
		const time = times.get(nameOf(of.business, of.fact.id));
		return { ...of, fact: inTime(of.fact, time) };
	});
}

export function topsOf(facts: readonly FactToProject[], before: Tops): Tops {
	const tops = new Map(before);
	for (const { business, fact } of facts) {
		if (isRelayCode(fact.code)) continue;
		tops.set(business, Math.max(tops.get(business) ?? 0, fact.at.wall));
	}
	return tops;
}

interface WritingParts extends TimesParts {
	/** All of the batch. */
	readonly facts: readonly FactToProject[];
}

async function writeAll(
	sql: Sql,
	lacking: readonly FactToProject[],
	parts: WritingParts
): Promise<ReadonlyMap<BusinessId, readonly ClockFact[]>> {
	const written = new Map<BusinessId, readonly ClockFact[]>();
	for (const [business, ofBusiness] of Map.groupBy(lacking, (of) => of.business)) {
		const clocks = await writeClocks(sql, ofBusiness, { ...parts, business });
		await keepClocks(
			sql,
			clocks.map((fact) => ({ business, fact }))
		);
		written.set(business, clocks);
	}
	return written;
}

/**
 * The relay's now, behind everything that counts already: what a fact wins over by its stamp it wins
 * over by its clock's too, so that nobody who folded it has to look for what it stood before.
 */
async function writeClocks(
	sql: Sql,
	facts: readonly FactToProject[],
	{ business, ...parts }: WritingParts & { readonly business: BusinessId }
): Promise<readonly ClockFact[]> {
	const { now, tops, epoch, random, relayKey } = parts;
	assert(
		epoch !== undefined && relayKey !== undefined,
		'who writes the relay’s facts knows its epoch and has its key'
	);
	const wall = Math.max(now, Math.min((tops.get(business) ?? 0) + 1, now + STAMP_AHEAD_MAX_MS));
	const today = businessDay(now, await readSettings(sql, business, parts.facts));
	const inOrder = facts.toSorted((a, b) => compareFactOrder(orderOf(a), orderOf(b)));
	const written = await writeRelayFacts(
		sql,
		{ clock: () => now, epoch, relayKey, ...(random !== undefined && { random }) },
		{
			scope: business,
			drafts: inOrder.map(({ fact, branch }, counter) => {
				// A day that is past is the day that was meant: something entered later, or a clock mended since.
				const day = dayNumber(fact.on < today ? fact.on : today);
				return { kind: 'clock', factId: fact.id, wall, counter, day, branch };
			})
		}
	);
	return written.filter((fact) => fact.kind === 'clock');
}

function orderOf({ fact }: FactToProject): Parameters<typeof compareFactOrder>[0] {
	return { ...fact.at, id: fact.id };
}

/** As the relay knows them, with what comes in the same batch: the first upload of a shop brings both. */
async function readSettings(
	sql: Sql,
	business: BusinessId,
	facts: readonly FactToProject[]
): Promise<SettingFields> {
	const [held] = await sql<{ fields: SettingFields }[]>`
		select fields from setting where business = ${business}`;
	return facts
		.filter((of) => of.business === business)
		.toSorted((a, b) => compareFactOrder(orderOf(a), orderOf(b)))
		.reduce<SettingFields>(
			(fields, { fact }) => (fact.kind === 'setting' ? { ...fields, ...fact.fields } : fields),
			held?.fields ?? {}
		);
}

function businessDay(now: number, { zone = 'UTC', cutoff = 0 }: SettingFields): string {
	return businessDayOf(now, isZone(zone) ? zone : 'UTC', cutoff);
}
