import type { CryptoParts } from '#domain/crypto.ts';
import type { ReturnFact } from '#domain/fact/fact.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { parseBranchId, type FactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { only, type DeviceStore, type FactRow } from '#storage/device-store.ts';
import type { Read } from './account-answers.ts';
import type { ApiRefusal } from './account-api.ts';
import { arrive } from './arrive.ts';
import { timed, type ArrivedFact, type FactText } from './arrived-fact.ts';
import {
	journalOf,
	receiptOf,
	withReturns,
	type Receipt,
	type ReceiptWithReturns
} from './book.ts';
import type { AskDevice } from './connections.ts';
import type { Identity } from './identity.ts';
import { readMeta } from './meta.ts';
import { readReturns } from './read-returns.ts';
import type { FetchedSale } from './take-back.ts';

/** Why an old sale is not here: the relay's reason, or that it has none of that name. */
export type OldSaleRefusal = ApiRefusal | 'noReceipt';

/** A receipt that this device let go, or never held, as the relay has it. */
export interface FetchedReceipt {
	readonly receipt: Receipt;
	/** What came back of it, as far as the relay has it. */
	readonly returns: readonly ReturnFact[];
	/** What a return of it needs; absent for a return. */
	readonly sale?: FetchedSale;
}

/** The receipts of a day, newest first. */
export interface DayReceipts {
	readonly receipts: readonly Receipt[];
	/** Not all of them are on this device, so they were asked for. */
	readonly isFetched: boolean;
}

/**
 * BOOK-17. What left this device is looked up at the relay when somebody asks for it. It is shown and not kept: it was
 * counted when it came first.
 */
export interface OldSales {
	/** By receipt number or fact id, in capitals. */
	receipt(name: string): Promise<Result<FetchedReceipt, OldSaleRefusal>>;
	/** With the returns that this device knows beside. */
	whole(fetched: FetchedReceipt): Promise<ReceiptWithReturns>;
	/** Of this branch: from here where all of it is here. */
	day(on: string): Promise<Result<DayReceipts, OldSaleRefusal>>;
}

export interface OldSalesParts {
	readonly ask: AskDevice;
	readonly store: DeviceStore;
	readonly crypto: CryptoParts;
	readonly identity: () => Pick<Identity, 'branch'>;
}

export function createOldSales(parts: OldSalesParts): OldSales {
	const { ask } = parts;
	return {
		receipt: async (name) => {
			const answer = await ask({ path: `/receipts?name=${encodeURIComponent(name)}` }, readFacts);
			if (!answer.ok) return answer;
			const arrived = await arriveAll(answer.value, parts);
			const named = arrived.find((one) => isNamed(one, name));
			return named === undefined ? err('noReceipt') : ok(fetchedOf(named, arrived));
		},
		whole: async ({ receipt, returns }) => {
			const here = await parts.store.read(['facts'], (rows) => readReturns(rows, receipt.fact.id));
			return withReturns(receipt, allReturns(returns, here));
		},
		day: (on) => readDay(parts, on)
	};
}

function isNamed({ row }: ArrivedFact, name: string): boolean {
	return row.id === name || row.refs.includes(`receipt:${name}`);
}

function fetchedOf(named: ArrivedFact, arrived: readonly ArrivedFact[]): FetchedReceipt {
	const [receipt] = receiptOf(named.row, new Map());
	const returns = arrived.flatMap(({ fact }) =>
		fact?.kind === 'return' && fact.saleId === named.row.id ? [fact] : []
	);
	if (receipt === undefined) throw new Error('what bears a receipt number is a receipt');
	const { fact } = receipt;
	if (fact.kind !== 'sale') return { receipt, returns };
	return { receipt, returns, sale: { sale: fact, returns } };
}

/** What the relay has, and what is not there yet or came since. */
function allReturns(
	there: readonly ReturnFact[],
	here: readonly ReturnFact[]
): readonly ReturnFact[] {
	const byId = new Map<FactId, ReturnFact>([...there, ...here].map((fact) => [fact.id, fact]));
	return [...byId.values()];
}

async function readDay(
	parts: OldSalesParts,
	on: string
): Promise<Result<DayReceipts, OldSaleRefusal>> {
	const { ask, store, identity } = parts;
	const { branch } = identity();
	const here = await store.read(['facts', 'journal', 'days', 'meta'], async (rows) => {
		const ofDay = await rows.find('facts', only('branch+on', [branch, on]));
		const found = ofDay.filter(({ kind }) => kind === 'sale' || kind === 'return');
		const ids = found.map(({ id }) => id);
		const day = await rows.get('days', [branch, on]);
		const count = day === undefined ? 0n : day.salesCount + day.returnsCount;
		const receipts = receiptsOf(found, await journalOf(rows, ids));
		// A device that is new may not know of the day yet.
		const isBegun = ((await readMeta(rows, 'checkpointNext')) ?? null) !== null;
		return { receipts, isWhole: !isBegun && BigInt(found.length) >= count };
	});
	if (here.isWhole) return ok({ receipts: here.receipts, isFetched: false });
	const answer = await ask({ path: `/receipts?branch=${branch}&on=${on}` }, readFacts);
	if (!answer.ok) return answer;
	const arrived = await arriveAll(answer.value, parts);
	const fetched = receiptsOf(
		arrived.map(({ row }) => row),
		new Map()
	);
	// What was not sent yet stands here alone.
	const known = new Set<FactId>(fetched.map(({ fact }) => fact.id));
	const own = here.receipts.filter(({ fact }) => !known.has(fact.id));
	return ok({ receipts: [...own, ...fetched], isFetched: true });
}

function receiptsOf(
	rows: readonly FactRow[],
	marks: Parameters<typeof receiptOf>[1]
): readonly Receipt[] {
	const newest = rows.toSorted((a, b) => compareFactOrder(b, a));
	return newest.flatMap((row) => receiptOf(row, marks));
}

/** At the time by which they count; what is no fact of a form that this program reads is left out. */
async function arriveAll(
	facts: readonly FactText[],
	{ store, crypto }: OldSalesParts
): Promise<readonly ArrivedFact[]> {
	const arrived: ArrivedFact[] = [];
	for (const fact of facts) {
		const one = await arrive(fact, crypto);
		if (one !== undefined) arrived.push(one);
	}
	const ids = arrived.map(({ row }) => row.id);
	const times = await store.read(['clocks'], (rows) => rows.getMany('clocks', ids));
	return arrived.map((one, place) => timed(one, times[place]));
}

const readFacts: Read<readonly FactText[]> = (body) => {
	const facts: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'facts') : 0;
	if (!Array.isArray(facts)) return err('notAnAnswer');
	const read = (facts as readonly unknown[]).map(readFact);
	return read.every((fact) => fact !== undefined) ? ok(read) : err('notAnAnswer');
};

function readFact(row: unknown): FactText | undefined {
	if (!Array.isArray(row) || row.length !== 2) return undefined;
	const [rawBranch, text] = row as readonly unknown[];
	if (typeof text !== 'string') return undefined;
	const branch = parseBranchId(rawBranch);
	if (rawBranch !== null && !branch.ok) return undefined;
	return { text, branch: branch.ok ? branch.value : null };
}
