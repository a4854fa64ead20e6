import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineTo, ofEach, type Bench, type Row } from './bench.ts';
import { factIdsIn } from './documents.ts';
import { clocksAfter, type Line } from './line.ts';
import { cashSales, freshClient, type Piece } from './sales.ts';
import type { Server, ServerName } from './server.ts';
import type { Shop } from './shops.ts';

const SHOPS = 10;
const WRITING_MS_MIN = 600;
const WRITING_MS_MAX = 1_600;
/** One `@y/websocket-server` may only now be reading what it stored. */
const QUIET_MS = 400;
const NUMBERS_A_ROUND = 10_000;

interface Losses {
	/** What a server had said is kept; of `@y/websocket-server`, what another device had been shown. */
	readonly acknowledged: number;
	readonly lost: number;
	/** Ours alone: facts of which the projections do not hold exactly one. */
	readonly doubled: number;
}

/** Row 1: what was acknowledged and is gone when the server is back after `kill -9`. */
export async function measureLost(bench: Bench): Promise<readonly Row[]> {
	const losses = await ofEach((name) => measure(bench, name));
	const say = ({ acknowledged, lost }: Losses, what: string): string =>
		`${String(lost)} of ${String(acknowledged)} ${what}`;
	return [
		{
			what: `facts lost over ${String(bench.rounds)} kill -9 of the server`,
			said: {
				daftar: say(losses.daftar, `acknowledged; ${String(losses.daftar.doubled)} doubled`),
				yWebsocket: say(losses.yWebsocket, 'seen by another (nothing is acknowledged)'),
				hocuspocus: say(losses.hocuspocus, 'acknowledged')
			},
			wanted: '0',
			isMet: losses.daftar.lost === 0 && losses.daftar.doubled === 0,
			figures: losses
		}
	];
}

async function measure(bench: Bench, name: ServerName): Promise<Losses> {
	bench.tell(`kill -9: ${name}`);
	const shops = await bench.shops.open(SHOPS, 2);
	const told = new Map(shops.map((shop) => [shop, new Set<string>()]));
	let server = await bench.start(name);
	for (let round = 0; round < bench.rounds; round += 1) {
		const lines: Line[] = [];
		for (const [shop, ids] of told)
			lines.push(...(await write(bench, server, { shop, ids, round })));
		await sleep(randomInt(WRITING_MS_MIN, WRITING_MS_MAX));
		await server.kill();
		for (const line of lines) line.close();
		server = await bench.start(name);
	}
	let lost = 0;
	for (const [shop, ids] of told) {
		const held = await readIds(bench, server, shop);
		lost += Array.from(ids).filter((id) => !held.has(id)).length;
	}
	await server.stop();
	const acknowledged = Array.from(told.values()).reduce((sum, { size }) => sum + size, 0);
	return { acknowledged, lost, doubled: name === 'daftar' ? await countOdd(bench, shops) : 0 };
}

interface Writing {
	readonly shop: Shop;
	/** Takes in what is acknowledged. */
	readonly ids: Set<string>;
	readonly round: number;
}

/** Two devices that write one fact after the other, each when the last one was acknowledged. */
async function write(
	bench: Bench,
	server: Server,
	{ shop, ids, round }: Writing
): Promise<readonly Line[]> {
	const from = round * NUMBERS_A_ROUND + 1;
	const authors = shop.codes.map((code): Author => {
		const client = freshClient();
		const numbers = [from, from + NUMBERS_A_ROUND - 1] as const;
		const pieces = cashSales({ shop, code, client, numbers, wall: Date.now() });
		return { code, client, pieces, said: from - 1, line: undefined };
	});
	const sayNext = (author: Author): void => {
		const { value } = author.pieces.next();
		if (value === undefined) return;
		author.said += 1;
		author.line?.send(value.update, value.span);
	};
	const isKept = (author: Author, upTo: number): void => {
		if (upTo < author.said) return;
		ids.add(`${author.code}-${String(author.said)}`);
		sayNext(author);
	};
	for (const author of authors) {
		author.line = await lineTo(bench, server, {
			shop,
			code: author.code,
			heard: {
				acknowledged: ([, to]) => {
					if (author.said >= from) isKept(author, to);
				},
				update: (update) => {
					if (server.name !== 'yWebsocket') return;
					for (const [client, clock] of clocksAfter(update)) {
						const other = authors.find((each) => each.client === client && each !== author);
						if (other !== undefined) isKept(other, from + clock - 1);
					}
				}
			}
		});
		await author.line.synced;
	}
	for (const author of authors) sayNext(author);
	return authors.flatMap(({ line }) => line ?? []);
}

interface Author {
	readonly code: Shop['codes'][number];
	readonly client: number;
	readonly pieces: Generator<Piece, undefined>;
	/** The number of its last fact. */
	said: number;
	line: Line | undefined;
}

/** What a device that comes new is given. */
async function readIds(bench: Bench, server: Server, shop: Shop): Promise<ReadonlySet<string>> {
	const updates: Uint8Array[] = [];
	const [code] = shop.codes;
	if (code === undefined) return new Set();
	const heard = { update: (update: Uint8Array) => updates.push(update) };
	const line = await lineTo(bench, server, { shop, code, heard });
	await line.synced;
	for (let seen = -1; seen !== updates.length;) {
		seen = updates.length;
		await sleep(QUIET_MS);
	}
	line.close();
	return factIdsIn(updates);
}

/** Facts without their one row of the projection, and the other way round. */
async function countOdd({ database: { sql } }: Bench, shops: readonly Shop[]): Promise<number> {
	const [row] = await sql<{ facts: string; sales: string; counted: string }[]>`
		select
			(select count(*) from fact where business = any(${shops.map(({ business }) => business)}::uuid[])) as facts,
			(select count(*) from sale where business = any(${shops.map(({ business }) => business)}::uuid[])) as sales,
			(select sum(sales_count) from day_total where business = any(${shops.map(({ business }) => business)}::uuid[])) as counted`;
	const [facts, sales, counted] = [Number(row?.facts), Number(row?.sales), Number(row?.counted)];
	return Math.abs(facts - sales) + Math.abs(facts - counted);
}
