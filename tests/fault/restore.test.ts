import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeBase64url } from '#domain/bytes.ts';
import { code as sheetCode, codeInfo, ledgerKey } from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { recordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordCore } from '#domain/confirmation/record.ts';
import { parseDeviceCode, type DeviceCode, type LedgerId } from '#domain/ids.ts';
import type { Signer } from '#domain/crypto.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createSessions } from '#server/auth/sessions.ts';
import { verifyAll } from '#server/commands/keeping/verify-all.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createProject } from '#server/projections/project.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { copiedStore } from '#tests/support/copied-store.ts';
import {
	createHostileStand,
	ofKind,
	type HostileStand,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createTestKey, joinBody } from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { backUpTo, restoredStand } from '#tests/support/restored-stand.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import {
	atRest,
	heirOn,
	identityOf,
	openOnStand,
	type WayBackDevice
} from '#tests/support/way-back-stand.ts';

const CAP = 100_000;
const HOUR_MS = 3_600_000;
const crypto = createNodeCrypto();

let stand: HostileStand;
let folder: string;
let file: string;
const open: WayBackDevice[] = [];
beforeEach(async () => {
	stand = await createHostileStand();
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-restore-'));
	file = path.join(folder, 'shop.backup');
});
afterEach(async () => {
	await stopAll();
	await stand.close();
	await rm(folder, { recursive: true });
});

async function stopAll(): Promise<void> {
	for (const { link } of open.splice(0)) await link.stop();
}

/** What survives of a device when the relay is lost: its disk and its key. */
interface Kept {
	readonly code: DeviceCode;
	readonly signer: Signer;
	readonly seed: number;
	readonly store?: DeviceStore;
}

async function start(shop: StandShop, kept: Kept): Promise<WayBackDevice> {
	const { seed, signer, code, store } = kept;
	const identity = { ...identityOf({ ...shop, signer }), code };
	const device = await openOnStand(stand, {
		...{ seed, signer, identity },
		...(store !== undefined && { store })
	});
	device.clock.now += seed;
	open.push(device);
	await device.link.start();
	return device;
}

async function letIn(shop: StandShop, signer: Signer): Promise<DeviceCode> {
	const { business, branch } = shop;
	const session = await sessionOf(shop.username);
	const by = { headers: session };
	const invite = await stand.ask('/invites', { body: { business, branch }, by });
	const body = await joinBody({ token: invite.body['token'] }, signer);
	const joined = await stand.ask('/devices', { body });
	expect(joined.status).toBe(201);
	const code = parseDeviceCode(joined.body['code']);
	if (!code.ok) throw new Error('no code');
	return code.value;
}

/** He signs in anew: what was open before a restore is not. */
async function sessionOf(username: string): Promise<Readonly<Record<string, string>>> {
	const { sql, orm } = stand.database;
	const [row] = await sql<{ account: string }[]>`
		select account from account where username = ${username}`;
	const parts = { executor: orm, clock: () => stand.clock.now, random: systemRandom };
	const opened = { userAgent: 't', address: '' };
	const token = await createSessions(parts).open(orm, row?.account ?? '', opened);
	return { cookie: `__Host-session=${token}` };
}

async function sell(device: WayBackDevice, count: number): Promise<void> {
	for (let n = 0; n < count; n += 1) {
		device.clock.now += 1_000;
		const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 300 };
		const sold = await device.device.sell({
			lines: [line],
			tenders: [{ kind: 'cash', minor: 300 }]
		});
		if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	}
}

async function due({ device, clock }: WayBackDevice, ledger: LedgerId): Promise<RecordHash> {
	clock.now += 1_000;
	const written = await device.writeRecords(ledger, [{ kind: 'due', minor: 500 }]);
	const [record] = written.ok ? written.value.records : [];
	if (record === undefined) throw new Error('no record');
	return recordHash(record.signed.a, crypto);
}

async function currencyOf({ store }: WayBackDevice): Promise<Currency> {
	const [record] = await store.read(['records'], (rows) => rows.all('records'));
	if (record === undefined) throw new Error('no record');
	const { currency, exponent } = record;
	return { currency, exponent };
}

type Currency = Pick<RecordCore, 'currency' | 'exponent'>;

/** A set of the customer's codes, as her phone makes them. */
async function sheetOf(
	{ business }: StandShop,
	ledger: LedgerId,
	{ customer, currency }: { readonly customer: StandCustomer; readonly currency: Currency }
): Promise<readonly string[]> {
	const name = { business, ledger };
	const worth = { kind: 'debit', ...currency, cap: CAP };
	const at = `/people/${customer.person}`;
	const made = await stand.ask(`${at}/sheets`, { body: { ...name, ...worth }, by: customer });
	expect(made.status).toBe(201);
	const { body } = await stand.ask(`${at}/secrets`, { by: customer });
	const [latest] = body['secrets'] as readonly string[];
	const secret = decodeBase64url(latest ?? '');
	if (!secret.ok) throw new Error('no secret');
	const scope = { businessId: business, ledgerId: ledger, epoch: Number(made.body['epoch']) };
	const key = await ledgerKey(secret.value, scope, crypto);
	const info = codeInfo({ way: 'sheet', kind: 'due', ...currency, minor: CAP });
	return Promise.all([0, 1, 2].map((counter) => sheetCode(key, { info, counter }, crypto)));
}

async function present(
	{ device, store, clock }: WayBackDevice,
	ledger: LedgerId,
	told: { readonly h: RecordHash; readonly code: string }
): Promise<void> {
	await until(async () => (await store.read(['sheets'], (rows) => rows.count('sheets'))) > 0);
	clock.now += 1_000;
	const claimed = await device.claimByCode(ledger, [told.h], told.code);
	if (!claimed.ok) throw new Error(JSON.stringify(claimed.error));
}

async function verdicts({ business }: StandShop): Promise<readonly string[]> {
	const facts = await stand.feedOf(business);
	return ofKind(facts, 'verdict').map(({ id, verdict }) => `${id} ${verdict.h} ${verdict.result}`);
}

async function idsAtRelay(scope: string): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ id: string }[]>`
		select code || '-' || n as id from fact where business = ${scope} order by id`;
	return rows.map(({ id }) => id);
}

async function idsOf(store: DeviceStore): Promise<readonly string[]> {
	return (await store.read(['facts'], (rows) => rows.all('facts'))).map(({ id }) => id);
}

async function soldOn({ store }: WayBackDevice): Promise<bigint> {
	const days = await store.read(['days'], (rows) => rows.all('days'));
	return days.reduce((sum, { salesMinor }) => sum + salesMinor, 0n);
}

/** A device may be quiet for a moment before it is told of the latest. */
async function holdsAll({ store }: WayBackDevice, { business }: StandShop): Promise<void> {
	await until(
		async () => (await idsOf(store)).length === (await idsAtRelay(business)).length,
		15_000
	);
}

/** The database is gone with its relay; another comes up on what the backup holds. */
async function loseAndRestore(): Promise<void> {
	await stopAll();
	expect(stand.faults).toEqual([]);
	await stand.close();
	stand.clock.now += HOUR_MS;
	stand = await restoredStand(file, stand.clock);
}

async function verified(): Promise<readonly object[]> {
	const { sql, close } = connectDatabase(stand.database.url, { connectionsMax: 1 });
	const { differences } = await verifyAll({ sql, project: createProject(crypto) });
	await close();
	return differences.named;
}

describe('a database that is lost', () => {
	it('[KEEP-9] [JUDGE-15] comes back with all that anybody still holds', async () => {
		const shop = await stand.shop('asha');
		const amina = await stand.customer('amina');
		const [keyB, keyC] = [await createTestKey(), await createTestKey()];
		const a = await start(shop, { seed: 1, signer: shop.signer, code: 'A' as DeviceCode });
		const b = await start(shop, { seed: 2, signer: keyB, code: await letIn(shop, keyB) });
		const card = await a.device.addCustomer({ name: 'Amina' });
		if (!card.ok) throw new Error('no customer');
		const ledger = card.value;
		await stand.link(shop, ledger, amina);
		await sell(a, 3);
		await sell(b, 3);
		const first = await due(a, ledger);
		const currency = await currencyOf(a);
		const codes = await sheetOf(shop, ledger, { customer: amina, currency });
		await atRest(a);
		await present(a, ledger, { h: first, code: codes[0] ?? '' });
		await Promise.all([atRest(a), atRest(b)]);
		await stand.settled();
		await backUpTo(file, stand);

		// What the backup does not hold: sales, a code that is spent, a device that joins.
		const c = await start(shop, { seed: 3, signer: keyC, code: await letIn(shop, keyC) });
		expect(c.device.identity.code).toBe('C');
		await sell(a, 2);
		await sell(b, 4);
		await sell(c, 2);
		const second = await due(a, ledger);
		await atRest(a);
		await present(a, ledger, { h: second, code: codes[1] ?? '' });
		await Promise.all([atRest(a), atRest(b), atRest(c)]);
		await stand.settled();
		await until(async () => (await verdicts(shop)).length === 2);
		const before = await verdicts(shop);
		await Promise.all([atRest(a), atRest(c)]);
		const hers = await stand.database.sql<{ text: string }[]>`
			select text from fact where business = ${amina.person} order by s`;
		let held = new Set<string>();
		await until(async () => {
			held = new Set([...(await idsOf(a.store)), ...(await idsOf(c.store))]);
			return held.size === (await idsAtRelay(shop.business)).length;
		}, 15_000);

		await loseAndRestore();
		expect((await idsAtRelay(shop.business)).length).toBeLessThan(held.size);

		// B is dead. A comes back, and holds what B wrote.
		const keptA = { seed: 11, signer: shop.signer, code: 'A' as DeviceCode, store: a.store };
		const again = await start(shop, keptA);
		await atRest(again);
		const lost = (await idsAtRelay(shop.business)).filter((id) => id.startsWith('B-'));
		expect(lost).toHaveLength(7);
		const [carried] = await stand.database.sql<{ count: string }[]>`
			select count(*) from fact where code = 'B' and carried_by = 'A'`;
		expect(carried?.count).toBe('4');

		// The spent code's verdict was carried in, and the claim does not get a second one.
		stand.clock.now += 61_000;
		await until(async () => {
			const rows = await stand.database.sql`select 1 from claim_judged`;
			return rows.length === 2;
		});
		expect(await verdicts(shop)).toEqual(expect.arrayContaining([...before]));
		expect(await verdicts(shop)).toHaveLength(2);
		const spent = await stand.database.sql`
			select counter::int, h from code_spent where way = 'sheet' order by counter`;
		expect(spent).toEqual([
			{ counter: 0, h: first },
			{ counter: 1, h: second }
		]);

		// The device that joined since is nobody here until it is let in again: then it is who it was.
		expect((await idsAtRelay(shop.business)).filter((id) => id.startsWith('C-'))).toEqual([]);
		expect(await letIn(shop, keyC)).toBe('C');
		expect(await letIn(shop, await createTestKey())).toMatch(/^[A-Z]{2}$/);
		const keptC = { seed: 13, signer: keyC, code: 'C' as DeviceCode, store: c.store };
		const back = await start(shop, keptC);
		await Promise.all([atRest(back), atRest(again)]);

		// Her phone brings what the relay told her.
		const session = await sessionOf('amina');
		const by = { headers: { ...session, 'daftar-phone': `${amina.person}/p1` } };
		const body = { facts: hers.map(({ text }) => [null, text]) };
		const handed = await stand.ask('/carried', { body, by });
		expect(handed.status).toBe(200);
		expect(JSON.stringify(handed.body)).not.toContain('refused');

		const there = new Set(await idsAtRelay(shop.business));
		expect([...held].filter((id) => !there.has(id))).toEqual([]);
		await stand.settled();
		await Promise.all([atRest(back), atRest(again)]);
		await Promise.all([holdsAll(again, shop), holdsAll(back, shop)]);
		expect(await storedNumbers(again.store)).toEqual(await foldedNumbers(again.store));
		expect(await storedNumbers(back.store)).toEqual(await storedNumbers(again.store));
		expect(await verified()).toEqual([]);
		expect([...again.faults, ...back.faults, ...stand.faults]).toEqual([]);
	});

	it('[DEVICE-66] counts once what comes again under an heir’s name', async () => {
		const shop = await stand.shop('asha');
		const keyB = await createTestKey();
		const keptA = { seed: 1, signer: shop.signer, code: 'A' as DeviceCode };
		const a = await start(shop, keptA);
		const keptB = { seed: 2, signer: keyB, code: await letIn(shop, keyB) };
		const b = await start(shop, keptB);
		await sell(b, 1);
		await atRest(b);
		await stand.settled();
		await backUpTo(file, stand);
		const copy = await copiedStore(b.store);
		await sell(b, 3);
		await Promise.all([atRest(a), atRest(b)]);
		await holdsAll(a, shop);
		expect(await soldOn(a)).toBe(1_200n);

		await loseAndRestore();
		// A copy of B's profile is the first to come, and sells.
		const other = await start(shop, { ...keptB, seed: 13, store: copy });
		await sell(other, 1);
		await atRest(other);
		await other.link.stop();
		// B finds a stranger's number there, and goes on as its own heir.
		const again = await start(shop, { ...keptB, seed: 12, store: b.store });
		await until(() => again.link.status.halted === 'fork');
		await again.link.stop();
		const { signer, identity, store } = await heirOn(stand, again);
		const heir = await start(shop, { seed: 14, signer, code: identity.code, store });
		await atRest(heir);
		// A was away, and holds what B sold under its first names.
		const back = await start(shop, { ...keptA, seed: 11, store: a.store });
		await atRest(back);
		await Promise.all([holdsAll(back, shop), holdsAll(heir, shop)]);
		const atRelay = await idsAtRelay(shop.business);
		const sold = [1, 2, 3].map((n) => `${identity.code}-${String(n)}`);
		const isOfBoth = (id: string): boolean =>
			['B', identity.code].some((code) => id.startsWith(`${code}-`));
		expect(new Set(atRelay.filter(isOfBoth))).toEqual(new Set([...sold, 'B-1', 'B-2']));
		expect((await idsOf(back.store)).toSorted()).toEqual(atRelay.toSorted());
		await until(async () => (await soldOn(back)) === 1_500n);
		expect(await soldOn(heir)).toBe(1_500n);
		expect(await storedNumbers(back.store)).toEqual(await storedNumbers(heir.store));
		expect(await storedNumbers(back.store)).toEqual(await foldedNumbers(back.store));
		expect(await verified()).toEqual([]);
		expect([...back.faults, ...heir.faults, ...stand.faults]).toEqual([]);
	});
});
