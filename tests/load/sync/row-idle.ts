import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '#domain/assert.ts';
import { lineTo, ofEach, type Bench, type Row } from './bench.ts';
import type { Line } from './line.ts';
import { cashSales, freshClient } from './sales.ts';
import type { Server, ServerName } from './server.ts';
import type { Shop } from './shops.ts';

const CONNECTIONS = 500;
/** Opened and closed twice before the first measurement, so that what is made once is made. */
const WARM = 200;
const FACTS_A_JOURNAL = 20;
const SETTLE_MS = 1_500;
/** Code that is compiled or let go between two looks weighs as much as some connections: the middle one counts. */
const ROUNDS = 3;

interface Held {
	/** Heap in use and what it holds outside, for each connection. */
	readonly bytes: number;
	readonly rss: number;
}

/** Row 4: what a connection holds that says nothing, two to a shop, each on a small journal of today. */
export async function measureIdle(bench: Bench): Promise<readonly Row[]> {
	const warm = await bench.shops.open(WARM / 2, 2);
	const shops = await bench.shops.open(CONNECTIONS / 2, 2);
	const held = await ofEach((name) => measure(bench, name, { warm, shops }));
	const say = ({ bytes, rss }: Held): string =>
		`${(bytes / 1_000).toLocaleString('en', { maximumFractionDigits: 1 })} kB ` +
		`(rss ${(rss / 1_000).toLocaleString('en', { maximumFractionDigits: 0 })} kB)`;
	return [
		{
			what: `heap and external memory of each of ${String(CONNECTIONS)} idle connections`,
			said: {
				daftar: say(held.daftar),
				yWebsocket: say(held.yWebsocket),
				hocuspocus: say(held.hocuspocus)
			},
			wanted: 'least',
			isMet: held.daftar.bytes <= Math.min(held.yWebsocket.bytes, held.hocuspocus.bytes),
			figures: held
		}
	];
}

interface Who {
	readonly warm: readonly Shop[];
	readonly shops: readonly Shop[];
}

async function measure(bench: Bench, name: ServerName, { warm, shops }: Who): Promise<Held> {
	bench.tell(`idle connections: ${name}`);
	const server = await bench.start(name);
	try {
		for (const from of [1, 1 + FACTS_A_JOURNAL]) {
			for (const line of await openAll(bench, server, { shops: warm, from })) line.close();
			await sleep(SETTLE_MS);
		}
		const rounds: Held[] = [];
		for (let round = 0; round < ROUNDS; round += 1) {
			const opening = round === 0 ? { shops, from: 1 } : { shops };
			rounds.push(await measureRound(bench, server, opening));
		}
		return present(rounds.toSorted((a, b) => a.bytes - b.bytes)[(ROUNDS - 1) / 2], 'the middle');
	} finally {
		await server.stop();
	}
}

async function measureRound(bench: Bench, server: Server, opening: Opening): Promise<Held> {
	const before = await server.ask('collected');
	const lines = await openAll(bench, server, opening);
	await sleep(SETTLE_MS);
	const after = await server.ask('collected');
	for (const line of lines) line.close();
	await sleep(SETTLE_MS);
	const gone = await server.ask('collected');
	// Before it may hold what was only found free later, and after what is made once: the less counts.
	const without = Math.min(before.heldBytes, gone.heldBytes);
	return {
		bytes: Math.round((after.heldBytes - without) / lines.length),
		rss: Math.round((after.rss - before.rss) / lines.length)
	};
}

interface Opening {
	readonly shops: readonly Shop[];
	/** The number of the first fact; left out where the journal is written. */
	readonly from?: number;
}

/** The first device of each shop writes the journal where it is not; both then say nothing more. */
async function openAll(
	bench: Bench,
	server: Server,
	{ shops, from }: Opening
): Promise<readonly Line[]> {
	const lines: Line[] = [];
	for (const shop of shops) {
		for (const code of shop.codes) {
			const line = await lineTo(bench, server, { shop, code, heard: {} });
			await line.synced;
			lines.push(line);
			if (from === undefined || code !== shop.codes[0]) continue;
			const numbers = [from, from + FACTS_A_JOURNAL - 1] as const;
			const journey = { shop, code, client: freshClient(), numbers, wall: Date.now() };
			for (const { update, span } of cashSales(journey)) line.send(update, span);
		}
	}
	return lines;
}
