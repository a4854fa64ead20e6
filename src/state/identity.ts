import { encodeBase64url } from '#domain/bytes.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type PersonId
} from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';

/** Which device of which business this is, and for whom it writes. */
export interface Identity {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	/** Member number: 1 is the owner. */
	readonly member: number;
	/** The letters on its receipts. */
	readonly code: DeviceCode;
	/** The 65-byte point, base64url. */
	readonly publicKey: string;
	readonly sight: 'office' | 'counter';
	/** Whether the relay knows the business: before, nothing of it can be sent. */
	readonly claimed: boolean;
	/**
	 * The device in whose place it writes on, in a book of its own: that one's numbers were used by two,
	 * or its access was ended.
	 */
	readonly heirOf?: DeviceCode;
}

export interface IdentityParts {
	readonly uuid: { readonly v4: () => string };
	readonly publicKey: Uint8Array;
}

/** The device on which a business began. */
export const FIRST_CODE = 'A';

/** The identity of a business that begins on this device, with no server: its owner, its first device. */
export function mintIdentity({ uuid, publicKey }: IdentityParts): Identity {
	const business = parseBusinessId(uuid.v4());
	const branch = parseBranchId(uuid.v4());
	const person = parsePersonId(uuid.v4());
	const code = parseDeviceCode(FIRST_CODE);
	assert(business.ok && branch.ok && person.ok && code.ok, 'the ids handed in are UUIDs v4');
	return {
		business: business.value,
		branch: branch.value,
		person: person.value,
		member: 1,
		code: code.value,
		publicKey: encodeBase64url(publicKey),
		sight: 'office',
		claimed: false
	};
}
