import { parseRecordCore, parseRecordId } from '#domain/confirmation/record.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isCredit, isDebit, type RecordKind } from '#domain/confirmation/record-kind.ts';
import type { RecordRest, RestItem } from '#domain/confirmation/rest.ts';
import { withItems } from '#domain/confirmation/rest-items.ts';
import { signRecord } from '#domain/confirmation/signed-record.ts';
import { advisoryBalance } from '#domain/confirmation/limits.ts';
import type { FactHead, FactRecord, RecordFact } from '#domain/fact/fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';
import type { DeviceParts, Moment } from './write-path.ts';

/** Of which money a record is. */
export interface RecordMoney {
	readonly currency: string;
	readonly exponent: number;
}

/** What a record says; who writes it, when and under which number comes from the moment. */
export interface RecordOf {
	readonly kind: RecordKind;
	readonly ledger: LedgerId;
	/** Minor units, 1 … 10¹³. */
	readonly minor: number;
	/** What the customer owed before, as this device knew it. */
	readonly owedMinor: bigint;
	readonly note?: string;
	readonly dueAt?: number;
	readonly ref?: RecordHash;
	readonly receipt?: string;
	readonly items?: readonly RestItem[];
	/** SHA-256 of the whole sale, base64url. */
	readonly saleHash?: string;
	/** Another currency than the shop's own. */
	readonly money?: RecordMoney;
	/** When it happened, ms, where that is not the moment of the act. */
	readonly atMs?: number;
	/** Who took the goods. */
	readonly takenBy?: string;
	readonly allocations?: RecordRest['for'];
	/** What a statement lists: how many, and the hash of all. */
	readonly list?: RecordRest['list'];
}

/** Signs a record as part of the fact `head`. */
export async function draftRecord(
	of: RecordOf,
	{ identity, settings, nowMs }: Moment,
	{ head, parts }: { readonly head: FactHead; readonly parts: DeviceParts }
): Promise<FactRecord> {
	const { business, branch, code, person } = identity;
	const recordId = parseRecordId(parts.uuid.v7());
	assert(recordId.ok, 'the record ids handed in are UUIDs v7');
	const bare = { br: branch, d: code, n: head.n, u: person, on: head.on, ...moreOf(of) };
	const money = of.money ?? settings.money;
	const rest = withItems(bare, of.items ?? []);
	const core = {
		kind: of.kind,
		isMadeOffline: parts.isOnline?.() !== true,
		currency: money.currency,
		exponent: money.exponent,
		amount: of.minor,
		// The act's own moment: the stamp may have been carried ahead by a clock that once was.
		occurredAt: of.atMs ?? nowMs,
		businessId: business,
		ledgerId: of.ledger,
		recordId: recordId.value,
		balanceAfter: advisoryBalance(of.owedMinor + owedBy(of))
	};
	const signed = await signRecord({ core, rest }, parts.signer, parts.crypto);
	const written = parseRecordCore(signed.a);
	assert(written.ok, 'a core we wrote is a core');
	return { signed, core: written.value, rest };
}

/** What the fact of records in this money says of the day's totals (FACT-13). */
export function apartOf(
	{ currency, exponent }: RecordMoney,
	{ settings: { money } }: Moment
): Pick<RecordFact, 'isApart'> {
	return currency === money.currency && exponent === money.exponent ? {} : { isApart: true };
}

/** What the record adds to the debt, at the first look. */
export function owedBy({ kind, minor }: Pick<RecordOf, 'kind' | 'minor'>): bigint {
	if (isDebit(kind)) return BigInt(minor);
	return isCredit(kind) || kind === 'reversalOfDebit' ? -BigInt(minor) : 0n;
}

/** What only some records say. */
function moreOf(of: RecordOf): Omit<RecordRest, 'br' | 'd' | 'n' | 'u' | 'on' | 'items'> {
	const { receipt, ref, dueAt, saleHash, takenBy, list, allocations = [], note = '' } = of;
	const said = {
		rc: receipt,
		ref,
		due: dueAt,
		sale: saleHash,
		by: takenBy,
		list,
		for: allocations.length > 0 ? allocations : undefined,
		note: note === '' ? undefined : note
	};
	return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
