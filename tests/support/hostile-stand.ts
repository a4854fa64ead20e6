import { drizzle } from 'drizzle-orm/postgres-js';
import { Hono } from 'hono';
import { encodeBase64url } from '#domain/bytes.ts';
import { claimStatement, phoneStatement } from '#domain/claim-statement.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseLedgerId,
	parsePersonId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { journalName } from '#documents/document-name.ts';
import { createHealth } from '#server/api/health.ts';
import { systemRandom } from '#server/auth/random.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { createSessions } from '#server/auth/sessions.ts';
import * as accounts from '#server/database/accounts.ts';
import type { FoldLimits } from '#server/database/fold-meter.ts';
import { listen } from '#server/listen.ts';
import type { Bus } from '#server/bus/bus.ts';
import { CARDS_DAY_MAX } from '#server/bridge/told-cards.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { createService, type Service } from '#server/service.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import {
	putFacts,
	type Author,
	type HandFact,
	type PutOutcome,
	type ShopAuthor
} from './hostile-facts.ts';
import { createTestKey } from './people-stand.ts';
import { until } from './relay-stand.ts';
import { sure } from './sure.ts';

/** The whole service on a real database and a real port, for those who mean it no good. */
export interface HostileStand {
	readonly database: TestDatabase;
	readonly service: Service;
	/** All that is mounted at `/api`. */
	readonly api: Hono;
	readonly clock: { now: number };
	readonly faults: unknown[];
	readonly ask: (path: string, request?: StandAsk) => Promise<StandAnswer>;
	/** A store's account with its shop, and the device `A` that claimed it. */
	shop(username: string): Promise<StandShop>;
	/** A customer's account, and his phone `p1`. */
	customer(username: string): Promise<StandCustomer>;
	/** Where documents are opened. */
	readonly syncUrl: string;
	/** A ticket for a document, or why there is none. */
	ticket(by: Party, document: string): Promise<Result<string, string>>;
	/** Sends facts into a document, today's journal or this year's answers where none is named. */
	put(by: Party, facts: readonly HandFact[], document?: string): Promise<PutOutcome>;
	/** Links a ledger by an invite that the customer takes up. */
	link(shop: StandShop, ledger: LedgerId, customer: StandCustomer): Promise<void>;
	/** Resolves when every claim has its verdict and the bridge has carried everything. */
	settled(): Promise<void>;
	/** What stands in a feed, in order. */
	feedOf(scope: ScopeId): Promise<readonly Fact[]>;
	close(): Promise<void>;
}

export interface StandAsk {
	readonly method?: string;
	readonly body?: unknown;
	readonly by?: Pick<Party, 'headers'> | undefined;
}

export interface StandAnswer {
	readonly status: number;
	readonly text: string;
	readonly body: Readonly<Record<string, unknown>>;
}

/** Whoever calls over HTTP, and what his requests bear. */
export interface Party {
	readonly headers: Readonly<Record<string, string>>;
	/** His own document, by the relay's clock. */
	readonly document: () => string;
}

export interface StandShop extends Party, ShopAuthor {
	readonly username: string;
	/** Of its owner's account, without a device. */
	readonly session: Readonly<Record<string, string>>;
}

export interface StandCustomer extends Party, Author {
	readonly username: string;
	readonly person: PersonId;
	/** Of his account, without a phone. */
	readonly session: Readonly<Record<string, string>>;
}

export const STAND_EPOCH = 1;
export const STAND_SECRET = new Uint8Array(32).fill(7);

/** What the parts of a stand share. */
interface Ground {
	readonly database: TestDatabase;
	readonly clock: { now: number };
	readonly ask: HostileStand['ask'];
}

export async function createHostileStand(
	given: {
		readonly database?: TestDatabase;
		readonly clock?: { now: number };
		readonly bus?: Bus;
		readonly foldLimits?: FoldLimits;
	} = {}
): Promise<HostileStand> {
	const { database = await createTestDatabase(), clock = { now: Date.UTC(2026, 10, 20, 9) } } =
		given;
	const faults: unknown[] = [];
	const service = await createService({
		database,
		clock: () => clock.now,
		secret: STAND_SECRET,
		...(given.bus && { bus: given.bus }),
		...(given.foldLimits && { foldLimits: given.foldLimits }),
		fault: (fault) => faults.push(fault)
	});
	const api = new Hono();
	api.route('/', createHealth({ askDatabase: () => database.sql`select 1`, version: '0' }));
	api.route('/', service.api);
	const running = new AsyncDisposableStack();
	const app = new Hono();
	app.route('/api', api);
	app.route('/sync', service.sync);
	const port = await listen(app, { port: 0, host: '127.0.0.1' }, running);
	const origin = `http://127.0.0.1:${String(port)}`;
	const ask = createAsk(origin);
	const syncUrl = `${origin.replace('http', 'ws')}/sync`;
	const ticket: HostileStand['ticket'] = async (by, document) => {
		const { status, body } = await ask('/sync/tickets', { body: { document }, by });
		return status === 200 ? ok(String(body['ticket'])) : err(String(body['code']));
	};
	const ground = { database, clock, ask };
	return {
		database,
		service,
		api,
		clock,
		faults,
		ask,
		syncUrl,
		ticket,
		shop: (username) => makeShop(ground, username),
		customer: (username) => makeCustomer(ground, username),
		put: async (by, facts, document = by.document()) => {
			const given = await ticket(by, document);
			if (!given.ok) return given.error;
			return putFacts(`${syncUrl}/${document}?ticket=${given.value}`, facts);
		},
		link: (shop, ledger, customer) => link(ask, { shop, ledger, customer }),
		settled: () => until(() => isSettled(database, clock.now)),
		feedOf: (scope) => readFeed(database, scope),
		close: async () => {
			await service.close();
			await running.disposeAsync();
			await database.close();
		}
	};
}

function createAsk(origin: string): HostileStand['ask'] {
	return async (path, { method, body, by } = {}) => {
		const answer = await fetch(`${origin}/api${path}`, {
			method: method ?? (body === undefined ? 'GET' : 'POST'),
			headers: {
				origin,
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...by?.headers
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) })
		});
		const text = await answer.text();
		return { status: answer.status, text, body: objectIn(text) };
	};
}

function objectIn(text: string): StandAnswer['body'] {
	const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
	return parsed as StandAnswer['body'];
}

/** The account's rows as a sign-up makes them, but for the hash of a password that nobody types. */
async function makeAccount(
	{ database, clock }: Ground,
	username: string,
	kind: 'store' | 'customer'
): Promise<{ person: PersonId; session: Readonly<Record<string, string>> }> {
	const orm = drizzle(database.sql);
	const parts = { executor: orm, clock: () => clock.now, random: systemRandom };
	const account = systemRandom.uuid();
	const person = sure(parsePersonId(systemRandom.uuid()));
	const made = { account, person, createdAt: clock.now };
	await orm.insert(accounts.account).values({
		...made,
		username,
		kind,
		name: `Name of ${username}`,
		email: `${username}@example.com`,
		emailProvedAt: clock.now,
		passwordHash: ''
	});
	await orm.insert(accounts.person).values(made);
	const token = await createSessions(parts).open(orm, account, { userAgent: 't', address: '' });
	return { person, session: { cookie: `__Host-session=${token}` } };
}

async function makeShop(ground: Ground, username: string): Promise<StandShop> {
	const { clock, ask } = ground;
	const { person, session } = await makeAccount(ground, username, 'store');
	const signer = await createTestKey();
	const { publicKey } = signer;
	const business = sure(parseBusinessId(systemRandom.uuid()));
	const branch = sure(parseBranchId(systemRandom.uuid()));
	const ids = { business, branch, person };
	const signature = await signer.sign(claimStatement({ ...ids, publicKey }));
	const keys = { publicKey: encodeBase64url(publicKey), signature: encodeBase64url(signature) };
	const body = { ...ids, ...keys, name: `Shop of ${username}` };
	sureOf(await ask('/businesses', { body, by: { headers: session } }), 200);
	return {
		...ids,
		code: 'A',
		n: 0,
		signer,
		clock,
		username,
		session,
		headers: { ...session, 'daftar-device': `${business}/A` },
		document: () => journalName(business, branch, clock.now)
	};
}

async function makeCustomer(ground: Ground, username: string): Promise<StandCustomer> {
	const { clock, ask } = ground;
	const { person, session } = await makeAccount(ground, username, 'customer');
	const signer = await createTestKey();
	sureOf(await enrol(ask, { person, session, signer }), 201);
	return {
		person,
		code: 'p1',
		n: 0,
		signer,
		clock,
		username,
		session,
		headers: { ...session, 'daftar-phone': `${person}/p1` },
		document: () => `c/${person}/${String(new Date(clock.now).getUTCFullYear())}`
	};
}

/** `POST /phones` with a proof of the key. */
export async function enrol(
	ask: HostileStand['ask'],
	{ person, session, signer }: Pick<StandCustomer, 'person' | 'session' | 'signer'>
): Promise<StandAnswer> {
	const { publicKey } = signer;
	const signature = await signer.sign(phoneStatement(person, publicKey));
	const keys = { publicKey: encodeBase64url(publicKey), signature: encodeBase64url(signature) };
	return ask('/phones', { body: { person, ...keys }, by: { headers: session } });
}

interface ToLink {
	readonly shop: StandShop;
	readonly ledger: LedgerId;
	readonly customer: StandCustomer;
}

async function link(ask: HostileStand['ask'], { shop, ledger, customer }: ToLink): Promise<void> {
	const invite = await ask(`/ledgers/${ledger}/invites`, { body: {}, by: shop });
	const { token } = sureOf(invite, 201).body;
	const { person, session } = customer;
	const taken = await ask('/links', { body: { token, person }, by: { headers: session } });
	sureOf(taken, 200);
}

async function isSettled({ sql }: TestDatabase, now: number): Promise<boolean> {
	const day = Math.floor(now / 86_400_000);
	const [row] = await sql<{ left: number }[]>`
		select (select count(*) from claim_waiting where tries = 0)::int + (
			select count(*) from fact left join bridge_cursor on scope = fact.business
			where fact.s > coalesce(bridge_cursor.s, 0) and kind in
				('sale', 'return', 'record', 'entry', 'answered', 'setting', 'device', 'reply', 'seen')
		)::int + (
			select count(*) from bridge_state where is_behind and (
				day < ${day} or ledger = ${NO_LEDGER} and count < ${CARDS_DAY_MAX}
			)
		)::int as left`;
	return row?.left === 0;
}

async function readFeed({ sql }: TestDatabase, scope: ScopeId): Promise<readonly Fact[]> {
	const rows = await sql<{ text: string }[]>`
		select text from fact where business = ${scope} order by s`;
	return rows.map(({ text }) => sure(parseFact(text)));
}

/** Those of one kind. */
export function ofKind<Kind extends Fact['kind']>(
	facts: readonly Fact[],
	kind: Kind
): readonly Extract<Fact, { kind: Kind }>[] {
	return facts.filter((fact): fact is Extract<Fact, { kind: Kind }> => fact.kind === kind);
}

export function mintLedger(): LedgerId {
	return sure(parseLedgerId(systemRandom.uuid()));
}

function sureOf(answer: StandAnswer, status: number): StandAnswer {
	if (answer.status !== status) throw new Error(`${String(answer.status)} ${answer.text}`);
	return answer;
}
