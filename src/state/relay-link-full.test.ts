import { expect, it } from 'vitest';
import { createMemoryDocumentsHost } from '#storage/documents-host.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { storageFull, type DeviceStore } from '#storage/device-store.ts';
import { createFakeRelay, type FakeRelay } from '#tests/support/fake-relay.ts';
import { until } from '#tests/support/relay-stand.ts';
import { seeded } from '#tests/support/seeded.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { createTimersByHand } from '#tests/support/timers-by-hand.ts';
import { createRelayLink, type RelayLink } from './relay-link.ts';

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
	readonly ring: () => void;
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
	const { code, member } = test.device.identity;
	await test.device.markClaimed({ code, member });
	const random = seeded(7);
	const { timers, ring } = createTimersByHand();
	const link = createRelayLink({
		...relay.line(code),
		...test.parts,
		device: test.device,
		documents: createMemoryDocumentsHost(random),
		random,
		timers,
		onFault: () => undefined
	});
	return { ...test, link, ring };
}

async function held({ store }: TestDevice): Promise<number> {
	return store.read(['facts'], (rows) => rows.count('facts'));
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
	const relay = createFakeRelay();
	relay.now = TEST_NOW;
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
	b.ring();
	await relay.quiet();
	expect([await held(b), b.link.status.feedBehind]).toEqual([1, 0]);
	await Promise.all([a.link.stop(), b.link.stop()]);
});

it('[LINK-17] begins, and hears the relay’s greeting, once there is room', async () => {
	const relay = createFakeRelay();
	relay.now = TEST_NOW;
	const disk = { isFull: false };
	const a = await linked(relay, disk);
	await sell(a);
	disk.isFull = true;
	await expect(a.link.start()).rejects.toThrow('no room');
	disk.isFull = false;
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
