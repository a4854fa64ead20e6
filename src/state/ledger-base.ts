import { refOf } from '#domain/confirmation/counted-amounts.ts';
import { currencyKey, type CurrencyKey } from '#domain/confirmation/currency-key.ts';
import { addSums, type LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isCredit, isDebit, isOpening } from '#domain/confirmation/record-kind.ts';
import { groupBy } from '#domain/group-by.ts';
import { parseFactId, type BusinessId } from '#domain/ids.ts';
import type { BaseRow, LinkRow, RecordRow } from '#storage/device-store.ts';
import { standingOf, type LedgerRows, type LedgerStanding } from './ledger-standing.ts';
import { isInRanges } from './number-ranges.ts';

/**
 * How a ledger stands while not all of its records are here: what it came to at the relay, and what
 * moved since by the rules of section 7, over the records that are here. What was said of one that
 * is not here moves nothing yet, and what names one counts by its own amount: see `speaksOfOlder`.
 */
export function standingOnBase(
	rows: LedgerRows,
	base: BaseRow,
	business: BusinessId
): LedgerStanding {
	const now = standingOf(rows, business);
	const before = standingOf(insideOf(rows, base), business);
	return { ...now, sums: addedTo(base, [now.sums, negated(before.sums), unresolved(rows, base)]) };
}

/**
 * Whether something came since that is folded right only once the whole ledger is here: it names, or
 * was said of, a record that the base may hold.
 */
export function speaksOfOlder({ records, sayings }: LedgerRows, base: BaseRow): boolean {
	const since = records.filter((row) => !isInBase(row, base));
	const known = new Set(since.map(({ h }) => h));
	const named = [
		...since.flatMap(({ ref, list = [] }) => (ref === undefined ? list : [ref, ...list])),
		...sayings.filter((row) => !isInBase(row, base)).map(({ h }) => h)
	];
	// Of several openings the first alone counts, and that may be an older one.
	return since.some(({ kind }) => isOpening(kind)) || named.some((h) => !known.has(h));
}

/** Whether the sums of the base are of the fact, too. */
export function isInBase({ factId }: { readonly factId: string }, { ranges }: BaseRow): boolean {
	const id = parseFactId(factId);
	return id.ok && isInRanges(id.value, ranges);
}

/** Of what is here, what the sums of the base hold. */
function insideOf({ ledger, records, sayings, link }: LedgerRows, base: BaseRow): LedgerRows {
	return {
		ledger,
		records: records.filter((row) => isInBase(row, base)),
		sayings: sayings.filter((row) => isInBase(row, base)),
		link: link && linkInside(link, base)
	};
}

function linkInside(link: LinkRow, base: BaseRow): LinkRow {
	return { ...link, history: link.history.filter(({ id }) => isInBase({ factId: id }, base)) };
}

type Sums = ReadonlyMap<CurrencyKey, LedgerSums>;

function addedTo(base: BaseRow, moved: readonly Sums[]): Sums {
	const held = new Map(base.sums.map((sums) => [currencyKey(sums), whole(sums)]));
	const all = [held, ...moved];
	const keys = [...new Set(all.flatMap((sums) => [...sums.keys()]))].sort();
	return new Map(keys.map((key) => [key, addSums(all.flatMap((sums) => sums.get(key) ?? []))]));
}

function negated(all: Sums): Sums {
	return new Map(
		[...all].map(([key, { confirmed, waiting, credited, disputed }]) => {
			const sums = { confirmed: -confirmed, waiting: -waiting };
			return [key, whole({ ...sums, credited: -credited, disputed: -disputed })];
		})
	);
}

/** What came since and names, by however many others, a record that is not here. */
function unresolved({ records }: LedgerRows, base: BaseRow): Sums {
	const byHash = new Map(records.map((row) => [row.h, row]));
	const since = records.filter((row) => !isInBase(row, base) && !isRooted(row, byHash));
	return new Map(
		[...groupBy(since, currencyKey)].map(([key, of]) => [key, addSums(of.map(ownSums).map(whole))])
	);
}

function isRooted(row: RecordRow, byHash: ReadonlyMap<RecordHash, RecordRow>): boolean {
	let ref = refOf(row);
	while (ref !== undefined) {
		const named = byHash.get(ref);
		if (named === undefined) return false;
		ref = refOf(named);
	}
	return true;
}

type Amounts = Pick<LedgerSums, 'confirmed' | 'waiting' | 'credited' | 'disputed'>;

function ownSums({ kind, amount }: RecordRow): Amounts {
	const none = { confirmed: 0n, waiting: 0n, credited: 0n, disputed: 0n };
	if (isDebit(kind)) return { ...none, waiting: BigInt(amount) };
	if (isCredit(kind)) return { ...none, credited: BigInt(amount) };
	return kind === 'reversalOfDebit' ? { ...none, waiting: -BigInt(amount) } : none;
}

function whole({ confirmed, waiting, credited, disputed }: Amounts): LedgerSums {
	const of = { confirmed, waiting, credited, disputed };
	return { ...of, total: 0n, advance: 0n, agreed: 0n, notYetAgreed: 0n };
}
