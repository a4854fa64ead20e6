import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { appendFact, readFacts } from '#documents/facts.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { encodeStep1, MESSAGE_SYNC } from '#sync/frames.ts';
import {
	createRelayStand,
	settingFact,
	stockProvider,
	synced,
	ticketFor,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';

const STEP_1 = 0;
const STEP_2 = 1;
let stand: RelayStand;

beforeAll(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
	await stand.addDevice('B');
	const doc = new Y.Doc();
	const provider = stockProvider(stand, 'A', { doc });
	await synced(provider);
	appendFact(doc, settingFact(stand, 'A-1'));
	await until(async () => (await stand.database.sql`select from fact`).length === 1);
	provider.destroy();
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** What a socket hears of sync, at least `answers` step 2, that opens with `ahead` and says `said`. */
async function hear(
	answers: number,
	ahead: Uint8Array,
	...said: readonly Uint8Array[]
): Promise<readonly number[]> {
	const ticket = await ticketFor(stand, 'B', stand.today());
	const query = `ticket=${ticket}&ahead=${encodeBase64url(ahead)}`;
	const socket = new WebSocket(`${stand.url}/${stand.today()}?${query}`);
	const heard: number[] = [];
	socket.on('message', ([type, step]: Buffer) => {
		if (type === MESSAGE_SYNC) heard.push(step ?? -1);
	});
	socket.on('open', () => {
		for (const bytes of said) socket.send(bytes);
	});
	await until(() => heard.filter((step) => step === STEP_2).length >= answers);
	// Whatever else was answered stands before the pong.
	socket.ping();
	await new Promise((resolve) => socket.once('pong', resolve));
	socket.terminate();
	return heard;
}

it('[RELAY-71] answers a step 1 of the address before anything is said, and once', async () => {
	const nothing = encodeStep1(new Map());
	const answer = [2, STEP_2, STEP_1];
	expect(await hear(1, nothing)).toEqual(answer);
	expect(await hear(1, nothing, nothing)).toEqual(answer);
	// The document moved on between the address and the socket: what is said then counts too.
	const other = encodeStep1(new Map([[7, 3]]));
	expect(await hear(2, nothing, other)).toEqual([...answer, ...answer]);
});

it('[RELAY-71] takes nothing else from the address', async () => {
	const update = Uint8Array.of(MESSAGE_SYNC, 2, 2, 0, 0);
	const step1 = encodeStep1(new Map());
	for (const ahead of [new Uint8Array(), update, Uint8Array.of(9)]) {
		expect(await hear(1, ahead, step1)).toEqual([2, STEP_2, STEP_1]);
	}
});

it('[SYNC-11] a device says its step 1 in the address, while that is short', async () => {
	const addresses: URL[] = [];
	class Listening extends globalThis.WebSocket {
		constructor(address: string | URL) {
			super(address);
			addresses.push(new URL(address));
		}
	}
	const create = createWebsocketProviders({
		origin: stand.url.replace('/sync', ''),
		WebSocket: Listening,
		getTicket: async (name) => ({ ticket: await ticketFor(stand, 'B', name) })
	});
	const doc = new Y.Doc();
	let isSynced = false;
	const deaf = (): void => undefined;
	const silent = { hello: deaf, have: deaf, nack: deaf, feed: deaf, closed: deaf };
	const line = create(stand.today(), doc, { ...silent, synced: () => (isSynced = true) });
	line.connect();
	await until(() => isSynced);
	expect(addresses[0]?.searchParams.get('ahead')).toBe(encodeBase64url(encodeStep1(new Map())));
	expect(readFacts(doc).map(({ id }) => id)).toEqual(['A-1']);
	line.close();

	const crowded = new Y.Doc();
	for (let writer = 0; writer < 200; writer += 1) {
		const one = new Y.Doc();
		one.getMap('other').set(String(writer), writer);
		Y.applyUpdate(crowded, Y.encodeStateAsUpdate(one));
	}
	const long = create('elsewhere', crowded, { ...silent, synced: () => undefined });
	long.connect();
	await until(() => addresses.length === 2);
	expect(addresses[1]?.searchParams.has('ahead')).toBe(false);
	long.close();
});
