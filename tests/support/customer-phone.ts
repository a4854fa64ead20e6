import type { Signer } from '#domain/crypto.ts';
import type { PersonId } from '#domain/ids.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { createChanges } from '#state/changes.ts';
import { openPhone, type OpenPhone } from '#state/customer/open-phone.ts';
import type { PhoneParts } from '#state/customer/phone-path.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '#state/web-crypto.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { STAND_NOW } from './customer-stand.ts';

/** A customer's phone in memory. */
export interface TestPhone {
	readonly phone: OpenPhone;
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly parts: PhoneParts;
	/** Its own clock, ms; tests turn it. */
	readonly clock: { now: number };
	/** Its answers and looks, oldest first, as they stand in its journal. */
	readonly own: () => Promise<readonly string[]>;
}

export interface TestPhoneOptions {
	/** What the relay calls it; undefined leaves it unknown there. */
	readonly number?: number | undefined;
	readonly store?: DeviceStore;
	readonly signer?: Signer;
}

export async function openTestPhone(
	person: PersonId,
	options: TestPhoneOptions = { number: 1 }
): Promise<TestPhone> {
	const { number, store = createMemoryDeviceStore() } = options;
	const clock = { now: STAND_NOW + 3_600_000 };
	const signer = options.signer ?? (await createSigner(await createSigningKeys()));
	let tokens = 0;
	const parts: PhoneParts = {
		store,
		signer,
		crypto: createWebCrypto(),
		clock: () => clock.now,
		zone: () => 'Africa/Nairobi',
		token: () => `${String(number)} ${String((tokens += 1))} ${String(Math.random())}`,
		changes: createChanges()
	};
	const phone = await openPhone(parts, person);
	if (number !== undefined && phone.identity.code === undefined)
		await phone.markEnrolled({ code: `p${String(number)}`, epoch: 1, year: 2026 });
	return {
		phone,
		store,
		signer,
		parts,
		clock,
		own: async () => {
			const rows = await store.read(['journal'], (read) => read.all('journal'));
			return rows.map(({ text }) => text);
		}
	};
}

/** The texts as documents and the feed bring them. */
export function arriving(texts: readonly string[]): { text: string; branch: null }[] {
	return texts.map((text) => ({ text, branch: null }));
}

/** Those of one kind. */
export function ofKind(texts: readonly string[], kind: string): readonly string[] {
	return texts.filter((text) => {
		const parsed = parseFact(text);
		return parsed.ok && parsed.value.kind === kind;
	});
}
