import {
	addSums,
	currencyKey,
	type CurrencyKey,
	type LedgerSums
} from '#domain/confirmation/ledger-fold.ts';
import { isCredit, isDebit } from '#domain/confirmation/record-kind.ts';
import { groupBy } from '#domain/group-by.ts';
import { parseFactId } from '#domain/ids.ts';
import type { BaseRow, RecordRow } from '#storage/device-store.ts';
import { isInRanges } from './number-ranges.ts';

/** Whether the sums of the base hold the record. */
export function isInBase({ factId }: Pick<RecordRow, 'factId'>, { ranges }: BaseRow): boolean {
	const id = parseFactId(factId);
	return id.ok && isInRanges(id.value, ranges);
}

/**
 * What a ledger comes to while not all of its records are here: what it came to at the relay, and
 * each record since by its own amount. What names another record may come out otherwise once all
 * are here.
 */
export function sumsOnBase(
	records: readonly RecordRow[],
	base: BaseRow
): ReadonlyMap<CurrencyKey, LedgerSums> {
	const since = records.filter((row) => !isInBase(row, base));
	const added = groupBy(since, currencyKey);
	const held = new Map(base.sums.map((sums) => [currencyKey(sums), sums]));
	const keys = [...new Set([...held.keys(), ...added.keys()])].sort();
	return new Map(
		keys.map((key) => {
			const of = held.get(key);
			const parts = [...(of === undefined ? [] : [of]), ...(added.get(key) ?? []).map(sumsOf)];
			return [key, addSums(parts.map(whole))];
		})
	);
}

type Sums = Pick<LedgerSums, 'confirmed' | 'waiting' | 'credited' | 'disputed'>;

function sumsOf({ kind, amount }: RecordRow): Sums {
	const none = { confirmed: 0n, waiting: 0n, credited: 0n, disputed: 0n };
	if (isDebit(kind)) return { ...none, waiting: BigInt(amount) };
	if (isCredit(kind)) return { ...none, credited: BigInt(amount) };
	return kind === 'reversalOfDebit' ? { ...none, waiting: -BigInt(amount) } : none;
}

function whole({ confirmed, waiting, credited, disputed }: Sums): LedgerSums {
	const of = { confirmed, waiting, credited, disputed };
	return { ...of, total: 0n, advance: 0n, agreed: 0n, notYetAgreed: 0n };
}
