import type { CompactionLimits } from '#server/relay/compaction.ts';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import type { Chance } from './chance.ts';

/** What a seed is about. */
export interface Plan {
	readonly startMs: number;
	readonly shops: readonly {
		readonly name: string;
		readonly branches: number;
		readonly devices: number;
	}[];
	/** How long people trade while things break, ms. */
	readonly tradeMs: number;
	/** Acts of a device in that time, about. */
	readonly acts: number;
	/** When the relay's database is backed up, and put back, ms after the start. */
	readonly restore: { readonly backupMs: number; readonly backMs: number } | undefined;
	/** When a profile is copied, a backup of a phone put back, ms. */
	readonly cloneMs: number | undefined;
	/** When a device's access is ended, ms. */
	readonly removeMs: number | undefined;
	/** Whether the last device of the first shop means the others no good. */
	readonly isHostile: boolean;
	/** The other relay on the same database; undefined where one is alone. */
	readonly second: SecondRelay | undefined;
	/** How documents are put together while people trade; undefined where it is done as ever. */
	readonly compaction: CompactionPlan | undefined;
	/** Whether devices let sales go, as after years; but over midnight the next day's are none that are old. */
	readonly isPruned: boolean;
	/** How many customers have a phone. */
	readonly patrons: number;
	/** When they begin to connect, ms: for some just after a backup, so that its restore forgets them. */
	readonly connectMs: number;
	/** How far a machine's clock is off. */
	readonly clockOff: (chance: Chance) => number;
	/** How far the clock of a machine is ahead that is on no network until later; undefined for most. */
	readonly alone: (
		chance: Chance
	) => { readonly aheadMs: number; readonly untilMs: number } | undefined;
	/** How many tabs a machine has open. */
	readonly tabsOf: (chance: Chance) => number;
}

/** How two relays of a seed are joined, and how the second differs from the first. */
export interface SecondRelay {
	/** Whether the bus between them loses, delays and doubles what it carries. */
	readonly isBusBad: boolean;
	/** How far its clock is from the first one's, ms. */
	readonly clockOffMs: number;
	/** So many times rarer than by the product's own timers both look for what nobody told them. */
	readonly looksApart: number;
	/** Whether it runs on while the database is put back, and has to find that out by itself. */
	readonly isLeftRunning: boolean;
}

/** Compaction as it comes to documents of a thousand updates, at the size of a seed. */
export interface CompactionPlan {
	readonly limits: CompactionLimits;
	/** A relay is at it again after so long at the most, ms. */
	readonly apartMs: number;
}

/** What only some seeds have, drawn apart from all else. */
export type SeedPart = 'relays' | 'compaction' | 'pruning';

const START = Date.UTC(2026, 10, 20, 10);
const DAY_MS = 86_400_000;

export interface PlanOptions {
	/** What is left out of every seed. */
	readonly without?: readonly ('restore' | 'clone' | 'remove' | 'tabs')[];
	/** What every seed has, that else only some have. */
	readonly always?: readonly SeedPart[];
}

export function planOf(chance: Chance, { without = [], always = [] }: PlanOptions = {}): Plan {
	const first = { name: 'quince', branches: chance.between(1, 2), devices: chance.between(2, 5) };
	const other = { name: 'walnut', branches: 1, devices: 1 };
	const shops = chance.percent(25) ? [first, other] : [first];
	const tradeMs = chance.between(10, 30) * 1_000;
	const isNearMidnight = chance.percent(15);
	const acts = chance.between(5, 14);
	const backupMs = chance.below(tradeMs);
	const backMs = chance.between(backupMs, tradeMs);
	const cloneMs = chance.below(tradeMs);
	const removeMs = chance.below(tradeMs);
	const isHostile = chance.percent(20);
	const patrons = chance.percent(50) ? chance.between(1, 2) : 0;
	const happens = (what: 'restore' | 'clone' | 'remove', percent: number): boolean =>
		chance.percent(percent) && !without.includes(what);
	const isRestored = happens('restore', 20);
	const isCloned = happens('clone', 20);
	const isRemoved = happens('remove', 14);
	return {
		startMs: isNearMidnight ? Date.UTC(2026, 10, 20, 23, 59, chance.below(60)) : START,
		shops,
		tradeMs,
		acts,
		restore: isRestored ? { backupMs, backMs } : undefined,
		cloneMs: isCloned ? cloneMs : undefined,
		second: secondOf(chance.apart('second relay'), always.includes('relays')),
		compaction: compactionOf(chance.apart('compaction'), always.includes('compaction')),
		isPruned: !isNearMidnight && prunes(chance.apart('pruning'), always.includes('pruning')),
		patrons,
		connectMs: isRestored && chance.apart('connections').percent(50) ? backupMs + 1 : 0,
		isHostile,
		removeMs: isRemoved ? removeMs : undefined,
		clockOff: (dice) =>
			dice.percent(25) ? dice.between(-3, 3) * DAY_MS : dice.between(-4_000, 4_000),
		alone: (dice) =>
			dice.percent(20)
				? {
						aheadMs: dice.between(6 * 60_000, 3 * DAY_MS),
						untilMs: dice.between(Math.floor(tradeMs / 4), tradeMs)
					}
				: undefined,
		tabsOf: (dice) => (!without.includes('tabs') && dice.percent(20) ? 2 : 1)
	};
}

function prunes(dice: Chance, isCertain: boolean): boolean {
	return dice.percent(25) || isCertain;
}

function secondOf(dice: Chance, isCertain: boolean): SecondRelay | undefined {
	const isThere = dice.percent(20);
	if (!isThere && !isCertain) return undefined;
	return {
		isBusBad: dice.percent(70),
		clockOffMs: dice.percent(50) ? dice.between(-1_500, 1_500) : 0,
		looksApart: dice.pick([1, 2, 6]),
		isLeftRunning: dice.percent(50)
	};
}

function compactionOf(dice: Chance, isCertain: boolean): CompactionPlan | undefined {
	const isThere = dice.percent(20);
	if (!isThere && !isCertain) return undefined;
	return {
		limits: {
			longUpdates: dice.between(1, 6),
			updatesAtOnce: dice.between(2, 12),
			pieceBytes: dice.pick([400, 1_500, 6_000, PIECE_BYTES_MAX])
		},
		apartMs: dice.between(200, 5_000)
	};
}
