import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Signer } from '#domain/crypto.ts';
import { parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createSessions } from '#server/auth/sessions.ts';
import { createBook } from '#state/book.ts';
import { deviceWays } from '#state/device-ways.ts';
import { writeMeta } from '#state/meta.ts';
import { BROWSER_PAGE, type PageParts } from '#state/page-parts.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createTestKey, joinBody } from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { backUpTo, restoredStand } from '#tests/support/restored-stand.ts';
import {
	atRest,
	baseOf,
	identityOf,
	openOnStand,
	type WayBackDevice
} from '#tests/support/way-back-stand.ts';

let stand: HostileStand;
let folder: string;
const open: WayBackDevice[] = [];
beforeEach(async () => {
	stand = await createHostileStand();
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-restore-'));
});
afterEach(async () => {
	await stopAll();
	await stand.close();
	await rm(folder, { recursive: true });
});

async function stopAll(): Promise<void> {
	for (const { link } of open.splice(0)) await link.stop();
}

interface Starting {
	readonly signer: Signer;
	readonly code: DeviceCode;
	readonly store?: DeviceStore;
}

async function start(shop: StandShop, { signer, code, store }: Starting): Promise<WayBackDevice> {
	const identity = { ...identityOf({ ...shop, signer }), code };
	const opening = { seed: open.length + 1, signer, identity };
	const device = await openOnStand(stand, { ...opening, ...(store !== undefined && { store }) });
	open.push(device);
	await device.link.start();
	return device;
}

/** Its owner signs in anew, and lets the key in by an invite. */
async function letIn({ business, branch, username }: StandShop, key: Signer): Promise<DeviceCode> {
	const { sql, orm } = stand.database;
	const [row] = await sql<{ account: string }[]>`
		select account from account where username = ${username}`;
	const sessions = createSessions({
		executor: orm,
		clock: () => stand.clock.now,
		random: systemRandom
	});
	const token = await sessions.open(orm, row?.account ?? '', { userAgent: 't', address: '' });
	const by = { headers: { cookie: `__Host-session=${token}` } };
	const invite = await stand.ask('/invites', { body: { business, branch }, by });
	const body = await joinBody({ token: invite.body['token'] }, key);
	const code = parseDeviceCode((await stand.ask('/devices', { body })).body['code']);
	if (!code.ok) throw new Error('no code');
	return code.value;
}

async function sell({ device, clock }: WayBackDevice, count: number): Promise<void> {
	for (let n = 0; n < count; n += 1) {
		clock.now += 1_000;
		const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 300 };
		const tenders = [{ kind: 'cash', minor: 300 }] as const;
		expect((await device.sell({ lines: [line], tenders })).ok).toBe(true);
	}
}

async function atRelay(code: string): Promise<number> {
	const rows = await stand.database.sql`select n from fact where code = ${code}`;
	return rows.length;
}

it('[RELAY-65] [JOIN-2] the only device that is left, which joined after the backup, brings back what it sold', async () => {
	const shop = await stand.shop('asha');
	const file = path.join(folder, 'shop.backup');
	await backUpTo(file, stand);
	// The owner's new telephone; the old one breaks, and then the relay.
	const key = await createTestKey();
	const before = await start(shop, { signer: key, code: await letIn(shop, key) });
	expect(before.device.identity.code).toBe('B');
	await sell(before, 3);
	await atRest(before);
	expect(await atRelay('B')).toBe(3);
	await stopAll();
	await stand.close();
	stand.clock.now += 3_600_000;
	stand = await restoredStand(file, stand.clock);

	const store = createMemoryDeviceStore();
	await store.write(['meta'], (rows) => writeMeta(rows, 'leftBehind', 'old'));
	const code = await letIn(shop, key);
	expect(code).not.toBe('B');
	const after = await start(shop, { signer: key, code, store });
	const page: PageParts = {
		...BROWSER_PAGE,
		openStore: () => ({ ...before.store, close: () => undefined }),
		signerOf: () => Promise.resolve(key),
		fetch: globalThis.fetch,
		base: baseOf(stand)
	};
	const keys = await page.createKeys();
	await before.store.write(['meta'], (rows) => writeMeta(rows, 'keys', keys));
	const { device, parts, clock } = after;
	const clocked = { clock: () => clock.now, signer: key };
	const { leaveBehind } = deviceWays({ device, store, changes: parts.changes, page, ...clocked });
	const book = createBook({ store, identity: () => device.identity });
	const unsaid = async (): Promise<number> => (await book.unsent()).refused.length;
	await until(async () => (await leaveBehind?.()) === true);
	// By the line that is up, and without another word from anybody.
	await until(async () => (await atRelay('B')) === 3);
	await until(async () => (await unsaid()) === 0);
	expect((await book.recentReceipts(10)).map(({ mark }) => mark)).toEqual(['sent', 'sent', 'sent']);
	expect(stand.faults).toEqual([]);
});
