import { Hono } from 'hono';
import { sql } from 'drizzle-orm';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import { code, codeInfo, phoneCounter, smsCode, spokenCode } from '#domain/confirmation/codes.ts';
import { recordHashOf, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import {
	factId,
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	parseLedgerId,
	parsePersonId,
	type BranchId,
	type BusinessId,
	type LedgerId,
	type PersonId
} from '#domain/ids.ts';
import { connectedRoutes } from '#server/api/connected.ts';
import { createDeviceAuth } from '#server/auth/device-auth.ts';
import { createLimits, LIMITS, type LimitTable } from '#server/auth/limits.ts';
import { createOneTimeCodes } from '#server/auth/one-time-codes.ts';
import { createPhoneAuth } from '#server/auth/phone-auth.ts';
import type { RelayFactDraft, ScopeId } from '#server/auth/relay-fact-draft.ts';
import { createSessions } from '#server/auth/sessions.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import * as accounts from '#server/database/accounts.ts';
import { connectDatabase, type Database } from '#server/database/connect.ts';
import * as journal from '#server/database/journal.ts';
import { claimWaiting } from '#server/database/ledgers.ts';
import { message } from '#server/database/messages.ts';
import { phone as phoneTable } from '#server/database/persons.ts';
import type { WaitingClaim } from '#server/judge/judge-claim.ts';
import { commitAct } from '#server/ledgers/act.ts';
import { infoOfSet, readSet } from '#server/ledgers/code-sets.ts';
import { makePersonSet } from '#server/ledgers/customer-sheets.ts';
import type { LedgerName, LedgerParts, Party } from '#server/ledgers/ledger-parts.ts';
import { linkLedger } from '#server/ledgers/linking.ts';
import { keyOfEpoch } from '#server/ledgers/secrets.ts';
import { createVault, openRelayKey } from '#server/vault.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createTestKey } from './people-stand.ts';
import { sure } from './sure.ts';
import { testRandom } from './test-random.ts';

/** Acts on ledgers over a real database, with a clock that stands until it is moved. */
export interface LedgerStand {
	readonly database: TestDatabase;
	readonly parts: LedgerParts;
	readonly clock: { now: number };
	/** What was written into feeds, as it was committed or not; each was read back as a fact. */
	readonly told: { readonly scope: ScopeId; readonly fact: Fact }[];
	/** Whose sockets were told. */
	readonly moved: ScopeId[];
	readonly backfilled: LedgerName[];
	readonly app: Hono;
	/** The same parts over connections of their own, to be closed by the test. */
	onOwnConnections(count: number): { readonly parts: LedgerParts; readonly database: Database };
	close(): Promise<void>;
}

const SECRET = new Uint8Array(32).fill(7);
const EPOCH = 1;

export async function createLedgerStand(
	options: { readonly limits?: Partial<LimitTable> } = {}
): Promise<LedgerStand> {
	const database = await createTestDatabase();
	const clock = { now: Date.UTC(2026, 10, 20, 9) };
	const relayKey = await openRelayKey({
		sql: database.sql,
		secret: SECRET,
		clock: () => clock.now
	});
	const told: LedgerStand['told'] = [];
	const moved: ScopeId[] = [];
	const backfilled: LedgerName[] = [];
	let n = 0;
	const parts: LedgerParts = {
		executor: database.orm,
		clock: () => clock.now,
		random: testRandom,
		crypto: createNodeCrypto(),
		epoch: EPOCH,
		appendRelayFacts(_transaction, scope, drafts) {
			for (const draft of drafts) {
				n += 1;
				told.push({ scope, fact: factOf(draft, n, clock.now) });
			}
			return Promise.resolve();
		},
		async lockScopes(transaction, scopes) {
			const sorted = Array.from(scopes).sort();
			for (const scope of sorted) {
				await transaction.execute(sql`
					insert into feed_head (business) values (${scope}) on conflict do nothing`);
			}
			for (const scope of sorted) {
				await transaction.execute(sql`
					select s from feed_head where business = ${scope} for update`);
			}
		},
		backfill: {
			hold: () => Promise.resolve(),
			bring(_transaction, { business, ledger }) {
				backfilled.push({ business, ledger });
				return Promise.resolve();
			}
		},
		feedMoved(scope) {
			moved.push(scope);
			return Promise.resolve();
		},
		vault: createVault(SECRET, 'customer-keys/v1'),
		smsKey: new Uint8Array(32).fill(9),
		relayKey,
		codes: createOneTimeCodes({
			clock: () => clock.now,
			random: testRandom,
			key: new Uint8Array(32).fill(11)
		}),
		messages: { kinds: { sms: 'practice', email: 'practice' }, wake: () => undefined }
	};
	return {
		database,
		parts,
		clock,
		told,
		moved,
		backfilled,
		app: routesOf(parts, { ...LIMITS, ...options.limits }),
		onOwnConnections(count) {
			const own = connectDatabase(database.url, { connectionsMax: count });
			return { parts: { ...parts, executor: own.orm }, database: own };
		},
		async close() {
			await database.close();
		}
	};
}

function routesOf(parts: LedgerParts, limits: LimitTable): Hono {
	const sessions = createSessions(parts);
	const app = new Hono();
	app.route(
		'/api',
		connectedRoutes({
			...parts,
			sessions,
			deviceAuth: createDeviceAuth({ ...parts, sessions }),
			limits: createLimits(parts.executor, limits),
			addressOf: () => '203.0.113.7',
			phoneAuth: createPhoneAuth({ ...parts, sessions })
		})
	);
	return app;
}

function factOf(draft: RelayFactDraft, n: number, now: number): Fact {
	const code = `0.${String(EPOCH)}`;
	const on = new Date(now).toISOString().slice(0, 10);
	const head = { id: factId(code, n), code, n, at: { wall: now, counter: 0 }, on, by: 0 };
	const fact: Fact = { ...head, ...draft };
	const read = parseFact(encodeFact(fact));
	if (!read.ok) throw new Error(`the relay wrote no fact: ${read.error} ${JSON.stringify(draft)}`);
	return read.value;
}

export interface TestShop {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly username: string;
	/** Of a session of its owner. */
	readonly cookie: string;
	/** What its device sends beside the cookie. */
	readonly headers: Readonly<Record<string, string>>;
}

export interface TestCustomer {
	readonly person: PersonId;
	readonly username: string;
	readonly cookie: string;
	readonly headers: Readonly<Record<string, string>>;
}

/** A shop with one device `A`, and messages switched on. */
export async function makeShop(
	{ database: { orm }, parts, clock }: LedgerStand,
	username: string,
	settings: object = { name: 'Mama Amina', currency: 'KES', sms: true, smsLimit: 50 }
): Promise<TestShop> {
	const business = sure(parseBusinessId(testRandom.uuid()));
	const branch = sure(parseBranchId(testRandom.uuid()));
	const made = { username, kind: 'store' } as const;
	const { account, person, cookie } = await makeAccount({ orm, parts, clock }, made);
	const at = clock.now;
	const heads = { name: 'Shop', lastDeviceCode: 'A', lastMember: 1, claimedAt: at };
	await orm.insert(accounts.business).values({ business, ...heads });
	await orm.insert(accounts.branch).values({ business, branch, createdAt: at });
	await orm
		.insert(accounts.member)
		.values({ business, member: 1, account, person, role: 'owner', name: 'Amina', createdAt: at });
	const { publicKey } = await createTestKey();
	await orm.insert(accounts.device).values({
		business,
		branch,
		code: 'A',
		member: 1,
		sight: 'office',
		publicKey,
		joinedAt: at
	});
	await orm.insert(journal.setting).values({ business, fields: settings, stamps: {} });
	const headers = { 'daftar-device': `${business}/A` };
	return { business, branch, person, username, cookie, headers };
}

/** A customer with an account and a phone `p1`; `proved` is the number that was proved. */
export async function makeCustomer(
	stand: LedgerStand,
	username: string,
	proved?: string
): Promise<TestCustomer> {
	const { database, parts, clock } = stand;
	const { orm } = database;
	const made = { username, kind: 'customer', proved } as const;
	const { person, cookie } = await makeAccount({ orm, parts, clock }, made);
	await enrolPhone(stand, person, 1);
	return { person, username, cookie, headers: { 'daftar-phone': `${person}/p1` } };
}

type Made = Pick<LedgerStand, 'parts' | 'clock'> & { readonly orm: TestDatabase['orm'] };

async function makeAccount(
	{ orm, parts, clock }: Made,
	made: { username: string; kind: 'store' | 'customer'; proved?: string | undefined }
): Promise<{ account: string; person: PersonId; cookie: string }> {
	const { username, kind, proved } = made;
	const account = testRandom.uuid();
	const person = sure(parsePersonId(testRandom.uuid()));
	await orm.insert(accounts.account).values({
		account,
		username,
		kind,
		name: `Name of ${username}`,
		email: `${username}@example.com`,
		phone: proved ?? null,
		phoneProvedAt: proved === undefined ? null : clock.now,
		passwordHash: '',
		person,
		createdAt: clock.now
	});
	await orm.insert(accounts.person).values({ person, account, createdAt: clock.now });
	const cookie = await createSessions(parts).open(orm, account, { userAgent: 'test', address: '' });
	return { account, person, cookie };
}

export function mintLedger(): LedgerId {
	return sure(parseLedgerId(testRandom.uuid()));
}

export async function link(stand: LedgerStand, name: LedgerName, party: Party): Promise<void> {
	const linked = await commitAct(stand.parts, (act) =>
		linkLedger(act, stand.parts, { name, party })
	);
	if (!linked.ok) throw new Error(`not linked: ${linked.error}`);
}

export interface TestRecord {
	readonly kind?: RecordKind;
	readonly minor?: number;
	readonly currency?: string;
}

/** A record that the relay has: its row, as the projection writes it. */
export async function writeRecord(
	{ database: { orm }, clock }: LedgerStand,
	name: LedgerName,
	{ kind = 'due', minor = 500, currency = 'KES' }: TestRecord = {}
): Promise<RecordHash> {
	const h = recordHashOf(testRandom.bytes(32));
	await orm.insert(journal.record).values({
		...name,
		h,
		code: 'A',
		n: 1,
		kind,
		currency,
		exponent: 2,
		amount: minor,
		occurredAt: clock.now,
		onDay: '2026-11-20',
		record: testRandom.uuid(),
		wall: clock.now,
		counter: 0
	});
	return h;
}

export interface TestClaim {
	readonly h: RecordHash;
	readonly way: 'sms' | 'sheet' | 'app';
	readonly code: string;
	readonly counter?: number;
	readonly id?: string;
}

let claims = 0;

/** The next claim's id: ids rise as devices hear codes. */
export function claimIdOf(number: number): string {
	const hex = (0x19aa_0000_0000 + number).toString(16).padStart(12, '0');
	return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** A claim of the shop's device, as the write path stores it. */
export async function fileClaim(
	{ database: { orm }, clock }: LedgerStand,
	shop: TestShop,
	{ h, way, code: typed, counter, id }: TestClaim
): Promise<WaitingClaim> {
	claims += 1;
	const n = claims;
	const claim: Claim = {
		id: id ?? claimIdOf(n),
		h,
		way,
		code: typed,
		...(counter === undefined ? {} : { counter }),
		d: sure(parseDeviceCode('A')),
		u: shop.person,
		at: clock.now
	};
	const at = { wall: clock.now, counter: 0 };
	const head = { id: factId('A', n), code: 'A', n, at, on: '2026-11-20', by: 1 };
	const sig = encodeBase64url(new Uint8Array(64).fill(1));
	const text = encodeFact({ ...head, kind: 'claim', claim, sig });
	const { business, branch } = shop;
	await orm.insert(journal.fact).values({
		business,
		code: 'A',
		n,
		kind: 'claim',
		branch,
		document: null,
		wall: clock.now,
		counter: 0,
		onDay: '2026-11-20',
		member: 1,
		text,
		digest: 0n,
		s: n
	});
	const waiting = { business, claim: claim.id, code: 'A', n };
	await orm.insert(claimWaiting).values({ ...waiting, dueAt: clock.now });
	return waiting;
}

/** The person's first five codes, as his phone makes them. */
export async function giveSheet(
	stand: LedgerStand,
	{ name, person, cap = 1_000 }: { name: LedgerName; person: PersonId; cap?: number }
): Promise<readonly string[]> {
	const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap } as const;
	const made = await makePersonSet(stand.parts, { name, person, worth });
	if (!made.ok) throw new Error(`no set: ${made.error}`);
	return codesOfSheet(stand, name, made.value.epoch);
}

/** The codes 0 to 9 of the ledger's set of an epoch, given out or not. */
export function codesOfSheet(
	stand: LedgerStand,
	name: LedgerName,
	epoch: number
): Promise<readonly string[]> {
	const counters = Array.from({ length: 10 }, (_, counter) => counter);
	return Promise.all(counters.map((counter) => codeOfSheet(stand, name, { epoch, counter })));
}

/** One code of the ledger's set of an epoch, given out or not. */
export async function codeOfSheet(
	{ parts }: LedgerStand,
	name: LedgerName,
	{ epoch, counter }: { readonly epoch: number; readonly counter: number }
): Promise<string> {
	const set = await readSet(parts.executor, { ...name, epoch });
	const key = await keyOfEpoch(parts.executor, parts, { ...name, epoch });
	if (set === undefined || key === undefined) throw new Error('no set in that epoch');
	return code(key, { info: infoOfSet(set), counter }, parts.crypto);
}

export async function enrolPhone(
	{ database: { orm }, clock }: LedgerStand,
	person: PersonId,
	number: number
): Promise<void> {
	const publicKey = testRandom.bytes(65);
	await orm.insert(phoneTable).values({
		person,
		code: `p${String(number)}`,
		number,
		publicKey,
		kid: publicKey.slice(0, 8),
		joinedAt: clock.now
	});
}

/** What the customer's phone shows for an amount: 9 digits. */
export async function phoneCodeFor(
	{ parts }: LedgerStand,
	name: LedgerName,
	wanted: { epoch: number; number: number; k: number; minor: number }
): Promise<string> {
	const key = await keyOfEpoch(parts.executor, parts, { ...name, epoch: wanted.epoch });
	if (key === undefined) throw new Error('no such epoch');
	const info = codeInfo({
		way: 'app',
		kind: 'due',
		currency: 'KES',
		exponent: 2,
		minor: wanted.minor
	});
	const counter = phoneCounter(wanted.number, wanted.k);
	return spokenCode(await code(key, { info, counter }, parts.crypto));
}

export function smsCodeOf({ parts }: LedgerStand, h: RecordHash, send: number): Promise<string> {
	return smsCode(parts.smsKey, { h, send }, parts.crypto);
}

/** The texts that went to a number, oldest first. */
export async function textsTo(
	{ database: { orm } }: LedgerStand,
	recipient: string
): Promise<readonly string[]> {
	const rows = await orm.select().from(message).orderBy(message.createdAt, message.key);
	return rows.filter((row) => row.recipient === recipient).map((row) => row.body ?? '');
}

/** The facts of one kind in a scope, in order. */
export function factsOf<Kind extends Fact['kind']>(
	{ told }: LedgerStand,
	scope: ScopeId,
	kind: Kind
): readonly Extract<Fact, { kind: Kind }>[] {
	return told.flatMap((one) => (one.scope === scope && isKind(one.fact, kind) ? [one.fact] : []));
}

function isKind<Kind extends Fact['kind']>(
	fact: Fact,
	kind: Kind
): fact is Extract<Fact, { kind: Kind }> {
	return fact.kind === kind;
}
