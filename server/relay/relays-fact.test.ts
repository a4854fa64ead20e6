import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBase64url, utf8 } from '#domain/bytes.ts';
import { claimMessage } from '#domain/confirmation/claim.ts';
import { encodeHashedJson } from '#domain/confirmation/hashed-json.ts';
import { parseRecordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { answerMessage, type Decision } from '#domain/confirmation/signatures.ts';
import { encodeVerdict, verdictMessage } from '#domain/confirmation/verdict.ts';
import type { Signer } from '#domain/crypto.ts';
import { relayMessage } from '#domain/fact/relay-message.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parsePersonId, type BusinessId, type DeviceCode, type PersonId } from '#domain/ids.ts';
import type { RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createTestKey } from '#tests/support/people-stand.ts';
import { createRelayStand, EPOCH, type RelayStand } from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { writeRelayFacts } from './relay-facts.ts';
import { refusalOfRelays } from './relays-fact.ts';

const LEDGER = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10';
const OTHER = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a11';
const WALL = Date.UTC(2026, 10, 19);
const ENDED = `0.${String(EPOCH - 1)}`;
const crypto = createNodeCrypto();

let stand: RelayStand;
let person: PersonId;
let phone: Signer;
let stranger: Signer;
let relay: Signer;
let lost: Signer;
beforeAll(async () => {
	stand = await createRelayStand();
	[phone, stranger, relay] = [await createTestKey(), await createTestKey(), await createTestKey()];
	lost = await createTestKey();
	const { sql } = stand.database;
	const [row] = await sql<{ person: string }[]>`select person from member`;
	const parsed = parsePersonId(row?.person);
	if (!parsed.ok) throw new Error('nobody');
	person = parsed.value;
	await sql`insert into person (person, account, created_at) select person, account, 1 from member`;
	await sql`
		insert into phone (person, code, number, public_key, kid, joined_at, removed_at)
		values (${person}, 'p1', 1, ${Buffer.from(phone.publicKey)}, ${Buffer.from(phone.kid)}, 1, 2)`;
});
afterAll(() => stand.close());
beforeEach(async () => {
	const { sql } = stand.database;
	await sql`truncate ledger_link, bridge_state, bridged, ledger_fact, claim, fact`;
	await link('linked');
});

async function link(state: 'linked' | 'ended'): Promise<void> {
	await stand.database.sql`
		insert into ledger_link (business, ledger, person, state, way, epoch, at)
		values (${TRADE_BUSINESS}, ${LEDGER}, ${person}, ${state}, 'app', 1, ${WALL})
		on conflict (business, ledger) do update set state = excluded.state`;
}

interface Told {
	readonly code?: string;
	readonly wall?: number;
	readonly isOfPerson?: boolean;
	readonly scope?: BusinessId;
}

async function refusal(body: readonly unknown[], told: Told = {}): Promise<string | undefined> {
	const { code = ENDED, wall = WALL, isOfPerson = false } = told;
	const scope = told.scope ?? (isOfPerson ? person : TRADE_BUSINESS);
	const [kind, ...rest] = body;
	const fact = parseFact(JSON.stringify([`${code}-9`, kind, wall, 0, 20_000, 0, ...rest]));
	if (!fact.ok) throw new Error(fact.error);
	return refusalOfRelays(fact.value, {
		sql: stand.database.sql,
		scope,
		...{ isOfPerson, epoch: EPOCH, crypto },
		relayKeys: { current: relay.publicKey, all: [relay.publicKey, lost.publicKey] }
	});
}

async function hashOf(text: string): Promise<RecordHash> {
	const parsed = parseRecordHash(encodeBase64url(await crypto.sha256(utf8(text))));
	if (!parsed.ok) throw new Error('no hash');
	return parsed.value;
}

interface Answer {
	readonly by?: Signer;
	readonly key?: Signer;
	readonly signs?: Decision;
	readonly ledger?: string;
}

/** As the relay filed an answer; `by` signed it and said `signs`, and it is told to be of `key` and to accept. */
async function answered({
	by = phone,
	key = by,
	signs = 'accept',
	ledger = LEDGER
}: Answer = {}): Promise<readonly unknown[]> {
	const h = await hashOf('record');
	const message = answerMessage({ decision: signs, n: 1, h, kid: key.kid, signedAt: WALL });
	const sig = encodeBase64url(await by.sign(message));
	return [ledger, h, 'accept', 1, WALL, sig, encodeBase64url(key.publicKey), 0, ''];
}

describe('an answer that is carried', () => {
	it("[RELAY-58] is the customer's own, by a phone of his, removed or not", async () => {
		expect(await refusal(['answered', ...(await answered())])).toBeUndefined();
		const filed = ['filed', TRADE_BUSINESS, ...(await answered({ ledger: OTHER }))];
		expect(await refusal(filed, { isOfPerson: true })).toBeUndefined();
		// He stood there before another did.
		const { sql } = stand.database;
		await sql`update ledger_link set person = null`;
		expect(await refusal(['answered', ...(await answered())])).toBe('authorUnknown');
		await sql`
			insert into bridge_state (business, ledger, person)
			values (${TRADE_BUSINESS}, ${LEDGER}, ${person})`;
		expect(await refusal(['answered', ...(await answered())])).toBeUndefined();
	});

	it('[RELAY-58] may be of whoever stood there before, as it was told to who stands there now', async () => {
		const filed = ['filed', TRADE_BUSINESS, ...(await answered({ by: stranger }))];
		expect(await refusal(filed, { isOfPerson: true })).toBe('authorUnknown');
		const { sql } = stand.database;
		const before = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a12';
		await sql`insert into person (person, account, created_at) select ${before}, account, 1 from member`;
		await sql`
			insert into phone (person, code, number, public_key, kid, joined_at)
			values (${before}, 'p1', 1, ${Buffer.from(stranger.publicKey)},
				${Buffer.from(stranger.kid)}, 1)`;
		expect(await refusal(filed, { isOfPerson: true })).toBe('authorUnknown');
		await sql`
			insert into bridged (business, ledger, person, key, wrote_at, booked_at)
			values (${TRADE_BUSINESS}, ${LEDGER}, ${before}, ${await hashOf('record')}, 1, 1)`;
		expect(await refusal(filed, { isOfPerson: true })).toBeUndefined();
		expect(await refusal(['answered', ...filed.slice(2)])).toBeUndefined();
	});

	it('[RELAY-58] is nothing where anybody else signed it, or it says something else', async () => {
		for (const [made, reason] of [
			[{ by: stranger }, 'authorUnknown'],
			[{ by: stranger, key: phone }, 'answerUnsigned'],
			[{ signs: 'cancel' }, 'answerUnsigned'],
			[{ ledger: OTHER }, 'authorUnknown']
		] as const) {
			expect(await refusal(['answered', ...(await answered(made))])).toBe(reason);
		}
		const filed = ['filed', TRADE_BUSINESS, ...(await answered({ by: stranger }))];
		expect(await refusal(filed, { isOfPerson: true })).toBe('authorUnknown');
	});
});

describe('a connection that is carried', () => {
	const at = (fields: object, told?: Told): Promise<string | undefined> =>
		refusal(['link', LEDGER, fields], told);

	it('[RELAY-58] fills in what was forgotten', async () => {
		expect(await at({ state: 'linked', way: 'app', at: WALL })).toBeUndefined();
		expect(await at({ epoch: 9 })).toBeUndefined();
		// What both sides, or one, said since: CONNECT-19 says what becomes of it.
		expect(await at({ state: 'ended', endedBy: 'shop', at: WALL + 1 })).toBeUndefined();
		await link('ended');
		expect(await at({ state: 'linked', at: WALL })).toBeUndefined();
		await stand.database.sql`truncate ledger_link`;
		expect(await at({ state: 'ended', at: WALL })).toBeUndefined();
	});

	it('[RELAY-58] is not otherwise than the database has it', async () => {
		expect(await at({ state: 'ended', at: WALL + 1 })).toBe('linkOtherwise');
		expect(await at({ state: 'ended', endedBy: 'shop', at: WALL })).toBe('linkOtherwise');
		expect(await at({ state: 'none' })).toBe('linkOtherwise');
		expect(await at({ state: 'linked', way: 'phone' })).toBe('linkOtherwise');
		await link('ended');
		expect(await at({ state: 'ended', at: WALL })).toBeUndefined();
	});

	it('[RELAY-58] is of no time that the database remembers', async () => {
		const { sql } = stand.database;
		for (const [code, wall] of [
			[ENDED, WALL],
			[`0.${String(EPOCH)}`, WALL + 1_000_000]
		] as const) {
			await sql`
				insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
				values (${TRADE_BUSINESS}, ${code}, 1, 'link', ${wall}, 0, '2026-11-19', 0, '', 0, ${wall})`;
			await sql`
				insert into ledger_fact (business, ledger, code, n, kind)
				values (${TRADE_BUSINESS}, ${LEDGER}, ${code}, 1, 'link')`;
		}
		const linked = { state: 'linked', way: 'app' };
		expect(await at({ ...linked, at: WALL })).toBeUndefined();
		expect(await at({ ...linked, at: WALL - 400_000_000 })).toBe('linkOtherwise');
		expect(await at(linked, { wall: WALL - 1 })).toBe('linkOtherwise');
	});
});

it('[RELAY-41] a verdict that is carried is signed, and of the epoch that it is told of', async () => {
	const verdictOf = async (epoch: number, by = relay): Promise<readonly unknown[]> => {
		const h = await hashOf('record');
		const hash = new Uint8Array(32);
		const verdict = { result: 'ok', al: 3, h, relayEpoch: epoch, seq: 1, at: WALL } as const;
		const v = encodeVerdict({ ...verdict, claimHash: hash, previous: hash });
		const sig = encodeBase64url(await by.sign(verdictMessage(v)));
		const claim = '019aa000-0000-7000-8000-000000000001';
		return ['verdict', LEDGER, claim, encodeBase64url(v), sig, encodeBase64url(by.kid), 0];
	};
	expect(await refusal(await verdictOf(EPOCH - 1))).toBeUndefined();
	expect(await refusal(await verdictOf(EPOCH - 1, stranger))).toBe('verdictUnsigned');
	// Today's own, wrapped as one of before.
	expect(await refusal(await verdictOf(EPOCH))).toBe('verdictUnsigned');
	expect(await refusal(await verdictOf(EPOCH), { code: `0.${String(EPOCH)}` })).toBe(
		'epochNotEnded'
	);
});

it('[RELAY-41] a verdict that is carried is told under the id of the claim that it judged', async () => {
	const h = await hashOf('record');
	const [id, other] = [1, 2].map((n) => `019aa000-0000-7000-8000-00000000000${String(n)}`);
	const claim = { id, h, way: 'sheet', counter: 0, code: '12345678', d: 'A', u: person, at: WALL };
	const json = encodeHashedJson(claim);
	const sig = encodeBase64url(await phone.sign(claimMessage(json)));
	const head = ['A-1', 'claim', WALL, 0, 20_000, 1];
	const text = JSON.stringify([...head, JSON.parse(json), sig]);
	const told = async (claimId: unknown): Promise<string | undefined> => {
		const claimHash = await crypto.sha256(claimMessage(json));
		const epoch = { relayEpoch: EPOCH - 1, seq: 1, at: WALL };
		const previous = new Uint8Array(32);
		const v = encodeVerdict({ result: 'ok', al: 1, h, ...epoch, claimHash, previous });
		const signed = encodeBase64url(await relay.sign(verdictMessage(v)));
		const kid = encodeBase64url(relay.kid);
		return refusal(['verdict', LEDGER, claimId, encodeBase64url(v), signed, kid, 0]);
	};
	// What is not here cannot be compared.
	expect([await told(id), await told(other)]).toEqual([undefined, undefined]);
	await stand.database.sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
		values (${TRADE_BUSINESS}, 'A', 1, 'claim', ${WALL}, 0, '2026-11-19', 1, ${text}, 0, 1)`;
	await stand.database.sql`
		insert into claim (business, claim, code, n, h, way, counter)
		values (${TRADE_BUSINESS}, ${String(id)}, 'A', 1, ${h}, 'sheet', 0)`;
	expect([await told(id), await told(other)]).toEqual([undefined, 'verdictUnsigned']);
});

describe('a clock fact that is carried', () => {
	const BODY = ['clock', 'B-7', WALL - 1_000, 2, 19_999] as const;

	/** As the relay wrote and signed it; of another number where `code` says so. */
	async function signed(by: Signer, code = ENDED): Promise<readonly unknown[]> {
		const [kind, ...body] = BODY;
		const fact = parseFact(JSON.stringify([`${code}-9`, kind, WALL, 0, 20_000, 0, ...body]));
		if (!fact.ok || fact.value.kind !== 'clock') throw new Error('no clock fact');
		const sig = await by.sign(relayMessage(TRADE_BUSINESS, fact.value));
		return [...BODY, encodeBase64url(sig)];
	}

	it('[RELAY-90] is signed by the relay, by a key too of which the secret was lost', async () => {
		expect(await refusal(await signed(relay))).toBeUndefined();
		expect(await refusal(await signed(lost))).toBeUndefined();
	});

	it('[RELAY-90] is nothing as anybody else says it, or of another number, time or shop', async () => {
		expect(await refusal(BODY)).toBe('relayUnsigned');
		expect(await refusal(await signed(stranger))).toBe('relayUnsigned');
		const lower = `0.${String(EPOCH - 2)}`;
		expect(await refusal(await signed(relay), { code: lower })).toBe('relayUnsigned');
		expect(await refusal(await signed(relay), { wall: WALL - 1 })).toBe('relayUnsigned');
		const of = (place: number, value: unknown): Promise<readonly unknown[]> =>
			signed(relay).then((body) => body.with(place, value));
		for (const [place, value] of [
			[1, 'B-8'],
			[2, WALL - 9_000],
			[3, 1],
			[4, 19_998]
		] as const)
			expect(await refusal(await of(place, value))).toBe('relayUnsigned');
		const [business] = await stand.database.sql<{ business: BusinessId }[]>`
			select gen_random_uuid() as business`;
		expect(
			await refusal(await signed(relay), { scope: business?.business ?? TRADE_BUSINESS })
		).toBe('relayUnsigned');
	});
});

it('[RELAY-90] who is let in is told as the relay wrote it, in its own number and words, or by nobody', async () => {
	const drafts: readonly RelayFactDraft[] = [
		{ kind: 'member', member: 2, fields: { role: 'owner' }, branch: null },
		{ kind: 'device', device: 'B' as DeviceCode, fields: { member: 2 }, branch: null }
	];
	const written = await writeRelayFacts(
		stand.database.sql,
		{ clock: () => WALL, epoch: EPOCH - 1, relayKey: relay },
		{ scope: TRADE_BUSINESS, drafts }
	);
	const relayKeys = { current: undefined, all: [relay.publicKey] };
	const parts = { scope: TRADE_BUSINESS, crypto, epoch: EPOCH, isOfPerson: false, relayKeys };
	const judged = (said: readonly unknown[]): Promise<string | undefined> => {
		const parsed = parseFact(JSON.stringify(said));
		if (!parsed.ok) throw new Error(parsed.error);
		return refusalOfRelays(parsed.value, { ...parts, sql: stand.database.sql });
	};
	const others = [{ name: 'Otto' }, { member: 3 }];
	for (const [at, fact] of written.entries()) {
		const said = JSON.parse(encodeFact(fact)) as readonly unknown[];
		expect(await judged(said)).toBeUndefined();
		expect(await judged(said.slice(0, -1))).toBe('relayUnsigned');
		expect(await judged(said.with(0, `${ENDED}-99`))).toBe('relayUnsigned');
		expect(await judged(said.with(2, WALL + 1))).toBe('relayUnsigned');
		expect(await judged(said.with(7, others[at]))).toBe('relayUnsigned');
	}
});
