import { expect, it } from 'vitest';
import { journalName } from '#documents/document-name.ts';
import { readFacts } from '#documents/facts.ts';
import { createMemoryDocumentsHost, type DocumentsHost } from '#storage/documents-host.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { storageFull, type DeviceStore } from '#storage/device-store.ts';
import { createFakeRelay, type FakeRelay } from '#tests/support/fake-relay.ts';
import { until } from '#tests/support/relay-stand.ts';
import { seeded } from '#tests/support/seeded.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { createTimersByHand } from '#tests/support/timers-by-hand.ts';
import { readMeta } from './meta.ts';
import { createRelayLink, type RelayLink } from './relay-link.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

interface Disk {
	isFull: boolean;
}

function fillable(disk: Disk): DeviceStore {
	const store = createMemoryDeviceStore();
	return {
		...store,
		write: (tables, work) =>
			store.write(tables, async (rows) => {
				const done = await work(rows);
				if (disk.isFull) throw storageFull(new Error('no room'));
				return done;
			})
	};
}

interface Filled extends TestDevice {
	readonly link: RelayLink;
	readonly documents: DocumentsHost;
	readonly ring: () => void;
	/** Time goes on, and timers ring when they are due. */
	readonly pass: (ms: number) => Promise<void>;
}

async function linked(
	relay: FakeRelay,
	disk: Disk,
	joins?: { readonly from: TestDevice; readonly code: string }
): Promise<Filled> {
	const test = await openTestDevice({
		seed: joins === undefined ? 1 : 2,
		store: fillable(disk),
		...(joins && { joins: { identity: joins.from.device.identity, code: joins.code } })
	});
	relay.attend(test.isBusy);
	const { code, member } = test.device.identity;
	await test.device.markClaimed({ code, member });
	const random = seeded(7);
	const { timers, ring, pass } = createTimersByHand();
	const documents = createMemoryDocumentsHost(random);
	const link = createRelayLink({
		...relay.line(code),
		...test.parts,
		device: test.device,
		documents,
		random,
		timers,
		onFault: () => undefined
	});
	const settle = (): Promise<void> => relay.quiet();
	return { ...test, link, documents, ring, pass: (ms) => pass(ms, { settle }) };
}

async function held({ store }: TestDevice): Promise<number> {
	return store.read(['facts'], (rows) => rows.count('facts'));
}

async function startWithoutRoom({ link }: Filled, disk: Disk): Promise<void> {
	disk.isFull = true;
	await expect(link.start()).rejects.toThrow('no room');
	disk.isFull = false;
}

async function sell({ device }: TestDevice): Promise<void> {
	const line = { name: '', quantityThousandths: 1_000, unitPriceMinor: 100 };
	await device.sell({ lines: [line], tenders: [{ kind: 'cash', minor: 100 }] });
}

/** Rings until then: what is to be tried again may be put off a moment after the disk has room. */
async function sentAll({ link, ring }: Filled, relay: FakeRelay, facts: number): Promise<void> {
	await until(() => {
		ring();
		return relay.feed.length === facts && link.status.unsent === 0;
	});
}

it('[LINK-17] takes in what came while the disk was full, once there is room, though nothing new is told', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const a = await linked(relay, { isFull: false });
	const disk = { isFull: false };
	const b = await linked(relay, disk, { from: a, code: 'B' });
	await a.link.start();
	await b.link.start();
	await relay.quiet();
	disk.isFull = true;
	await sell(a);
	await relay.quiet();
	expect(await held(b)).toBe(0);
	disk.isFull = false;
	await until(async () => {
		b.ring();
		await relay.quiet();
		return (await held(b)) === 1 && b.link.status.feedBehind === 0;
	});
	await Promise.all([a.link.stop(), b.link.stop()]);
});

it('[LINK-17] fetches what it was told of before there was room to keep the relay’s first greeting', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const a = await linked(relay, { isFull: false });
	const disk = { isFull: false };
	const b = await linked(relay, disk, { from: a, code: 'B' });
	relay.isUp = false;
	await b.link.start();
	await relay.quiet();
	relay.isUp = true;
	disk.isFull = true;
	b.link.wake();
	await a.link.start();
	await relay.quiet();
	expect(b.link.status.state).toBe('online');
	await sell(a);
	await relay.quiet();
	disk.isFull = false;
	await b.pass(MINUTE_MS);
	expect(await held(b)).toBe(1);
	await Promise.all([a.link.stop(), b.link.stop()]);
});

it('[LINK-17] begins, and hears the relay’s greeting, once there is room', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	await sell(a);
	await startWithoutRoom(a, disk);
	await sentAll(a, relay, 1);

	await a.link.stop();
	await sell(a);
	await a.link.start();
	disk.isFull = true;
	await relay.quiet();
	expect(a.link.status.unsent).toBe(1);
	disk.isFull = false;
	await sentAll(a, relay, 2);
	await a.link.stop();
});

it('[LINK-4] puts nothing of before back sooner, though its start found no room and something was sold since', async () => {
	const relay = createFakeRelay(TEST_NOW);
	relay.isUp = false;
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	await sell(a);
	await startWithoutRoom(a, disk);
	await sell(a);
	await relay.quiet();
	const { business, branch } = a.device.identity;
	const { doc } = await a.documents.open(journalName(business, branch, TEST_NOW));
	expect(readFacts(doc).map(({ id }) => id)).toEqual(['A-2']);
	relay.isUp = true;
	await sentAll(a, relay, 2);
	await a.link.stop();
});

it('[LINK-14] goes by the time of the greeting while there is no room to write it down', async () => {
	const relay = createFakeRelay(TEST_NOW);
	relay.isUp = false;
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	a.clock.now = TEST_NOW + 5 * DAY_MS;
	await a.link.start();
	await sell(a);
	await relay.quiet();
	disk.isFull = true;
	relay.isUp = true;
	a.link.wake();
	await relay.quiet();
	expect(a.link.status).toMatchObject({ state: 'online', unsent: 1, refused: [] });
	expect(a.link.status.lastContactAt).toBe(TEST_NOW);
	disk.isFull = false;
	await sentAll(a, relay, 1);
	expect(a.link.status.refused).toEqual([]);
	await a.link.stop();
});

it('[LINK-17] opens again what it closed to ask for the time while the disk was full', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	await a.link.start();
	await relay.quiet();
	relay.isUp = false;
	a.clock.now = TEST_NOW + 5 * DAY_MS;
	await sell(a);
	await relay.quiet();
	disk.isFull = true;
	relay.isUp = true;
	a.link.wake();
	await relay.quiet();
	disk.isFull = false;
	await a.pass(MINUTE_MS);
	expect(relay.feed.length).toBe(1);
	expect(a.link.status).toMatchObject({ state: 'online', unsent: 0, refused: [] });
	await a.link.stop();
});

it('[LINK-17] hears what was refused once there is room, though it is told no more', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	await a.link.start();
	await relay.quiet();
	relay.isUp = false;
	await sell(a);
	await relay.quiet();
	relay.refused.set('A-1', 'unknownKind');
	disk.isFull = true;
	relay.isUp = true;
	a.link.wake();
	await relay.quiet();
	expect(a.link.status.refused).toEqual([]);
	disk.isFull = false;
	// Sooner than a line is begun anew for what it leaves unsent.
	await a.pass(20_000);
	expect(a.link.status.refused.map(({ id }) => id)).toEqual(['A-1']);
	await a.link.stop();
});

it('[LINK-9] opens the day of the corrected clock as soon as it is corrected, and leaves the other', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const a = await linked(relay, { isFull: false });
	a.clock.now = TEST_NOW + 5 * DAY_MS;
	const b = await linked(relay, { isFull: false }, { from: a, code: 'B' });
	await a.link.start();
	await b.link.start();
	await relay.quiet();
	const { identity } = a.device;
	const kept = await a.store.read(['meta'], (rows) => readMeta(rows, 'documents'));
	expect(kept).toEqual([journalName(identity.business, identity.branch, TEST_NOW)]);
	await Promise.all([a.link.stop(), b.link.stop()]);
});
