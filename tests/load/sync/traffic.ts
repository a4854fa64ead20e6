import { lineTo, until, type Bench } from './bench.ts';
import { factIdsIn } from './documents.ts';
import { clocksAfter, type Line } from './line.ts';
import type { Piece } from './sales.ts';
import type { Server } from './server.ts';
import { journalOf, type Shop } from './shops.ts';

/** What one device is going to write into its shop's journal of today. */
export interface Script {
	readonly shop: Shop;
	readonly code: Shop['codes'][number];
	readonly client: number;
	/** One fact each, numbered from 1: made beforehand as far as is foreseen. */
	readonly pieces: Piece[];
	/** Those behind them, made as they are needed. */
	readonly more: Iterator<Piece, undefined>;
}

/** `asFastAsItGoes`: each device says its next fact when the last one is acknowledged. */
export type Pace = 'asFastAsItGoes' | { readonly perSecond: number };

/** What a stretch of traffic came to. */
export interface Stretch {
	readonly facts: number;
	readonly seconds: number;
	/** From saying a fact to hearing that it is kept, ms; none where a server has no word for it. */
	readonly acknowledgedMs: readonly number[];
	/** From saying a fact to another device's hearing it, ms. */
	readonly seenMs: readonly number[];
	/** Of the server's process, until all was stored. */
	readonly cpuMicros: number;
	/** Until the last of them stood in the database, s. */
	readonly storedSeconds: number;
}

export interface Traffic {
	run(pace: Pace, seconds: number): Promise<Stretch>;
	end(): void;
}

interface Writer {
	readonly script: Script;
	line: Line | undefined;
	/** When each fact was said. */
	readonly saidAt: number[];
	said: number;
	acknowledged: number;
	seen: number;
}

const TICK_MS = 2;
const DRAIN_MS_MAX = 20_000;
/** Reading all that the others have stored is work too. */
const LOOK_MS = 250;

/** Connects every device, two to a shop, so that each fact has somebody to be seen by. */
export async function openTraffic(
	bench: Bench,
	server: Server,
	scripts: readonly Script[]
): Promise<Traffic> {
	const writers = scripts.map((script): Writer => ({
		script,
		line: undefined,
		saidAt: [],
		said: 0,
		acknowledged: 0,
		seen: 0
	}));
	const byClient = new Map(writers.map((writer) => [writer.script.client, writer]));
	/** `@y/websocket-server` acknowledges nothing: there a fact goes on when it was seen. */
	const isSeenEnough = server.name === 'yWebsocket';
	let times = { acknowledgedMs: [] as number[], seenMs: [] as number[] };
	let isFast = false;
	let isEnded = false;

	function say(writer: Writer): void {
		const { pieces, more } = writer.script;
		const piece = pieces[writer.said] ?? more.next().value;
		if (piece === undefined) throw new Error('more traffic than was prepared');
		pieces[writer.said] = piece;
		writer.saidAt.push(performance.now());
		writer.said += 1;
		writer.line?.send(piece.update, piece.span);
	}

	function acknowledge(writer: Writer, upTo: number): void {
		const now = performance.now();
		for (; writer.acknowledged < upTo; writer.acknowledged += 1) {
			times.acknowledgedMs.push(now - (writer.saidAt[writer.acknowledged] ?? now));
		}
		if (isFast && writer.acknowledged === writer.said) say(writer);
	}

	function see(writer: Writer, upTo: number): void {
		const now = performance.now();
		for (; writer.seen < upTo; writer.seen += 1) {
			times.seenMs.push(now - (writer.saidAt[writer.seen] ?? now));
		}
		if (isSeenEnough && isFast && writer.seen === writer.said) say(writer);
	}

	for (const writer of writers) {
		const { client } = writer.script;
		writer.line = await lineTo(bench, server, {
			...writer.script,
			heard: {
				acknowledged: ([, to]) => {
					acknowledge(writer, to);
				},
				update: (update) => {
					for (const [from, upTo] of clocksAfter(update)) {
						const author = from === client ? undefined : byClient.get(from);
						if (author !== undefined) see(author, upTo);
					}
				},
				closed: (code) => {
					if (!isEnded) throw new Error(`a line was closed with ${String(code)}`);
				}
			}
		});
		await writer.line.synced;
	}
	const isQuiet = (): boolean =>
		writers.every(
			({ said, acknowledged, seen }) => seen >= said && (isSeenEnough || acknowledged >= said)
		);

	async function sayFor(pace: Pace, seconds: number): Promise<void> {
		const start = performance.now();
		if (pace === 'asFastAsItGoes') {
			isFast = true;
			for (const writer of writers) say(writer);
			await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
			isFast = false;
			return;
		}
		for (let said = 0, next = 0; said < pace.perSecond * seconds;) {
			const due = Math.min(
				((performance.now() - start) / 1_000) * pace.perSecond,
				pace.perSecond * seconds
			);
			for (; said < due; said += 1, next = (next + 1) % writers.length) {
				const writer = writers[next];
				if (writer !== undefined) say(writer);
			}
			await new Promise((resolve) => setTimeout(resolve, TICK_MS));
		}
	}

	const facts = (): number =>
		writers.reduce((sum, { acknowledged, seen }) => sum + (isSeenEnough ? seen : acknowledged), 0);

	return {
		run: async (pace, seconds) => {
			times = { acknowledgedMs: [], seenMs: [] };
			const before = { facts: facts(), probed: await server.ask(), at: performance.now() };
			await sayFor(pace, seconds);
			const took = (performance.now() - before.at) / 1_000;
			const inTime = facts() - before.facts;
			if (!(await until(isQuiet, DRAIN_MS_MAX))) throw new Error('not all was acknowledged');
			await allStored(bench, server, writers);
			const storedSeconds = (performance.now() - before.at) / 1_000;
			const all = facts() - before.facts;
			const cpuMicros = ((await server.ask()).cpuMicros - before.probed.cpuMicros) / all;
			return { facts: inTime, seconds: took, ...times, cpuMicros, storedSeconds };
		},
		end: () => {
			isEnded = true;
			for (const { line } of writers) line?.close();
		}
	};
}

/** Waits until the database has every fact that was said. */
async function allStored(
	{ database: { sql } }: Bench,
	{ name }: Server,
	writers: readonly Writer[]
): Promise<void> {
	const documents = Array.from(new Set(writers.map(({ script }) => journalOf(script.shop))));
	const said = writers.reduce((sum, writer) => sum + writer.said, 0);
	const isStored = {
		daftar: () => Promise.resolve(true),
		yWebsocket: async () => {
			const [row] = await sql<{ count: string }[]>`
				select count(*) from peer_update where document = any(${documents})`;
			return Number(row?.count) >= said;
		},
		hocuspocus: async () => {
			const rows = await sql<{ state: Uint8Array }[]>`
				select state from peer_document where document = any(${documents})`;
			return rows.reduce((sum, { state }) => sum + factIdsIn([state]).size, 0) >= said;
		}
	}[name];
	if (!(await until(isStored, DRAIN_MS_MAX, LOOK_MS))) throw new Error('not all was stored');
}
