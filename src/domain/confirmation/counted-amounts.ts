import { present } from '../assert.ts';
import { compareRecordHashes, type RecordHash } from './record-hash.ts';
import { isCredit, isDebit, isOpening, REF_OF_KIND, type RecordKind } from './record-kind.ts';

/** What decides how much of a record counts. */
export interface CountedRecord {
	readonly h: RecordHash;
	readonly kind: RecordKind;
	/** Minor units. */
	readonly amount: number;
	/** Milliseconds UTC. */
	readonly occurredAt: number;
	readonly ref?: RecordHash;
}

/** The records of one ledger in one currency, in order, and who names whom. */
interface Page {
	readonly records: readonly CountedRecord[];
	/** What reverses a debit at once, by the debit's H. */
	readonly reversedByHash: ReadonlyMap<RecordHash, bigint>;
	/** Credits that name a debit and reversals of credits, by the H they name, in order. */
	readonly namersByHash: ReadonlyMap<RecordHash, readonly CountedRecord[]>;
}

type Counted = readonly [record: CountedRecord, amount: bigint];

/**
 * What each of `records` (distinct, of one ledger and currency) counts once links and openings are
 * settled, in minor units by H: a debit less what reverses it, a credit and the reversal of one no
 * more than what they name leaves them. What is missing from the map counts nothing.
 */
export function countedAmounts(records: readonly CountedRecord[]): ReadonlyMap<RecordHash, bigint> {
	const page = pageOf(records);
	const opening = page.records.find(({ kind }) => isOpening(kind));
	const countedByHash = new Map<RecordHash, bigint>();
	const debits: CountedRecord[] = [];

	function reach(counted: readonly Counted[]): void {
		for (const [record, amount] of counted) {
			countedByHash.set(record.h, amount);
			if (isDebit(record.kind)) debits.push(record);
		}
	}

	for (const record of page.records.filter(countsByItself)) {
		const isLaterOpening = isOpening(record.kind) && record !== opening;
		const room = isLaterOpening ? 0n : ownAmount(record, page);
		reach(isDebit(record.kind) ? [[record, room]] : creditsWithin(room, [record], page));
	}
	// What reverses a credit is a debit again, so the list grows while it is walked. What names a
	// record that is not here is never reached.
	for (const { h } of debits) {
		const room = present(countedByHash.get(h), 'a debit was reached with what it counts');
		reach(creditsWithin(room, page.namersByHash.get(h) ?? [], page));
	}
	return countedByHash;
}

/** The H that a record names. A due or payment names nothing, whatever it carries. */
export function refOf({ kind, ref }: Pick<CountedRecord, 'kind' | 'ref'>): RecordHash | undefined {
	return REF_OF_KIND[kind] === undefined ? undefined : ref;
}

function pageOf(unordered: readonly CountedRecord[]): Page {
	const records = unordered.toSorted(compareRecords);
	const recordByHash = new Map(records.map((record) => [record.h, record]));
	const reversedByHash = new Map<RecordHash, bigint>();
	const namersByHash = new Map<RecordHash, CountedRecord[]>();
	for (const record of records) {
		const named = namedBy(record, recordByHash);
		if (named === undefined) continue;
		if (record.kind === 'reversalOfDebit') {
			reversedByHash.set(named, (reversedByHash.get(named) ?? 0n) + BigInt(record.amount));
		} else {
			const namers = namersByHash.get(named);
			if (namers === undefined) namersByHash.set(named, [record]);
			else namers.push(record);
		}
	}
	return { records, reversedByHash, namersByHash };
}

/** The H that `record` names, where that record is here and is of a side that it may name. */
function namedBy(
	record: CountedRecord,
	recordByHash: ReadonlyMap<RecordHash, CountedRecord>
): RecordHash | undefined {
	const ref = refOf(record);
	const named = ref === undefined ? undefined : recordByHash.get(ref);
	if (named === undefined) return undefined;
	const mayName = record.kind === 'reversalOfCredit' ? isCredit(named.kind) : isDebit(named.kind);
	return mayName ? named.h : undefined;
}

/** By the time it occurred, then by the bytes of H: the order in which limits are used up. */
function compareRecords(a: CountedRecord, b: CountedRecord): number {
	const byTime = a.occurredAt - b.occurredAt;
	return byTime === 0 ? compareRecordHashes(a.h, b.h) : byTime;
}

function countsByItself(record: CountedRecord): boolean {
	const { kind } = record;
	const isMoney = isDebit(kind) || isCredit(kind);
	return isMoney && kind !== 'reversalOfCredit' && refOf(record) === undefined;
}

/** What a record would count if nothing but its own reversals limited it. */
function ownAmount({ h, kind, amount }: CountedRecord, page: Page): bigint {
	if (isCredit(kind)) return BigInt(amount);
	const reversed = page.reversedByHash.get(h) ?? 0n;
	return BigInt(amount) - lesser(reversed, BigInt(amount));
}

/**
 * What `credits` count that share `room`, and what their reversals count. Where two devices forgave
 * one due, both credits are there and count it once; the reversal of one of them then first takes
 * away what was too much, so that the other still stands.
 */
function creditsWithin(
	room: bigint,
	credits: readonly CountedRecord[],
	page: Page
): readonly Counted[] {
	const counted = share(room, credits, page);
	const reversals = credits.flatMap((credit) =>
		share(BigInt(credit.amount), page.namersByHash.get(credit.h) ?? [], page)
	);
	let tooMuch = credits.reduce((sum, { amount }) => sum + BigInt(amount), -sumOf(counted));
	const undone = reversals
		.sort(([a], [b]) => compareRecords(a, b))
		.map(([reversal, amount]): Counted => {
			const taken = lesser(amount, tooMuch);
			tooMuch -= taken;
			return [reversal, amount - taken];
		});
	return [...counted, ...undone];
}

/** Gives `room` to `records` in their order, to each no more than its own amount. */
function share(room: bigint, records: readonly CountedRecord[], page: Page): readonly Counted[] {
	let left = room;
	return records.map((record): Counted => {
		const amount = lesser(ownAmount(record, page), left);
		left -= amount;
		return [record, amount];
	});
}

function sumOf(counted: readonly Counted[]): bigint {
	return counted.reduce((sum, [, amount]) => sum + amount, 0n);
}

function lesser(a: bigint, b: bigint): bigint {
	return a < b ? a : b;
}
