import type { Chance } from './chance.ts';
import type { Patron, ShopTab, Station, World } from './world.ts';

interface Strike {
	readonly world: World;
	/** A shop's machine or a customer's. */
	readonly station: Station | Patron;
	readonly tabs: readonly ShopTab[];
	readonly kill: () => void;
	readonly dice: Chance;
}

interface Fault {
	readonly name: string;
	readonly strike: (strike: Strike) => void;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** What breaks, one thing at a time. */
const FAULTS: readonly Fault[] = [
	{
		name: 'partition',
		strike: ({ world, station: { profile }, dice }) => {
			profile.line.isUp = false;
			if (dice.percent(70)) profile.line.cut(dice.percent(50) ? 'told' : 'silent');
			world.time.after(dice.between(500, 15_000), () => {
				profile.line.isUp = true;
			});
		}
	},
	{
		name: 'cut',
		strike: ({ station: { profile }, dice }) => {
			profile.line.cut(dice.percent(60) ? 'told' : 'silent');
		}
	},
	{
		name: 'slow line',
		strike: ({ station: { profile }, dice }) => {
			const least = dice.below(400);
			profile.line.latency = { least, most: least + dice.below(1_500) };
		}
	},
	{
		name: 'bad line',
		strike: ({ station: { profile }, dice }) => {
			Object.assign(profile.line.faults, {
				lost: dice.below(20),
				unanswered: dice.below(20),
				twice: dice.below(20),
				cut: dice.below(5)
			});
		}
	},
	{
		name: 'device killed',
		strike: ({ kill }) => {
			kill();
		}
	},
	{
		name: 'full disk',
		strike: ({ world, station, dice }) => {
			fill(station, true);
			world.time.after(dice.between(500, 10_000), () => {
				fill(station, false);
			});
		}
	},
	{
		name: 'clock set',
		strike: ({ station: { profile }, dice }) => {
			profile.clockOffMs = dice.percent(40)
				? dice.between(-3, 3) * DAY_MS
				: dice.between(-60_000, 60_000);
		}
	},
	{
		// A cheap phone in a drawer: its date is of another week, and nobody tells it.
		name: 'ahead and alone',
		strike: ({ world, station: { profile }, dice }) => {
			profile.clockOffMs = dice.between(6 * MINUTE_MS, 3 * DAY_MS);
			profile.line.isUp = false;
			profile.line.cut('told');
			world.time.after(dice.between(2_000, 12_000), () => {
				profile.line.isUp = true;
			});
		}
	},
	{
		name: 'tabs looked at',
		strike: ({ tabs, dice }) => {
			for (const tab of tabs) tab.look(dice.percent(50));
		}
	},
	{
		name: 'relay killed',
		strike: ({ world, dice }) => {
			const alive = world.relays.filter(({ isDead }) => !isDead());
			const [one] = alive;
			(alive.length > 1 ? dice.pick(alive) : one)?.kill();
		}
	}
];

/** From now to `end` something breaks every few seconds. */
export function scheduleFaults(world: World, end: number): void {
	const { time, chance, stations, patrons, trace } = world;
	const dice = chance.apart('faults');
	const again = (): void => {
		if (time.now() >= end) return;
		time.after(dice.between(300, 5_000), again);
		const station = dice.pick([...stations, ...patrons]);
		const fault = dice.pick(FAULTS);
		trace.note('fault', time.now(), fault.name, station.profile.name);
		world.count(fault.name);
		fault.strike({ world, station, dice, ...tabsAt(station) });
	};
	time.after(dice.below(3_000), again);
}

function tabsAt(at: Station | Patron): Pick<Strike, 'tabs' | 'kill'> {
	const tabs = 'tabs' in at ? [...at.tabs] : [];
	const kill = (): void => {
		if ('tab' in at) at.tab?.kill();
		for (const tab of tabs) tab.kill();
	};
	return { tabs, kill };
}

/** One disk holds all databases of a machine. */
function fill(at: Station | Patron, isFull: boolean): void {
	const disks = 'books' in at ? [...at.books.values()] : [];
	for (const disk of [at.profile.disk, ...disks]) disk.isFull = isFull;
}

/** From here on nothing breaks any more. */
export function mend(world: World): void {
	world.isRough = false;
	for (const station of [...world.stations, ...world.patrons]) {
		const { profile } = station;
		Object.assign(profile.line, { isUp: true, latency: { least: 1, most: 30 } });
		Object.assign(profile.line.faults, { lost: 0, unanswered: 0, twice: 0, cut: 0 });
		fill(station, false);
	}
	for (const { open, tabs } of world.stations) {
		open();
		let isFirst = true;
		for (const tab of tabs) {
			tab.look(isFirst);
			isFirst = false;
		}
	}
}
