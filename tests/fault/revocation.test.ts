import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { parsePassword } from '#domain/account/password.ts';
import { parseUsername } from '#domain/account/username.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { deviceStatement } from '#domain/claim-statement.ts';
import { createPasswords } from '#server/auth/passwords.ts';
import { createPostgresBus } from '#server/bus/postgres-bus.ts';
import type { Bus } from '#server/bus/bus.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { CLOSE } from '#sync/close-code.ts';
import { encodeUpdate, MESSAGE_HELLO } from '#sync/frames.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { handFact } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	ofKind,
	type HostileStand,
	type Party,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createTestKey, joinBody } from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';

const WITHIN_MS = 1_000;
const PASSWORD = 'a door in the wall';

let database: TestDatabase;
let here: HostileStand;
let there: HostileStand;
let passwordHash: string;
const buses: Bus[] = [];
let shop: StandShop;
let amina: StandCustomer;
let round = 0;

/** Two whole servers on one database, joined by nothing but it. */
beforeAll(async () => {
	database = await createTestDatabase();
	const { url } = database;
	for (let server = 0; server < 2; server += 1) buses.push(createPostgresBus(url, () => undefined));
	const [first, second] = buses;
	if (first === undefined || second === undefined) throw new Error('no bus');
	here = await createHostileStand({ database, bus: first });
	const own = { ...connectDatabase(url, { connectionsMax: 5 }), url };
	there = await createHostileStand({ database: own, clock: here.clock, bus: second });
	const username = parseUsername('somebody');
	const password = username.ok ? parsePassword(PASSWORD, username.value) : username;
	if (!password.ok) throw new Error('no password');
	const hashed = await createPasswords().hash(password.value);
	passwordHash = hashed.ok ? hashed.value : '';
});
beforeEach(async () => {
	round += 1;
	shop = await here.shop(`shop${String(round)}`);
	amina = await here.customer(`amina${String(round)}`);
	await database.sql`
		update account set password_hash = ${passwordHash} where username = ${shop.username}`;
});
afterAll(async () => {
	await there.close();
	for (const bus of buses) await bus.close();
	await here.close();
	expect([...here.faults, ...there.faults]).toEqual([]);
});

interface Open {
	readonly closed: Promise<number>;
	readonly socket: WebSocket;
}

/** A socket that has heard its hello. */
async function openAt(stand: HostileStand, by: Party): Promise<Open> {
	const ticket = await stand.ticket(by, by.document());
	if (!ticket.ok) throw new Error(ticket.error);
	const socket = new WebSocket(`${stand.syncUrl}/${by.document()}?ticket=${ticket.value}`);
	const closed = new Promise<number>((resolve) => socket.on('close', resolve));
	const [hello] = (await once(socket, 'message')) as [Buffer];
	expect(hello[0]).toBe(MESSAGE_HELLO);
	return { socket, closed };
}

/** Acts at the first server, and waits for every socket to end. */
async function endedBy(
	act: () => Promise<{ readonly status: number }>,
	sockets: readonly Open[]
): Promise<readonly number[]> {
	expect((await act()).status).toBe(204);
	// Whoever asked has his answer now: a password takes its time before that.
	const at = performance.now();
	const codes = await Promise.all(sockets.map(({ closed }) => closed));
	expect(performance.now() - at).toBeLessThan(WITHIN_MS);
	return codes;
}

/** By its own key, as the app does it. */
async function byKey(of: StandShop, code = of.code, key = of.signer): Promise<Party> {
	const { business } = of;
	const { nonce } = (await here.ask('/devices/nonce', { body: {} })).body;
	const bytes = new Uint8Array(Buffer.from(String(nonce), 'base64url'));
	const signature = encodeBase64url(await key.sign(deviceStatement(bytes, business)));
	const proved = await here.ask('/devices/token', { body: { business, code, nonce, signature } });
	return { ...of, headers: { authorization: `Bearer ${String(proved.body['token'])}` } };
}

describe('an access that ends at one server', () => {
	it('[RELAY-30] of a device ends its sockets at both within a second, and no other’s', async () => {
		const key = await createTestKey();
		const { business, session } = shop;
		const joined = await here.ask('/devices', {
			body: await joinBody({ business }, key),
			by: { headers: session }
		});
		expect(joined.body['code']).toBe('B');
		const b = await byKey(shop, 'B', key);
		const others = await openAt(there, await byKey(shop));
		const sockets = [await openAt(here, b), await openAt(there, b), await openAt(there, b)];
		const body = { business, code: 'B', password: PASSWORD };
		const codes = await endedBy(
			() => here.ask('/devices/removal', { body, by: { headers: session } }),
			sockets
		);
		expect(codes).toEqual([CLOSE.rights, CLOSE.rights, CLOSE.rights]);
		expect(others.socket.readyState).toBe(WebSocket.OPEN);
		expect(await there.ticket(b, b.document())).toEqual({ ok: false, error: 'deviceRemoved' });
		others.socket.close();
	});

	it('[RELAY-30] of a session ends what it opened, and not what the device’s key did', async () => {
		const own = await openAt(there, await byKey(shop));
		const sockets = [await openAt(here, shop), await openAt(there, shop)];
		const codes = await endedBy(
			() => here.ask('/sessions/current', { method: 'DELETE', by: { headers: shop.session } }),
			sockets
		);
		expect(codes).toEqual([CLOSE.ticket, CLOSE.ticket]);
		expect(own.socket.readyState).toBe(WebSocket.OPEN);
		expect(await there.ticket(shop, shop.document())).toEqual({ ok: false, error: 'notSignedIn' });
		own.socket.close();
	});

	it('[RELAY-22] of a customer’s phone lets nothing more in, though no relay was told of it', async () => {
		const { socket, closed } = await openAt(here, amina);
		const kept = async (): Promise<number> =>
			ofKind(await here.feedOf(amina.person), 'seen').length;
		const say = (): void => {
			const doc = new Y.Doc();
			appendFact(doc, handFact(amina, 'seen', here.clock.now));
			socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		};
		// Its rights are looked at once more when it has opened; by its second fact they were.
		for (const count of [1, 2]) {
			say();
			await until(async () => (await kept()) === count);
		}
		await database.sql`update phone set removed_at = 1 where person = ${amina.person}`;
		say();
		expect(await closed).toBe(CLOSE.rights);
		expect(await kept()).toBe(2);
	});

	it('[RELAY-30] of a customer’s phone ends its sockets at both', async () => {
		const sockets = [await openAt(here, amina), await openAt(there, amina)];
		const codes = await endedBy(
			() =>
				here.ask(`/phones/${amina.person}/p1`, {
					method: 'DELETE',
					by: { headers: amina.session }
				}),
			sockets
		);
		expect(codes).toEqual([CLOSE.rights, CLOSE.rights]);
	});
});
