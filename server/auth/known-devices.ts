import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import type { Random } from './random.ts';

/**
 * Browsers that an account has signed in from. One is held up by its own wrong tries alone, so
 * that nobody shuts the account's holder out by trying.
 */
export interface KnownDevices {
	/** What the browser keeps, also when it is signed out. It lets nobody in. */
	mint(username: string): string;
	/** What to count its tries by; undefined where this browser is not known for that name. */
	recognise(username: string, kept: string | undefined): string | undefined;
}

export interface KnownDevicesParts {
	readonly random: Pick<Random, 'bytes'>;
	/** 32 bytes. */
	readonly key: Uint8Array;
}

export const KNOWN_DEVICE_COOKIE = '__Host-known';
const NAME_BYTES = 16;

export function createKnownDevices({ random, key }: KnownDevicesParts): KnownDevices {
	const proofOf = (username: string, name: string): Uint8Array =>
		new Uint8Array(createHmac('sha256', key).update(`${name} ${username}`).digest());
	return {
		mint(username) {
			const name = encodeBase64url(random.bytes(NAME_BYTES));
			return `${name}.${encodeBase64url(proofOf(username, name))}`;
		},
		recognise(username, kept = '') {
			const [name = '', proof = ''] = kept.split('.');
			const given = decodeBase64url(proof);
			const right = proofOf(username, name);
			if (!given.ok || given.value.length !== right.length) return undefined;
			return timingSafeEqual(given.value, right) ? name : undefined;
		}
	};
}
