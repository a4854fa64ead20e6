import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '#domain/result.ts';
import type { DeviceAuth } from '#server/auth/device-auth.ts';
import type { HandIn } from '#server/auth/handed-in.ts';
import { createLimits, LIMITS } from '#server/auth/limits.ts';
import { digestOf } from '#server/relay/check-fact.ts';
import { isRestored, readEpochEnds } from '#server/database/epoch.ts';
import { decodeHello, MESSAGE_HELLO } from '#sync/frames.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	createRelayStand,
	EPOCH,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { CARRIED_FACTS_MAX, carriedRoutes } from './carried.ts';
import { feedRoutes } from './feed.ts';
import { HAVE_RANGES_MAX } from '#server/database/journal.ts';
import { haveRoutes } from './have.ts';
import { lackingRoutes } from './lacking.ts';
import { createReads } from './read-turns.ts';

let stand: RelayStand;
let app: Hono;
let restored: Hono;
beforeAll(async () => {
	stand = await createRelayStand({ relay: { isRestored: true } });
	const { publicKey } = await stand.addDevice('A');
	await stand.addDevice('B');
	const { sql } = stand.database;
	const caller = deviceCaller('A', publicKey);
	const deviceAuth: Pick<DeviceAuth, 'authenticateDevice'> = {
		authenticateDevice: (headers) =>
			Promise.resolve(headers.has('authorization') ? ok(caller) : err('notSignedIn'))
	};
	const often = { times: 20, withinMs: 3_600_000 };
	const table = { ...LIMITS, carriedByDevice: often, lackingByDevice: often };
	const limits = createLimits(stand.database.orm, table);
	const parts = { sql, epoch: EPOCH, deviceAuth, limits, reads: createReads() };
	const handIn: HandIn['handIn'] = (...given) => stand.relay().handIn(...given);
	app = new Hono();
	app.route('/', feedRoutes(parts));
	app.route('/', haveRoutes(parts));
	app.route('/', carriedRoutes({ ...parts, handIn, isRestored: false }));
	restored = new Hono();
	restored.route('/', carriedRoutes({ ...parts, handIn, isRestored: true }));
	app.route('/', lackingRoutes(parts));
	for (const each of [app, restored]) each.onError((_fault, c) => c.json({}, 500));
});
afterAll(() => stand.close());
beforeEach(async () => {
	const { sql } = stand.database;
	await sql`truncate fact, document_update, document_head, feed_head, epoch_end, database_epoch`;
	// The one before knew what was there.
	await stand.restart();
});

interface Answer {
	readonly status: number;
	readonly body: Readonly<Record<string, unknown>>;
}

async function ask(on: Hono, path: string, init: RequestInit = {}): Promise<Answer> {
	const headers = new Headers(init.headers);
	headers.set('authorization', 'Bearer good');
	const answer = await on.request(`http://relay.test${path}`, { ...init, headers });
	return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

/** A request whose body is being waited for; what it gives sends the rest, and says the status. */
async function sendSlowly(path: string): Promise<() => Promise<number>> {
	const body = new TextEncoder().encode('{"facts":[]}');
	const isRead = Promise.withResolvers<undefined>();
	let line: ReadableStreamDefaultController<Uint8Array> | undefined;
	const stream = new ReadableStream<Uint8Array>(
		{
			start: (controller) => {
				line = controller;
			},
			pull: () => {
				isRead.resolve(undefined);
			}
		},
		{ highWaterMark: 0 }
	);
	const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
	const init = { method: 'POST', headers, body: stream, duplex: 'half' };
	const answer = ask(app, path, init);
	await isRead.promise;
	return async () => {
		line?.enqueue(body);
		line?.close();
		return (await answer).status;
	};
}

function hand(on: Hono, facts: unknown, packing?: string): Promise<Answer> {
	const text = JSON.stringify({ facts });
	return ask(on, '/carried', {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			...(packing !== undefined && { 'content-encoding': packing })
		},
		body: packing === 'gzip' ? gzipSync(text) : text
	});
}

function given(name: string): readonly [string, string] {
	return [TRADE_BRANCH, settingFact(stand, name).text];
}

describe('what a restored relay forgot', () => {
	it('[FEED-7] is taken, packed or not, and answered for one by one', async () => {
		const facts = [given('B-1'), given('Z-1')];
		const answers = [
			['B-1', 'kept'],
			['Z-1', 'refused', 'authorUnknown']
		];
		expect((await hand(restored, facts)).body).toEqual({ handed: answers });
		const packed = await hand(restored, [given('B-1'), given('B-2')], 'gzip');
		expect(packed.body).toEqual({
			handed: [
				['B-1', 'known'],
				['B-2', 'kept']
			]
		});
	});

	it('[FEED-7] is not taken where nothing was forgotten, or too much of it at once', async () => {
		expect((await hand(app, [given('B-1')])).body).toEqual({
			handed: [['', 'refused', 'nothingForgotten']]
		});
		const many = Array.from({ length: CARRIED_FACTS_MAX + 1 }, () => [null, '']);
		expect((await hand(restored, many)).status).toBe(400);
		expect((await hand(restored, [['nowhere', 'text']])).status).toBe(400);
		expect((await hand(restored, [given('B-1')], 'br')).status).toBe(400);
		const bomb = [[null, 'x'.repeat(11_000_000)]];
		expect((await hand(restored, bomb, 'gzip')).status).toBe(413);
		expect((await hand(restored, bomb)).status).toBe(413);
		expect(await stand.database.sql`select 1 from fact`).toEqual([]);
	});

	it('[FEED-7] is neither refused nor taken by a server that is of an epoch that ended', async () => {
		const { sql } = stand.database;
		await sql`
			insert into database_epoch (epoch, started_at) values (${EPOCH}, 0), (${EPOCH + 1}, 1)`;
		for (const server of [app, restored]) {
			expect((await hand(server, [given('B-1')])).status).toBe(500);
		}
		expect(await sql`select 1 from fact`).toEqual([]);
	});

	it.each(['/carried', '/facts/lacking'])(
		'[API-49] %s with bodies that do not come keeps nobody from reading',
		async (path) => {
			const bodies = await Promise.all(Array.from({ length: 4 }, () => sendSlowly(path)));
			expect((await ask(app, `/feed?epoch=${String(EPOCH)}&after=0`)).status).toBe(200);
			for (const end of bodies) expect(await end()).toBe(200);
		}
	);

	it('[API-49] counts what a device asks before its body is there', async () => {
		await stand.database.sql`truncate rate_limit`;
		for (let n = 0; n < 20; n += 1) await (await sendSlowly('/facts/lacking'))();
		const never = new ReadableStream({}, { highWaterMark: 0 });
		const headers = { 'content-type': 'application/json', 'content-length': '12' };
		const init = { method: 'POST', headers, body: never, duplex: 'half' };
		expect((await ask(app, '/facts/lacking', init)).status).toBe(429);
		await stand.database.sql`truncate rate_limit`;
	});

	it('[FEED-7] is taken so often an hour', async () => {
		await stand.database.sql`truncate rate_limit`;
		for (let n = 0; n < 20; n += 1) expect((await hand(restored, [])).status).toBe(200);
		expect((await hand(restored, [])).status).toBe(429);
		await stand.database.sql`truncate rate_limit`;
	});

	it('[FEED-8] is listed: who handed in how much of whose', async () => {
		await hand(restored, [given('B-1'), given('B-2'), given('A-1')]);
		expect((await ask(restored, '/carried')).body).toEqual({
			carried: [
				{ by: 'A', of: 'A', count: 1, s: 3 },
				{ by: 'A', of: 'B', count: 2, s: 2 }
			]
		});
		expect((await ask(restored, '/carried?after=2')).body['carried']).toHaveLength(1);
		expect((await ask(restored, '/carried?after=x')).status).toBe(400);
	});

	it('[FEED-6] is told of so many ranges, and first of whoever wrote without gaps', async () => {
		await stand.database.sql`
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			select ${TRADE_BUSINESS}, case when i <= 3 then 'B' else 'A' end,
				case when i <= 3 then i else 2 * i end, 'setting', 0, 0, '2026-11-20', 1, '', 1, i
			from generate_series(1, ${HAVE_RANGES_MAX + 9}) as i`;
		const { body } = await ask(app, '/have');
		const ranges = body['ranges'] as Readonly<Record<string, readonly unknown[]>>;
		expect(ranges['B']).toEqual([[1, 3, '0000000000000001']]);
		expect(ranges['A']?.length).toBe(HAVE_RANGES_MAX - 1);
	});

	it('[FEED-6] is told from what it has, in ranges of every writer', async () => {
		await hand(restored, [given('B-1'), given('B-2'), given('B-512'), given('A-7')]);
		const digest = (...names: readonly string[]): string => {
			const xor = names.reduce((sum, name) => sum ^ digestOf(settingFact(stand, name).text), 0n);
			return xor.toString(16).padStart(16, '0');
		};
		expect((await ask(app, '/have')).body).toEqual({
			epoch: EPOCH,
			ranges: {
				A: [[7, 7, digest('A-7')]],
				B: [
					[1, 2, digest('B-1', 'B-2')],
					[512, 512, digest('B-512')]
				]
			}
		});
		expect((await app.request('http://relay.test/have')).status).toBe(401);
	});
});

it('[FEED-2] a place of an ended epoch is told how much of it survived, over both ways', async () => {
	const { sql } = stand.database;
	await sql`insert into database_epoch (epoch, started_at) values (1, 1), (2, 2), (3, 3), (${EPOCH}, 4)`;
	await sql`
		insert into epoch_end (business, epoch, s)
		values (${TRADE_BUSINESS}, 1, 7090), (${TRADE_BUSINESS}, 2, 5060), (${TRADE_BUSINESS}, 3, 5070)`;
	expect(await isRestored(sql, EPOCH)).toBe(true);
	expect(await isRestored(sql, 1)).toBe(false);
	// What was beyond 5,060 in epoch 1 went with the restore that ended epoch 2; the last thousand are doubted.
	const ends = [
		[1, 4060],
		[2, 4060],
		[3, 4070]
	];
	expect(await readEpochEnds(sql, TRADE_BUSINESS, EPOCH)).toEqual(ends);
	for (const [epoch, survivedTo] of [...ends, [EPOCH + 9, 0]]) {
		const answer = await ask(app, `/feed?epoch=${String(epoch)}&after=6000`);
		expect(answer.status).toBe(409);
		expect(answer.body).toMatchObject({ code: 'epochEnded', epoch: EPOCH, survivedTo });
	}
	const heard = await rawSocket(stand, 'A');
	const hello = decodeHello(jsonIn(await heard.next(isMessage(MESSAGE_HELLO))));
	expect(hello?.ends).toEqual(ends);
	heard.socket.close();
});
