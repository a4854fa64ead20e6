import { concatBytes, tag, utf8 } from '../bytes.ts';
import type { DeviceCode, PersonId } from '../ids.ts';
import { encodeHashedJson } from './hashed-json.ts';
import type { RecordHash } from './record-hash.ts';

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

/** What the device signs for a claim. The verdict names the SHA-256 of these bytes. */
export function claimMessage(json: string): Uint8Array {
	return concatBytes(tag('cp/claim/v1'), utf8(json));
}
