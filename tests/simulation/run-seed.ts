import { CARDS_DAY_MAX } from '#server/bridge/told-cards.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { isOldBookSpent } from '#state/heir.ts';
import { readMeta, type Inheritance } from '#state/meta.ts';
import { only } from '#storage/device-store.ts';
import { forgottenLedgers } from './awaited-answers.ts';
import type { Canary } from './canary.ts';
import { createChance } from './chance.ts';
import { createSimSigner } from './crypto.ts';
import type { SimServer } from './database.ts';
import {
	hasAll,
	heldBy,
	isPatronQuiet,
	linkPatron,
	openPatron,
	schedulePatron
} from './customers.ts';
import { scheduleHostile } from './hostile.ts';
import type { Disk } from './disk-contents.ts';
import { takeInLate } from './inbox.ts';
import { violationsOf, type Violation } from './invariants.ts';
import { documentsApart } from './open-documents.ts';
import { planOf, type PlanOptions } from './plan.ts';
import { schedulePruning } from './pruning.ts';
import { keepRelayKey, makePatron, makeShop, type PatronRows, type ShopRows } from './shop-rows.ts';
import { claimOne } from './sheets.ts';
import { roomsOf } from './rooms.ts';
import { mend, scheduleFaults } from './strike.ts';
import { takeTime } from './time.ts';
import { createTrace, type TraceOptions } from './trace.ts';
import { connectAgain, scheduleUpheavals } from './upheaval.ts';
import { actOnce } from './workload.ts';
import { createWorld } from './create-world.ts';
import { isExpected, markerOf, wordsOf, type Patron, type Station, type World } from './world.ts';

export interface SeedOutcome {
	readonly seed: number;
	/** Of everything that happened, in order. */
	readonly digest: string;
	readonly violations: readonly Violation[];
	readonly facts: number;
	/** How many faults of each kind were put in. */
	readonly faults: Readonly<Record<string, number>>;
	/** After how many rounds of 5 s everything was quiet. */
	readonly rounds: number;
	readonly tail: readonly string[];
}

export interface SeedOptions extends TraceOptions, PlanOptions {
	readonly canary?: Canary;
}

const ROUND_MS = 5_000;
const ROUNDS_MAX = 40;

/** One run of a whole shop, by its seed. */
export async function runSeed(
	server: SimServer,
	seed: number,
	options: SeedOptions = {}
): Promise<SeedOutcome> {
	const chance = createChance(seed);
	const trace = createTrace(options);
	await server.empty();
	const plan = planOf(chance.apart('plan'), options);
	const shops: ShopRows[] = [];
	for (const shop of plan.shops)
		shops.push(await makeShop(server.sql, chance.apart(shop.name), { ...shop, now: plan.startMs }));
	const relayKey = createSimSigner(chance.apart('relay key'));
	await keepRelayKey(server.sql, relayKey, plan.startMs);
	const patrons: PatronRows[] = [];
	for (let at = 0; at < plan.patrons; at += 1) {
		const name = `patron${String(at)}`;
		patrons.push(await makePatron(server.sql, chance.apart(name), { name, now: plan.startMs }));
	}
	const time = takeTime(plan.startMs, chance.apart('thread'));
	const { canary } = options;
	try {
		const world = createWorld({
			server,
			chance,
			trace,
			time,
			plan,
			shops,
			patrons,
			relayKey,
			canary
		});
		return await play(world, seed);
	} finally {
		time.end();
	}
}

async function play(world: World, seed: number): Promise<SeedOutcome> {
	const { time, plan, chance, stations, violations } = world;
	const end = plan.startMs + plan.tradeMs;
	const dice = chance.apart('begin');
	world.startRelays();
	for (const { open } of stations) time.after(dice.below(5_000), open);
	world.isRough = true;
	for (const station of stations) {
		scheduleActs(world, station, end);
		schedulePruning(world, station, end);
	}
	for (const patron of world.patrons) {
		time.after(dice.below(5_000), () => {
			openPatron(world, patron);
		});
		const connect = (): void => {
			linkPatron(world, patron);
		};
		// At once where nothing is waited for: other seeds are as they were.
		if (plan.connectMs === 0) connect();
		else time.after(plan.connectMs, connect);
		schedulePatron(world, patron, end);
	}
	const hostile = plan.isHostile ? world.shops[0]?.devices.at(-1) : undefined;
	if (hostile !== undefined) scheduleHostile(world, hostile, end);
	scheduleFaults(world, end);
	scheduleUpheavals(world);
	await time.run(end + 2);
	mend(world);
	let rounds = await getQuiet(world);
	if (await connectAgain(world)) {
		await time.run(time.now() + CONNECTED_MS);
		rounds = await getQuiet(world);
	}
	if (await daysPass(world)) violations.push(...(await heirsOf(world, await getQuiet(world))));
	if (await takeInLate(world)) await getQuiet(world);
	return judged(world, { seed, rounds });
}

/** After how many rounds everything was quiet. */
async function getQuiet(world: World): Promise<number> {
	const { time, violations } = world;
	let rounds = 0;
	for (; rounds < ROUNDS_MAX && !(await isQuiet(world)); rounds += 1)
		await time.run(time.now() + ROUND_MS);
	if (rounds === ROUNDS_MAX) violations.push(await unquiet(world));
	return rounds;
}

/** Long enough to be invited again. */
const CONNECTED_MS = 10_000;
const DAYS_MS = 2 * 86_400_000;
/** Long enough to be opened again, and to reach the relay. */
const REOPENED_MS = 30_000;

/**
 * HEIR-4, LATE-3. Heirs, and devices that were removed, are opened again days later, by their clocks.
 * False where there are none.
 */
async function daysPass({ stations, time }: World): Promise<boolean> {
	let isAny = false;
	for (const { profile, tabs, isRemoved } of stations) {
		if (!isRemoved && (await inheritanceOf(profile.disk)) === undefined) continue;
		isAny = true;
		profile.clockOffMs += DAYS_MS;
		for (const tab of [...tabs]) tab.kill();
	}
	// Of a device that was removed nobody but its owner sees what it still does.
	if (isAny) await time.run(time.now() + REOPENED_MS);
	return isAny;
}

/** A frozen tab may keep the book before from being removed, but nothing else may. */
async function heirsOf({ stations }: World, rounds: number): Promise<readonly Violation[]> {
	const found: Violation[] = [];
	for (const { profile, isRemoved, books } of stations) {
		const inheritance = await inheritanceOf(profile.disk);
		if (rounds === ROUNDS_MAX || isRemoved || inheritance === undefined) continue;
		const old = books.get(inheritance.book);
		if (old === undefined || (await isOldBookSpent(old.store, profile.disk.store))) continue;
		const detail = `${profile.name}: ${JSON.stringify(inheritance)}`;
		found.push({ promise: 'the book before is spent in the end', detail });
	}
	return found;
}

function inheritanceOf({ store }: Disk): Promise<Inheritance | undefined> {
	return store.read(['meta'], (rows) => readMeta(rows, 'inheritance'));
}

function scheduleActs(world: World, station: Station, end: number): void {
	const { time, chance, plan, trace } = world;
	const { profile, shop } = station;
	const dice = chance.apart(`acts of ${profile.name}`);
	const pause = Math.floor((2 * plan.tradeMs) / plan.acts);
	const again = (): void => {
		if (time.now() >= end) return;
		time.after(dice.below(pause), again);
		const [tab] = [...station.tabs].filter(({ isDead }) => !isDead());
		if (tab === undefined) return;
		const marker = markerOf(shop.business);
		const { store } = tab.disk;
		const page = world.patrons.find((patron) => patron.page !== undefined)?.page;
		const isClaim = page !== undefined && shop === world.shops[0] && dice.percent(35);
		const acting = isClaim
			? claimOne({ device: tab.app, store, dice }, page)
			: actOnce({ device: tab.app, store, chance: dice, marker });
		acting.then(
			(deed) => {
				if (isClaim) world.count(`claim ${deed}`);
				trace.note('act', time.now(), profile.name, deed);
			},
			(fault: unknown) => {
				if (tab.isDead() || isExpected(fault)) return;
				const detail = `${profile.name}: ${wordsOf(fault)}`;
				world.violations.push({ promise: 'an act is done or refused in words', detail });
			}
		);
	};
	time.after(dice.below(pause), again);
}

async function isQuiet(world: World): Promise<boolean> {
	const { sql } = world.server;
	await lookWhoIsRemoved(world);
	const forgotten = await forgottenLedgers(sql, world.patrons);
	for (const { tabs, isRemoved, shop, profile } of world.stations) {
		const leading = [...tabs].filter(({ lead }) => lead.role === 'leader');
		const [tab] = leading;
		if (tab === undefined || leading.length > 1) return false;
		const { state, unsent, feedBehind, halted } = tab.link.status;
		// A restored relay may have forgotten that it was removed: somebody loads the page anew.
		if (!isRemoved && (halted === 'rights' || halted === 'unknown')) tab.kill();
		if (isRemoved && unsent === 0) continue;
		if (state !== 'online' || unsent > 0 || feedBehind > 0) return false;
		const { store } = profile.disk;
		if (!(await hasAll(sql, { scope: shop.business, store, forgotten }))) return false;
	}
	for (const patron of world.patrons) if (!(await isPatronQuiet(world, patron))) return false;
	return (await isCarried(world)) && (await apartIn(world)).length === 0;
}

/** Open documents of machines that are let in which are not yet what the relays have. */
async function apartIn({ server, stations, open }: World): Promise<readonly string[]> {
	const out = new Set(
		stations.flatMap(({ isRemoved, profile }) => (isRemoved ? profile.name : []))
	);
	return documentsApart(
		server.sql,
		[...open].filter(({ who }) => !out.has(who))
	);
}

/**
 * Only its database knows: a restored one may have forgotten it, and an heir is another device, which it
 * may have forgotten too.
 */
async function lookWhoIsRemoved({ server, stations }: World): Promise<void> {
	const rows = await server.sql<{ business: string; code: string }[]>`
		select business, code from device where removed_at is null`;
	const letIn = new Set(rows.map(({ business, code }) => `${business}/${code}`));
	for (const station of stations) {
		const { business, code } = station.profile.identity;
		station.isRemoved = !letIn.has(`${business}/${code}`);
	}
}

/**
 * What a device that is let in no more shows its person as not taken: that is told, and not lost. Nor is
 * what an heir still has whose relay forgot it and whose place before was ended: it says that it is out.
 */
async function keptApart(
	{ server }: World,
	{ profile, shop, isRemoved }: Station
): Promise<readonly string[]> {
	if (!isRemoved) return [];
	const known = await server.sql`
		select code from device where business = ${shop.business} and code = ${profile.identity.code}`;
	const rows = await profile.disk.store.read(['journal'], (read) =>
		known.length === 0 ? read.all('journal') : read.find('journal', only('refused', 'conflict'))
	);
	return rows.map(({ text }) => text);
}

/** Whether the judge and the bridge have nothing left to do. */
async function isCarried({ server }: World): Promise<boolean> {
	const [row] = await server.sql<{ left: number }[]>`
		select (select count(*) from claim_waiting where tries = 0)::int + (
			select count(*) from feed_head left join bridge_cursor on scope = feed_head.business
			where feed_head.s > coalesce(bridge_cursor.s, 0)
		)::int + (
			select count(*) from bridge_state
			where is_behind and (day < 0 or ledger = ${NO_LEDGER} and count < ${CARDS_DAY_MAX})
		)::int as left`;
	return row?.left === 0;
}

async function unquiet(world: World): Promise<Violation> {
	const words: string[] = [];
	for (const { profile, tabs } of world.stations) {
		const held = await profile.disk.store.read(['facts'], (read) => read.count('facts'));
		const states = [...tabs].map(({ lead, link }) => `${lead.role} ${JSON.stringify(link.status)}`);
		words.push(`${profile.name} holds ${String(held)}, ${states.join(' and ')}`);
	}
	for (const { profile, tab } of world.patrons) {
		const held = await heldBy(profile.disk.store);
		words.push(`${profile.name} holds ${String(held)}, ${JSON.stringify(tab?.link.status)}`);
	}
	return {
		promise: 'everything gets quiet',
		detail: [...words, ...(await apartIn(world))].join('; ')
	};
}

async function judged(
	world: World,
	{ seed, rounds }: { readonly seed: number; readonly rounds: number }
): Promise<SeedOutcome> {
	const { server, shops, trace, stations, violations, counts } = world;
	await askRooms(world);
	const apart = new Map<Station, readonly string[]>();
	for (const station of stations) apart.set(station, await keptApart(world, station));
	const found = await violationsOf({
		sql: server.sql,
		codes: world.codes,
		persons: world.patrons.map(({ person, said, profile, tab }) => ({
			person,
			totals: totalsOf(tab),
			linked: linkedOf(tab),
			said: [...said.values()],
			store: profile.disk.store
		})),
		shops: shops.map(({ business }) => {
			const mine = stations.filter(({ shop }) => shop.business === business);
			return {
				business,
				said: mine.flatMap(({ said }) => [...said.values()]),
				apart: mine.flatMap((station) => apart.get(station) ?? []),
				replicas: mine
					.filter(({ isRemoved }) => !isRemoved)
					.map(({ profile: { name, disk } }) => ({ name, store: disk.store }))
			};
		})
	});
	await findTwins(world);
	await countAhead(world);
	const [row] = await server.sql<{ facts: string }[]>`select count(*) as facts from fact`;
	for (const { tabs } of stations) for (const tab of tabs) tab.kill();
	for (const { tab } of world.patrons) tab?.kill();
	return {
		seed,
		rounds,
		digest: trace.digest(),
		violations: [...violations, ...found],
		facts: Number(row?.facts ?? 0),
		faults: { ...counts },
		tail: trace.tail()
	};
}

/** Time goes on while they are asked, and somebody may be connected in it: that gets quiet too. */
async function askRooms(world: World): Promise<void> {
	const { plan, violations } = world;
	if (plan.second === undefined && plan.compaction === undefined) return;
	violations.push(...(await roomsOf(world)));
	await getQuiet(world);
}

function totalsOf(tab: Patron['tab']): ReadonlyMap<string, bigint> {
	const shops = tab?.app.view().shops ?? [];
	return new Map(
		shops.flatMap(({ key, totals }) =>
			totals.map(({ currency, total }) => [`${key.ledger} ${currency}`, total] as const)
		)
	);
}

/** The ledgers at which his app shows him connected. */
function linkedOf(tab: Patron['tab']): ReadonlySet<string> {
	const shops = tab?.app.view().shops ?? [];
	return new Set(shops.flatMap(({ key, state }) => (state === 'linked' ? key.ledger : [])));
}

/** What was stamped further ahead than anybody follows, by what it was. */
async function countAhead({ server, count }: World): Promise<void> {
	const rows = await server.sql<{ kind: string }[]>`
		select fact.kind from clock join fact using (business, code, n)`;
	for (const { kind } of rows) count(`stamped ahead: ${kind}`);
}

async function findTwins({ server, watch }: World): Promise<void> {
	const rows = await server.sql<{ business: string; document: string; update: Uint8Array }[]>`
		select business, document, update from document_update
		order by business, document, sequence`;
	for (const ofDocument of Map.groupBy(rows, ({ document }) => document).values()) {
		const [first] = ofDocument;
		if (first === undefined) continue;
		const updates = ofDocument.map(({ update }) => new Uint8Array(update));
		watch.twinsOf(first.business, updates);
	}
}
