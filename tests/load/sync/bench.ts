import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#server/database/connect.ts';
import type { Line, LineParts } from './line.ts';
import { openLine } from './line.ts';
import type { Server, ServerName } from './server.ts';
import { journalOf, type Shop, type Shops } from './shops.ts';

/** What every row is measured with. */
export interface Bench {
	readonly database: Database;
	readonly shops: Shops;
	readonly start: (name: ServerName) => Promise<Server>;
	/** How long traffic is measured, s. */
	readonly seconds: number;
	readonly writers: number;
	readonly rounds: number;
	/** Says what is being done, beside the table. */
	readonly tell: (what: string) => void;
}

/** One line of the table. */
export interface Row {
	readonly what: string;
	readonly said: Readonly<Record<ServerName, string>>;
	readonly wanted: string;
	readonly isMet: boolean;
	/** The figures as they are, for the JSON line. */
	readonly figures: object;
}

/** The same measurement of each server, one after the other. */
export async function ofEach<T>(
	measure: (name: ServerName) => Promise<T>
): Promise<Readonly<Record<ServerName, T>>> {
	const daftar = await measure('daftar');
	const yWebsocket = await measure('yWebsocket');
	return { daftar, yWebsocket, hocuspocus: await measure('hocuspocus') };
}

export interface Place {
	readonly shop: Shop;
	readonly code: Shop['codes'][number];
	readonly daysAgo?: number;
}

/** A device's line to the server, with a ticket where one is asked for. */
export async function lineTo(
	{ shops }: Bench,
	server: Pick<Server, 'name' | 'port'>,
	{ shop, code, daysAgo = 0, ...parts }: Place & Pick<LineParts, 'heard' | 'stateVector'>
): Promise<Line> {
	const document = journalOf(shop, daysAgo);
	const ticket = server.name === 'daftar' ? await shops.ticket(shop, code, document) : '';
	return openLine({ server: server.name, port: server.port, document, ticket, ...parts });
}

/** Asks every `stepMs` until it is so; false where it does not come to pass within `msMax`. */
export async function until(
	isSo: () => boolean | Promise<boolean>,
	msMax: number,
	stepMs = 10
): Promise<boolean> {
	const end = performance.now() + msMax;
	while (!(await isSo())) {
		if (performance.now() > end) return false;
		await sleep(stepMs);
	}
	return true;
}

/** Of times in ms, in tenths. */
export function percentiles(times: readonly number[]): {
	readonly p50: number;
	readonly p99: number;
} {
	const sorted = times.toSorted((a, b) => a - b);
	const at = (share: number): number =>
		Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? NaN) * 10) / 10;
	return { p50: at(0.5), p99: at(0.99) };
}

export function median(numbers: readonly number[]): number {
	const sorted = numbers.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
