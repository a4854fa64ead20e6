import { assert } from '../assert.ts';
import { decodeBase64url, encodeBase64url, equalBytes } from '../bytes.ts';
import { KID_BYTES, SIGNATURE_BYTES, type CryptoParts, type Signer } from '../crypto.ts';
import { err, ok, type Result } from '../result.ts';
import { REF_OF_KIND, type RecordKind } from './record-kind.ts';
import { recordHash, type RecordHash } from './record-hash.ts';
import {
	CORE_BYTES,
	encodeRecordCore,
	parseRecordCore,
	type CoreRefusal,
	type RecordCore
} from './record.ts';
import {
	encodeRest,
	parseRest,
	restHash,
	restText,
	type RecordRest,
	type RestRefusal
} from './rest.ts';
import { keyId, recordMessage } from './signatures.ts';

/** A record as the shop wrote it: frozen, and provable to anyone who knows the device's key. */
export interface SignedRecord {
	/** The core's 114 bytes. */
	readonly a: Uint8Array;
	/** The rest's hashed JSON. */
	readonly rest: string;
	readonly kid: Uint8Array;
	readonly rsig: Uint8Array;
}

/** A signed record inside a fact; its rest stands as an object, with its keys in order. */
export type SignedRecordForm = readonly [
	a: string,
	rest: Readonly<Record<string, unknown>>,
	kid: string,
	rsig: string
];

/** What the person decided, before its rest is hashed into the core. */
export interface RecordDraft {
	readonly core: Omit<RecordCore, 'restHash'>;
	readonly rest: RecordRest;
}

/** A record whose bytes are in order; who signed it is another question. */
export interface ReadRecord {
	readonly core: RecordCore;
	readonly rest: RecordRest;
	readonly h: RecordHash;
	readonly kid: Uint8Array;
}

/** A record whose signature by the given key was checked. */
export interface VerifiedRecord extends ReadRecord {
	readonly isVerified: true;
}

/** What a kind asks of its rest, and does not find there. */
type RestKindRefusal = 'refMissing' | 'refNotAllowed' | 'listMissing' | 'listNotAllowed';

/** Why a record is not read: what does not hold, from the outside inwards. */
export type UnreadableRecord =
	| { readonly kind: 'wrongCore'; readonly why: CoreRefusal }
	| { readonly kind: 'wrongRest'; readonly why: RestRefusal }
	| { readonly kind: 'restDoesNotFitKind'; readonly why: RestKindRefusal }
	| { readonly kind: 'restIsAnother' };

export type RecordRefusal = UnreadableRecord | { readonly kind: 'unknownKid' | 'wrongSignature' };

/** Why a value is not a signed record's form: which of the four parts, the first that applies. */
export type SignedRecordFormRefusal =
	| { readonly kind: 'notFourParts' | 'wrongA' | 'wrongKid' | 'wrongRsig' }
	| { readonly kind: 'wrongRest'; readonly why: RestRefusal };

/** Writes and signs a record with the device's key. Asserts what `readRecord` refuses. */
export async function signRecord(
	{ core, rest }: RecordDraft,
	signer: Signer,
	crypto: CryptoParts
): Promise<SignedRecord> {
	const misfit = misfitOf(core.kind, rest);
	assert(misfit === undefined, `the rest fits its kind: ${String(misfit)}`);
	const json = encodeRest(rest);
	const a = encodeRecordCore({ ...core, restHash: await restHash(json, crypto) });
	const h = await recordHash(a, crypto);
	const rsig = await signer.sign(recordMessage(h, signer.kid));
	return { a, rest: json, kid: signer.kid, rsig };
}

/** Reads a record and checks that its parts belong together, not who signed it. */
export async function readRecord(
	{ a, rest: json, kid }: SignedRecord,
	crypto: CryptoParts
): Promise<Result<ReadRecord, UnreadableRecord>> {
	const core = parseRecordCore(a);
	if (!core.ok) return err({ kind: 'wrongCore', why: core.error });
	const rest = parseRest(json);
	if (!rest.ok) return err({ kind: 'wrongRest', why: rest.error });
	const misfit = misfitOf(core.value.kind, rest.value);
	if (misfit !== undefined) return err({ kind: 'restDoesNotFitKind', why: misfit });
	const hash = await restHash(json, crypto);
	if (!equalBytes(hash, core.value.restHash)) return err({ kind: 'restIsAnother' });
	return ok({ core: core.value, rest: rest.value, h: await recordHash(a, crypto), kid });
}

/** Checks all of a record: what `readRecord` checks, then that `publicKey` (65 bytes) signed it. */
export async function verifyRecord(
	signed: SignedRecord,
	publicKey: Uint8Array,
	crypto: CryptoParts
): Promise<Result<VerifiedRecord, RecordRefusal>> {
	const read = await readRecord(signed, crypto);
	if (!read.ok) return read;
	const kid = await keyId(publicKey, crypto);
	if (!equalBytes(kid, signed.kid)) return err({ kind: 'unknownKid' });
	const message = recordMessage(read.value.h, kid);
	if (!(await crypto.verify(publicKey, message, signed.rsig)))
		return err({ kind: 'wrongSignature' });
	return ok({ ...read.value, isVerified: true });
}

/** The form that stands in a fact: `[A, rest, kid, rsig]`, bytes in base64url. */
export function encodeSignedRecord({ a, rest, kid, rsig }: SignedRecord): SignedRecordForm {
	const restObject = JSON.parse(rest) as Readonly<Record<string, unknown>>;
	return [encodeBase64url(a), restObject, encodeBase64url(kid), encodeBase64url(rsig)];
}

/** Reads the form of a fact: lengths and encodings only; `readRecord` and `verifyRecord` come next. */
export function parseSignedRecord(form: unknown): Result<SignedRecord, SignedRecordFormRefusal> {
	if (!Array.isArray(form) || form.length !== 4) return err({ kind: 'notFourParts' });
	const [aText, restObject, kidText, rsigText] = form as readonly unknown[];
	const a = bytesOf(aText, CORE_BYTES);
	if (a === undefined) return err({ kind: 'wrongA' });
	const rest = restText(restObject);
	if (!rest.ok) return err({ kind: 'wrongRest', why: rest.error });
	const kid = bytesOf(kidText, KID_BYTES);
	if (kid === undefined) return err({ kind: 'wrongKid' });
	const rsig = bytesOf(rsigText, SIGNATURE_BYTES);
	if (rsig === undefined) return err({ kind: 'wrongRsig' });
	return ok({ a, rest: rest.value, kid, rsig });
}

/** A reversal without what it reverses, or a payment with it, would mean nothing to any fold. */
function misfitOf(kind: RecordKind, rest: RecordRest): RestKindRefusal | undefined {
	const refRule = REF_OF_KIND[kind];
	if (refRule === 'required' && rest.ref === undefined) return 'refMissing';
	if (refRule === undefined && rest.ref !== undefined) return 'refNotAllowed';
	if (kind === 'statement') return rest.list === undefined ? 'listMissing' : undefined;
	return rest.list === undefined ? undefined : 'listNotAllowed';
}

function bytesOf(text: unknown, length: number): Uint8Array | undefined {
	if (typeof text !== 'string' || text.length !== Math.ceil((length * 4) / 3)) return undefined;
	const bytes = decodeBase64url(text);
	return bytes.ok ? bytes.value : undefined;
}
