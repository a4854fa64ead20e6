import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url, utf8 } from '#domain/bytes.ts';
import { lateFactsStatement } from '#domain/claim-statement.ts';
import { parseLedgerId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { connectToPostgres, createForwarder, urlByPort } from '#tests/support/forwarder.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandAnswer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { handFact, recordFact, type HandFact } from '#tests/support/hostile-facts.ts';
import { LATE_MS } from './late-facts.ts';

const crypto = createNodeCrypto();
let stand: HostileStand;
beforeAll(async () => {
	stand = await createHostileStand();
});
afterAll(() => stand.close());

async function remove(shop: StandShop): Promise<void> {
	await stand.database.sql`
		update device set removed_at = ${stand.clock.now} where business = ${shop.business}`;
}

interface Leaving {
	readonly facts: readonly HandFact[];
	/** What is sent, where it is not what was signed. */
	readonly sent?: readonly string[];
}

async function leave(shop: StandShop, { facts, sent }: Leaving): Promise<StandAnswer> {
	const texts = facts.map(({ text }) => text);
	return stand.ask('/late-facts', {
		by: { headers: { authorization: `Bearer ${await tokenFor(shop, texts)}` } },
		body: { facts: sent ?? texts }
	});
}

async function tokenFor(shop: StandShop, texts: readonly string[]): Promise<string> {
	const given = await stand.ask('/devices/nonce', { body: {} });
	const nonce = decodeBase64url(String(given.body['nonce']));
	if (!nonce.ok) throw new Error('no nonce');
	const digest = await crypto.sha256(utf8(texts.join('\n')));
	const signature = await shop.signer.sign(lateFactsStatement(nonce.value, shop.business, digest));
	const said = [digest, signature].map(encodeBase64url);
	return [shop.business, shop.code, String(given.body['nonce']), ...said].join('.');
}

async function inbox(shop: StandShop, state = 'waiting'): Promise<readonly string[]> {
	const path = `/late-facts?business=${shop.business}&state=${state}`;
	const { body } = await stand.ask(path, { by: { headers: shop.session } });
	return (body['facts'] as readonly { readonly text: string }[]).map(({ text }) => text);
}

async function decide(
	shop: StandShop,
	what: string,
	facts: readonly HandFact[]
): Promise<StandAnswer> {
	return stand.ask(`/late-facts/${what}`, {
		by: { headers: shop.session },
		body: { business: shop.business, ids: facts.map(({ id }) => id) }
	});
}

function saleOf(shop: StandShop, minor: number): HandFact {
	return handFact(shop, 'sale', 1, [[0, '', 1_000, minor, minor]], [['cash', minor]]);
}

async function salesTotal(shop: StandShop): Promise<number> {
	const rows = await stand.database.sql<{ sum: string | null }[]>`
		select sum(sales_minor) as sum from day_total where business = ${shop.business}`;
	return Number(rows[0]?.sum ?? 0);
}

describe('what a removed device had not sent', () => {
	it('[API-43] [API-44] waits for the owner, and counts unchanged once he takes it in', async () => {
		const shop = await stand.shop('late');
		const [first, second, third] = [saleOf(shop, 500), saleOf(shop, 700), saleOf(shop, 900)];
		expect(await stand.put(shop, [first])).toBe('taken');
		await remove(shop);
		const left = await leave(shop, { facts: [first, second, third] });
		expect(left.body).toEqual({
			waiting: [second.id, third.id],
			known: [first.id],
			apart: [],
			refused: []
		});
		// Twice is once.
		expect((await leave(shop, { facts: [second] })).body['waiting']).toEqual([second.id]);
		expect(await inbox(shop)).toEqual([second.text, third.text]);
		expect(await salesTotal(shop)).toBe(500);

		const taken = await decide(shop, 'taken', [second]);
		expect(taken.body['handed']).toEqual([[second.id, 'kept', '']]);
		expect(await salesTotal(shop)).toBe(1_200);
		const stored = (await stand.feedOf(shop.business)).find(({ id }) => id === second.id);
		expect(stored).toMatchObject({ id: second.id, code: 'A', kind: 'sale' });
		expect(await inbox(shop)).toEqual([third.text]);
		expect(await inbox(shop, 'taken')).toEqual([second.text]);

		await decide(shop, 'declined', [third]);
		expect([await inbox(shop), await inbox(shop, 'declined')]).toEqual([[], [third.text]]);
		expect(await salesTotal(shop)).toBe(1_200);
		await decide(shop, 'waiting', [third]);
		await decide(shop, 'taken', [third, second]);
		expect(await salesTotal(shop)).toBe(2_100);
	});

	it('[API-43] says of a second text under one number that it is kept apart, and does', async () => {
		const shop = await stand.shop('copied');
		const sent = saleOf(shop, 100);
		expect(await stand.put(shop, [sent])).toBe('taken');
		await remove(shop);
		// The device and the copy of its profile sold on under one number each.
		const [first, other] = [saleOf(shop, 500), saleOf(shop, 700)];
		const copys = { id: first.id, text: other.text.replace(other.id, first.id) };
		const none = { waiting: [], known: [], apart: [], refused: [] };
		expect((await leave(shop, { facts: [first] })).body).toEqual({ ...none, waiting: [first.id] });
		const apart = { ...none, apart: [first.id] };
		expect((await leave(shop, { facts: [copys] })).body).toEqual(apart);
		expect((await leave(shop, { facts: [copys] })).body).toEqual(apart);
		expect(await inbox(shop)).toEqual([first.text]);
		const forks = await stand.database.sql`
			select code, n::int, text, encode(int8send(digest), 'hex') as digest from fork
			where business = ${shop.business}`;
		const digest = Buffer.from(await crypto.sha256(utf8(copys.text)));
		expect(forks.map((row) => ({ ...row }))).toEqual([
			{
				code: 'A',
				n: Number(first.id.slice(2)),
				text: copys.text,
				digest: digest.subarray(0, 8).toString('hex')
			}
		]);
		// Both at once are no more, and what the owner said no to still lies with him.
		const third = saleOf(shop, 900);
		const twin = { id: third.id, text: third.text.replace('900', '901') };
		const both = await leave(shop, { facts: [third, twin] });
		expect(both.body).toEqual({ ...none, waiting: [third.id], apart: [third.id] });
		await decide(shop, 'declined', [first]);
		await decide(shop, 'taken', [third]);
		const again = await leave(shop, { facts: [first, copys, third, sent] });
		expect(again.body).toEqual({
			...none,
			waiting: [first.id],
			known: [third.id, sent.id],
			apart: [first.id]
		});
	});

	it('[API-44] takes in a signed record by the key that the device had', async () => {
		const shop = await stand.shop('recorded');
		const ledger = parseLedgerId('0192f0c1-7a00-4000-8000-0000000000f1');
		if (!ledger.ok) throw new Error('no ledger');
		const due = await recordFact(shop, { ledger: ledger.value, minor: 1_000 });
		await remove(shop);
		expect((await leave(shop, { facts: [due] })).body['waiting']).toEqual([due.id]);
		const taken = await decide(shop, 'taken', [due]);
		expect(taken.body['handed']).toEqual([[due.id, 'kept', '']]);
	});

	it('[API-43] is refused of a device that is let in, of another’s key, changed on the way, and after ninety days', async () => {
		const shop = await stand.shop('refused');
		const other = await stand.shop('other');
		const fact = saleOf(shop, 100);
		expect((await leave(shop, { facts: [fact] })).body['code']).toBe('deviceRefused');
		await remove(shop);
		const changed = await leave(shop, { facts: [fact], sent: [fact.text.replace('100', '900')] });
		expect(changed.body['code']).toBe('deviceRefused');
		const stranger = await leave({ ...shop, signer: other.signer }, { facts: [fact] });
		expect(stranger.body['code']).toBe('deviceRefused');
		const foreign = await leave(shop, {
			facts: [
				{ id: 'B-1', text: fact.text.replace('"A-', '"B-') },
				{ id: '', text: 'x' }
			]
		});
		expect(foreign.body).toMatchObject({ waiting: [], known: [] });
		const before = stand.clock.now;
		stand.clock.now += LATE_MS + 1;
		expect((await leave(shop, { facts: [fact] })).body['code']).toBe('deviceRemoved');
		stand.clock.now = before;
	});

	it('[API-44] is shown to nobody but the owner', async () => {
		const shop = await stand.shop('mine');
		const other = await stand.shop('thine');
		const fact = saleOf(shop, 100);
		await remove(shop);
		await leave(shop, { facts: [fact] });
		const asked = await stand.ask(`/late-facts?business=${shop.business}`, {
			by: { headers: other.session }
		});
		expect(asked.body['code']).toBe('notAMember');
		const taken = await stand.ask('/late-facts/taken', {
			by: { headers: other.session },
			body: { business: shop.business, ids: [fact.id] }
		});
		expect(taken.body['code']).toBe('notAMember');
		expect((await stand.ask(`/late-facts?business=${shop.business}`)).status).toBe(401);
	});

	it('[API-54] reads no more of it to decide than is decided on, and no more than is listed', async () => {
		let bytes = 0;
		const read = async (act: () => Promise<unknown>): Promise<number> => {
			bytes = 0;
			await act();
			return bytes;
		};
		const counted = await forwarded((passed) => {
			bytes += passed;
		});
		const other = await createHostileStand({ database: counted.database });
		const shop = await other.shop('much');
		await other.database.sql`
			insert into late_fact (business, code, n, text, received_at, state)
			select ${shop.business}, 'B', n, rpad('', 60000, 'x'), 0, 'waiting' from generate_series(1, 100) as n`;
		const ids = Array.from({ length: 100 }, (_none, at) => `B-${String(at + 1)}`);
		const act = (what: string, of: readonly string[]): Promise<StandAnswer> =>
			other.ask(`/late-facts/${what}`, {
				by: { headers: shop.session },
				body: { business: shop.business, ids: of }
			});
		expect(await read(() => act('declined', []))).toBeLessThan(100_000);
		expect(await read(() => act('declined', ids))).toBeLessThan(100_000);
		expect(await read(() => act('waiting', ids))).toBeLessThan(100_000);
		expect(await read(() => act('taken', ids.slice(0, 1)))).toBeLessThan(200_000);
		expect(await read(() => act('taken', ids))).toBeLessThan(3_000_000);
		await other.close();
		await counted.close();
	});

	it('[API-52] a stranger is refused before his lot is there, and reads out no memory of ours', async () => {
		const shop = await stand.shop('asked.first');
		const given = await stand.ask('/devices/nonce', { body: {} });
		const proof = [shop.business, 'A', given.body['nonce'], 'A'.repeat(43), 'A'.repeat(86)];
		for (const headers of [
			['content-length: 1000000'],
			['content-length: 1000000', `authorization: Bearer ${proof.join('.')}`]
		])
			expect(await answerTo('/late-facts', headers)).toBe(401);
		expect(await answerTo('/late-facts', ['content-length: 10000000'])).toBe(413);
		// Nobody waits for the end of what does not say where it ends.
		const chunk = `${(65_537).toString(16)}\r\n${' '.repeat(65_537)}\r\n`;
		for (const path of ['/late-facts', '/late-facts/taken', '/carried', '/accounts'])
			expect(await answerTo(path, ['transfer-encoding: chunked'], chunk)).toBe(413);
	});
});

/** A database of its own, and every byte that comes from it. */
async function forwarded(passed: (bytes: number) => void): Promise<{
	readonly database: TestDatabase;
	readonly close: () => Promise<void>;
}> {
	const made = await createTestDatabase();
	const line = await createForwarder({
		connectFar: () => connectToPostgres(made.url),
		down: (near, bytes) => {
			passed(bytes.byteLength);
			near.write(bytes);
		}
	});
	const url = urlByPort(made.url, line.port);
	const database = connectDatabase(url, { connectionsMax: 5 });
	return {
		database: { ...database, url },
		close: async () => {
			await line.close();
			await made.close();
		}
	};
}

/** The status that a request has whose body does not come, but for a piece of it. */
async function answerTo(path: string, headers: readonly string[], piece = ''): Promise<number> {
	const { port } = new URL(stand.syncUrl);
	const line = net.connect(Number(port), '127.0.0.1');
	const json = 'content-type: application/json';
	const head = [`POST /api${path} HTTP/1.1`, 'host: x', json, ...headers, '', ''];
	line.write(head.join('\r\n') + piece);
	try {
		const [said] = (await once(line, 'data')) as [Buffer];
		return Number(/^HTTP\/1\.1 (\d+)/.exec(said.toString())?.[1]);
	} finally {
		line.destroy();
	}
}
