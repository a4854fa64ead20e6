import { randomInt, randomUUID } from 'node:crypto';
import { parseRecordCore, parseRecordId } from '#domain/confirmation/record.ts';
import { parseRest } from '#domain/confirmation/rest.ts';
import { signRecord } from '#domain/confirmation/signed-record.ts';
import type { Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { FactHead, FactRecord, SoldLine } from '#domain/fact/fact.ts';
import { factId, productIdOf, type DeviceCode, type LedgerId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { textItem, writePieces } from '#server/relay/update-writer.ts';
import type { Span } from './line.ts';
import type { Shop } from './shops.ts';

/** One update as a device sends it, with the facts that it holds. */
export interface Piece {
	readonly update: Uint8Array;
	readonly span: Span;
}

export interface Journey {
	readonly shop: Shop;
	readonly code: DeviceCode;
	/** Of the device's Yjs documents. */
	readonly client: number;
	readonly numbers: Span;
	/** When it all happened. */
	readonly wall: number;
}

const crypto = createNodeCrypto();
const LINE_MINOR = 9_000;

/** A random 53-bit client, as each page load takes one. */
export function freshClient(): number {
	return randomInt(2 ** 27) * 2 ** 26 + randomInt(2 ** 26);
}

/** Cash sales of two lines, each in an update of its own. */
export function* cashSales({ code, client, numbers, wall }: Journey): Generator<Piece, undefined> {
	const [first, last] = numbers;
	for (let n = first; n <= last; n += 1) {
		yield pieceOf({ client, clock: n - first, id: factId(code, n), text: cashSale(code, n, wall) });
	}
	return undefined;
}

/** The same in as few updates as a device cuts them into. */
export function cashSalesTogether({ code, client, numbers, wall }: Journey): readonly Piece[] {
	const [first, last] = numbers;
	const items = Array.from({ length: last - first + 1 }, (_, clock) =>
		textItem({
			client,
			clock,
			key: factId(code, first + clock),
			text: cashSale(code, first + clock, wall)
		})
	);
	const pieces: Piece[] = [];
	let from = first;
	for (const update of writePieces(items)) {
		const to = from + countOf(update) - 1;
		pieces.push({ update, span: [from, to] });
		from = to + 1;
	}
	return pieces;
}

/** Sales on account, each with its signed record. */
export async function accountSales({
	shop,
	code,
	client,
	numbers: [first, last],
	wall
}: Journey): Promise<readonly Piece[]> {
	const signer = shop.signers.get(code);
	if (signer === undefined) throw new Error('a device without a key');
	const ledger = randomUUID() as LedgerId;
	const pieces: Piece[] = [];
	for (let n = first; n <= last; n += 1) {
		const head = headOf(code, n, wall);
		const lines = linesOf(n);
		const amount = 2 * LINE_MINOR;
		const text = encodeFact({
			...head,
			kind: 'sale',
			receipt: n,
			lines,
			tenders: [{ kind: 'account', minor: amount }],
			record: await dueOf({ shop, head, ledger, amount }, signer)
		});
		pieces.push(pieceOf({ client, clock: n - first, id: head.id, text }));
	}
	return pieces;
}

interface Due {
	readonly shop: Shop;
	readonly head: FactHead;
	readonly ledger: LedgerId;
	readonly amount: number;
}

async function dueOf({ shop, head, ledger, amount }: Due, signer: Signer): Promise<FactRecord> {
	const recordId = parseRecordId(uuidV7());
	if (!recordId.ok) throw new Error('not a record id');
	const signed = await signRecord(
		{
			core: {
				kind: 'due',
				isMadeOffline: false,
				currency: 'KES',
				exponent: 2,
				amount,
				occurredAt: head.at.wall,
				businessId: shop.business,
				ledgerId: ledger,
				recordId: recordId.value,
				balanceAfter: 0
			},
			rest: {
				br: shop.branch,
				d: shop.codes.find((code) => code === head.code) ?? shop.codes[0] ?? ('A' as DeviceCode),
				n: head.n,
				u: shop.person,
				on: head.on
			}
		},
		signer,
		crypto
	);
	const core = parseRecordCore(signed.a);
	const rest = parseRest(signed.rest);
	if (!core.ok || !rest.ok) throw new Error('signed what cannot be read');
	return { signed, core: core.value, rest: rest.value };
}

function pieceOf({ client, clock, id, text }: ItemParts): Piece {
	const [update = new Uint8Array()] = writePieces([textItem({ client, clock, key: id, text })]);
	const n = Number(id.slice(id.lastIndexOf('-') + 1));
	return { update, span: [n, n] };
}

interface ItemParts {
	readonly client: number;
	readonly clock: number;
	readonly id: string;
	readonly text: string;
}

/** An update of one client begins with 1, then the number of its items as a varuint. */
function countOf(update: Uint8Array): number {
	const [, low = 0, high = 0] = update;
	return low < 0x80 ? low : (low & 0x7f) + high * 0x80;
}

function cashSale(code: string, n: number, wall: number): string {
	return encodeFact({
		...headOf(code, n, wall),
		kind: 'sale',
		receipt: n,
		lines: linesOf(n),
		tenders: [{ kind: 'cash', minor: 20_000 }]
	});
}

function headOf(code: string, n: number, wall: number): FactHead {
	const on = new Date(wall).toISOString().slice(0, 10);
	return { id: factId(code, n), code, n, at: { wall, counter: n }, on, by: 1 };
}

/** Of 400 products, as many as a small shop has. */
function linesOf(n: number): readonly SoldLine[] {
	return [n % 400, n % 37].map((product) => ({
		productId: productIdOf(factId('A', 1 + product), 0),
		name: 'Sugar 1 kg',
		quantityThousandths: 2_000,
		unitPriceMinor: LINE_MINOR / 2,
		totalMinor: LINE_MINOR
	}));
}

function uuidV7(): string {
	const hex = Date.now().toString(16).padStart(12, '0');
	return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${randomUUID().slice(24)}`;
}
