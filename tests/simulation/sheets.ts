import { drizzle } from 'drizzle-orm/postgres-js';
import { code } from '#domain/confirmation/codes.ts';
import type { LedgerId } from '#domain/ids.ts';
import { infoOfSet, readSet } from '#server/ledgers/code-sets.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { keyOfEpoch } from '#server/ledgers/secrets.ts';
import { createVault } from '#server/vault.ts';
import type { Device } from '#state/device.ts';
import { only, type DeviceStore } from '#storage/device-store.ts';
import type { Chance } from './chance.ts';
import { simCrypto } from './crypto.ts';
import { RELAY_SECRET } from './relay-process.ts';
import type { World } from './world.ts';

const NEW_DUE_PERCENT = 60;

/** Codes of a set by their counters, as the customer's phone shows them; none of one that the relay does not have. */
export async function codesOfSet(
	{ server, chance, time }: World,
	name: LedgerName & { readonly epoch: number },
	counters: readonly number[]
): Promise<readonly string[]> {
	const orm = drizzle(server.sql);
	const dice = chance.apart('sheets');
	const random = { bytes: dice.bytes, uuid: dice.uuid };
	const vault = createVault(RELAY_SECRET, 'customer-codes/v1');
	const parts = { vault, random, clock: time.now, crypto: simCrypto };
	const reading = Promise.all([readSet(orm, name), keyOfEpoch(orm, parts, name)]);
	time.awaits(reading);
	const [set, key] = await reading;
	if (set === undefined || key === undefined) return [];
	const info = infoOfSet(set);
	return Promise.all(counters.map((counter) => code(key, { info, counter }, simCrypto)));
}

interface Claiming {
	readonly device: Device;
	readonly store: DeviceStore;
	readonly dice: Chance;
}

/**
 * Somebody at the counter is told a code, perhaps one that was told before, for what he owes: for what stands
 * there, or for what is written now.
 */
export async function claimOne(
	{ device, store, dice }: Claiming,
	{ ledger, codes }: { readonly ledger: LedgerId; readonly codes: readonly string[] }
): Promise<'done' | 'refused' | 'nothing'> {
	if (codes.length === 0) return 'nothing';
	if (dice.percent(NEW_DUE_PERCENT)) {
		const written = await device.writeRecords(ledger, [
			{ kind: 'due', minor: dice.between(1, 500) }
		]);
		if (!written.ok) return 'refused';
	}
	const records = await store.read(['records'], (read) =>
		read.find('records', only('ledger', ledger))
	);
	const dues = records.filter(({ kind }) => kind === 'due');
	if (dues.length === 0) return 'nothing';
	const claimed = await device.claimByCode(ledger, [dice.pick(dues).h], dice.pick(codes));
	return claimed.ok ? 'done' : 'refused';
}
