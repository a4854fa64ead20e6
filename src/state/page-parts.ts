import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { deleteStore } from '#storage/delete-store.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { AccountApiParts } from './account-api.ts';
import { createSigner, createSigningKeys, createWebCrypto } from './web-crypto.ts';

/** What a way back needs of the place in which the app runs: a browser's page, or a simulated one. */
export interface PageParts extends AccountApiParts {
	/** Opens a database of this device, or makes it. */
	openStore(name: string): DeviceStore;
	/** Removes one; it may wait for as long as a frozen tab has it open. */
	removeStore(name: string): Promise<void>;
	readonly createKeys: () => Promise<CryptoKeyPair>;
	readonly signerOf: (keys: CryptoKeyPair) => Promise<Signer>;
	readonly crypto: CryptoParts;
	readonly uuidV4: () => string;
	readonly chance: (bytes: number) => Uint8Array;
	/** Whether somebody is writing something just now that a reload would take away. */
	isTyping(): boolean;
	/** Loads the page anew; what runs in it ends. */
	reload(): void;
}

/** The page that a browser shows. */
export const BROWSER_PAGE: PageParts = {
	openStore: createDexieDeviceStore,
	removeStore: deleteStore,
	createKeys: createSigningKeys,
	signerOf: (keys) => createSigner(keys),
	crypto: createWebCrypto(),
	uuidV4: () => crypto.randomUUID(),
	chance: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
	fetch: (...asked) => fetch(...asked),
	isTyping: () => document.activeElement?.matches('input, textarea, select') === true,
	reload: () => {
		location.reload();
	}
};
