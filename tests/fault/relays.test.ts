import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as decoding from 'lib0/decoding';
import { afterEach, describe, expect, it } from 'vitest';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { appendFact, readFacts } from '#documents/facts.ts';
import { openBus } from '#server/bus/open-bus.ts';
import { createExchange } from '#server/bus/process-bus.ts';
import { decodeHave, decodeNack, MESSAGE_HAVE, MESSAGE_NACK } from '#sync/frames.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';
import { lossyBus, machineTimers } from '#tests/support/lossy-bus.ts';
import { hasRedis, startRedis } from '#tests/support/redis-server.ts';
import {
	createRelayStand,
	settingFact,
	ticketFor,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';

/** What everybody must agree on within. */
const CONVERGED_MS = 10_000;
const LOSS = { percent: 30 } as const;
const FACTS_EACH = 80;
const PAUSE_MS = 10;

/** A relay beside the first one. */
interface Second {
	readonly url: string;
	/** Ends in the middle of whatever it does. */
	readonly kill: () => Promise<void>;
}

interface Ground {
	readonly first: RelayStand;
	readonly second: Second;
	/** How much the first relay did not hear. */
	readonly lost: () => number;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

/** Both in this process; the second ends without a word to anybody. */
async function inOneProcess(): Promise<Ground> {
	const exchange = createExchange();
	const bus = lossyBus(exchange.join(), { seed: 1, ...LOSS });
	const first = await createRelayStand({ bus, timers: machineTimers });
	closing.push(() => first.close());
	const other = lossyBus(exchange.join(), { seed: 2, ...LOSS });
	const stand = await createRelayStand({ beside: first, bus: other, timers: machineTimers });
	return { first, second: { url: stand.url, kill: () => stand.close() }, lost: bus.lost };
}

/** The second in a process of its own, for a kill that asks nobody. */
async function inTwoProcesses(busUrlOf: (first: RelayStand) => string): Promise<Ground> {
	const waiting = await createRelayStand();
	const busUrl = busUrlOf(waiting);
	const bus = lossyBus(
		openBus({ busUrl, databaseUrl: undefined }, () => undefined),
		{ seed: 1, ...LOSS }
	);
	const first = await createRelayStand({ beside: waiting, bus, timers: machineTimers });
	closing.push(
		() => waiting.close(),
		() => first.close(),
		() => bus.close()
	);
	const { url } = waiting.database;
	const program = new URL('../support/relay-process.ts', import.meta.url).pathname;
	const child = spawn(process.execPath, [program, url, busUrl, String(waiting.clock.now)], {
		stdio: ['pipe', 'pipe', 'inherit']
	});
	const ended = once(child, 'exit');
	const kill = async (): Promise<void> => {
		child.kill('SIGKILL');
		await ended;
	};
	closing.push(kill);
	const [said] = (await once(child.stdout, 'data')) as [Buffer];
	return { first, second: { url: said.toString().trim(), kill }, lost: bus.lost };
}

/** A stock client of one device that goes where it is sent, and what it heard. */
interface Writer {
	readonly code: string;
	readonly doc: Y.Doc;
	readonly had: Set<number>;
	readonly refused: string[];
	relayUrl: string;
	written: number;
	close(): void;
}

async function openWriter({ first }: Ground, code: string, relayUrl: string): Promise<Writer> {
	const doc = new Y.Doc();
	const { had, refused } = { had: new Set<number>(), refused: [] as string[] };
	const writer = { code, doc, had, refused, relayUrl, written: 0 };
	class Led extends WebSocket {
		constructor(address: string | URL, protocols?: string | string[]) {
			super(String(address).replace(first.url, writer.relayUrl), protocols);
		}
	}
	const provider = new WebsocketProvider(first.url, first.today(), doc, {
		connect: false,
		disableBc: true,
		maxBackoffTime: 500,
		WebSocketPolyfill: createTicketSocket({
			getTicket: async (name) => ({ ticket: await ticketFor(first, code, name) }),
			WebSocket: Led
		})
	});
	const hear = (type: number, tell: (json: string) => void): void => {
		provider.messageHandlers[type] = (_encoder, decoder) => {
			tell(decoding.readVarString(decoder));
		};
	};
	hear(MESSAGE_HAVE, (json) => {
		for (const [from, to] of decodeHave(json)?.ranges ?? [])
			for (let n = from; n <= to; n += 1) had.add(n);
	});
	hear(MESSAGE_NACK, (json) => refused.push(...(decodeNack(json)?.refused ?? []).flat()));
	provider.connect();
	closing.push(() => {
		provider.destroy();
	});
	await until(() => provider.synced);
	return Object.assign(writer, {
		close: () => {
			provider.destroy();
		}
	});
}

/** Writes `count` facts, one after the other with a moment between. */
async function write({ first }: Ground, writer: Writer, count: number): Promise<void> {
	for (let left = count; left > 0; left -= 1) {
		writer.written += 1;
		appendFact(writer.doc, settingFact(first, `${writer.code}-${String(writer.written)}`));
		await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
	}
}

/** Until every replica, the database and what each device was told agree; how long that took. */
async function converged(
	{ first }: Ground,
	writers: readonly Writer[],
	readers: readonly Writer[]
): Promise<void> {
	const at = performance.now();
	const all = new Set(writers.flatMap(idsOf));
	const replicas = [...writers, ...readers];
	await until(() => replicas.every(({ doc }) => readFacts(doc).length === all.size), CONVERGED_MS);
	await until(
		() => replicas.every((one) => one.had.size === writtenBy(writers, one.code)),
		CONVERGED_MS
	);
	expect(performance.now() - at).toBeLessThan(CONVERGED_MS);
	for (const { doc, refused } of replicas) {
		expect(new Set(readFacts(doc).map(({ id }) => id))).toEqual(all);
		expect(refused).toEqual([]);
	}
	const rows = await first.database.sql<{ id: string; s: string }[]>`
		select code || '-' || n as id, s from fact order by s`;
	expect(rows.map(({ s }) => Number(s))).toEqual(rows.map((_row, at_) => at_ + 1));
	expect(rows).toHaveLength(all.size);
	expect(new Set(rows.map(({ id }) => id))).toEqual(all);
	expect(first.faults).toEqual([]);
}

function idsOf({ code, written }: Writer): readonly string[] {
	return Array.from({ length: written }, (_, at) => `${code}-${String(at + 1)}`);
}

function writtenBy(writers: readonly Writer[], code: string): number {
	return writers.find((one) => one.code === code)?.written ?? 0;
}

async function survive(ground: Ground): Promise<void> {
	const { first, second } = ground;
	for (const code of ['A', 'B', 'C']) await first.addDevice(code);
	const a = await openWriter(ground, 'A', first.url);
	const b = await openWriter(ground, 'B', second.url);
	// Two more lines: the same device at the other relay, and one that only listens.
	const again = await openWriter(ground, 'A', second.url);
	const c = await openWriter(ground, 'C', first.url);

	await Promise.all([a, b].map(async (writer) => write(ground, writer, FACTS_EACH)));
	await converged(ground, [a, b], [again, c]);
	expect(ground.lost()).toBeGreaterThan(0);

	const writing = Promise.all([a, b].map(async (writer) => write(ground, writer, FACTS_EACH)));
	await until(() => b.written > FACTS_EACH * 1.3);
	await second.kill();
	// As a balancer does it.
	for (const led of [b, again]) led.relayUrl = first.url;
	await writing;
	await converged(ground, [a, b], [again, c]);
}

describe('two relays on one PostgreSQL, 30 % of the news lost, one killed in mid-traffic', () => {
	it('[RELAY-31] agree over an exchange of one process', async () => {
		await survive(await inOneProcess());
	});

	it('[RELAY-31] agree over LISTEN/NOTIFY, after a kill -9', async () => {
		await survive(await inTwoProcesses(({ database }) => database.url));
	});

	// Where none is installed there is nothing to start; `.ci/run` installs one.
	if (hasRedis()) {
		it('[RELAY-31] agree over Redis, after a kill -9', async () => {
			const redis = await startRedis();
			closing.push(redis.stop);
			await survive(await inTwoProcesses(() => redis.url));
		});
	}
});
