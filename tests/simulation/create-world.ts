import type { Signer } from '#domain/crypto.ts';
import { NO_CANARY, type Canary } from './canary.ts';
import type { Chance } from './chance.ts';
import { createLine, type Fate, type SimServer } from './database.ts';
import { createDisk } from './disk-contents.ts';
import type { Violation } from './invariants.ts';
import { createNetwork, type Line } from './network.ts';
import { createBadExchange, createGoodExchange } from './bus.ts';
import { startRelay, type RelayProcessParts } from './relay-process.ts';
import { patronDied } from './customers.ts';
import type { Plan } from './plan.ts';
import type { PatronRows, ShopRows } from './shop-rows.ts';
import { createStation } from './station.ts';
import { createWatch } from './watch.ts';
import { markerOf, tellFault, type Patron, type World } from './world.ts';

export interface WorldParts extends Pick<
	World,
	'server' | 'chance' | 'trace' | 'time' | 'plan' | 'shops'
> {
	readonly canary?: Canary | undefined;
	readonly patrons: readonly PatronRows[];
	readonly relayKey: Signer;
}

export function createWorld({ canary = NO_CANARY, ...given }: WorldParts): World {
	const { chance, trace, time, shops } = given;
	const violations: Violation[] = [];
	const counts: Record<string, number> = {};
	const count = (name: string): void => {
		counts[name] = (counts[name] ?? 0) + 1;
	};
	const places = given.plan.second === undefined ? 1 : 2;
	const network = createNetwork({ time, chance: chance.apart('network'), trace, count, places });
	const watch = createWatch({
		now: time.now,
		markers: new Map(shops.map(({ business }) => [business, markerOf(business)])),
		found: (violation) => violations.push(violation)
	});
	const dice = chance.apart('fates');
	const world: World = {
		...given,
		line: createLine(),
		network,
		watch,
		violations,
		counts,
		count,
		stations: [],
		patrons: [],
		codes: new Map(),
		open: new Set(),
		relays: [],
		isRough: false,
		isHeld: false,
		machine: {
			time,
			chance: chance.apart('machines'),
			trace,
			canary,
			count,
			fateOfWrite: () => {
				if (!world.isRough || !dice.percent(0.5)) return 'well';
				count('killed at a write');
				return dice.percent(50) ? 'killBefore' : 'killAfter';
			},
			born: watch.born,
			opened: (document) => {
				world.open.add(document);
				return () => world.open.delete(document);
			},
			fault: (where, fault) => {
				tellFault(world, where, fault);
			}
		},
		startRelays: relayStarter(() => world, { ...given, canary, dice })
	};
	for (const shop of shops)
		for (const { identity, signer } of honestOf(shop, given.plan, shops)) {
			const name = `${identity.code} of ${shop.business.slice(0, 4)}`;
			const line = network.createLine(name);
			watch.listen(line, { scope: shop.business, marker: markerOf(shop.business) });
			const disk = createDisk();
			const off = given.plan.clockOff(dice);
			const alone = given.plan.alone(chance.apart(`alone ${name}`));
			const clockOffMs = alone?.aheadMs ?? off;
			const profile = { name, line, disk, signer, clockOffMs, identity };
			if (alone !== undefined) leaveAlone(world, line, alone.untilMs);
			world.stations.push(createStation(world, { shop, profile, tabs: given.plan.tabsOf(dice) }));
		}
	for (const [place, rows] of given.patrons.entries()) addPatron(world, rows, place);
	return world;
}

/** On no network from the beginning: nothing corrects its clock. */
function leaveAlone({ time, count }: World, line: Line, untilMs: number): void {
	count('began ahead and alone');
	line.isUp = false;
	time.after(untilMs, () => {
		line.isUp = true;
	});
}

/** The last device of the first shop may be another's tool, with no honest app on it. */
function honestOf(
	shop: ShopRows,
	{ isHostile }: Plan,
	[first]: readonly ShopRows[]
): ShopRows['devices'] {
	return isHostile && shop === first ? shop.devices.slice(0, -1) : shop.devices;
}

function addPatron(world: World, { person, cookie, signer }: PatronRows, place: number): void {
	const { chance, network, plan, watch } = world;
	const name = `phone ${String(place + 1)}`;
	const line = network.createLine(name);
	const [shop] = world.shops;
	// What his own shop writes is his to hear.
	if (shop !== undefined)
		watch.listen(line, { scope: shop.business, marker: markerOf(shop.business) });
	const said = new Map<string, { readonly id: string; readonly text: string }>();
	const patron: Patron = {
		person,
		cookie,
		place,
		said,
		profile: {
			name,
			line,
			signer,
			disk: createDisk(),
			clockOffMs: plan.clockOff(chance.apart(name)),
			wrote: (rows) => {
				for (const { id, text } of rows) said.set(`${id} ${text}`, { id, text });
			},
			died: () => {
				patronDied(world, patron);
			}
		},
		tab: undefined,
		isOpening: false,
		isLinked: false,
		ledger: undefined,
		page: undefined
	};
	world.patrons.push(patron);
}

interface Starting {
	readonly server: SimServer;
	readonly canary: Canary;
	readonly dice: Chance;
	readonly relayKey: Signer;
}

/** A relay's process again and again, at each place where one is to run. */
function relayStarter(worldOf: () => World, starting: Starting): () => void {
	const starts: (() => void)[] = [];
	return () => {
		const world = worldOf();
		if (starts.length === 0) starts.push(...placesOf(world, starting));
		for (const start of starts) start();
	};
}

/** By a single relay's own timers looking is rare: news alone must do, or late. */
const LOOKS_APART = 6;

function placesOf(world: World, starting: Starting): readonly (() => void)[] {
	const { plan, chance, count } = world;
	const { second } = plan;
	const { compaction } = plan;
	if (compaction !== undefined) count('compaction at random moments');
	const place = {
		place: 0,
		name: 'relay',
		clockOffMs: 0,
		looksApart: LOOKS_APART,
		bus: undefined,
		compaction
	};
	if (second === undefined) return [placeStarter(world, starting, place)];
	count('second relay');
	const exchange = (second.isBusBad ? createBadExchange : createGoodExchange)({
		...world,
		chance: chance.apart('bus')
	});
	const joined = { ...place, bus: exchange.join, looksApart: second.looksApart };
	const { clockOffMs } = second;
	return [
		placeStarter(world, starting, joined),
		placeStarter(world, starting, { ...joined, place: 1, name: 'second relay', clockOffMs })
	];
}

interface Place extends Pick<
	RelayProcessParts,
	'bus' | 'clockOffMs' | 'looksApart' | 'compaction'
> {
	readonly place: number;
	readonly name: string;
}

function placeStarter(
	world: World,
	{ server, canary, dice, relayKey }: Starting,
	{ place, name, ...own }: Place
): () => void {
	const { chance, time, trace, network, line, watch, relays } = world;
	let incarnation = 0;
	const start = (): void => {
		// One that was to start in a moment when the database was put back has been started since.
		if (world.isHeld || relays[place]?.isDead() === false) return;
		incarnation += 1;
		const { process, ready } = startRelay({
			...own,
			server,
			line,
			time,
			trace,
			canary,
			relayKey,
			chance: chance.apart(`${name} ${String(incarnation)}`),
			fate: (what) => fateOf(world, dice, what),
			died: () => {
				network.drop(place, process);
				if (!world.isHeld) time.after(dice.between(100, 5_000), start);
			},
			fault: (fault) => {
				tellFault(world, name, fault);
			},
			committed: watch.committed
		});
		relays[place] = process;
		ready.then(
			() => {
				if (!process.isDead()) network.serve(place, process);
			},
			(fault: unknown) => {
				tellFault(world, `a starting ${name}`, fault);
				// Whoever keeps it running starts it again.
				process.kill();
			}
		);
	};
	return start;
}

/** In the middle of a group commit as anywhere else, the connection breaks or the relay dies. */
function fateOf(world: World, dice: Chance, what: 'statement' | 'commit'): Fate {
	if (!world.isRough) return 'well';
	if (what === 'statement') {
		if (!dice.percent(0.2)) return 'well';
		world.count('connection lost');
		return 'lostBefore';
	}
	if (!dice.percent(4)) return 'well';
	const fate = dice.pick(['killBefore', 'killAfter', 'lostBefore', 'lostAfter'] as const);
	world.count(`commit ${fate}`);
	return fate;
}
