import type { Chance } from './chance.ts';
import type { Act } from './trade-rules.ts';

/** What happens at one moment of the replay, ms UTC of the shop's time. */
export type Step =
	/** All devices on the network and caught up; the day's new codes and customers are written. */
	| { readonly kind: 'morning'; readonly atMs: number; readonly acts: readonly PlannedAct[] }
	| { readonly kind: 'leave'; readonly atMs: number; readonly device: number }
	| { readonly kind: 'join'; readonly atMs: number; readonly device: number }
	| ({ readonly kind: 'act' } & PlannedAct);

export interface PlannedAct {
	readonly atMs: number;
	/** Which device does it, from 0. */
	readonly device: number;
	readonly act: Act;
}

export interface ScheduleOptions {
	readonly devices: number;
	/** The part of each trading day that a device is off the network, 0 to 1. */
	readonly offline: number;
	readonly chance: Chance;
}

const DAY_MS = 86_400_000;
/** The shutters go up before the first customer. */
const MORNING_MS = 30 * 60_000;

/**
 * Who does what, and who is off the network when, in the order of time. Each act falls to one
 * device by chance. Each trading day every device is off the network once, for the given part of
 * the time from the day's first act to its last; where that lasts until closing, it comes back
 * only in the morning of the next trading day.
 */
export function planTrade(acts: readonly Act[], options: ScheduleOptions): readonly Step[] {
	const planned = acts.map((act, index): PlannedAct => {
		const device = options.chance(`act ${String(index)}`, options.devices);
		return { atMs: act.atMs, device, act };
	});
	const days = Map.groupBy(planned, ({ atMs }) => Math.floor(atMs / DAY_MS));
	return Array.from(days.values()).flatMap((ofDay) => planDay(ofDay, options));
}

function planDay(acts: readonly PlannedAct[], options: ScheduleOptions): readonly Step[] {
	const opensMs = acts[0]?.atMs ?? 0;
	const closesMs = acts.at(-1)?.atMs ?? 0;
	const morning: Step = { kind: 'morning', atMs: opensMs - MORNING_MS, acts };
	const steps: Step[] = acts.map((act) => ({ kind: 'act', ...act }));
	for (let device = 0; device < options.devices && options.offline > 0; device++) {
		steps.push(...planAbsence(device, { opensMs, closesMs }, options));
	}
	// Who leaves at a moment has left before that moment's acts, who joins has not yet joined.
	const order = { leave: 0, morning: 0, act: 1, join: 2 };
	return [morning, ...steps.sort((a, b) => a.atMs - b.atMs || order[a.kind] - order[b.kind])];
}

interface Hours {
	readonly opensMs: number;
	readonly closesMs: number;
}

function planAbsence(
	device: number,
	{ opensMs, closesMs }: Hours,
	{ offline, chance }: ScheduleOptions
): readonly Step[] {
	const lengthMs = Math.round((closesMs - opensMs) * offline);
	const purpose = `absence ${String(device)} ${String(opensMs)}`;
	const isUntilClosing = chance(`${purpose} at the end`, 3) === 0;
	const latestMs = closesMs - lengthMs;
	const fromMs = isUntilClosing ? latestMs : opensMs + chance(purpose, latestMs - opensMs + 1);
	const leave: Step = { kind: 'leave', atMs: fromMs, device };
	return isUntilClosing ? [leave] : [leave, { kind: 'join', atMs: fromMs + lengthMs, device }];
}
