import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { appendFact } from '#documents/facts.ts';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { phoneStatement } from '#domain/claim-statement.ts';
import { claimMessage, encodeClaim, type Claim } from '#domain/confirmation/claim.ts';
import { code, codeInfo, ledgerKey } from '#domain/confirmation/codes.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordCore, parseRecordId } from '#domain/confirmation/record.ts';
import { parseRest } from '#domain/confirmation/rest.ts';
import { signRecord } from '#domain/confirmation/signed-record.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact, FactHead } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, parseDeviceCode, parseLedgerId, type LedgerId } from '#domain/ids.ts';
import { systemRandom } from '#server/auth/random.ts';
import { uuidV7 } from '#state/uuid-v7.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import {
	ask,
	createTestKey,
	openShop,
	proveDevice,
	signUp,
	type Shop,
	type SignedUp
} from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { sure } from '#tests/support/sure.ts';
import { createNodeCrypto } from './crypto.ts';
import { createService, type Service } from './service.ts';

const faults: unknown[] = [];
const crypto = createNodeCrypto();
const WORTH = { kind: 'debit', currency: 'KES', exponent: 2, cap: 1_000 } as const;
let database: TestDatabase;
let service: Service;
let server: Server;
const app = new Hono();

beforeAll(async () => {
	database = await createTestDatabase();
	service = await createService({
		database,
		clock: Date.now,
		secret: new Uint8Array(32).fill(7),
		fault: (fault) => faults.push(fault)
	});
	const root = new Hono().route('/api', service.api).route('/sync', service.sync);
	const sockets = new WebSocketServer({ noServer: true });
	server = serve({
		fetch: root.fetch,
		port: 0,
		hostname: '127.0.0.1',
		websocket: { server: sockets as WebSocketServerLike }
	}) as Server;
	await once(server, 'listening');
	app.all('*', async (c) => {
		const { pathname, search } = new URL(c.req.url);
		const headers = new Headers(c.req.raw.headers);
		headers.delete('host');
		headers.set('origin', origin());
		const body = c.req.method === 'GET' ? {} : { body: await c.req.text() };
		return fetch(`${origin()}${pathname}${search}`, { method: c.req.method, headers, ...body });
	});
});
afterAll(async () => {
	await service.close();
	server.closeAllConnections();
	server.close();
	await database.close();
});

it('[JUDGE-13] a claim that comes by the socket has its verdict in both feeds at once', async () => {
	const shop = await openShop(app, 'mama.asha');
	const bearer = String((await proveDevice(app, { ...shop, code: 'A' })).body['token']);
	const ledger = sure(parseLedgerId(systemRandom.uuid()));
	const { doc, close } = openJournal(shop, bearer);
	const waiting = await writeDue(doc, shop, { n: 1, ledger, minor: 650 });

	// The record that was made before the link is brought to whoever takes up the invite.
	const amina = await signUp(app, 'amina.k', { kind: 'customer' });
	const headers = await enrolPhone(amina);
	await until(async () => (await kindsIn({ bearer })).includes('record'));
	const invite = await ask(app, `/ledgers/${ledger}/invites`, { body: {}, bearer });
	const taken = await ask(app, '/links', {
		cookie: amina.cookie,
		body: { token: invite.body['token'], person: amina.person }
	});
	expect(taken.body).toEqual({ business: shop.business, ledger });
	const phone = { cookie: amina.cookie, headers };
	expect(await kindsIn(phone)).toContain('booked');

	const codes = await makeCodes(shop, ledger, { ...phone, person: amina.person });
	const begun = performance.now();
	await writeClaim(doc, shop, { n: 2, h: waiting, typed: codes[1] ?? '', counter: 1 });
	await until(async () => (await kindsIn({ bearer })).includes('verdict'));
	const tookMs = performance.now() - begun;
	const [verdict] = (await factsIn({ bearer })).filter(({ kind }) => kind === 'verdict');
	const [judged] = (await factsIn(phone)).filter(({ kind }) => kind === 'judged');
	expect(verdict).toMatchObject({ kind: 'verdict', verdict: { result: 'ok', al: 1, h: waiting } });
	expect(judged).toMatchObject({ kind: 'judged', verdict: { result: 'ok' }, counter: 1 });
	expect(tookMs).toBeLessThan(1_500);
	close();
	expect(faults).toEqual([]);
});

interface Reader {
	readonly bearer?: string;
	readonly cookie?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

async function factsIn(reader: Reader): Promise<readonly Fact[]> {
	const { body } = await ask(app, '/feed?epoch=1&after=0', reader);
	const rows = Array.isArray(body['rows']) ? (body['rows'] as readonly unknown[]) : [];
	return rows.flatMap((row) => {
		const parsed = parseFact(Array.isArray(row) ? String(row[2]) : '');
		return parsed.ok ? [parsed.value] : [];
	});
}

async function kindsIn(reader: Reader): Promise<readonly string[]> {
	return (await factsIn(reader)).map(({ kind }) => kind);
}

function openJournal(shop: Shop, bearer: string): { doc: Y.Doc; close: () => void } {
	const doc = new Y.Doc();
	const document = journalName(shop.business, shop.branch, Date.now());
	const provider = new WebsocketProvider(`${origin().replace('http', 'ws')}/sync`, document, doc, {
		disableBc: true,
		WebSocketPolyfill: createTicketSocket({
			getTicket: async (name) => {
				const answer = await ask(app, '/sync/tickets', { body: { document: name }, bearer });
				return { ticket: String(answer.body['ticket']) };
			},
			WebSocket: globalThis.WebSocket
		})
	});
	return {
		doc,
		close: () => {
			provider.destroy();
		}
	};
}

function headOf(n: number): FactHead {
	const wall = Date.now();
	const on = new Date(wall).toISOString().slice(0, 10);
	return { id: factId('A', n), code: 'A', n, at: { wall, counter: 0 }, on, by: 1 };
}

function write(doc: Y.Doc, fact: Fact): void {
	appendFact(doc, { id: fact.id, text: encodeFact(fact) });
}

async function writeDue(
	doc: Y.Doc,
	shop: Shop,
	{ n, ledger, minor }: { n: number; ledger: LedgerId; minor: number }
): Promise<RecordHash> {
	const head = headOf(n);
	const signed = await signRecord(
		{
			core: {
				kind: 'due',
				isMadeOffline: false,
				currency: 'KES',
				exponent: 2,
				amount: minor,
				occurredAt: head.at.wall,
				businessId: shop.business,
				ledgerId: ledger,
				recordId: sure(parseRecordId(uuidV7(head.at.wall, systemRandom.bytes(16)))),
				balanceAfter: minor
			},
			rest: { br: shop.branch, d: sure(parseDeviceCode('A')), n, u: shop.person, on: head.on }
		},
		shop.key,
		crypto
	);
	const [core, rest] = [sure(parseRecordCore(signed.a)), sure(parseRest(signed.rest))];
	write(doc, { ...head, kind: 'record', records: [{ signed, core, rest }] });
	return recordHash(signed.a, crypto);
}

async function writeClaim(
	doc: Y.Doc,
	shop: Shop,
	heard: { n: number; h: RecordHash; typed: string; counter: number }
): Promise<void> {
	const { n, h, typed, counter } = heard;
	const head = headOf(n);
	const claim: Claim = {
		id: uuidV7(head.at.wall, systemRandom.bytes(16)),
		h,
		way: 'sheet',
		counter,
		code: typed,
		d: sure(parseDeviceCode('A')),
		u: shop.person,
		at: head.at.wall
	};
	const sig = encodeBase64url(await shop.key.sign(claimMessage(encodeClaim(claim))));
	write(doc, { ...head, kind: 'claim', claim, sig });
}

async function enrolPhone({ cookie, person }: SignedUp): Promise<Record<string, string>> {
	const key = await createTestKey();
	const signature = await key.sign(phoneStatement(person, key.publicKey));
	const enrolled = await ask(app, '/phones', {
		cookie,
		body: {
			person,
			publicKey: encodeBase64url(key.publicKey),
			signature: encodeBase64url(signature)
		}
	});
	return { 'daftar-phone': `${person}/${String(enrolled.body['code'])}` };
}

/** Asks for a set, and makes its first codes from the person's secret, as a phone does. */
async function makeCodes(
	shop: Shop,
	ledger: LedgerId,
	phone: Reader & { readonly person: string }
): Promise<readonly string[]> {
	const { person, ...reader } = phone;
	const body = { business: shop.business, ledger, ...WORTH };
	const made = await ask(app, `/people/${person}/sheets`, { ...reader, body });
	const given = await ask(app, `/people/${person}/secrets`, reader);
	const [latest] = given.body['secrets'] as readonly string[];
	const secret = sure(decodeBase64url(latest ?? ''));
	const scope = {
		businessId: shop.business,
		ledgerId: ledger,
		epoch: Number(made.body['epoch'])
	};
	const key = await ledgerKey(secret, scope, crypto);
	const info = codeInfo({ ...WORTH, way: 'sheet', kind: 'due', minor: WORTH.cap });
	return Promise.all([0, 1, 2].map((counter) => code(key, { info, counter }, crypto)));
}

function origin(): string {
	const { port } = server.address() as AddressInfo;
	return `http://127.0.0.1:${String(port)}`;
}
