import { Hono } from 'hono';
import type { TransactionSql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocumentName } from '#documents/document-name.ts';
import { foldFacts } from '#domain/fact/fold.ts';
import type { BusinessId, DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import type { DeviceAuth } from '#server/auth/device-auth.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { digestOf } from '#server/relay/check-fact.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { createAppendRelayFacts } from '#server/relay/relay-facts.ts';
import { mayOpen } from '#server/relay/rights.ts';
import { parseCheckpoint } from '#state/checkpoint.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	EPOCH,
	createRelayStand,
	ticketFor,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { makeTrade, TRADE_BRANCH, TRADE_BUSINESS, type Trade } from '#tests/support/trade.ts';
import { checkpointRoutes } from './checkpoint.ts';
import { FEED_PAGE_LENGTH, feedRoutes } from './feed.ts';
import { createReads } from './read-turns.ts';
import { syncTicketRoutes } from './sync-tickets.ts';

const FACTS = 1_100;
/** The rest is written while a checkpoint is read. */
const WRITTEN = FACTS - 20;
const crypto = createNodeCrypto();
const project = createProject(crypto);
const caller = deviceCaller('A');
/** Knows a device by a word in a header; the real one has tests of its own. */
const deviceAuth: Pick<DeviceAuth, 'authenticateDevice'> = {
	authenticateDevice: (headers) => {
		const known = CALLERS.get(headers.get('authorization') ?? '');
		return Promise.resolve(known === undefined ? err('notSignedIn') : ok(known));
	}
};
const IMPORTER = '0192f0c1-7a00-4000-8000-000000000002' as BusinessId;
const CALLERS = new Map([
	['Bearer good', caller],
	['Bearer importer', { ...caller, scope: IMPORTER, business: IMPORTER }]
]);

let stand: RelayStand;
let trade: Trade;
let app: Hono;
beforeAll(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
	const codes = ['A', 'B'] as DeviceCode[];
	const signers = await Promise.all(codes.map(async () => createSigner(await createSigningKeys())));
	trade = await makeTrade({ seed: 5, count: FACTS, codes, signers, crypto });
	await stand.database.orm.transaction((transaction) =>
		createAppendRelayFacts({ clock: () => stand.clock.now, epoch: EPOCH, projectLedgerFacts })(
			transaction,
			TRADE_BUSINESS,
			[
				{ kind: 'member', member: 1, fields: { name: 'Asha', role: 'owner' }, branch: null },
				{ kind: 'device', device: 'A' as DeviceCode, fields: { member: 1 }, branch: null }
			]
		)
	);
	await stand.database.sql.begin((tx) => write(tx, { from: 0, to: WRITTEN }));
	const parts = { sql: stand.database.sql, epoch: EPOCH, deviceAuth, reads: createReads() };
	app = new Hono();
	app.route('/', feedRoutes(parts));
	app.route('/', checkpointRoutes(parts));
	app.route('/', syncTicketRoutes({ deviceAuth, tickets: stand.tickets, mayOpen }));
}, 60_000);
afterAll(() => stand.close());

describe('the feed', () => {
	it('[FEED-1] comes in pages, in order, to its last number', async () => {
		const rows: (readonly [number, string | null, string])[] = [];
		let last = Infinity;
		while (rows.length < last) {
			const page = await feed(`epoch=${String(EPOCH)}&after=${String(rows.length)}`);
			expect(page.rows.length).toBeLessThanOrEqual(FEED_PAGE_LENGTH);
			rows.push(...page.rows);
			({ last } = page);
		}
		expect(last).toBe(WRITTEN + 2);
		expect(rows.map(([s]) => s)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
		expect(rows.slice(2).map(([, branch, text]) => [branch, text])).toEqual(
			trade.facts.slice(0, WRITTEN).map(({ text }) => [TRADE_BRANCH, text])
		);
		expect(rows.slice(0, 2).map(([, branch]) => branch)).toEqual([null, null]);
		expect((await feed(`epoch=${String(EPOCH)}&after=${String(last)}`)).rows).toEqual([]);
	});

	it('[FEED-1] has no page of more than a megabyte', async () => {
		const { sql } = stand.database;
		await sql`insert into feed_head (business, s) values (${IMPORTER}, 40)`;
		await sql`
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			select ${IMPORTER}, 'A', n, 'product', 0, 0, '2026-11-20', 1, repeat('x', 65000), 0, n
			from generate_series(1, 40) as n`;
		const seen: number[] = [];
		for (const after of [0, 16, 32]) {
			const path = `/feed?epoch=${String(EPOCH)}&after=${String(after)}`;
			const page = (await (await get(path, { Authorization: 'Bearer importer' })).json()) as Page;
			seen.push(page.rows.length);
		}
		expect(seen).toEqual([16, 16, 8]);
	});

	it('[FEED-1] is compressed for who can read that', async () => {
		const plain = await get(`/feed?epoch=${String(EPOCH)}&after=0`);
		const small = await get(`/feed?epoch=${String(EPOCH)}&after=0`, { 'Accept-Encoding': 'gzip' });
		expect(small.headers.get('content-encoding')).toBe('gzip');
		const bytes = (await small.arrayBuffer()).byteLength;
		expect(bytes).toBeLessThan((await plain.arrayBuffer()).byteLength / 2);
	});

	it('[FEED-2] of another epoch has ended', async () => {
		for (const epoch of [EPOCH - 1, EPOCH + 1]) {
			const answer = await get(`/feed?epoch=${String(epoch)}&after=3`);
			expect([answer.status, await answer.json()]).toEqual([
				409,
				expect.objectContaining({ code: 'epochEnded', epoch: EPOCH, survivedTo: 0 })
			]);
		}
	});

	it.each(['', 'epoch=4', 'epoch=4&after=-1', 'epoch=4&after=1e3', 'epoch=x&after=0'])(
		'[FEED-1] is not asked by %j',
		async (query) => {
			expect((await get(`/feed?${query}`)).status).toBe(400);
		}
	);

	it('[FEED-3] goes backwards as history', async () => {
		const page = (await (await get('/history?before=11')).json()) as { rows: [number][] };
		expect(page.rows.map(([s]) => s)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
		expect((await get('/history?before=x')).status).toBe(400);
	});

	it('[FEED-5] is for devices that proved themselves', async () => {
		for (const path of ['/feed?epoch=4&after=0', '/history?before=3', '/checkpoint']) {
			expect((await app.request(path)).status).toBe(401);
		}
	});
});

describe('a checkpoint', () => {
	it('[FEED-4] is what a device reads, and equals the fold of its facts', async () => {
		const answer = await get(`/checkpoint?branch=${TRADE_BRANCH}`);
		const body: unknown = await answer.json();
		const checkpoint = parseCheckpoint(body);
		if (!checkpoint.ok) throw new Error(JSON.stringify(checkpoint.error));
		const expected = foldFacts(trade.facts.slice(0, WRITTEN), trade.hashOf);
		const { s, ranges, settings, members, devices, products, stock, days } = checkpoint.value;
		expect(s).toBe(WRITTEN + 2);
		expect(Object.keys(ranges ?? {})).toEqual([`0.${String(EPOCH)}`, 'A', 'B']);
		expect(members).toEqual([expect.objectContaining({ number: 1, name: 'Asha', role: 'owner' })]);
		expect(devices).toEqual([expect.objectContaining({ code: 'A', member: 1 })]);
		expect(Object.fromEntries(settings.map(({ field, value }) => [field, value]))).toEqual(
			expected.settings
		);
		expect(products.length).toBe(expected.products.size);
		expect(new Map(stock.map((row) => [`${row.branch} ${row.product}`, row.level]))).toEqual(
			expected.stock
		);
		expect(new Map(days.map(({ branch, on, ...totals }) => [`${branch} ${on}`, totals]))).toEqual(
			expected.days
		);
		const { balances } = body as { balances: { ledger: string; totalMinor: string }[] };
		expect(balances.map(({ ledger, totalMinor }) => [ledger, totalMinor])).toEqual(
			Array.from(expected.balances)
				.flatMap(([ledger, sums]) =>
					Array.from(sums.values(), ({ total }) => [ledger, String(total)])
				)
				.sort()
		);
	});

	it('[FEED-4] holds together while facts are written', async () => {
		const { sql } = stand.database;
		const before = (await (await get('/checkpoint')).json()) as { s: number; stock: unknown };
		const blocked = () => sql`
			select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%from stock%'`;
		let answer: Promise<Response> | undefined;
		await sql.begin(async (tx) => {
			// Stops the reading between the feed's number and the stock, and writes there.
			await tx`lock table stock in access exclusive mode`;
			answer = get('/checkpoint');
			await until(async () => (await blocked()).length > 0);
			await write(tx, { from: WRITTEN, to: FACTS });
		});
		const during = (await answer?.then((each) => each.json())) as typeof before;
		expect([during.s, during.stock]).toEqual([before.s, before.stock]);
		const after = (await (await get('/checkpoint')).json()) as typeof before;
		expect(after.s).toBe(before.s + FACTS - WRITTEN);
		expect(after.stock).not.toEqual(before.stock);
	});

	it('[FEED-4] is of the own branch', async () => {
		expect((await get('/checkpoint?branch=another')).status).toBe(404);
	});
});

describe('a ticket', () => {
	it('[FEED-5] is given for a document that the device may open', async () => {
		const answer = await post({ document: stand.today() });
		const { ticket } = (await answer.json()) as { ticket: string };
		const taken = await stand.tickets.take(ticket, stand.today());
		expect(taken).toMatchObject({ ok: true, value: { code: 'A', business: TRADE_BUSINESS } });
		expect(await ticketFor(stand, 'A', stand.today())).not.toBe(ticket);
	});

	it('[FEED-5] is not given for another, nor to nobody', async () => {
		const office = stand.today().replace(/^j/, 'o');
		expect(parseDocumentName(office).ok).toBe(true);
		expect((await post({ document: office })).status).toBe(403);
		expect((await post({ document: 'nonsense' })).status).toBe(400);
		expect((await post({})).status).toBe(400);
		expect((await post({ document: stand.today() }, 'Bearer bad')).status).toBe(401);
	});
});

interface Part {
	readonly from: number;
	readonly to: number;
}

/** Facts of the trade as the write path would commit them, without the documents. */
async function write(tx: TransactionSql, { from, to }: Part): Promise<void> {
	const facts = trade.facts.slice(from, to);
	await tx`update feed_head set s = s + ${facts.length} where business = ${TRADE_BUSINESS}`;
	for (const [at, { fact, text }] of facts.entries()) {
		await tx`
			insert into fact (business, code, n, kind, branch, document, wall, counter, on_day, member,
				text, digest, s)
			values (${TRADE_BUSINESS}, ${fact.code}, ${fact.n}, ${fact.kind}, ${TRADE_BRANCH}, null,
				${fact.at.wall}, ${fact.at.counter}, ${fact.on}, ${fact.by}, ${text},
				${String(BigInt.asIntN(64, digestOf(text)))}, ${from + at + 3})`;
	}
	await project(
		tx as never,
		facts.map(({ fact }) => ({ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }))
	);
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
	return app.request(path, { headers: { Authorization: 'Bearer good', ...headers } });
}

async function post(body: object, authorization = 'Bearer good'): Promise<Response> {
	return app.request('/sync/tickets', {
		method: 'POST',
		body: JSON.stringify(body),
		headers: { 'Content-Type': 'application/json', Authorization: authorization }
	});
}

interface Page {
	readonly rows: readonly (readonly [number, string | null, string])[];
	readonly last: number;
}

async function feed(query: string): Promise<Page> {
	return (await (await get(`/feed?${query}`)).json()) as Page;
}
