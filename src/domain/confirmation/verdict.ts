import { assert } from '../assert.ts';
import { concatBytes, tag, u32, u64, u8 } from '../bytes.ts';
import { recordHashBytes, type RecordHash } from './record-hash.ts';
import { HASH_BYTES } from './record.ts';

/** What the relay decides of a claim; the byte stands in the verdict. */
const VERDICT_RESULTS = {
	ok: 1,
	wrong: 2,
	used: 3,
	locked: 4,
	revoked: 5,
	overTheCap: 6,
	tooOld: 7,
	notLinked: 8,
	overTheRule: 9
} as const;

type VerdictResult = keyof typeof VERDICT_RESULTS;

export interface Verdict {
	readonly result: VerdictResult;
	/** Strength of the evidence, 0 … 5. */
	readonly al: number;
	readonly h: RecordHash;
	readonly relayEpoch: number;
	/** The ledger's own, gapless, from 1. */
	readonly seq: number;
	/** Milliseconds UTC. */
	readonly at: number;
	readonly claimHash: Uint8Array;
	/** SHA-256 of the ledger's verdict before; the first names zeros. */
	readonly previous: Uint8Array;
}

/** **V**; its plain SHA-256 is what the next verdict of the ledger names. */
export function encodeVerdict(verdict: Verdict): Uint8Array {
	assert(verdict.al <= 5, 'evidence has strength 0 to 5');
	assert(verdict.claimHash.length === HASH_BYTES, 'a hash has 32 bytes');
	assert(verdict.previous.length === HASH_BYTES, 'a hash has 32 bytes');
	return concatBytes(
		u8(VERDICT_RESULTS[verdict.result]),
		u8(verdict.al),
		recordHashBytes(verdict.h),
		u32(verdict.relayEpoch),
		u64(verdict.seq),
		u64(verdict.at),
		verdict.claimHash,
		verdict.previous
	);
}

/** What the relay signs. */
export function verdictMessage(v: Uint8Array): Uint8Array {
	return concatBytes(tag('cp/ver/v1'), v);
}
