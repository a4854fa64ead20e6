import type { PersonId } from '#domain/ids.ts';

/** Which phone of which person this is. */
export interface PhoneIdentity {
	readonly person: PersonId;
	/** What the relay calls this phone: `p1`; undefined until it was enrolled. */
	readonly code: string | undefined;
	/** The 65-byte point, base64url. */
	readonly publicKey: string;
	/** The UTC year since which there are documents of the shops' side. */
	readonly since: number | undefined;
}
