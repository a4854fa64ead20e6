import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createBook, type Book } from '#state/book.ts';
import { createChanges } from '#state/changes.ts';
import { openDevice, type Device, type DeviceParts, type Identity } from '#state/device.ts';
import { mintIdentity } from '#state/identity.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '#state/web-crypto.ts';
import { parseDeviceCode } from '#domain/ids.ts';
import { seeded } from './seeded.ts';

/** A device in memory with a clock and ids that a seed repeats. */
export interface TestDevice {
	readonly device: Device;
	readonly book: Book;
	readonly store: DeviceStore;
	readonly parts: DeviceParts;
	/** Its own clock, ms; tests turn it. */
	readonly clock: { now: number };
	/** Whether anything of its store, or that another thread reckons, is still to come. */
	readonly isBusy: () => boolean;
}

export interface TestDeviceOptions {
	readonly seed: number;
	readonly store?: DeviceStore;
	/** Another device of this business, instead of one that founds its own. */
	readonly joins?: { readonly identity: Identity; readonly code: string };
	readonly currency?: string;
	/** The key that the relay knows it by; else one of its own. */
	readonly signer?: Signer;
}

export const TEST_NOW = Date.parse('2026-11-20T10:00:00Z');

export async function openTestDevice(options: TestDeviceOptions): Promise<TestDevice> {
	const { seed, joins } = options;
	const { count, isBusy } = createCounter();
	const store = countedStore(options.store ?? createMemoryDeviceStore(), count);
	const clock = { now: TEST_NOW };
	const uuid = testUuids(seed);
	const own = options.signer ?? (await createSigner(await createSigningKeys()));
	const signer = { ...own, sign: (message: Uint8Array) => count(own.sign(message)) };
	const parts: DeviceParts = {
		store,
		signer,
		crypto: countedCrypto(count),
		clock: () => clock.now,
		uuid,
		changes: createChanges()
	};
	const minted = mintIdentity({ uuid, publicKey: signer.publicKey });
	const code = parseDeviceCode(joins?.code ?? 'A');
	if (!code.ok) throw new Error('no device code');
	const { publicKey } = minted;
	const identity =
		joins === undefined ? minted : { ...joins.identity, publicKey, code: code.value };
	const device = await openDevice(parts, identity);
	if (options.currency !== undefined) await device.changeSettings({ currency: options.currency });
	return {
		device,
		book: createBook({ store, identity: () => device.identity }),
		store,
		parts,
		clock,
		isBusy
	};
}

type Count = <T>(work: Promise<T>) => Promise<T>;

/** Counts what somebody waits for. */
function createCounter(): { readonly count: Count } & Pick<TestDevice, 'isBusy'> {
	let waiting = 0;
	return {
		count: async (work) => {
			waiting += 1;
			try {
				return await work;
			} finally {
				waiting -= 1;
			}
		},
		isBusy: () => waiting > 0
	};
}

function countedStore(store: DeviceStore, count: Count): DeviceStore {
	return {
		...store,
		read: (tables, work) => count(store.read(tables, work)),
		write: (tables, work) => count(store.write(tables, work))
	};
}

function countedCrypto(count: Count): CryptoParts {
	const crypto = createWebCrypto();
	return {
		sha256: (bytes) => count(crypto.sha256(bytes)),
		hmacSha256: (key, bytes) => count(crypto.hmacSha256(key, bytes)),
		verify: (key, message, signature) => count(crypto.verify(key, message, signature))
	};
}

function testUuids(seed: number): DeviceParts['uuid'] {
	const random = seeded(seed);
	const uuid = (version: '4' | '7') => (): string => {
		const hex = Array.from({ length: 32 }, () => random(16).toString(16)).join('');
		const variant = '89ab'.charAt(random(4));
		return [
			hex.slice(0, 8),
			hex.slice(8, 12),
			version + hex.slice(13, 16),
			variant + hex.slice(17, 20),
			hex.slice(20)
		].join('-');
	};
	return { v4: uuid('4'), v7: uuid('7') };
}
