import { drizzle } from 'drizzle-orm/postgres-js';
import { Hono } from 'hono';
import { encodeBase64url } from '#domain/bytes.ts';
import { claimStatement, deviceStatement, joinStatement } from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import {
	parseBranchId,
	parseBusinessId,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type PersonId
} from '#domain/ids.ts';
import { peopleRoutes } from '#server/api/people.ts';
import { createAuth, type Auth, type AuthParts } from '#server/auth/auth.ts';
import { LIMITS, type LimitTable } from '#server/auth/limits.ts';
import type { RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { practiceGateway } from '#server/gateways/practice.ts';
import { createMessages } from '#server/gateways/messages.ts';
import { deriveKey } from '#server/secret.ts';
import { createVault } from '#server/vault.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { sure } from './sure.ts';
import { testRandom } from './test-random.ts';

export const EPOCH = 3;
const SECRET = new Uint8Array(32).fill(1);
export const ORIGIN = 'https://daftar.test';

/** The routes of people on a real database, with a clock that stands until it is moved. */
export interface PeopleStand {
	readonly app: Hono;
	readonly auth: Auth;
	readonly database: TestDatabase;
	readonly clock: { now: number };
	/** What was told to the feed, as it was committed or not. */
	readonly told: { business: string; draft: RelayFactDraft }[];
	/** The businesses whose sockets were told, in order. */
	readonly moved: string[];
	/** The businesses and persons whose sockets were looked at, in order. */
	readonly revoked: string[];
	readonly waits: number[];
	readonly address: { current: string };
	/** Waits for what is done after an answer, and sends what it wrote. */
	sent(): Promise<void>;
	close(): Promise<void>;
}

export interface StandOptions {
	readonly limits?: Partial<LimitTable>;
	readonly passwords?: AuthParts['passwords'];
	/** Hears every statement that is made, without its values. */
	readonly onStatement?: (statement: string) => void;
	/** What the feed does when it is told; by default it only remembers. */
	readonly tellFeed?: () => Promise<void>;
}

export async function createPeopleStand(options: StandOptions = {}): Promise<PeopleStand> {
	const database = await createTestDatabase();
	const clock = { now: Date.UTC(2026, 10, 20, 9) };
	const told: PeopleStand['told'] = [];
	const moved: string[] = [];
	const revoked: string[] = [];
	const waits: number[] = [];
	const address = { current: '203.0.113.7' };
	const parts = {
		executor: drizzle(database.sql, {
			logger: { logQuery: (statement) => options.onStatement?.(statement) }
		}),
		clock: () => clock.now,
		random: testRandom,
		crypto: createNodeCrypto()
	};
	const auth = createAuth({
		...parts,
		wait(ms) {
			if (ms > 0) waits.push(ms);
			return Promise.resolve();
		},
		limitTable: { ...LIMITS, ...options.limits },
		keys: {
			codes: deriveKey(SECRET, 'codes'),
			recoveryCodes: deriveKey(SECRET, 'recovery'),
			knownDevices: deriveKey(SECRET, 'known')
		},
		vault: createVault(SECRET, 'second-factor'),
		...(options.passwords && { passwords: options.passwords })
	});
	const fault = (cause: unknown): never => {
		throw cause;
	};
	const messages = createMessages({
		...parts,
		gateways: { sms: practiceGateway, email: practiceGateway },
		random: () => 0,
		fault
	});
	/** Done when a test says so: until then an answer has all that it can tell. */
	const afterAnswers: (() => Promise<void>)[] = [];
	const people = peopleRoutes({
		...parts,
		...auth,
		messages: { kinds: messages.kinds, wake: () => undefined },
		later: (work) => afterAnswers.push(work),
		addressOf: () => address.current,
		epoch: EPOCH,
		feedMoved(business) {
			moved.push(business);
			return Promise.resolve();
		},
		revoked(scope) {
			revoked.push(scope);
			return Promise.resolve();
		},
		async appendRelayFacts(_transaction, business, drafts) {
			told.push(...drafts.map((draft) => ({ business, draft })));
			await options.tellFeed?.();
		}
	});
	const app = new Hono();
	app.route('/api', people);
	const sent = async (): Promise<void> => {
		for (const work of afterAnswers.splice(0)) await work();
		await messages.sendDue();
	};
	const { close } = database;
	return { app, auth, database, clock, told, moved, revoked, waits, address, sent, close };
}

export interface Ask {
	readonly method?: string;
	readonly body?: unknown;
	readonly cookie?: string | undefined;
	readonly bearer?: string | undefined;
	readonly headers?: Readonly<Record<string, string>>;
	/** The body follows once this resolves, as a line brings it that is slow. */
	readonly bodyAfter?: Promise<void>;
}

export interface Answer {
	readonly status: number;
	readonly body: Readonly<Record<string, unknown>>;
	/** The session's token where the answer sets one. */
	readonly cookie: string | undefined;
	readonly headers: Headers;
}

/** Asks as one of our pages would: with our origin, and with JSON where there is a body. */
export async function ask(app: Hono, path: string, request: Ask = {}): Promise<Answer> {
	const { body, cookie, bearer } = request;
	const method = request.method ?? (body === undefined ? 'GET' : 'POST');
	const headers = new Headers({ origin: ORIGIN, host: new URL(ORIGIN).host });
	if (body !== undefined) headers.set('content-type', 'application/json');
	if (cookie !== undefined) headers.set('cookie', `__Host-session=${cookie}`);
	if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
	for (const [name, value] of Object.entries(request.headers ?? {})) {
		if (value === '') headers.delete(name);
		else headers.set(name, value);
	}
	const sent = typeof body === 'string' ? body : JSON.stringify(body);
	const { bodyAfter } = request;
	if (bodyAfter !== undefined) headers.set('content-length', String(Buffer.byteLength(sent)));
	const response = await app.request(`${ORIGIN}/api${path}`, {
		method,
		headers,
		...(body === undefined ? {} : { body: sent }),
		...(bodyAfter === undefined ? {} : { body: streamOf(sent, bodyAfter), duplex: 'half' })
	});
	const text = await response.text();
	return {
		status: response.status,
		body: text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>),
		cookie: /__Host-session=([^;]+);/.exec(response.headers.get('set-cookie') ?? '')?.[1],
		headers: response.headers
	};
}

function streamOf(text: string, after: Promise<void>): ReadableStream<Uint8Array> {
	return new ReadableStream({
		async start(controller) {
			await after;
			controller.enqueue(new TextEncoder().encode(text));
			controller.close();
		}
	});
}

export const PASSWORD = 'a door in the wall';

/** A sign-up that is whole, to be spoilt field by field. */
export function accountBody(
	username: string,
	changes: object = {}
): Readonly<Record<string, unknown>> {
	const whole = { kind: 'store', username, name: 'Amina Odhiambo', email: 'amina@example.com' };
	return { ...whole, password: PASSWORD, ...changes };
}

export interface SignedUp {
	readonly cookie: string;
	readonly person: PersonId;
}

export async function signUp(app: Hono, username: string, changes: object = {}): Promise<SignedUp> {
	const answer = await ask(app, '/accounts', { body: accountBody(username, changes) });
	if (answer.cookie === undefined) throw new Error(`no sign-up: ${JSON.stringify(answer.body)}`);
	return { cookie: answer.cookie, person: sure(parsePersonId(answer.body['person'])) };
}

/** A device's key, as a browser keeps it. */
export async function createTestKey(): Promise<Signer> {
	return createSigner(await createSigningKeys());
}

export interface ClaimIds {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
}

export function mintIds(): ClaimIds {
	return {
		business: sure(parseBusinessId(testRandom.uuid())),
		branch: sure(parseBranchId(testRandom.uuid())),
		person: sure(parsePersonId(testRandom.uuid()))
	};
}

export async function claimBody(
	ids: ClaimIds,
	key: Signer
): Promise<Readonly<Record<string, unknown>>> {
	const { publicKey } = key;
	const signature = await key.sign(claimStatement({ ...ids, publicKey }));
	return { ...ids, name: 'Mama Amina', ...encoded({ publicKey, signature }) };
}

export async function joinBody(
	by: { readonly token: unknown } | { readonly business: string },
	key: Signer
): Promise<Readonly<Record<string, unknown>>> {
	const { publicKey } = key;
	return { ...by, ...encoded({ publicKey, signature: await key.sign(joinStatement(publicKey)) }) };
}

/** A store with its business, and the device that claimed it. */
export interface Shop extends SignedUp, ClaimIds {
	readonly key: Signer;
}

export async function openShop(app: Hono, username: string): Promise<Shop> {
	const ids = mintIds();
	const { cookie, person } = await signUp(app, username, { person: ids.person });
	const key = await createTestKey();
	const claimed = await ask(app, '/businesses', { cookie, body: await claimBody(ids, key) });
	if (claimed.status !== 200) throw new Error(`no claim: ${JSON.stringify(claimed.body)}`);
	return { ...ids, cookie, person, key };
}

/** The bearer token of a device that proves its key. */
export async function proveDevice(
	app: Hono,
	{ business, code, key }: { business: BusinessId; code: string; key: Signer }
): Promise<Answer> {
	const { nonce } = (await ask(app, '/devices/nonce', { body: {} })).body;
	const bytes = new Uint8Array(Buffer.from(String(nonce), 'base64url'));
	const signature = await key.sign(deviceStatement(bytes, business));
	return ask(app, '/devices/token', {
		body: { business, code, nonce, ...encoded({ signature }) }
	});
}

function encoded(fields: Readonly<Record<string, Uint8Array>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(fields).map(([name, bytes]) => [name, encodeBase64url(bytes)])
	);
}
