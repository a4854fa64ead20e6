import { concatBytes, decodeBase64url, tag, utf8 } from '../bytes.ts';
import { SIGNATURE_BYTES, type CryptoParts } from '../crypto.ts';
import { parseDeviceCode, parsePersonId, type DeviceCode, type PersonId } from '../ids.ts';
import { err, ok, type Result } from '../result.ts';
import { isDamm } from './damm.ts';
import { encodeHashedJson, parseHashedJson, type HashedObject } from './hashed-json.ts';
import { isHashText, type RecordHash } from './record-hash.ts';

/** That a record was confirmed, as the shop's device heard it; the relay judges it. */
export interface Claim {
	/** UUID v7. */
	readonly id: string;
	readonly h: RecordHash;
	readonly way: 'sms' | 'sheet' | 'app' | 'sign' | 'rule';
	readonly counter?: number;
	readonly code?: string;
	/** Base64url. */
	readonly sig?: string;
	/** SHA-256 of a standing rule, base64url. */
	readonly rule?: string;
	readonly d: DeviceCode;
	readonly u: PersonId;
	/** Milliseconds UTC. */
	readonly at: number;
}

export function encodeClaim(claim: Claim): string {
	return encodeHashedJson(claim);
}

/** What the device signs for a claim. */
export function claimMessage(json: string): Uint8Array {
	return concatBytes(tag('cp/claim/v1'), utf8(json));
}

/** What the verdict on it names, 32 bytes. */
export function claimHash(claim: Claim, crypto: CryptoParts): Promise<Uint8Array> {
	return crypto.sha256(claimMessage(encodeClaim(claim)));
}

/** Reads a claim as it was signed: a way names what proves it, and nothing else. */
export function parseClaim(json: string): Result<Claim, 'notAClaim'> {
	const parsed = parseHashedJson(json);
	if (!parsed.ok || parsed.value.json !== json) return err('notAClaim');
	const { value } = parsed.value;
	const { way } = value;
	const proof = typeof way === 'string' && Object.hasOwn(PROOFS, way) ? PROOFS[way] : undefined;
	if (proof === undefined || !isHead(value)) return err('notAClaim');
	const names = Object.keys(value).filter((name) => !HEAD.has(name));
	const isWhole =
		names.length === Object.keys(proof).length &&
		names.every((name) => Object.hasOwn(proof, name) && proof[name]?.(value[name]) === true);
	// Every field was looked at.
	return isWhole ? ok(value as unknown as Claim) : err('notAClaim');
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HEAD: ReadonlySet<string> = new Set(['id', 'h', 'way', 'd', 'u', 'at']);
const TIME_MAX_MS = 8_640_000_000_000;
const COUNTER_MAX = 0xffff_ffff;
const SMS_COUNTER_MAX = 2;

function isHead({ id, h, d, u, at }: HashedObject): boolean {
	return (
		typeof id === 'string' &&
		UUID_V7.test(id) &&
		isHashText(h) &&
		parseDeviceCode(d).ok &&
		parsePersonId(u).ok &&
		isBetween(at, TIME_MAX_MS)
	);
}

type Check = (value: unknown) => boolean;

const digits =
	(length: number): Check =>
	(code) =>
		typeof code === 'string' && code.length === length && /^[0-9]+$/.test(code);

/** What each way brings; a phone's code names no counter, for the relay finds it. */
const PROOFS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
	sms: { code: digits(6), counter: (value) => isBetween(value, SMS_COUNTER_MAX) },
	sheet: { code: digits(8), counter: (value) => isBetween(value, COUNTER_MAX) },
	app: { code: (code) => digits(9)(code) && isDamm(String(code)) },
	sign: {
		sig: (sig) => {
			const bytes = typeof sig === 'string' ? decodeBase64url(sig) : undefined;
			return bytes?.ok === true && bytes.value.length === SIGNATURE_BYTES;
		}
	},
	rule: { rule: isHashText }
};

function isBetween(value: unknown, max: number): boolean {
	return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
}
