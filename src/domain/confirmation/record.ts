import { assert, present } from '../assert.ts';
import {
	concatBytes,
	equalBytes,
	i64,
	readI64,
	readU64,
	u64,
	u8,
	utf8,
	uuidFromBytes,
	uuidToBytes
} from '../bytes.ts';
import { parseBusinessId, parseLedgerId, type BusinessId, type LedgerId } from '../ids.ts';
import { err, ok, type Result } from '../result.ts';
import { isAmount, isBalanceAfter, isCurrencyCode, isExponent, isInstant } from './limits.ts';
import { RECORD_KINDS, recordKindOf, type RecordKind } from './record-kind.ts';

/** One record, chosen when the person acts: UUID v7, lower case. */
export type RecordId = string & { readonly __brand: 'RecordId' };

/** What a record says, in the 114 bytes that everything else names by their hash. */
export interface RecordCore {
	readonly kind: RecordKind;
	readonly isMadeOffline: boolean;
	/** Code and exponent together are the currency. */
	readonly currency: string;
	readonly exponent: number;
	/** Minor units, 1 … 10¹³. */
	readonly amount: number;
	/** Milliseconds UTC. */
	readonly occurredAt: number;
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly recordId: RecordId;
	/** Minor units, as the writing device knew it: shown, never summed. */
	readonly balanceAfter: number;
	/** 32 bytes. */
	readonly restHash: Uint8Array;
}

/** Why bytes are not a record's core; the first that applies, from left to right. */
export type CoreRefusal =
	| 'wrongLength'
	| 'notARecord'
	| 'unknownKind'
	| 'unknownFlag'
	| 'wrongCurrency'
	| 'wrongExponent'
	| 'wrongAmount'
	| 'wrongInstant'
	| 'wrongBusinessId'
	| 'wrongLedgerId'
	| 'wrongRecordId'
	| 'wrongBalance';

export const CORE_BYTES = 114;
export const HASH_BYTES = 32;

const MAGIC = utf8('CPR1');
const MADE_OFFLINE = 1;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Where each field begins. */
const AT = {
	kind: 4,
	flags: 5,
	currency: 6,
	exponent: 9,
	amount: 10,
	occurredAt: 18,
	business: 26,
	ledger: 42,
	record: 58,
	balanceAfter: 74,
	restHash: 82
} as const;

const LADDER: readonly (readonly [CoreRefusal, (core: RecordCore) => boolean])[] = [
	['wrongCurrency', (core) => isCurrencyCode(core.currency)],
	['wrongExponent', (core) => isExponent(core.exponent)],
	['wrongAmount', (core) => isAmount(core.amount)],
	['wrongInstant', (core) => isInstant(core.occurredAt)],
	['wrongBusinessId', (core) => parseBusinessId(core.businessId).ok],
	['wrongLedgerId', (core) => parseLedgerId(core.ledgerId).ok],
	['wrongRecordId', (core) => parseRecordId(core.recordId).ok],
	['wrongBalance', (core) => isBalanceAfter(core.balanceAfter)]
];

export function parseRecordId(text: unknown): Result<RecordId, 'notAnId'> {
	return typeof text === 'string' && UUID_V7.test(text) ? ok(text as RecordId) : err('notAnId');
}

/** The 114 bytes **A** of confirmation.md section 4. Asserts every limit that `parseRecordCore` refuses. */
export function encodeRecordCore(core: RecordCore): Uint8Array {
	const refusal = refusalOf(core);
	assert(refusal === undefined, `a record we make is right: ${String(refusal)}`);
	assert(core.restHash.length === HASH_BYTES, 'a hash has 32 bytes');
	return concatBytes(
		MAGIC,
		u8(RECORD_KINDS[core.kind].byte),
		u8(core.isMadeOffline ? MADE_OFFLINE : 0),
		encodeCurrency(core),
		u64(core.amount),
		u64(core.occurredAt),
		uuidToBytes(core.businessId),
		uuidToBytes(core.ledgerId),
		uuidToBytes(core.recordId),
		i64(core.balanceAfter),
		core.restHash
	);
}

/** Three letters and the exponent, as they stand in a core, in a code's info and in a rule. */
export function encodeCurrency(of: Pick<RecordCore, 'currency' | 'exponent'>): Uint8Array {
	return concatBytes(utf8(of.currency), u8(of.exponent));
}

/** Reads **A** and refuses what no honest device writes. Each core has exactly one form in bytes. */
export function parseRecordCore(bytes: Uint8Array): Result<RecordCore, CoreRefusal> {
	if (bytes.length !== CORE_BYTES) return err('wrongLength');
	if (!equalBytes(bytes.subarray(0, AT.kind), MAGIC)) return err('notARecord');
	const [kindByte = 0, flags = 0] = bytes.subarray(AT.kind, AT.currency);
	const kind = recordKindOf(kindByte);
	if (kind === undefined) return err('unknownKind');
	if (flags > MADE_OFFLINE) return err('unknownFlag');

	const core = readCore(bytes, kind);
	const refusal = refusalOf(core);
	return refusal === undefined ? ok(core) : err(refusal);
}

/** Takes the ids on trust: the ladder looks at them next. */
function readCore(bytes: Uint8Array, kind: RecordKind): RecordCore {
	return {
		kind,
		isMadeOffline: bytes[AT.flags] === MADE_OFFLINE,
		currency: String.fromCharCode(...bytes.subarray(AT.currency, AT.exponent)),
		exponent: present(bytes[AT.exponent], 'the core has all its bytes'),
		amount: readU64(bytes, AT.amount),
		occurredAt: readU64(bytes, AT.occurredAt),
		businessId: uuidFromBytes(bytes.subarray(AT.business, AT.ledger)) as BusinessId,
		ledgerId: uuidFromBytes(bytes.subarray(AT.ledger, AT.record)) as LedgerId,
		recordId: uuidFromBytes(bytes.subarray(AT.record, AT.balanceAfter)) as RecordId,
		balanceAfter: readI64(bytes, AT.balanceAfter),
		restHash: bytes.slice(AT.restHash)
	};
}

function refusalOf(core: RecordCore): CoreRefusal | undefined {
	return LADDER.find(([, holds]) => !holds(core))?.[0];
}
