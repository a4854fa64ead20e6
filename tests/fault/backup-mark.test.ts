import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepMarks } from '#server/commands/keeping/backup-marks.ts';
import { verifyAll } from '#server/commands/keeping/verify-all.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createProject } from '#server/projections/project.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { backUpTo, restoredStand } from '#tests/support/restored-stand.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import {
	atRest,
	identityOf,
	openOnStand,
	type WayBackDevice
} from '#tests/support/way-back-stand.ts';

const DAY_MS = 86_400_000;

let stand: HostileStand;
let folder: string;
const open: WayBackDevice[] = [];
beforeEach(async () => {
	stand = await createHostileStand();
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-mark-'));
});
afterEach(async () => {
	await stopAll();
	await stand.close();
	await rm(folder, { recursive: true });
});

async function stopAll(): Promise<void> {
	for (const { link } of open.splice(0)) await link.stop();
}

async function start(shop: StandShop, seed: number, store?: DeviceStore): Promise<WayBackDevice> {
	const { signer } = shop;
	const device = await openOnStand(stand, {
		...{ seed, signer, identity: identityOf(shop) },
		...(store !== undefined && { store })
	});
	open.push(device);
	await device.link.start();
	return device;
}

async function write(device: WayBackDevice, count: number, what: string): Promise<void> {
	for (let n = 0; n < count; n += 1) {
		const done = await device.device.changeSettings({ address: `${what} ${String(n)}` });
		if (!done.ok) throw new Error(JSON.stringify(done.error));
	}
}

async function backUp(name: string): Promise<string> {
	const file = path.join(folder, name);
	const { reach } = await backUpTo(file, stand);
	expect(await keepMarks(stand.database.sql, reach)).toBe(true);
	return file;
}

async function loseAndRestore(file: string): Promise<void> {
	await stopAll();
	expect(stand.faults).toEqual([]);
	await stand.close();
	stand = await restoredStand(file, stand.clock);
}

async function idsAtRelay({ business }: StandShop): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ id: string }[]>`
		select code || '-' || n as id from fact where business = ${business} and code = 'A' order by n`;
	return rows.map(({ id }) => id);
}

const journaled = ({ store }: WayBackDevice): Promise<number> =>
	store.read(['journal'], (rows) => rows.count('journal'));

it('[DEVICE-47] [FEED-11] what a device let go for a backup is there again after a restore from an older one', async () => {
	const shop = await stand.shop('asha');
	const first = await start(shop, 1);
	await write(first, 300, 'Street');
	await atRest(first);
	const older = await backUp('older');
	await write(first, 250, 'Avenue');
	await atRest(first);
	await backUp('newer');
	await first.link.stop();

	// A month later: what both backups hold leaves the journal, a whole block of numbers.
	stand.clock.now += 31 * DAY_MS;
	const later = await start(shop, 2, first.store);
	await until(async () => (await journaled(later)) < 512, 15_000);
	expect(await journaled(later)).toBe(550 - 511);
	await write(later, 3, 'Road');
	await atRest(later);
	const mine = await stand.ask('/backed-up?from=512', { by: shop });
	expect(mine.body).toMatchObject({ ranges: [[512, 550, expect.any(String)]] });

	await loseAndRestore(older);
	expect((await idsAtRelay(shop)).length).toBe(300);
	const told = await stand.database.sql`select 1 from backup_mark`;
	expect(told).toHaveLength(0);
	const again = await start(shop, 3, first.store);
	await atRest(again);
	await stand.settled();
	expect(await idsAtRelay(shop)).toEqual(
		Array.from({ length: 553 }, (_none, place) => `A-${String(place + 1)}`)
	);
	await write(again, 1, 'Lane');
	await atRest(again);
	expect(again.link.status).toMatchObject({ halted: undefined, unsent: 0 });
	expect(await storedNumbers(again.store)).toEqual(await foldedNumbers(again.store));
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	const { differences } = await verifyAll({ sql, project: createProject(createNodeCrypto()) });
	await close();
	expect(differences.named).toEqual([]);
	expect([...first.faults, ...later.faults, ...again.faults, ...stand.faults]).toEqual([]);
});
