import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket as Socket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { appendFact } from '#documents/facts.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import { factId, productIdOf } from '#domain/ids.ts';
import { accepted, type Player } from '#server/commands/replay/player.ts';
import { decodeHave, MESSAGE_HAVE } from '#sync/frames.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';

/** One that writes whatever happens to the relay, and keeps account of what it was told. */
export interface Writer {
	/** The letters of its facts. */
	readonly code: string;
	/** Every fact that it was told to be saved, by id. */
	readonly saved: ReadonlyMap<string, string>;
	/** Those that it was told the relay has. */
	readonly acknowledged: ReadonlySet<string>;
	write(): Promise<void>;
	/** Takes stock of what is saved and what is acknowledged by now. */
	look(): Promise<void>;
	/** The relay is there again. */
	wake(): void;
	/** Why it will not go on, in words; undefined while it will. */
	stuck(): string | undefined;
	close(): Promise<void>;
}

type Chance = (limit: number) => number;

const POLL_MS = 10;
const BACKOFF_MS_MAX = 250;

/** A device of the shop with all its parts, which sells, on account too, and is paid. */
export async function createDeviceWriter(player: Player, chance: Chance): Promise<Writer> {
	const { device, store, link } = player;
	const saved = new Map<string, string>();
	const acknowledged = new Set<string>();
	const waiting = new Set<number>();
	let lastLooked = 0;
	const name = `of ${device.identity.code}`;
	const products = accepted('products', await device.addProducts([{ name: `Tea ${name}` }]));
	const customer = accepted('a customer', await device.addCustomer({ name: `Amina ${name}` }));
	const stand: Counter = { product: products[0], customer };
	return {
		code: device.identity.code,
		saved,
		acknowledged,
		write: () => act(player, stand, chance),
		look: async () => {
			await store.read(['journal'], async (rows) => {
				const more = await rows.find('journal', {
					from: lastLooked + 1,
					to: Number.MAX_SAFE_INTEGER
				});
				for (const { n, id, text } of more) {
					saved.set(id, text);
					waiting.add(n);
					lastLooked = n;
				}
				for (const n of waiting) {
					const row = await rows.get('journal', n);
					if (row?.sent !== 1) continue;
					waiting.delete(n);
					acknowledged.add(row.id);
				}
			});
		},
		wake: () => {
			link.wake();
		},
		stuck: () => {
			const { halted, refused } = link.status;
			if (halted !== undefined) return `device ${name} stopped: ${halted}`;
			return refused.length > 0 ? `refused: ${JSON.stringify(refused[0])}` : undefined;
		},
		close: () => link.stop()
	};
}

interface Counter {
	readonly product: ProductId | undefined;
	readonly customer: LedgerId;
}

async function act({ device }: Player, counter: Counter, chance: Chance): Promise<void> {
	const { product, customer } = counter;
	const kind = chance(10);
	if (kind === 0) {
		accepted('a payment', await device.writeRecords(customer, [{ kind: 'payment', minor: 50 }]));
		return;
	}
	const minor = 100 + chance(900);
	const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: minor };
	const onAccount = { kind: 'account', minor, ledger: customer } as const;
	accepted(
		'a sale',
		await device.sell({
			lines: [product === undefined ? line : { ...line, productId: product }],
			tenders: [kind < 4 ? onAccount : { kind: 'cash', minor }]
		})
	);
}

/**
 * A stock client under a device's name, without its journal or its link: facts go into a document
 * and the provider does the rest. The document lives as long as this process, so what is in it is
 * saved.
 */
export async function createStockWriter(player: Player, chance: Chance): Promise<Writer> {
	await player.link.stop();
	const { code, business, branch, member } = player.device.identity;
	const doc = new Y.Doc();
	const saved = new Map<string, string>();
	const acknowledged = new Set<string>();
	// Its own device wrote nothing, so its numbers begin here.
	let n = 0;
	const provider = new WebsocketProvider(
		`${player.url.replace('http', 'ws')}/sync`,
		journalName(business, branch, Date.now()),
		doc,
		{
			disableBc: true,
			maxBackoffTime: BACKOFF_MS_MAX,
			WebSocketPolyfill: createTicketSocket({
				getTicket: (document) => player.http.ticket(document),
				WebSocket: Socket as unknown as typeof WebSocket
			})
		}
	);
	provider.messageHandlers[MESSAGE_HAVE] = (_encoder, decoder) => {
		const have = decodeHave(decoding.readVarString(decoder));
		for (const [from, to] of have?.ranges ?? []) {
			for (let at = from; at <= to; at += 1) acknowledged.add(factId(code, at));
		}
	};
	for (const type of [64, 66, 67]) provider.messageHandlers[type] = () => undefined;
	return {
		code,
		saved,
		acknowledged,
		write: () => {
			n += 1;
			const text = saleText({ code, n, member, minor: 100 + chance(900) });
			appendFact(doc, { id: factId(code, n), text });
			saved.set(factId(code, n), text);
			return Promise.resolve();
		},
		look: () => Promise.resolve(),
		wake: () => {
			provider.connect();
		},
		stuck: () => (provider.shouldConnect ? undefined : `${code} was closed for good`),
		close: () => {
			provider.destroy();
			doc.destroy();
			return Promise.resolve();
		}
	};
}

interface SaleOf {
	readonly code: string;
	readonly n: number;
	readonly member: number;
	readonly minor: number;
}

function saleText({ code, n, member, minor }: SaleOf): string {
	const wall = Date.now();
	return encodeFact({
		id: factId(code, n),
		code,
		n,
		at: { wall, counter: n },
		on: new Date(wall).toISOString().slice(0, 10),
		by: member,
		kind: 'sale',
		receipt: n,
		lines: [
			{
				productId: productIdOf(factId(code, 1), 0),
				name: 'Sugar',
				quantityThousandths: 2_000,
				unitPriceMinor: minor,
				totalMinor: 2 * minor
			}
		],
		tenders: [{ kind: 'cash', minor: 2 * minor }]
	});
}

/** Waits until the relay has said of each saved fact that it has it. */
export async function allAcknowledged(
	writers: readonly Writer[],
	timeoutMs: number
): Promise<boolean> {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		for (const writer of writers) await writer.look();
		if (writers.every(({ saved, acknowledged }) => acknowledged.size >= saved.size)) return true;
		if (Date.now() > deadline) return false;
		for (const writer of writers) writer.wake();
		await sleep(POLL_MS);
	}
}
