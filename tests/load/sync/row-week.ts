import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { journalOf, type Shop } from './shops.ts';
import { lineTo, ofEach, until, type Bench, type Row } from './bench.ts';
import { clocksAfter, type Line } from './line.ts';
import { cashSalesTogether, freshClient, type Piece } from './sales.ts';
import type { Server, ServerName } from './server.ts';
import { openRoad, type Road } from './slow-road.ts';

const DAYS = 7;
const FACTS_A_DAY = 1_000;
const FACTS = DAYS * FACTS_A_DAY;
const CUTS = 20;
const DAY_MS = 86_400_000;
const WANTED_SECONDS = 5;
const LATE_MS = 60_000;
const AGAIN_MS = 20;

interface Uploaded {
	readonly seconds: number;
	/** Ours alone. */
	readonly cut:
		| { readonly seconds: number; readonly cuts: number; readonly odd: number }
		| undefined;
}

/** Row 6: a week without a line, seven journals, all at once. */
export async function measureWeek(bench: Bench): Promise<readonly Row[]> {
	const uploaded = await ofEach((name) => measure(bench, name));
	const { daftar, yWebsocket, hocuspocus } = uploaded;
	const seconds = (value: number): string =>
		`${value.toLocaleString('en', { maximumFractionDigits: 2 })} s`;
	const cut =
		daftar.cut === undefined
			? ''
			: `; cut ${String(daftar.cut.cuts)} times ${seconds(daftar.cut.seconds)}, ` +
				(daftar.cut.odd === 0 ? 'each still once' : `${String(daftar.cut.odd)} NOT ONCE`);
	return [
		{
			what: `a week offline (${FACTS.toLocaleString('en')} facts), uploaded`,
			said: {
				daftar: `${seconds(daftar.seconds)} until projected and sent${cut}`,
				yWebsocket: `${seconds(yWebsocket.seconds)} until seen by another`,
				hocuspocus: `${seconds(hocuspocus.seconds)} until acknowledged in memory`
			},
			wanted: '≤ 5 s; cut 20 times: once each',
			isMet: daftar.seconds <= WANTED_SECONDS && daftar.cut?.cuts === CUTS && daftar.cut.odd === 0,
			figures: uploaded
		}
	];
}

async function measure(bench: Bench, name: ServerName): Promise<Uploaded> {
	bench.tell(`a week offline: ${name}`);
	const server = await bench.start(name);
	try {
		// What is done for the first time is slower, and a server is seldom started for one device.
		await upload(bench, server, await aWeek(bench));
		const seconds = await upload(bench, server, await aWeek(bench));
		if (name !== 'daftar') return { seconds, cut: undefined };
		return { seconds, cut: await uploadCut(bench, server) };
	} finally {
		await server.stop();
	}
}

interface Day {
	readonly shop: Shop;
	readonly daysAgo: number;
	readonly client: number;
	readonly pieces: readonly Piece[];
	/** Which of its facts were acknowledged. */
	readonly kept: Set<number>;
	line: Line | undefined;
}

async function aWeek({ shops }: Bench): Promise<readonly Day[]> {
	const [shop] = await shops.open(1, 2);
	const [code] = shop?.codes ?? [];
	if (shop === undefined || code === undefined) throw new Error('no shop');
	return Array.from({ length: DAYS }, (_, day): Day => {
		const daysAgo = DAYS - day;
		const client = freshClient();
		const numbers = [day * FACTS_A_DAY + 1, (day + 1) * FACTS_A_DAY] as const;
		const wall = Date.now() - daysAgo * DAY_MS;
		const pieces = cashSalesTogether({ shop, code, client, numbers, wall });
		return { shop, daysAgo, client, pieces, kept: new Set(), line: undefined };
	});
}

/** Seconds from the first connection until all is acknowledged. */
async function upload(
	bench: Bench,
	server: Pick<Server, 'name' | 'port'>,
	week: readonly Day[]
): Promise<number> {
	const watching = server.name === 'yWebsocket' ? await watch(bench, server, week) : [];
	const start = performance.now();
	await Promise.all(week.map((day) => connect(bench, server, { day })));
	const isKept = (): boolean => week.every(({ kept }) => kept.size === FACTS_A_DAY);
	if (!(await until(isKept, LATE_MS, 2))) throw new Error('a week was not acknowledged');
	const seconds = (performance.now() - start) / 1_000;
	for (const { line } of week) line?.close();
	for (const line of watching) line.close();
	return seconds;
}

interface Connecting {
	readonly day: Day;
	readonly closed?: () => void;
}

/** Says all that the server lacks as soon as it asks. */
async function connect(
	bench: Bench,
	server: Pick<Server, 'name' | 'port'>,
	{ day, closed = () => undefined }: Connecting
): Promise<void> {
	const { shop, daysAgo, client, pieces } = day;
	const [code] = shop.codes;
	if (code === undefined) throw new Error('a shop without a device');
	const first = pieces[0]?.span[0] ?? 1;
	day.line = await lineTo(bench, server, {
		shop,
		code,
		daysAgo,
		heard: {
			asked: (stateVector) => {
				const next = first + (stateVector.get(client) ?? 0);
				for (const { update, span } of pieces) {
					if (span[1] >= next) day.line?.send(update, span);
				}
			},
			acknowledged: ([from, to]) => {
				keep(day, [Math.max(from, first), Math.min(to, first + FACTS_A_DAY - 1)]);
			},
			closed
		}
	});
}

function keep({ kept }: Day, [from, to]: readonly [number, number]): void {
	for (let n = from; n <= to; n += 1) kept.add(n);
}

/** Another device on each journal, which is shown what is written there. */
async function watch(
	bench: Bench,
	server: Pick<Server, 'name' | 'port'>,
	week: readonly Day[]
): Promise<readonly Line[]> {
	const lines: Line[] = [];
	for (const day of week) {
		const [, code] = day.shop.codes;
		if (code === undefined) throw new Error('a shop with one device');
		const first = day.pieces[0]?.span[0] ?? 1;
		const update = (bytes: Uint8Array): void => {
			keep(day, [first, first + (clocksAfter(bytes).get(day.client) ?? 0) - 1]);
		};
		const place = { shop: day.shop, code, daysAgo: day.daysAgo, heard: { update } };
		const line = await lineTo(bench, server, place);
		await line.synced;
		lines.push(line);
	}
	return lines;
}

/** The same on a road that is cut again and again; each time it begins anew from what the relay asks. */
async function uploadCut(bench: Bench, server: Server): Promise<NonNullable<Uploaded['cut']>> {
	const week = await aWeek(bench);
	const road = await openRoad(server.port);
	const at = { name: server.name, port: road.port };
	let isOver = false;
	const start = performance.now();
	const keepConnected = async (day: Day): Promise<void> => {
		while (!isOver && day.kept.size < FACTS_A_DAY) {
			const closed = Promise.withResolvers<undefined>();
			await connect(bench, at, {
				day,
				closed: () => {
					closed.resolve(undefined);
				}
			});
			const isDone = until(() => day.kept.size === FACTS_A_DAY, LATE_MS, AGAIN_MS);
			await Promise.race([closed.promise, isDone]);
			await sleep(AGAIN_MS);
		}
	};
	const cutting = cutAgainAndAgain(road, () => isOver);
	await Promise.all(week.map(keepConnected));
	isOver = true;
	const seconds = (performance.now() - start) / 1_000;
	const cuts = await cutting;
	for (const { line } of week) line?.close();
	await road.close();
	return { seconds, cuts, odd: await countOdd(bench, week) };
}

/** Whenever some more bytes went out, wherever in a message that is. */
async function cutAgainAndAgain(road: Road, isOver: () => boolean): Promise<number> {
	let cuts = 0;
	let next = randomInt(1, 30_000);
	while (cuts < CUTS && !isOver()) {
		await new Promise((resolve) => setImmediate(resolve));
		if (road.bytesOut() < next) continue;
		road.cut();
		cuts += 1;
		next = road.bytesOut() + randomInt(1, 30_000);
	}
	return cuts;
}

/** By how many the facts, their documents and the projections differ from each one once. */
async function countOdd({ database: { sql } }: Bench, week: readonly Day[]): Promise<number> {
	const [first] = week;
	if (first === undefined) return 0;
	const { business } = first.shop;
	const documents = week.map(({ shop, daysAgo }) => journalOf(shop, daysAgo));
	const [row] = await sql<Record<'facts' | 'sales' | 'counted' | 's', string>[]>`
		select (select count(*) from fact where business = ${business} and document = any(${documents})) as facts,
			(select count(*) from sale where business = ${business}) as sales,
			(select sum(sales_count) from day_total where business = ${business}) as counted,
			(select s from feed_head where business = ${business}) as s`;
	const counts = [row?.facts, row?.sales, row?.counted, row?.s].map(Number);
	return counts.reduce((sum, count) => sum + Math.abs(count - FACTS), 0);
}
