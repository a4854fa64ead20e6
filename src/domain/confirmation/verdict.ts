import { assert } from '../assert.ts';
import { concatBytes, readU64, tag, u32, u64, u8 } from '../bytes.ts';
import { err, ok, type Result } from '../result.ts';
import { recordHashBytes, recordHashOf, type RecordHash } from './record-hash.ts';
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

export type VerdictResult = keyof typeof VERDICT_RESULTS;

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

export const VERDICT_BYTES = 118;

const OFFSETS = { h: 2, epoch: 34, seq: 38, at: 46, claimHash: 54, previous: 86 };
const AL_MAX = 5;

/** Reads **V**. */
export function parseVerdict(v: Uint8Array): Result<Verdict, 'notAVerdict'> {
	const [resultByte, al = AL_MAX + 1] = v;
	const result = (Object.keys(VERDICT_RESULTS) as VerdictResult[]).find(
		(name) => VERDICT_RESULTS[name] === resultByte
	);
	if (v.length !== VERDICT_BYTES || result === undefined || al > AL_MAX) return err('notAVerdict');
	const { h, epoch, seq, at, claimHash, previous } = OFFSETS;
	const view = new DataView(v.buffer, v.byteOffset, v.length);
	const [seqRead, atRead] = [readU64(v, seq), readU64(v, at)];
	if (!Number.isSafeInteger(seqRead) || !Number.isSafeInteger(atRead)) return err('notAVerdict');
	return ok({
		result,
		al,
		h: recordHashOf(v.slice(h, epoch)),
		relayEpoch: view.getUint32(epoch),
		seq: seqRead,
		at: atRead,
		claimHash: v.slice(claimHash, previous),
		previous: v.slice(previous)
	});
}
