import { and, eq, inArray, sql } from 'drizzle-orm';
import { utf8 } from '#domain/bytes.ts';
import { idAtStart } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseFactId, type BusinessId, type DeviceCode, type FactId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { sha256 } from '#server/auth/secret-token.ts';
import { device } from '#server/database/accounts.ts';
import { fact, fork } from '#server/database/journal.ts';
import { lateFact } from '#server/database/late-facts.ts';
import type { Transaction } from '#server/database/transaction.ts';

/** Of all that one removed device may leave to its owner, and as much again of second texts. */
const LATE_BYTES_MAX = 10 * 1024 * 1024;

/** What a removed device left. */
export interface LeftByDevice {
	readonly business: BusinessId;
	readonly code: DeviceCode;
	readonly texts: readonly string[];
	readonly receivedAt: number;
}

/** What became of each. */
export interface Kept {
	/** This text lies with the owner, who may have declined it by now. */
	readonly waiting: readonly FactId[];
	/** This text was known already, or was taken in. */
	readonly known: readonly FactId[];
	/** Another text lies with the owner under this name: kept apart, for good. */
	readonly apart: readonly FactId[];
	/** It is no fact of this device. */
	readonly refused: readonly FactId[];
}

/** API-43. Keeps what is new of it, or nothing where it is too much. The device's row is locked meanwhile. */
export async function keepOwn(
	transaction: Transaction,
	left: LeftByDevice
): Promise<Result<Kept, ProblemCode>> {
	await lockDevice(transaction, left);
	const own: OwnFact[] = [];
	const refused: FactId[] = [];
	for (const text of left.texts) {
		const read = ownFact(text, left.code);
		own.push(...read);
		const named = idAtStart(text);
		if (read.length === 0 && named !== undefined) refused.push(named);
	}
	const sorted = await sort(transaction, left, own);
	if (!(await hasRoom(transaction, left, sorted))) return err('bodyTooLarge');
	await insert(transaction, left, sorted);
	const { known, waiting, apart } = sorted;
	return ok({ waiting: idsOf(waiting), known: idsOf(known), apart: idsOf(apart), refused });
}

/** Two that leave under one name, the device and its copy, do it one after the other. */
async function lockDevice(
	transaction: Transaction,
	{ business, code }: LeftByDevice
): Promise<void> {
	await transaction
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, business), eq(device.code, code)))
		.for('update');
}

interface OwnFact {
	readonly id: FactId;
	readonly n: number;
	readonly text: string;
}

/** A kind that this relay does not know yet may wait as well: it is read when it is taken in. */
function ownFact(text: string, code: DeviceCode): readonly OwnFact[] {
	const parsed = parseFact(text);
	if (!parsed.ok && parsed.error !== 'unknownKind') return [];
	const name = parseFactId(idAtStart(text));
	if (!name.ok || name.value.code !== code) return [];
	return [{ id: name.value.id, n: name.value.n, text }];
}

interface Sorted {
	readonly known: readonly OwnFact[];
	readonly waiting: readonly OwnFact[];
	/** Those of `waiting` that did not wait before. */
	readonly news: readonly OwnFact[];
	readonly apart: readonly OwnFact[];
}

/** Of two texts under one number the first waits for the owner. */
async function sort(
	transaction: Transaction,
	left: LeftByDevice,
	own: readonly OwnFact[]
): Promise<Sorted> {
	const numbers = own.map(({ n }) => n);
	const inFeed = await readFeed(transaction, left, numbers);
	const lying = await readLying(transaction, left, numbers);
	const sorted = { known: [] as OwnFact[], waiting: [] as OwnFact[], apart: [] as OwnFact[] };
	const news: OwnFact[] = [];
	for (const one of own) {
		const held = lying.get(one.n);
		const isSame = held?.text === one.text;
		if (inFeed.get(one.n) === one.text || (isSame && held.state === 'taken'))
			sorted.known.push(one);
		else if (held !== undefined) (isSame ? sorted.waiting : sorted.apart).push(one);
		else {
			lying.set(one.n, { text: one.text, state: 'waiting' });
			sorted.waiting.push(one);
			news.push(one);
		}
	}
	return { ...sorted, news };
}

async function readFeed(
	transaction: Transaction,
	{ business, code }: LeftByDevice,
	numbers: number[]
): Promise<ReadonlyMap<number, string>> {
	const rows = await transaction
		.select({ n: fact.n, text: fact.text })
		.from(fact)
		.where(and(eq(fact.business, business), eq(fact.code, code), inArray(fact.n, numbers)));
	return new Map(rows.map(({ n, text }) => [n, text]));
}

type Lying = Pick<typeof lateFact.$inferSelect, 'text' | 'state'>;

async function readLying(
	transaction: Transaction,
	{ business, code }: LeftByDevice,
	numbers: number[]
): Promise<Map<number, Lying>> {
	const rows = await transaction
		.select({ n: lateFact.n, text: lateFact.text, state: lateFact.state })
		.from(lateFact)
		.where(
			and(eq(lateFact.business, business), eq(lateFact.code, code), inArray(lateFact.n, numbers))
		);
	return new Map(rows.map(({ n, text, state }) => [n, { text, state }]));
}

async function hasRoom(
	transaction: Transaction,
	{ business, code }: LeftByDevice,
	{ news, apart }: Sorted
): Promise<boolean> {
	const [held] = await transaction
		.select({ bytes: sql<string>`coalesce(sum(octet_length(${lateFact.text})), 0)` })
		.from(lateFact)
		.where(and(eq(lateFact.business, business), eq(lateFact.code, code)));
	if (Number(held?.bytes ?? 0) + bytesOf(news) > LATE_BYTES_MAX) return false;
	if (apart.length === 0) return true;
	const [forked] = await transaction
		.select({ bytes: sql<string>`coalesce(sum(octet_length(${fork.text})), 0)` })
		.from(fork)
		.where(and(eq(fork.business, business), eq(fork.code, code)));
	return Number(forked?.bytes ?? 0) + bytesOf(apart) <= LATE_BYTES_MAX;
}

async function insert(
	transaction: Transaction,
	{ business, code, receivedAt }: LeftByDevice,
	{ news, apart }: Sorted
): Promise<void> {
	const row = ({ n, text }: OwnFact) => ({ business, code, n, text, receivedAt });
	if (news.length > 0) {
		const waiting = news.map((one) => ({ ...row(one), state: 'waiting' as const }));
		await transaction.insert(lateFact).values(waiting);
	}
	if (apart.length > 0) {
		const kept = apart.map((one) => ({ ...row(one), document: '', digest: digestOf(one.text) }));
		await transaction.insert(fork).values(kept).onConflictDoNothing();
	}
}

/** As facts have it: the first 8 bytes of the text's SHA-256, signed. */
function digestOf(text: string): bigint {
	const { buffer } = sha256(utf8(text));
	return new DataView(buffer).getBigInt64(0);
}

function bytesOf(facts: readonly OwnFact[]): number {
	return facts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

function idsOf(facts: readonly OwnFact[]): readonly FactId[] {
	return facts.map(({ id }) => id);
}
