import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BusinessId } from '#domain/ids.ts';
import { foundShop, joinShop, type Player } from '#server/commands/replay/player.ts';
import { isDatabaseGone, type Database } from '#server/database/connect.ts';
import { seeded } from '#tests/support/seeded.ts';
import {
	besideRelay,
	checkDatabase,
	checkDocuments,
	type Found,
	type Promised
} from './check-database.ts';
import { createRelayProcess, type RelayProcess, type StartKill } from './relay-process.ts';
import { allAcknowledged, createDeviceWriter, createStockWriter, type Writer } from './writer.ts';

export interface CrashOptions {
	readonly rounds: number;
	readonly seed: number;
	/** Hears of progress, a line at a time. */
	readonly tell: (line: string) => void;
	/** Sets PostgreSQL to answer before it has written, which the relay must not let it do. */
	readonly isRelaxed?: boolean;
}

/** What is killed in a round; `start` in the middle of starting, once or more. */
export const KILLS = ['relay', 'postgres', 'backend', 'both', 'start'] as const;
export type Kill = (typeof KILLS)[number];

export interface CrashReport {
	readonly rounds: number;
	readonly kills: Readonly<Record<Kill, number>>;
	/** Facts that somebody was told to be saved; those that he was told the relay has. */
	readonly saved: number;
	readonly acknowledged: number;
	/** Acknowledged facts that were not there after a start; of all facts, those there twice. */
	readonly lost: number;
	readonly doubled: number;
	/** From the kill to the answer of a relay whose database answers, in order, ms. */
	readonly restartMs: readonly number[];
	readonly restartMsByKill: Readonly<Partial<Record<Kill, readonly number[]>>>;
	/** What broke a promise, in words; none in a run that is well. */
	readonly broken: readonly string[];
}

const DEVICES = 2;
const STOCK_CLIENTS = 2;
/** From the first fact that gets through after a start to the next kill. */
const WRITING_MS_MAX = 500;
const MOVING_MS_MAX = 60_000;
const POLL_MS = 10;
/** Between two acts of one writer. */
const GAP_MS = 25;
/** Saved and not acknowledged, of one writer: with more he waits, or a slow start fills the disk. */
const BACKLOG_MAX = 40;
/** A start is killed within the time that it takes. */
const START_KILL_MS_MAX = 1_200;
const START_KILLS_MAX = 2;
const SETTLE_MS_MAX = 60_000;
const TELL_EVERY = 10;

/**
 * Kills a relay and its PostgreSQL again and again while a shop writes, and looks after each start
 * whether all that was acknowledged is there, once. What it started has ended when it settles; the
 * folder of a run that broke a promise is left behind, and named.
 */
export async function crash(options: CrashOptions): Promise<CrashReport> {
	// The socket's path must be short enough for PostgreSQL.
	const dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-crash-'));
	const relay = await createRelayProcess(dataDir);
	const faults: unknown[] = [];
	const run: Run = {
		...options,
		chance: seeded(options.seed),
		dataDir,
		relay,
		faults,
		broken: [],
		kills: { relay: 0, postgres: 0, backend: 0, both: 0, start: 0 },
		restarts: []
	};
	try {
		await relay.start();
		if (options.isRelaxed === true) await relax(run);
		const shop = await openShop(run);
		try {
			await playRounds(run, shop);
			await settle(run, shop);
		} finally {
			await shop.lock();
			for (const writer of shop.writers) await writer.close();
		}
		return reportOf(run, shop);
	} finally {
		await relay.stop();
		if (run.broken.length === 0) await rm(dataDir, { recursive: true, force: true });
		else options.tell(`left behind: ${dataDir}\n${relay.said()}`);
	}
}

interface Run extends CrashOptions {
	readonly chance: (limit: number) => number;
	readonly dataDir: string;
	readonly relay: RelayProcess;
	readonly faults: unknown[];
	readonly broken: string[];
	readonly kills: Record<Kill, number>;
	readonly restarts: { readonly kill: Kill; readonly ms: number }[];
}

interface Shop {
	readonly business: BusinessId;
	readonly writers: readonly Writer[];
	/** Ends the writing, once the act in hand is done. */
	readonly lock: () => Promise<void>;
	readonly lost: Set<string>;
	doubled: number;
}

async function openShop(run: Run): Promise<Shop> {
	const parts = {
		url: run.relay.url,
		clock: {
			now: Date.now,
			moveTo: () => undefined,
			timers: {
				after: (ms: number, work: () => void) => {
					const timer = setTimeout(work, ms).unref();
					return () => {
						clearTimeout(timer);
					};
				}
			}
		},
		onFault: (fault: unknown) => {
			run.faults.push(fault);
		}
	};
	const founder = await foundShop(parts);
	const players: Player[] = [founder];
	while (players.length < DEVICES + STOCK_CLIENTS) players.push(await joinShop(parts, founder));
	const writers = await Promise.all(
		players.map((player, at) =>
			at < DEVICES ? createDeviceWriter(player, run.chance) : createStockWriter(player, run.chance)
		)
	);
	const { business } = founder.device.identity;
	return { business, writers, lock: keepWriting(run, writers), lost: new Set(), doubled: 0 };
}

/** Whoever connects from now on and does not ask for more is answered before the disk has it. */
async function relax({ dataDir, relay }: Run): Promise<void> {
	const { sql, close } = besideRelay(dataDir);
	await sql`alter database daftar set synchronous_commit = off`;
	await close();
	await relay.stop();
	await relay.start();
}

/** Each writer acts again and again, whatever happens to the relay. Answers the way to stop. */
function keepWriting(run: Run, writers: readonly Writer[]): () => Promise<void> {
	let isOpen = true;
	const writing = writers.map(async (writer) => {
		while (isOpen) {
			await writer.look();
			const backlog = writer.saved.size - writer.acknowledged.size;
			if (backlog < BACKLOG_MAX) await writer.write();
			await sleep(GAP_MS);
		}
	});
	const all = Promise.all(writing).catch((fault: unknown) => {
		run.broken.push(`an act failed: ${String(fault)}`);
	});
	return async () => {
		isOpen = false;
		await all;
	};
}

async function playRounds(run: Run, shop: Shop): Promise<void> {
	const bag: Kill[] = [];
	for (let round = 1; round <= run.rounds && run.broken.length === 0; round += 1) {
		// Every kind comes once before one comes again.
		if (bag.length === 0) bag.push(...KILLS);
		const [kill = 'relay'] = bag.splice(run.chance(bag.length), 1);
		await moving(run, shop);
		await sleep(run.chance(WRITING_MS_MAX));
		await playRound(run, shop, kill);
		if (round % TELL_EVERY === 0) {
			const acknowledged = promisedBy(shop.writers).length;
			run.tell(`round ${String(round)}: ${String(acknowledged)} acknowledged, none lost`);
		}
	}
}

/** Waits until something more is acknowledged: what is killed then is at work. */
async function moving({ broken }: Run, { writers }: Shop): Promise<void> {
	const count = async (): Promise<number> => {
		for (const writer of writers) await writer.look();
		return promisedBy(writers).length;
	};
	const before = await count();
	const deadline = Date.now() + MOVING_MS_MAX;
	while ((await count()) === before) {
		if (Date.now() > deadline) {
			broken.push('nothing gets through any more');
			return;
		}
		await sleep(POLL_MS);
	}
}

async function playRound(run: Run, shop: Shop, kill: Kill): Promise<void> {
	const { relay } = run;
	for (const writer of shop.writers) await writer.look();
	const killedAt = Date.now();
	run.kills[kill] += (await strike(run, kill)) ? 1 : 0;
	try {
		await relay.recovered();
	} catch (fault) {
		run.broken.push(`after ${kill}: ${String(fault)}`);
		return;
	}
	run.restarts.push({ kill, ms: Date.now() - killedAt });
	for (const writer of shop.writers) writer.wake();
	take(run, shop, await look(run, shop));
	for (const writer of shop.writers) {
		const stuck = writer.stuck();
		if (stuck !== undefined) run.broken.push(stuck);
	}
}

/** False where there was nothing to kill. */
async function strike({ relay, chance }: Run, kill: Kill): Promise<boolean> {
	switch (kill) {
		case 'relay':
			await relay.killRelay();
			return true;
		case 'postgres':
			return relay.killPostgres();
		case 'backend':
			return relay.killBackend(chance);
		case 'both':
			await Promise.all([relay.killRelay(), relay.killPostgres()]);
			return true;
		case 'start':
			await relay.killRelay();
			for (let left = 1 + chance(START_KILLS_MAX); left > 0; left -= 1) {
				const what = (['relay', 'postgres', 'both'] as const satisfies StartKill[])[chance(3)];
				await relay.startAndKill(chance(START_KILL_MS_MAX), what ?? 'relay');
			}
			return true;
	}
}

function promisedBy(writers: readonly Writer[]): readonly Promised[] {
	return writers.flatMap(({ acknowledged, saved }) =>
		// Its products and its customer are facts of a device that was given no account of them yet.
		Array.from(acknowledged).flatMap((id) => {
			const text = saved.get(id);
			return text === undefined ? [] : [{ id, text }];
		})
	);
}

async function look(run: Run, { business, writers }: Shop): Promise<Found> {
	const promised = promisedBy(writers);
	return beside(run, (database) => checkDatabase(database, business, promised));
}

/**
 * Asks the database as another program would. PostgreSQL may find out only now that a process of its
 * own was killed, and begins once more: it is asked again until it has.
 */
async function beside<T>({ dataDir }: Run, ask: (database: Database) => Promise<T>): Promise<T> {
	const until = Date.now() + MOVING_MS_MAX;
	for (;;) {
		const database = besideRelay(dataDir);
		try {
			return await ask(database);
		} catch (fault) {
			if (!isDatabaseGone(fault) || Date.now() > until) throw fault;
			await sleep(GAP_MS);
		} finally {
			await database.close();
		}
	}
}

function take({ broken }: Run, shop: Shop, { lost, doubled, wrong }: Found): void {
	for (const id of lost) shop.lost.add(id);
	shop.doubled += doubled;
	if (lost.length > 0) broken.push(`lost: ${lost.slice(0, 10).join(', ')}`);
	if (doubled > 0) broken.push(`doubled: ${String(doubled)}`);
	broken.push(...wrong);
}

/** Nobody writes any more: what was saved comes in whole, and documents and tables say the same. */
async function settle(run: Run, shop: Shop): Promise<void> {
	const { writers, business, lock } = shop;
	await lock();
	if (run.broken.length > 0) return;
	if (!(await allAcknowledged(writers, SETTLE_MS_MAX))) {
		const waiting = writers.map(
			({ code, saved, acknowledged }) => `${code} ${String(saved.size - acknowledged.size)}`
		);
		run.broken.push(`saved and never sent: ${waiting.join(', ')}`);
	}
	const found = await look(run, shop);
	take(run, shop, found);
	run.broken.push(...(await beside(run, (database) => checkDocuments(database, business))));
	for (const words of run.relay.gaveUp) run.broken.push(`the relay ended by itself: ${words}`);
	for (const fault of run.faults) run.broken.push(`a device had a fault: ${String(fault)}`);
}

function reportOf(run: Run, { writers, lost, doubled }: Shop): CrashReport {
	const sum = (of: (writer: Writer) => number): number =>
		writers.reduce((total, writer) => total + of(writer), 0);
	const ms = run.restarts.map((restart) => restart.ms);
	const byKill = Object.groupBy(run.restarts, ({ kill }) => kill);
	return {
		rounds: run.restarts.length,
		kills: run.kills,
		saved: sum(({ saved }) => saved.size),
		acknowledged: sum(({ acknowledged }) => acknowledged.size),
		lost: lost.size,
		doubled,
		restartMs: ms.toSorted((a, b) => a - b),
		restartMsByKill: Object.fromEntries(
			Object.entries(byKill).map(([kill, restarts]) => [
				kill,
				restarts.map((restart) => restart.ms).toSorted((a, b) => a - b)
			])
		),
		broken: run.broken
	};
}
