import { assert } from '#domain/assert.ts';
import type { PlacedFact } from '#domain/fact/fold.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { ok, type Result } from '#domain/result.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import type { ReplayOptions } from './arguments.ts';
import { waitUntilCaughtUp } from './catch-up.ts';
import { createChance } from './chance.ts';
import { readTables, type TablesPlace } from './database-rows.ts';
import { expectedTotals } from './expected-totals.ts';
import { judge } from './judgement.ts';
import { linesOfFacts } from './lines.ts';
import { startOwnServer } from './own-server.ts';
import { foundShop, joinShop, type Founder, type Player, type PlayerParts } from './player.ts';
import { reportOf, type ReplayReport } from './report.ts';
import { planTrade } from './schedule.ts';
import { createShopClock } from './shop-clock.ts';
import { rowsOfFacts, rowsOfStore } from './shop-rows.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { readTradeFile, type TradeFileRow } from './trade-file.ts';
import { readTrade, type SkippedRow, type Trade } from './trade-rules.ts';
import { playTrade } from './trade-run.ts';

export interface ReplayParts {
	/** Hears of progress and of what does not agree, a line at a time. */
	readonly tell: (line: string) => void;
	/** Rejects when somebody wants it to end before its time. */
	readonly interrupted: Promise<never>;
}

const SKIPPED_SHOWN = 20;
const DAY_MS = 86_400_000;

/**
 * Plays the files' rows as a shop's trade, and sees that its devices, one more that joins at the
 * end, the database and the file agree. Refuses a file in one sentence; rejects where a part of
 * the whole breaks. What it started has ended when it settles.
 */
export async function replay(
	options: ReplayOptions,
	parts: ReplayParts
): Promise<Result<ReplayReport, string>> {
	const stopwatch = createStopwatch();
	stopwatch.enter('reading');
	const rows = await readFiles(options.files);
	if (!rows.ok) return rows;
	const trade = readTrade(rows.value);
	tellSkipped(trade.skipped, parts.tell);

	await using running = new AsyncDisposableStack();
	const run = { options, rows: rows.value, trade, stopwatch, running, tell: parts.tell };
	const playing = play(run);
	// After an interruption what is left of it fails, and nobody is there to hear.
	playing.catch(() => undefined);
	return ok(await Promise.race([playing, parts.interrupted]));
}

async function readFiles(
	files: readonly string[]
): Promise<Result<readonly TradeFileRow[], string>> {
	const all: TradeFileRow[] = [];
	for (const file of files) {
		const rows = await readTradeFile(file);
		if (!rows.ok) return rows;
		for (const row of rows.value) all.push(row);
	}
	return ok(all);
}

function tellSkipped(skipped: readonly SkippedRow[], tell: ReplayParts['tell']): void {
	for (const { file, number, reason } of skipped.slice(0, SKIPPED_SHOWN))
		tell(`skipped row ${String(number)} of ${file}: ${reason}`);
	const more = skipped.length - SKIPPED_SHOWN;
	if (more > 0) tell(`skipped ${String(more)} rows more`);
}

interface Run {
	readonly options: ReplayOptions;
	readonly rows: readonly TradeFileRow[];
	readonly trade: Trade;
	readonly stopwatch: Stopwatch;
	/** What was started, to be ended in the opposite order. */
	readonly running: AsyncDisposableStack;
	readonly tell: ReplayParts['tell'];
}

async function play(run: Run): Promise<ReplayReport> {
	const { options, trade, stopwatch, running, tell } = run;
	const clock = createShopClock((trade.acts[0]?.atMs ?? Date.now()) - DAY_MS);
	const faults: unknown[] = [];
	const onFault = (fault: unknown): void => {
		faults.push(fault);
	};
	const checkFaults = (): void => {
		if (faults.length > 0) throw new Error('a part of the shop broke', { cause: faults[0] });
	};

	stopwatch.enter('server');
	const server =
		options.url === null
			? await startOwnServer({ clock: clock.now, fault: onFault, running })
			: { url: options.url, database: null };
	stopwatch.enter('founding');
	const shop = await openShop(options.devices, { url: server.url, clock, onFault }, running);
	const chance = createChance(options.seed);
	const done = await playTrade(planTrade(trade.acts, { ...options, chance }), {
		...{ players: shop.players, clock, checkFaults, stopwatch },
		morning: (atMs, { acts }) => {
			const day = new Date(atMs).toISOString().slice(0, 10);
			tell(`${day}: ${String(acts)} of ${String(trade.acts.length)} done`);
		}
	});
	tell(`${String(done.acts)} done, ${String(done.offline)} of them off the network`);
	stopwatch.enter('catching up');
	await waitUntilCaughtUp(shop.players, checkFaults);
	stopwatch.enter('joining');
	const last = await join({ url: server.url, clock, onFault }, shop.founder, running);
	await waitUntilCaughtUp([...shop.players, last], checkFaults);
	stopwatch.enter('comparing');
	return compare(run, { players: [...shop.players, last], database: server.database });
}

interface Shop {
	readonly founder: Founder;
	readonly players: readonly Player[];
}

async function openShop(
	devices: number,
	parts: PlayerParts,
	running: AsyncDisposableStack
): Promise<Shop> {
	const founder = await foundShop(parts);
	running.defer(() => founder.link.stop());
	const players: Player[] = [founder];
	while (players.length < devices) players.push(await join(parts, founder, running));
	return { founder, players };
}

async function join(
	parts: PlayerParts,
	founder: Founder,
	running: AsyncDisposableStack
): Promise<Player> {
	const player = await joinShop(parts, founder);
	running.defer(() => player.link.stop());
	return player;
}

async function compare(
	{ rows, trade, stopwatch, tell }: Run,
	{ players, database }: Pick<TablesPlace, 'database'> & { readonly players: readonly Player[] }
): Promise<ReplayReport> {
	const [first] = players;
	assert(first !== undefined, 'a shop has a device');
	const skipped = new Set(trade.skipped.map(nameOf));
	const totals = expectedTotals(rows.filter((row) => !skipped.has(nameOf(row))));
	const placed = await writtenFacts(players);
	const lines = linesOfFacts(placed.map(({ fact }) => fact));
	const devices = await Promise.all(players.map(({ store }) => rowsOfStore(store)));
	const tables = await readTables({ database, player: first });
	const judgement = judge({
		...{ totals, acts: trade.acts, devices },
		facts: await rowsOfFacts(placed, createNodeCrypto()),
		factLines: lines,
		database: tables.rows,
		databaseLines: tables.lines
	});
	for (const complaint of judgement.complaints) tell(complaint);
	tell(`where the time went: ${stopwatch.split()}`);
	const [{ figures } = tables.rows] = devices;
	const seconds = stopwatch.seconds();
	return reportOf({ totals, figures, lines, skipped: trade.skipped, judgement, seconds });
}

function nameOf({ file, number }: Pick<TradeFileRow, 'file' | 'number'>): string {
	return `${String(number)} ${file}`;
}

/** Every fact of every device, as its own journal has it. */
async function writtenFacts(players: readonly Player[]): Promise<readonly PlacedFact[]> {
	const placed = await Promise.all(
		players.map(async ({ store, device }) => {
			const journal = await store.read(['journal'], (rows) => rows.all('journal'));
			return journal.map(({ text }): PlacedFact => {
				const fact = parseFact(text);
				assert(fact.ok, 'a device writes facts');
				return { fact: fact.value, branch: device.identity.branch };
			});
		})
	);
	return placed.flat();
}
