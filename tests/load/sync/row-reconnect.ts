import { setTimeout as sleep } from 'node:timers/promises';
import { lineTo, median, ofEach, until, type Bench, type Row } from './bench.ts';
import { openLine } from './line.ts';
import { cashSales, freshClient } from './sales.ts';
import { openRoad } from './slow-road.ts';
import type { Server, ServerName } from './server.ts';
import { journalOf, type Shop } from './shops.ts';

const ROUND_TRIP_MS = 400;
const WANTED_MS = 1_200;
const TIMES = 3;
const FACTS = 20;
const LATE_MS = 10_000;

interface Reconnected {
	/** From the first packet until the device knows that it has all. */
	readonly ms: number;
	/** In round trips of the line, the handshake of TCP among them. */
	readonly roundTrips: number;
}

/** Row 5: a device comes back to a shop in which nothing has happened since. */
export async function measureReconnect(bench: Bench): Promise<readonly Row[]> {
	const [shop] = await bench.shops.open(1, 2);
	if (shop === undefined) throw new Error('no shop');
	const times = await ofEach((name) => measure(bench, name, shop));
	const say = ({ ms, roundTrips }: Reconnected): string =>
		`${ms.toLocaleString('en')} ms, ${String(roundTrips)} round trips`;
	return [
		{
			what: 'back on a line of 400 ms, ticket in hand, until caught up with a quiet shop',
			said: {
				daftar: `${say(times.daftar)}: journal, own facts and feed`,
				yWebsocket: `${say(times.yWebsocket)}: the document`,
				hocuspocus: `${say(times.hocuspocus)}: the document`
			},
			wanted: '≤ 1,200 ms',
			isMet: times.daftar.ms <= WANTED_MS,
			figures: times
		}
	];
}

async function measure(bench: Bench, name: ServerName, shop: Shop): Promise<Reconnected> {
	bench.tell(`reconnect: ${name}`);
	const server = await bench.start(name);
	try {
		const client = await writeSome(bench, server, shop);
		const road = await openRoad(server.port, ROUND_TRIP_MS);
		const times: number[] = [];
		for (let time = 0; time < TIMES; time += 1) {
			times.push(await reconnect(bench, { name, port: road.port }, { shop, client }));
		}
		await road.close();
		const ms = Math.round(median(times));
		return { ms, roundTrips: Math.floor(ms / ROUND_TRIP_MS) };
	} finally {
		await server.stop();
	}
}

/** The Yjs client that wrote them. */
async function writeSome(bench: Bench, server: Server, shop: Shop): Promise<number> {
	const [code] = shop.codes;
	if (code === undefined) throw new Error('a shop without a device');
	const client = freshClient();
	const numbers = [1, FACTS] as const;
	const line = await lineTo(bench, server, { shop, code, heard: {} });
	await line.synced;
	for (const piece of cashSales({ shop, code, client, numbers, wall: Date.now() })) {
		line.send(piece.update, piece.span);
	}
	await sleep(LATE_MS / 20);
	line.close();
	return client;
}

interface Returning {
	readonly shop: Shop;
	readonly client: number;
}

async function reconnect(
	{ shops }: Bench,
	{ name, port }: Pick<Server, 'name' | 'port'>,
	{ shop, client }: Returning
): Promise<number> {
	const [code] = shop.codes;
	if (code === undefined) throw new Error('a shop without a device');
	const document = journalOf(shop);
	const ticket = name === 'daftar' ? await shops.ticket(shop, code, document) : '';
	const stateVector = new Map([[client, FACTS]]);
	const told = { isSynced: false, covered: 0, s: -1 };
	const heard = {
		acknowledged: ([, to]: readonly [number, number]) => (told.covered = to),
		hello: (s: number) => (told.s = s)
	};
	const start = performance.now();
	const line = openLine({
		server: name,
		port,
		document,
		ticket,
		stateVector,
		isAhead: true,
		heard
	});
	void line.synced.then(() => (told.isSynced = true));
	const isCaughtUp = (): boolean =>
		told.isSynced && (name !== 'daftar' || (told.covered === FACTS && told.s === FACTS));
	if (!(await until(isCaughtUp, LATE_MS, 1))) throw new Error('never caught up');
	const took = performance.now() - start;
	line.close();
	return took;
}
