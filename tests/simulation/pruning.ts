import { pruneDay } from '#state/prune.ts';
import type { ShopTab, Station, World } from './world.ts';
import { isExpected, tellFault } from './world.ts';

/**
 * What is sold today is old at once. What is stamped ahead is not: until it is old its clock fact has come, which
 * says of what day it is.
 */
const KEPT_DAYS = -1;
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
