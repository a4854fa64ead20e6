import { parseFact } from '#domain/fact/parse-fact.ts';
import { readMeta } from '#state/meta.ts';
import { pruneDay } from '#state/prune.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { ShopTab, Station, World } from './world.ts';
import { isExpected, tellFault } from './world.ts';

/** All that is sold is old at once: clocks are off by three days at the most. */
const KEPT_DAYS = -5;
/** How many times a machine lets go what it can, while people trade. */
const TIMES = 3;

/** The tab that leads lets sales go, as in idle time; whatever else it is about. */
export function schedulePruning(world: World, station: Station, end: number): void {
	const { time, chance, plan } = world;
	if (!plan.isPruned) return;
	const dice = chance.apart(`pruning of ${station.profile.name}`);
	for (let times = 0; times < TIMES; times += 1)
		time.after(dice.below(end - time.now()), () => {
			const tab = [...station.tabs].find(({ lead, isDead }) => !isDead() && lead.role === 'leader');
			if (tab !== undefined) void letGo(world, station, tab);
		});
}

async function letGo(world: World, { profile }: Station, tab: ShopTab): Promise<void> {
	const { store, clock, changes, app } = tab;
	try {
		while (await pruneDay({ store, clock, changes }, app.identity, KEPT_DAYS))
			world.count('a day of sales let go');
	} catch (fault) {
		if (!tab.isDead() && !isExpected(fault)) tellFault(world, profile.name, fault);
	}
}

/** The names of what was let go here, and of what lies between. */
export async function letGoBy(store: DeviceStore): Promise<ReadonlySet<string>> {
	const pruned = await store.read(['meta'], (rows) => readMeta(rows, 'pruned'));
	const ids = Object.entries(pruned ?? {}).flatMap(([code, ranges]) =>
		ranges.flatMap(([from, to]) =>
			Array.from({ length: to - from + 1 }, (_none, at) => `${code}-${String(from + at)}`)
		)
	);
	return new Set(ids);
}

/** Nothing else is ever let go. */
export function isReceipt(text: string): boolean {
	const fact = parseFact(text);
	return fact.ok && (fact.value.kind === 'sale' || fact.value.kind === 'return');
}
