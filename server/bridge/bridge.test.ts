import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { appendFact, readFacts } from '#documents/facts.ts';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { dayNumber } from '#domain/calendar.ts';
import { code, codeInfo, ledgerKey } from '#domain/confirmation/codes.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { answerMessage } from '#domain/confirmation/signatures.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { foldPerson } from '#domain/person/fold-person.ts';
import { holdFact, isPersonFact } from '#domain/person/held-fact.ts';
import type { AppendRelayFacts } from '#server/auth/relay-fact-draft.ts';
import { verifyBridge } from '#server/commands/keeping/verify-feed.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { createProject } from '#server/projections/project.ts';
import { digestOf } from '#server/relay/check-fact.ts';
import { createAppendRelayFacts, lockScopes } from '#server/relay/relay-facts.ts';
import { createTicketSocket } from '#sync/ticket-socket.ts';
import { openShopDevice, type ShopDevice } from '#tests/support/hostile-device.ts';
import {
	claimFact,
	handFact,
	recordFact,
	replyFact,
	type HandFact
} from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	enrol,
	mintLedger,
	ofKind,
	STAND_EPOCH,
	type HostileStand,
	type Party,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createTestKey } from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { createBridge, type Bridge, type BridgeParts } from './bridge.ts';
import { CARDS_DAY_MAX } from './told-cards.ts';
import { carriesOf } from './to-person.ts';

let stand: HostileStand;
let shop: StandShop;
let amina: StandCustomer;
let ledger: LedgerId;
let round = 0;
const DAY_MS = 86_400_000;
const crypto = createNodeCrypto();

beforeAll(async () => {
	stand = await createHostileStand();
});
beforeEach(async () => {
	round += 1;
	shop = await stand.shop(`shop${String(round)}`);
	amina = await stand.customer(`amina${String(round)}`);
	ledger = mintLedger();
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

const feed = () => stand.feedOf(amina.person);
const year = () => String(new Date(stand.clock.now).getUTCFullYear());

async function put(by: Party, ...facts: readonly HandFact[]): Promise<void> {
	expect(await stand.put(by, facts)).toBe('taken');
	await stand.settled();
}

async function customerOf({ device }: ShopDevice, name: string): Promise<LedgerId> {
	const made = await device.addCustomer({ name });
	if (!made.ok) throw new Error('no customer');
	return made.value;
}

async function write(
	{ device }: ShopDevice,
	of: LedgerId,
	draft: Parameters<ShopDevice['device']['writeRecords']>[1][number]
): Promise<RecordHash> {
	const written = await device.writeRecords(of, [draft]);
	if (!written.ok) throw new Error(JSON.stringify(written.error));
	return hOf(written.value);
}

async function hOf(fact: Fact): Promise<RecordHash> {
	const [record] = effectsOf(fact).records;
	if (record === undefined) throw new Error('no record');
	return recordHash(record.signed.a, crypto);
}

async function seen(of: StandCustomer, upToMs: number): Promise<void> {
	await put(of, handFact(of, 'seen', upToMs));
}

describe('what a shop writes', () => {
	it('[BRIDGE-2] reaches the customer who is linked, whole, once, and nobody else', async () => {
		const test = await openShopDevice(stand, shop);
		const { device } = test;
		ledger = await customerOf(test, 'Amina');
		const other = await customerOf(test, 'Bob');
		const unlinked = await customerOf(test, 'Carla');
		await test.sync();
		const bob = await stand.customer(`bob${String(round)}`);
		await stand.link(shop, ledger, amina);
		await stand.link(shop, other, bob);

		const sold = await device.sell({
			lines: [{ name: 'Tea', quantityThousandths: 1_500, unitPriceMinor: 200 }],
			tenders: [
				{ kind: 'cash', minor: 100 },
				{ kind: 'account', minor: 200, ledger }
			]
		});
		expect(sold.ok).toBe(true);
		const h = await write(test, ledger, { kind: 'due', minor: 700 });
		const payment = await device.writeRecords(ledger, [{ kind: 'payment', minor: 50 }], {
			tender: 'mobile'
		});
		expect(payment.ok).toBe(true);
		const dueMs = stand.clock.now + 86_400_000;
		const day = dayNumber('2026-11-25');
		await device.addEntry(ledger, ['promise', day, 700, 'KES', 2]);
		await device.addEntry(ledger, ['dueMove', h, dueMs, 'after payday']);
		await device.addEntry(ledger, ['writeOff', 1, 'KES', 2, 'the shop’s own business']);
		for (const theirs of [other, unlinked]) await write(test, theirs, { kind: 'due', minor: 9 });
		await test.sync();

		const booked = ofKind(await feed(), 'booked');
		expect(
			booked.map(({ businessId, ledgerId, record: { core }, more }) => ({
				...{ businessId, ledgerId, kind: core.kind, amount: core.amount },
				more
			}))
		).toEqual([
			{
				...{ businessId: shop.business, ledgerId: ledger, kind: 'due', amount: 200 },
				more: {
					writer: `Name of ${shop.username}`,
					d: 'A',
					lines: [['Tea', 1_500, 200, 300]],
					tenders: [
						['cash', 100],
						['account', 200]
					]
				}
			},
			{
				...{ businessId: shop.business, ledgerId: ledger, kind: 'due', amount: 700 },
				more: { writer: `Name of ${shop.username}`, d: 'A' }
			},
			{
				...{ businessId: shop.business, ledgerId: ledger, kind: 'payment', amount: 50 },
				more: { writer: `Name of ${shop.username}`, d: 'A', tenders: [['mobile', 50]] }
			}
		]);
		expect(ofKind(await feed(), 'told').map(({ row }) => row)).toEqual([
			['promise', day, 700, 'KES', 2],
			['dueMove', h, dueMs, 'after payday']
		]);
		const bobs = ofKind(await stand.feedOf(bob.person), 'booked');
		expect(bobs.map(({ ledgerId, record }) => [ledgerId, record.core.amount])).toEqual([
			[other, 9]
		]);

		// An insisting has no record of its own.
		await put(
			amina,
			await replyFact(amina, {
				business: shop.business,
				ledger,
				h,
				decision: 'cancel',
				reason: 'notMe'
			})
		);
		await test.sync();
		const answered = await device.answerDispute(h, { way: 'insist', note: 'you signed' });
		expect(answered.ok).toBe(true);
		await test.sync();
		expect(ofKind(await feed(), 'told').at(-1)?.row).toEqual(['insist', h, 'you signed']);
		expect(ofKind(await stand.feedOf(bob.person), 'told')).toEqual([]);

		// After the end nothing new comes.
		await stand.ask('/connections/end', { body: { business: shop.business, ledger }, by: shop });
		const length = (await feed()).length;
		await write(test, ledger, { kind: 'due', minor: 1 });
		await test.sync();
		expect(await feed()).toHaveLength(length);
	});

	it('[BRIDGE-23] by a device that was offline stands before what was written later', async () => {
		const due = await recordFact(shop, { ledger, minor: 100 });
		await put(shop, due);
		await stand.link(shop, ledger, amina);
		const days = [1, 2].map((day) => stand.clock.now + day * DAY_MS);
		const moves = days.map((dueMs, place) => {
			stand.clock.now += 60_000;
			const reason = place === 0 ? 'first' : 'later';
			return handFact(shop, 'entry', ledger, ['dueMove', due.h, dueMs, reason]);
		});
		for (const move of moves.toReversed()) await put(shop, move);
		const told = ofKind(await feed(), 'told');
		expect(told.map(({ row }) => row[3])).toEqual(['later', 'first']);
		const shown = told.toSorted((a, b) => a.at.wall - b.at.wall).at(-1);
		expect(shown?.row).toEqual(['dueMove', due.h, days[1], 'later']);
	});

	it('[BRIDGE-23] by a device whose clock is a little ahead stands behind what another wrote meanwhile', async () => {
		const due = await recordFact(shop, { ledger, minor: 100 });
		await put(shop, due);
		await stand.link(shop, ledger, amina);
		const moveAt = (aheadMs: number, reason: string): HandFact => {
			stand.clock.now += aheadMs;
			const row = ['dueMove', due.h, stand.clock.now + DAY_MS, reason];
			const move = handFact(shop, 'entry', ledger, row);
			stand.clock.now -= aheadMs;
			return move;
		};
		const [ahead, right] = [moveAt(240_000, 'ahead'), moveAt(120_000, 'right')];
		await put(shop, ahead);
		stand.clock.now += 1_800_000;
		await put(shop, right);
		const shown = ofKind(await feed(), 'told').toSorted((a, b) => a.at.wall - b.at.wall);
		expect(shown.map(({ row }) => row[3])).toEqual(['right', 'ahead']);
	});

	it('[BRIDGE-2] of its own name and place reaches all who are linked', async () => {
		await stand.link(shop, ledger, amina);
		await put(shop, handFact(shop, 'setting', { name: 'Duka', phone: '0700', currency: 'KES' }));
		const cards = ofKind(await feed(), 'card');
		expect(cards.at(-1)?.fields).toMatchObject({ shop: 'Duka', phone: '0700', currency: 'KES' });
		await put(shop, await recordFact(shop, { ledger }));
		expect(ofKind(await feed(), 'card')).toHaveLength(cards.length);
	});
});

describe('a shop’s card', () => {
	it('[BRIDGE-12] is told where it differs from the one told last, so often a day, and the last at last', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const faults: unknown[] = [];
		const bridges = [0, 1].map(() => bridgeOf(own, { wrap: (append) => append, faults }));
		const told = async (fields: object): Promise<readonly unknown[]> => {
			await store(own, here, [handFact(here, 'setting', fields)]);
			await Promise.all(bridges.map((bridge) => bridge.carryAll()));
			return names();
		};
		const names = async (): Promise<readonly unknown[]> => {
			const cards = ofKind(await own.feedOf(hers.person), 'card');
			return cards.flatMap(({ fields: { shop: name } }) => (name === undefined ? [] : [name]));
		};
		const first = `Shop of ${here.username}`;
		// By a relay of another key than the one that linked her.
		expect(await told({ askAbove: 5 })).toEqual([first, first]);
		expect(await told({ name: 'One' })).toEqual([first, first, 'One']);
		for (const same of [{ name: 'One' }, { askAbove: 6 }]) {
			expect(await told(same)).toEqual([first, first, 'One']);
		}
		expect(await told({ name: first })).toEqual([first, first, 'One', first]);
		for (let at = 2; at < 30; at += 1) await told({ name: `Name ${String(at)}` });
		expect(await names()).toHaveLength(1 + CARDS_DAY_MAX);
		own.clock.now += 86_400_000;
		await bridges[0]?.carryAll();
		expect((await names()).slice(1 + CARDS_DAY_MAX)).toEqual(['Name 29']);

		// Who is linked anew was told it then.
		await own.ask('/connections/end', { body: { business: here.business, ledger }, by: here });
		expect(await told({ name: 'Away' })).toHaveLength(2 + CARDS_DAY_MAX);
		await own.link(here, ledger, hers);
		expect((await names()).slice(2 + CARDS_DAY_MAX)).toEqual(['Away']);
		expect(faults).toEqual([]);
		for (const bridge of bridges) await bridge.close();
		await own.close();
	});

	it('[BRIDGE-12] reaches many in transactions of a hundred people, though some are broken off', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const { sql } = own.database;
		await sql`
			insert into ledger_link (business, ledger, state, way, person, epoch, at)
			select ${here.business}, gen_random_uuid(), 'linked', 'app', gen_random_uuid(), 1, 0
			from generate_series(1, 249)`;
		const [faults, locked]: [unknown[], number[]] = [[], []];
		let calls = 0;
		const bridge = bridgeOf(own, {
			wrap: (append) => async (transaction, scope, drafts) => {
				calls += 1;
				if (calls === 150) throw new Error('killed');
				await append(transaction, scope, drafts);
			},
			faults,
			locked
		});
		await store(own, here, [handFact(here, 'setting', { address: 'Moi Avenue' })]);
		for (let tries = 0; tries < 2; tries += 1) await bridge.carryAll();
		expect(faults.map(String)).toEqual(['Error: killed']);
		expect(Math.max(...locked)).toBe(100);
		const rows = await sql<{ count: number }[]>`
			select count(*)::int as count from fact
			where kind = 'card' and text like '%Moi Avenue%' group by business`;
		expect(rows.map(({ count }) => count)).toEqual(Array<number>(250).fill(1));
		await bridge.close();
		await own.close();
	});
});

describe('who is linked', () => {
	it('[BRIDGE-3] gets all that stood there, and the keys; linked once more what is new alone', async () => {
		const first = await recordFact(shop, { ledger, minor: 100 });
		const others = await recordFact(shop, { ledger: mintLedger(), minor: 77 });
		const moved = handFact(shop, 'entry', ledger, ['dueMove', first.h, stand.clock.now, 'later']);
		await put(shop, first, others, moved);
		await stand.link(shop, ledger, amina);
		const before = await feed();
		expect(ofKind(before, 'booked').map(({ record }) => record.core.amount)).toEqual([100]);
		expect(ofKind(before, 'told').map(({ row }) => row[0])).toEqual(['dueMove']);
		const fields = Object.assign(
			{},
			...ofKind(before, 'card').map((card) => card.fields)
		) as object;
		expect(fields).toMatchObject({
			state: 'linked',
			shop: `Shop of ${shop.username}`,
			devices: [['A', encodeBase64url(shop.signer.publicKey), 0, 0]],
			relayKey: (await stand.ask('/relay-key')).body['key']
		});

		// A verdict that she hears, and what is said while she is away.
		const wrong = { h: first.h, way: 'sheet', code: '00000000', counter: 0 } as const;
		await put(shop, await claimFact(shop, wrong));
		expect(ofKind(await feed(), 'judged')).toHaveLength(1);
		const end = { body: { business: shop.business, ledger }, by: shop };
		expect((await stand.ask('/connections/end', end)).status).toBe(200);
		const away = await recordFact(shop, { ledger, minor: 200 });
		const insist = handFact(shop, 'record', [], { answer: [first.h, 'insist', 'as it was'] });
		await put(shop, away, insist);
		const length = (await feed()).length;
		stand.clock.now += 1_000;
		await stand.link(shop, ledger, amina);
		await stand.settled();
		const fresh = (await feed()).slice(length).filter(({ kind }) => kind !== 'card');
		expect(fresh.map(({ kind }) => kind)).toEqual(['booked', 'told']);
		expect(ofKind(fresh, 'booked')[0]?.record.core.amount).toBe(200);
		expect(ofKind(fresh, 'told')[0]?.row).toEqual(['insist', first.h, 'as it was']);
	});

	it('[BRIDGE-3] is told of a verdict as of the claim that was judged, whoever wrote another with its id', async () => {
		const due = await recordFact(shop, { ledger, minor: 100 });
		const told = await claimFact(shop, { h: due.h, way: 'sheet', code: '00000000', counter: 4 });
		const forged = await claimFact(shop, { h: due.h, way: 'sheet', code: '00000000', counter: 9 });
		await put(shop, due, told);
		const name = { business: shop.business, code: shop.code, n: 0 };
		const [, , , , , , claim] = JSON.parse(told.text) as readonly { readonly id: string }[];
		const [, , , , , , other] = JSON.parse(forged.text) as readonly { readonly id: string }[];
		const text = forged.text.replace(String(other?.id), String(claim?.id));
		await stand.database.sql`insert into fact ${stand.database.sql({
			...name,
			...{
				kind: 'claim',
				wall: 1,
				counter: 0,
				on_day: '2026-11-19',
				member: 1,
				text,
				digest: 0,
				s: 0
			}
		})}`;
		await stand.database.sql`insert into claim ${stand.database.sql({
			...name,
			...{ claim: String(claim?.id), h: due.h, way: 'sheet', counter: 9 }
		})}`;
		await stand.link(shop, ledger, amina);
		const [judged, ...more] = ofKind(await feed(), 'judged');
		expect([judged?.claimId, judged?.counter, more]).toEqual([claim?.id, 4, []]);
	});

	it('[BRIDGE-3] brings over what is written in the same moment, once', async () => {
		const facts = await Promise.all(
			Array.from({ length: 30 }, () => recordFact(shop, { ledger, minor: 1 }))
		);
		const [outcomes] = await Promise.all([
			Promise.all(facts.map((fact) => stand.put(shop, [fact]))),
			stand.link(shop, ledger, amina)
		]);
		expect(new Set(outcomes)).toEqual(new Set(['taken']));
		await stand.settled();
		const booked = ofKind(await feed(), 'booked').map(({ record }) => record.core.recordId);
		expect(booked).toHaveLength(facts.length);
		expect(new Set(booked).size).toBe(facts.length);
	});
});

describe('what a customer answers', () => {
	it('[BRIDGE-4] reaches the shop with signature and key, and the other phones', async () => {
		await stand.link(shop, ledger, amina);
		const due = await recordFact(shop, { ledger });
		await put(shop, due);
		const signer = await createTestKey();
		await enrol(stand.ask, { ...amina, signer });
		const second = { ...amina, signer, code: 'p2', n: 0 };
		const by = { ...second, headers: { ...amina.session, 'daftar-phone': `${amina.person}/p2` } };
		const { business } = shop;
		const said = { business, ledger, h: due.h, decision: 'cancel', reason: 'wrongAmount' } as const;
		await put(by, await replyFact(second, said));

		const [answered] = ofKind(await stand.feedOf(business), 'answered');
		const [filed] = ofKind(await feed(), 'filed');
		if (answered === undefined || filed === undefined) throw new Error('it was not filed');
		const { h, decision, answerN: n, signedAt, sig, key } = answered;
		expect({ h, decision, n, key, reason: answered.reason }).toEqual({
			...{ h: due.h, decision: 'cancel', n: 1, reason: 'wrongAmount' },
			key: encodeBase64url(signer.publicKey)
		});
		const message = answerMessage({ decision, n, h, kid: signer.kid, signedAt });
		expect(await crypto.verify(signer.publicKey, message, bytesOf(sig))).toBe(true);
		expect([filed.businessId, filed.h, filed.sig, filed.key]).toEqual([business, h, sig, key]);
		// It stands in the journal of the branch that wrote the record, and in the person's document.
		expect(await documentOf(business, answered)).toBe(shop.document());
		expect(await documentOf(amina.person, filed)).toBe(`s/${amina.person}/${year()}`);
	});

	it('[BRIDGE-4] to what he was never brought reaches nobody', async () => {
		await stand.link(shop, ledger, amina);
		const theirs = mintLedger();
		const [own, foreign] = [
			await recordFact(shop, { ledger }),
			await recordFact(shop, { ledger: theirs })
		];
		await put(shop, own, foreign);
		const { business } = shop;
		const other = await stand.shop(`other${String(round)}`);
		const answer = { h: own.h, decision: 'cancel', reason: 'notMe' } as const;
		for (const said of [
			{ ...answer, business, ledger, h: foreign.h },
			{ ...answer, business, ledger: theirs, h: foreign.h },
			{ ...answer, business, ledger: theirs },
			{ ...answer, business: other.business, ledger }
		]) {
			await put(amina, await replyFact(amina, said));
		}
		expect(ofKind(await stand.feedOf(business), 'answered')).toEqual([]);
		expect(ofKind(await stand.feedOf(other.business), 'answered')).toEqual([]);
		expect(ofKind(await feed(), 'filed')).toEqual([]);
	});

	it('[BRIDGE-9] before it is brought what it answers, after a restore, reaches the shop then', async () => {
		const { business } = shop;
		const [before, after, foreign] = [
			await recordFact(shop, { ledger }),
			await recordFact(shop, { ledger, minor: 300 }),
			await recordFact(shop, { ledger: mintLedger() })
		];
		const answer = { business, ledger, decision: 'cancel', reason: 'wrongAmount' } as const;
		const accepted = { business, ledger, decision: 'accept', n: 2 } as const;
		const replies = [
			await replyFact(amina, { ...answer, h: before.h }),
			await replyFact(amina, { ...accepted, h: before.h }),
			await replyFact(amina, { ...answer, h: after.h }),
			await replyFact(amina, { ...answer, h: foreign.h })
		];
		const answered = async (): Promise<readonly string[]> =>
			ofKind(await stand.feedOf(business), 'answered').map(
				({ h, decision, answerN }) => `${h} ${decision} ${String(answerN)}`
			);
		// The phone hands in what the relay forgot before the connection and the records are there.
		await put(amina, ...replies);
		await put(shop, before, foreign);
		expect(await answered()).toEqual([]);

		await stand.link(shop, ledger, amina);
		const first = [`${before.h} cancel 1`, `${before.h} accept 2`];
		expect(await answered()).toEqual(first);
		await put(shop, after);
		expect(await answered()).toEqual([...first, `${after.h} cancel 1`]);
		await put(shop, await recordFact(shop, { ledger, minor: 700 }));
		expect(await answered()).toHaveLength(3);
		expect(ofKind(await feed(), 'filed')).toHaveLength(3);
	});

	it('[RELAY-19] what is told once a clock that was ahead is set back was looked at by nobody', async () => {
		await stand.link(shop, ledger, amina);
		stand.clock.now += 3 * DAY_MS;
		await put(shop, await recordFact(shop, { ledger }));
		stand.clock.now -= 3 * DAY_MS;
		const [ahead] = ofKind(await feed(), 'booked');
		await seen(amina, ahead?.at.wall ?? 0);
		await put(shop, await recordFact(shop, { ledger, minor: 300 }));
		await put(shop, await recordFact(shop, { ledger, minor: 700 }));
		const told = (await feed()).filter(isPersonFact);
		const held = await Promise.all(told.map((fact) => holdFact(fact, crypto)));
		const view = foldPerson(
			held.filter((one) => one !== undefined),
			{ nowMs: stand.clock.now, readUpTo: 0, newer: 0 }
		);
		const asking = view.notices.filter(({ kind }) => kind === 'toAnswer');
		expect(asking.map(({ isRead }) => isRead)).toEqual([false, false, true]);
	});

	it('[BRIDGE-5] or only looks at is told to the shop where something new was seen', async () => {
		await stand.link(shop, ledger, amina);
		const saw = async (): Promise<readonly number[]> =>
			ofKind(await stand.feedOf(shop.business), 'saw').map(({ upToMs }) => upToMs);
		const start = stand.clock.now;
		await seen(amina, start);
		expect(await saw()).toEqual([]);
		stand.clock.now = start + 1_000;
		await put(shop, await recordFact(shop, { ledger }));
		await seen(amina, start + 999);
		expect(await saw()).toEqual([]);
		await seen(amina, start + 1_000);
		expect(await saw()).toEqual([start + 1_000]);
		stand.clock.now = start + 5_000;
		await seen(amina, start + 5_000);
		await seen(amina, start + 1_000);
		expect(await saw()).toEqual([start + 1_000]);
		stand.clock.now = start + 6_000;
		await put(shop, await recordFact(shop, { ledger }));
		await seen(amina, start + 6_000);
		expect(await saw()).toEqual([start + 1_000, start + 6_000]);
	});
});

describe('a person’s documents', () => {
	it('[RELAY-19] a stock client reads the shop’s side, and hears what is new', async () => {
		await put(shop, await recordFact(shop, { ledger, minor: 100 }));
		await stand.link(shop, ledger, amina);
		const side = provider(`s/${amina.person}/${year()}`);
		await until(() => textsIn(side.doc).length === 3);
		expect(kindsIn(side.doc)).toEqual(['booked', 'card', 'card']);
		await put(shop, await recordFact(shop, { ledger, minor: 200 }));
		await until(() => textsIn(side.doc).length === 4);
		const facts = textsIn(side.doc).map((text) => parseFact(text));
		const amounts = facts.flatMap((fact) =>
			fact.ok && fact.value.kind === 'booked' ? [fact.value.record.core.amount] : []
		);
		expect(amounts.toSorted((a, b) => a - b)).toEqual([100, 200]);
		// Document and feed say the same.
		const { body } = await stand.ask('/feed?epoch=1&after=0', { by: amina });
		const rows = body['rows'] as readonly (readonly [number, null, string])[];
		expect(new Set(rows.map(([, , text]) => text))).toEqual(new Set(textsIn(side.doc)));
		side.destroy();
	});

	it('[RELAY-19] what a stock client of a phone writes goes through, to the shop and back', async () => {
		await stand.link(shop, ledger, amina);
		const due = await recordFact(shop, { ledger });
		await put(shop, due);
		const side = provider(`s/${amina.person}/${year()}`);
		const own = provider(amina.document());
		const { business } = shop;
		const said = { business, ledger, h: due.h, decision: 'accept' } as const;
		appendFact(own.doc, await replyFact(amina, said));
		await until(() => kindsIn(side.doc).includes('filed'));
		const journal = provider(shop.document(), shop);
		await until(() => kindsIn(journal.doc).includes('answered'));
		for (const one of [side, own, journal]) one.destroy();
	});

	function provider(document: string, by: Party = amina): WebsocketProvider {
		return new WebsocketProvider(stand.syncUrl, document, new Y.Doc(), {
			disableBc: true,
			WebSocketPolyfill: createTicketSocket({
				getTicket: async (name) => {
					const given = await stand.ticket(by, name);
					if (!given.ok) throw new Error(given.error);
					return { ticket: given.value };
				},
				WebSocket: globalThis.WebSocket
			})
		});
	}

	const textsIn = (doc: Y.Doc): readonly string[] => readFacts(doc).map(({ text }) => text);
	const kindsIn = (doc: Y.Doc): readonly string[] =>
		textsIn(doc)
			.map((text) => /^\["[^"]+","([a-z]+)"/.exec(text)?.[1] ?? '')
			.toSorted();
});

describe('balances', () => {
	it('[PROJ-10] equal the device’s after no, yes, verdict, statement and every answer to them', async () => {
		const test = await openShopDevice(stand, shop);
		ledger = await customerOf(test, 'Amina');
		const [no, yes, coded, listed, late] = await Promise.all(
			[100, 200, 400, 800, 1_600].map((minor) => write(test, ledger, { kind: 'due', minor }))
		);
		if (no === undefined || yes === undefined || coded === undefined) throw new Error('five');
		if (listed === undefined || late === undefined) throw new Error('five');
		await write(test, ledger, { kind: 'payment', minor: 50 });
		await test.sync();
		await stand.link(shop, ledger, amina);
		await agree(test, ['0', '3100', '50', '0']);

		const answer = async (h: RecordHash, decision: 'accept' | 'cancel', n = 1): Promise<void> => {
			const said = { business: shop.business, ledger, h, decision, n } as const;
			const reason = decision === 'cancel' ? { reason: 'returned' as const } : {};
			await put(amina, await replyFact(amina, { ...said, ...reason }));
		};
		await answer(no, 'cancel');
		await answer(yes, 'accept');
		await agree(test, ['200', '2800', '50', '100']);

		const codes = await codesOf(5_000);
		await test.sync();
		expect((await test.device.claimByCode(ledger, [coded], codes[0] ?? '')).ok).toBe(true);
		await agree(test, ['600', '2400', '50', '100']);
		// A statement by one code confirms all that it lists; one of them is cancelled within 14 days.
		const both = await test.device.claimByCode(ledger, [listed, late], codes[1] ?? '');
		expect(both.ok).toBe(true);
		await agree(test, ['3000', '0', '50', '100']);
		await answer(late, 'cancel');
		await agree(test, ['1400', '0', '50', '1700']);
		// Dropped, withdrawn, and what is written after all this.
		await answer(no, 'accept', 2);
		await agree(test, ['1500', '0', '50', '1600']);
		expect((await test.device.answerDispute(late, { way: 'withdraw' })).ok).toBe(true);
		await write(test, ledger, { kind: 'due', minor: 7 });
		await agree(test, ['1500', '7', '50', '0']);
		await stand.ask('/connections/end', { body: { business: shop.business, ledger }, by: amina });
		await agree(test, ['1500', '7', '50', '0']);
	});

	it('[BRIDGE-25] equal the customer’s, though the relay’s clock was days ahead in the shop’s feed', async () => {
		const test = await openShopDevice(stand, shop);
		ledger = await customerOf(test, 'Amina');
		const due = await write(test, ledger, { kind: 'due', minor: 400 });
		await test.sync();
		await stand.link(shop, ledger, amina);
		const [code = ''] = await codesOf(5_000);
		await test.sync();
		expect((await test.device.claimByCode(ledger, [due], code)).ok).toBe(true);
		await agree(test, ['400', '0', '0', '0']);
		// The last day but one on which she may contest it; the relay's clock is days ahead for a moment.
		stand.clock.now += 12 * DAY_MS + 3 * DAY_MS;
		await stand.link(shop, mintLedger(), await stand.customer(`bob${String(round)}`));
		stand.clock.now -= 3 * DAY_MS;
		const said = { business: shop.business, ledger, h: due, decision: 'cancel' } as const;
		await put(amina, await replyFact(amina, { ...said, reason: 'notMe' }));

		const [answered] = ofKind(await stand.feedOf(shop.business), 'answered');
		const [filed] = ofKind(await feed(), 'filed');
		expect(answered?.at.wall).toBe(stand.clock.now);
		expect(filed?.at).toEqual(answered?.at);
		const told = (await feed()).filter(isPersonFact);
		const held = await Promise.all(told.map((fact) => holdFact(fact, crypto)));
		const looking = { nowMs: stand.clock.now, readUpTo: 0, newer: 0 };
		const view = foldPerson(
			held.filter((one) => one !== undefined),
			looking
		);
		expect(view.shops[0]?.totals[0]).toMatchObject({ confirmed: 0n, disputed: 400n });
		await agree(test, ['0', '0', '0', '400']);
	});

	/** Confirmed, waiting, credited, disputed: on the device and in PostgreSQL. */
	async function agree(test: ShopDevice, sums: readonly string[]): Promise<void> {
		await test.sync();
		const rows = await test.store.read(['balances'], (read) => read.all('balances'));
		const own = rows.filter((row) => row.ledger === ledger).map(sumsOf);
		const [kept] = await stand.database.sql<Record<SumName, string>[]>`
			select confirmed, waiting, credited, disputed from balance
			where business = ${shop.business} and ledger = ${ledger}`;
		expect({ device: own, relay: kept === undefined ? [] : sumsOf(kept) }).toEqual({
			device: [sums],
			relay: sums
		});
	}

	type SumName = 'confirmed' | 'waiting' | 'credited' | 'disputed';

	function sumsOf(row: Readonly<Record<SumName, string | bigint>>): readonly string[] {
		return [row.confirmed, row.waiting, row.credited, row.disputed].map(String);
	}

	async function codesOf(cap: number): Promise<readonly string[]> {
		const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap };
		const name = { business: shop.business, ledger };
		const path = `/people/${amina.person}`;
		const made = await stand.ask(`${path}/sheets`, { body: { ...name, ...worth }, by: amina });
		const { body } = await stand.ask(`${path}/secrets`, { by: amina });
		const epoch = Number(made.body['epoch']);
		const scope = { businessId: shop.business, ledgerId: ledger, epoch };
		const [latest = ''] = body['secrets'] as readonly string[];
		const key = await ledgerKey(bytesOf(latest), scope, crypto);
		const info = codeInfo({ way: 'sheet', kind: 'due', currency: 'KES', exponent: 2, minor: cap });
		const open = made.body['open'] as readonly number[];
		return Promise.all(open.map((counter) => code(key, { info, counter }, crypto)));
	}
});

describe('killed', () => {
	it('[BRIDGE-1] or twice at once, everything is carried once', async () => {
		// Nobody but the bridges of this test works here.
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		const bobs = { ledger: mintLedger(), customer: await own.customer('bob') };
		await own.link(here, ledger, hers);
		await own.link(here, bobs.ledger, bobs.customer);
		const facts = await Promise.all(
			Array.from({ length: 330 }, (_, at) =>
				recordFact(here, { ledger: at % 3 === 0 ? bobs.ledger : ledger, minor: at + 1 })
			)
		);
		const cardsBefore = ofKind(await own.feedOf(hers.person), 'card').length;
		await store(own, here, [...facts, handFact(here, 'setting', { name: 'Duka' })]);
		const faults: unknown[] = [];
		let calls = 0;
		const killed = (append: AppendRelayFacts): AppendRelayFacts => {
			return async (...given) => {
				await append(...given);
				calls += 1;
				if (calls % 2 === 1 && calls < 6) throw new Error('killed');
			};
		};
		const bridges = [0, 1, 2].map(() => bridgeOf(own, { wrap: killed, faults }));
		for (let tries = 0; tries < 5; tries += 1) {
			await Promise.all(bridges.map((bridge) => bridge.carryAll()));
		}
		expect(faults.map(String)).toEqual(faults.map(() => 'Error: killed'));
		expect(faults.length).toBeGreaterThan(1);
		for (const [who, count] of [[hers, 220] as const, [bobs.customer, 110] as const]) {
			const booked = ofKind(await own.feedOf(who.person), 'booked');
			expect(booked).toHaveLength(count);
			expect(new Set(booked.map(({ record }) => record.core.recordId)).size).toBe(count);
			const numbers = (await own.feedOf(who.person)).map(({ n }) => n);
			expect(numbers).toEqual(numbers.map((_, at) => at + 1));
		}
		// For its new name; with its first device she was told it when she was linked.
		expect(ofKind(await own.feedOf(hers.person), 'card')).toHaveLength(cardsBefore + 1);
		const length = (await own.feedOf(hers.person)).length;
		await bridges[0]?.carryAll();
		expect(await own.feedOf(hers.person)).toHaveLength(length);

		// Nothing but the place in her feed says that an answer was carried.
		const answers = facts.filter((_fact, at) => at % 3 !== 0).slice(0, 8);
		for (const { h } of answers) {
			const of = { business: here.business, ledger, h };
			await storeReplies(own, hers, [await replyFact(hers, { ...of, decision: 'accept', n: 1 })]);
			await Promise.all(bridges.map((bridge) => bridge.carryAll()));
		}
		const heard = ofKind(await own.feedOf(here.business), 'answered').map(({ h }) => h);
		expect(heard).toEqual(answers.map(({ h }) => h));
		for (const bridge of bridges) await bridge.close();
		await own.close();
	});

	it('[BRIDGE-24] stops behind the feed in hand, however many are behind', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const { sql } = own.database;
		await sql`
			insert into feed_head (business, s)
			select gen_random_uuid(), 1 from generate_series(1, 3_000)`;
		const carried = async (): Promise<number> => (await sql`select from bridge_cursor`).length;
		const faults: unknown[] = [];
		const bridge = bridgeOf(own, { wrap: (append) => append, faults });
		bridge.wake();
		await until(async () => (await carried()) > 0);
		await bridge.close();
		const before = await carried();
		expect(before).toBeLessThan(3_000);
		// Whoever starts next goes on.
		await bridgeOf(own, { wrap: (append) => append, faults }).carryAll();
		expect(await carried()).toBeGreaterThan(before);
		expect(faults).toEqual([]);
		await own.close();
	});

	it('[BRIDGE-7] a shop that nobody is linked to is passed over, and nothing of it is lost to who links', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [linked, alone] = [await own.shop('linked'), await own.shop('alone')];
		const hers = await own.customer('amina');
		await own.link(linked, ledger, hers);
		const untouched: AppendRelayFacts = () => {
			throw new Error('nothing of this is carried');
		};
		const passing = bridgeOf(own, { wrap: () => untouched, faults: [] });
		const bridge = bridgeOf(own, { wrap: (append) => append, faults: [] });
		await bridge.carryAll();
		const behind = async (): Promise<readonly string[]> => {
			const rows = await own.database.sql<{ business: string }[]>`
				select business from feed_head join bridge_cursor on scope = business
				where feed_head.s > bridge_cursor.s`;
			return rows.map(({ business }) => business);
		};
		await store(own, linked, [await recordFact(linked, { ledger })]);
		await store(own, alone, [await recordFact(alone, { ledger, minor: 300 })]);
		expect(new Set(await behind())).toEqual(new Set([linked.business, alone.business]));
		await passing.carryAll();
		expect(await behind()).toEqual([linked.business]);
		await bridge.carryAll();
		expect(await behind()).toEqual([]);

		const late = await own.customer('bob');
		await own.link(alone, ledger, late);
		expect(ofKind(await own.feedOf(late.person), 'booked')[0]?.record.core.amount).toBe(300);
		await Promise.all([passing.close(), bridge.close()]);
		await own.close();
	});

	it('[BRIDGE-8] beyond what a ledger brings on a day, the rest comes on the next days, once', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		const bobs = { ledger: mintLedger(), customer: await own.customer('bob') };
		await own.link(here, ledger, hers);
		await own.link(here, bobs.ledger, bobs.customer);
		const facts = await Promise.all(
			Array.from({ length: 25 }, (_none, at) => recordFact(here, { ledger, minor: at + 1 }))
		);
		const faults: unknown[] = [];
		const bridge = bridgeOf(own, { wrap: (append) => append, faults, dayMax: 10 });
		await store(own, here, [...facts, await recordFact(here, { ledger: bobs.ledger })]);
		const amounts = async (who: StandCustomer): Promise<readonly number[]> =>
			ofKind(await own.feedOf(who.person), 'booked').map(({ record }) => record.core.amount);
		const brought: number[] = [];
		for (let day = 0; day < 5; day += 1) {
			await Promise.all([bridge.carryAll(), bridge.carryAll()]);
			brought.push((await amounts(hers)).length);
			own.clock.now += 86_400_000;
		}
		expect(faults).toEqual([]);
		expect(brought).toEqual([10, 20, 25, 25, 25]);
		expect((await amounts(hers)).toSorted((a, b) => a - b)).toEqual(facts.map((_, at) => at + 1));
		expect(await amounts(bobs.customer)).toEqual([500]);

		// Who is linked no more is brought nothing more, and nobody asks again.
		await store(own, here, await Promise.all(facts.map(() => recordFact(here, { ledger }))));
		await bridge.carryAll();
		const { sql } = own.database;
		await sql`update ledger_link set state = 'ended' where ledger = ${ledger}`;
		own.clock.now += 86_400_000;
		await bridge.carryAll();
		expect(await amounts(hers)).toHaveLength(35);
		const [left] = await sql`select count(*)::int as count from bridge_state where is_behind`;
		expect(left?.['count']).toBe(0);
		expect(faults).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-8] what a day left behind comes the next, also where something new comes before it', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const faults: unknown[] = [];
		const bridge = bridgeOf(own, { wrap: (append) => append, faults, dayMax: 10 });
		const write = async (count: number): Promise<void> => {
			const facts = Array.from({ length: count }, () => recordFact(here, { ledger }));
			await store(own, here, await Promise.all(facts));
			await bridge.carryAll();
		};
		const brought: number[] = [];
		for (const count of [12, 1, 1]) {
			await write(count);
			brought.push(ofKind(await own.feedOf(hers.person), 'booked').length);
			own.clock.now += 86_400_000;
		}
		expect(brought).toEqual([10, 13, 14]);
		expect(faults).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-26] what a day left behind comes though the clock was ahead and is set back', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const faults: unknown[] = [];
		const bridge = bridgeOf(own, { wrap: (append) => append, faults, dayMax: 10 });
		const facts = Array.from({ length: 12 }, () => recordFact(here, { ledger }));
		own.clock.now += 30 * DAY_MS;
		await store(own, here, await Promise.all(facts));
		for (let at = 0; at <= CARDS_DAY_MAX; at += 1) {
			await store(own, here, [handFact(here, 'setting', { name: `Name ${String(at)}` })]);
			await bridge.carryAll();
		}
		const told = async (): Promise<readonly number[]> => {
			const facts = await own.feedOf(hers.person);
			return [ofKind(facts, 'booked').length, ofKind(facts, 'card').length];
		};
		const [, cards = 0] = await told();
		expect(await told()).toEqual([10, cards]);
		own.clock.now -= 30 * DAY_MS;
		await bridge.carryAll();
		expect(await told()).toEqual([12, cards + 1]);
		expect(faults).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-26] what cannot be carried is passed though the clock was set back since', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const ill = (append: AppendRelayFacts): AppendRelayFacts => {
			return (transaction, scope, drafts) => {
				const isOne = drafts.some((one) => one.kind === 'booked' && one.record.core.amount === 666);
				if (isOne) throw new Error('ill');
				return append(transaction, scope, drafts);
			};
		};
		const bridge = bridgeOf(own, { wrap: ill, faults: [] });
		for (const minor of [666, 3])
			await store(own, here, [await recordFact(here, { ledger, minor })]);
		await bridge.carryAll();
		own.clock.now -= DAY_MS;
		await bridge.carryAll();
		const booked = ofKind(await own.feedOf(hers.person), 'booked');
		expect(booked.map(({ record }) => record.core.amount)).toEqual([3]);
		await bridge.close();
		await own.close();
	});

	it('[RELAY-82] carries what another relay held back that was killed since', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const here = await own.shop('here');
		const hers = await own.customer('amina');
		const spent = new Set<string>();
		const folds = { isSpent: (business: string) => spent.has(business) };
		const more = { wrap: (append: AppendRelayFacts) => append, faults: [] };
		const survivor = bridgeOf(own, more);
		await own.link(here, ledger, hers);
		const { h, ...fact } = await recordFact(here, { ledger });
		await store(own, here, [fact]);
		await survivor.carryAll();

		const killed = bridgeOf(own, { ...more, folds });
		spent.add(here.business);
		const answer = { business: here.business, ledger, h, decision: 'cancel', n: 1 } as const;
		await storeReplies(own, hers, [await replyFact(hers, answer)]);
		await killed.carryAll();
		const heard = async (): Promise<number> =>
			ofKind(await own.feedOf(here.business), 'answered').length;
		expect(await heard()).toBe(0);
		await killed.close();

		own.clock.now += 60_000;
		await survivor.carryAll();
		expect(await heard()).toBe(1);
		await own.close();
	});

	it('[RELAY-82] keeps what is answered to a shop that is beyond what is folded for it, in order, over a start', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, there] = [await own.shop('here'), await own.shop('there')];
		const hers = await own.customer('amina');
		const spent = new Set<string>([here.business]);
		const folds = { isSpent: (business: string) => spent.has(business) };
		const open = (): Bridge => bridgeOf(own, { wrap: (append) => append, faults: [], folds });
		const answers: HandFact[] = [];
		spent.clear();
		for (const one of [here, there]) {
			await own.link(one, ledger, hers);
			const { h, ...fact } = await recordFact(one, { ledger });
			await store(own, one, [fact]);
			const answer = { business: one.business, ledger, h } as const;
			answers.push(await replyFact(hers, { ...answer, decision: 'cancel', n: 1 }));
			answers.push(await replyFact(hers, { ...answer, decision: 'accept', n: 2 }));
		}
		const heard = async ({ business }: StandShop): Promise<readonly number[]> =>
			ofKind(await own.feedOf(business), 'answered').map(({ answerN }) => answerN);
		const first = open();
		await first.carryAll();
		spent.add(here.business);
		await storeReplies(own, hers, answers.slice(0, 1));
		await first.carryAll();
		await storeReplies(own, hers, answers.slice(1));
		await first.carryAll();
		expect([await heard(here), await heard(there)]).toEqual([[], [1, 2]]);
		await first.close();

		const second = open();
		await second.carryAll();
		expect(await heard(here)).toEqual([]);
		spent.clear();
		await second.carryAll();
		await second.carryAll();
		expect([await heard(here), await heard(there)]).toEqual([
			[1, 2],
			[1, 2]
		]);
		await second.close();
		await own.close();
	});

	it('[BRIDGE-13] what a long ledger holds is brought behind its link, in slices, whatever is killed', async () => {
		const own = await createHostileStand();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		const due = await recordFact(here, { ledger, minor: 700 });
		const wrong = { h: due.h, way: 'sheet', code: '00000000', counter: 0 } as const;
		expect(await own.put(here, [due, await claimFact(here, wrong)])).toBe('taken');
		await own.settled();
		await own.service.close();
		const day = dayNumber('2026-11-25');
		const promises = (count: number): readonly HandFact[] =>
			Array.from({ length: count }, () =>
				handFact(here, 'entry', ledger, ['promise', day, here.n + 1, 'KES', 2])
			);
		const first = promises(1_700);
		await store(own, here, first);
		// Nobody is linked yet, so it is passed.
		await bridgeOf(own, { wrap: (append) => append, faults: [] }).carryAll();
		await own.link(here, ledger, hers);
		const told = async (): Promise<readonly number[]> =>
			ofKind(await own.feedOf(hers.person), 'told').map(({ row }) => Number(row[2]));
		expect(await told()).toEqual([]);

		const [faults, lengths]: [unknown[], number[]] = [[], []];
		const killed = (append: AppendRelayFacts): AppendRelayFacts => {
			return async (transaction, scope, drafts) => {
				await append(transaction, scope, drafts);
				lengths.push(drafts.length);
				if (lengths.length === 2) throw new Error('killed');
			};
		};
		const bridges = [0, 1].map(() => bridgeOf(own, { wrap: killed, faults }));
		await Promise.all(bridges.map((bridge) => bridge.carryAll()));
		// What is written meanwhile comes too, and no limit of a day holds for any of it.
		const second = promises(20);
		await store(own, here, second);
		for (const bridge of bridges) await bridge.carryAll();
		expect(faults.map(String)).toEqual(['Error: killed']);
		expect(Math.max(...lengths)).toBe(500);
		const amounts = [...first, ...second].map(({ text }) => {
			const [row] = (JSON.parse(text) as unknown[]).slice(7) as unknown[][];
			return row?.[2];
		});
		expect((await told()).toSorted((a, b) => a - b)).toEqual(amounts);
		const feedNow = await own.feedOf(hers.person);
		expect(ofKind(feedNow, 'booked').map(({ record }) => record.core.amount)).toEqual([700]);
		expect(ofKind(feedNow, 'judged')).toHaveLength(1);
		// From then on a day has its limit again.
		const { sql } = own.database;
		const [way] = await sql`select is_behind, day > 0 as is_of_day from bridge_state
			where ledger = ${ledger}`;
		expect(way).toEqual({ is_behind: false, is_of_day: true });
		for (const bridge of bridges) await bridge.close();
		await own.close();
	});

	it('[BRIDGE-13] whose connection ended meanwhile is brought no more of it', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		const day = dayNumber('2026-11-25');
		const promises = Array.from({ length: 501 }, () =>
			handFact(here, 'entry', ledger, ['promise', day, 700, 'KES', 2])
		);
		await store(own, here, promises);
		await own.link(here, ledger, hers);
		await own.ask('/connections/end', { body: { business: here.business, ledger }, by: here });
		const bridge = bridgeOf(own, { wrap: (append) => append, faults: [] });
		await bridge.carryAll();
		expect(ofKind(await own.feedOf(hers.person), 'told')).toEqual([]);
		const { sql } = own.database;
		expect(await sql`select from bridge_state where is_behind`).toHaveLength(0);
		await own.link(here, ledger, hers);
		await bridge.carryAll();
		expect(ofKind(await own.feedOf(hers.person), 'told')).toHaveLength(501);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-1] a feed that cannot be carried stops nobody else’s', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const faults: unknown[] = [];
		const shops = [await own.shop('one'), await own.shop('two')];
		const customers = [await own.customer('amina'), await own.customer('bob')];
		for (const [at, here] of shops.entries()) {
			const customer = customers[at];
			if (customer === undefined) throw new Error('two of each');
			await own.link(here, ledger, customer);
			await store(own, here, [await recordFact(here, { ledger })]);
		}
		// And before all others more feeds that cannot be read than are looked up at once.
		const { sql } = own.database;
		await sql`
			insert into feed_head (business, s)
			select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1
			from generate_series(1, 120) as n`;
		await sql`
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			select business, 'p1', 1, 'reply', 0, 0, '2026-11-20', 1, 'torn', 0, 1
			from feed_head where business::text like '00000000-%'`;
		let isIll = true;
		const ill = (append: AppendRelayFacts): AppendRelayFacts => {
			return (transaction, scope, drafts) => {
				if (isIll && scope === customers[0]?.person) throw new Error('ill');
				return append(transaction, scope, drafts);
			};
		};
		const bridge = bridgeOf(own, { wrap: ill, faults });
		const counts = async (): Promise<readonly number[]> =>
			Promise.all(
				customers.map(async ({ person }) => ofKind(await own.feedOf(person), 'booked').length)
			);
		await bridge.carryAll();
		expect(await counts()).toEqual([0, 1]);
		expect(faults.length).toBeGreaterThan(120);
		isIll = false;
		bridge.wake();
		await until(async () => (await counts()).join() === '1,1');
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] one fact that cannot be carried is passed, named, and carried another day', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		let isIll = true;
		const ill = (append: AppendRelayFacts): AppendRelayFacts => {
			return (transaction, scope, drafts) => {
				const isOne = drafts.some((one) => one.kind === 'booked' && one.record.core.amount === 666);
				if (isIll && isOne) throw new Error('ill');
				return append(transaction, scope, drafts);
			};
		};
		const bridge = bridgeOf(own, { wrap: ill, faults: [] });
		const amounts = async (): Promise<readonly number[]> =>
			ofKind(await own.feedOf(hers.person), 'booked').map(({ record }) => record.core.amount);
		for (const minor of [1, 666, 3])
			await store(own, here, [await recordFact(here, { ledger, minor })]);
		await bridge.carryAll();
		// What is ill for a moment is carried in its order.
		expect(await amounts()).toEqual([]);
		own.clock.now += 30_000;
		await bridge.carryAll();
		expect(await amounts()).toEqual([1, 3]);
		const named = async (): Promise<readonly string[]> =>
			(await verifyBridge(own.database.sql, here.business)).map(({ what }) => what);
		expect(await named()).toEqual([
			expect.stringMatching(/^fact A-\d+ .* is not carried over: ill$/)
		]);
		own.clock.now += DAY_MS;
		await bridge.carryAll();
		isIll = false;
		own.clock.now += DAY_MS;
		await bridge.carryAll();
		expect(await amounts()).toEqual([1, 3]);
		expect(await named()).toHaveLength(1);
		// It was tried on the first of these days, and waited two more.
		own.clock.now += DAY_MS;
		await bridge.carryAll();
		expect(await amounts()).toEqual([1, 3, 666]);
		expect(await named()).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] one that cannot be read is passed too, as what a later program wrote before it was taken back', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const { sql } = own.database;
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const faults: unknown[] = [];
		const bridge = bridgeOf(own, { wrap: (append) => append, faults });
		await bridge.carryAll();
		const records = await Promise.all(
			[1, 2, 3].map((minor) => recordFact(here, { ledger, minor }))
		);
		for (const one of records) await store(own, here, [one]);
		const later = records[1];
		if (later === undefined) throw new Error('three of them');
		const say = (text: string): Promise<unknown> => sql`
			update fact set text = ${text} where business = ${here.business} and text in (${later.text}, 'later')`;
		await say('later');
		const amounts = async (): Promise<readonly number[]> =>
			ofKind(await own.feedOf(hers.person), 'booked').map(({ record }) => record.core.amount);
		await bridge.carryAll();
		expect(await amounts()).toEqual([]);
		own.clock.now += 30_000;
		await bridge.carryAll();
		expect(await amounts()).toEqual([1, 3]);
		expect(await verifyBridge(sql, here.business)).toHaveLength(1);
		own.clock.now += DAY_MS;
		await bridge.carryAll();
		await say(later.text);
		own.clock.now += 2 * DAY_MS;
		await bridge.carryAll();
		expect(await amounts()).toEqual([1, 3, 2]);
		expect(await verifyBridge(sql, here.business)).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] one answer that was held back and cannot be carried stops no other of its person', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const { sql } = own.database;
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const records = [await recordFact(here, { ledger }), await recordFact(here, { ledger })];
		await store(own, here, records);
		const bad = records[0]?.h;
		let isIll = true;
		const ill = (append: AppendRelayFacts): AppendRelayFacts => {
			return (transaction, scope, drafts) => {
				if (isIll && drafts.some((one) => one.kind === 'answered' && one.h === bad))
					throw new Error('ill');
				return append(transaction, scope, drafts);
			};
		};
		const spent = new Set<string>();
		const folds = { isSpent: (business: string) => spent.has(business) };
		const bridge = bridgeOf(own, { wrap: ill, faults: [], folds });
		await bridge.carryAll();
		spent.add(here.business);
		const answer = { business: here.business, ledger, decision: 'cancel', n: 1 } as const;
		for (const { h } of records)
			await storeReplies(own, hers, [await replyFact(hers, { ...answer, h })]);
		// The shop is behind, so nothing of its feed is carried; hers is.
		await bridge.carryAll();
		spent.clear();
		const heard = async (): Promise<readonly RecordHash[]> =>
			ofKind(await own.feedOf(here.business), 'answered').map(({ h }) => h);
		await bridge.carryAll();
		expect(await heard()).toEqual([]);
		own.clock.now += 30_000;
		await bridge.carryAll();
		expect(await heard()).toEqual(records.slice(1).map(({ h }) => h));
		expect(await verifyBridge(sql, hers.person)).toHaveLength(1);
		isIll = false;
		own.clock.now += DAY_MS;
		await bridge.carryAll();
		expect(await heard()).toEqual(records.map(({ h }) => h).toReversed());
		expect(await verifyBridge(sql, hers.person)).toEqual([]);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] passes nothing that is ill for a moment, whatever was so before and another relay carried', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		let isIll = true;
		const ill = (append: AppendRelayFacts): AppendRelayFacts => {
			return (...given) => {
				if (isIll) throw new Error('ill');
				return append(...given);
			};
		};
		const first = bridgeOf(own, { wrap: ill, faults: [] });
		const second = bridgeOf(own, { wrap: (append) => append, faults: [] });
		const amounts = async (): Promise<readonly number[]> =>
			ofKind(await own.feedOf(hers.person), 'booked').map(({ record }) => record.core.amount);
		await second.carryAll();
		for (const minor of [1, 2]) {
			await store(own, here, [await recordFact(here, { ledger, minor })]);
			await first.carryAll();
			if (minor === 1) await second.carryAll();
			own.clock.now += 60_000;
		}
		expect(await own.database.sql`select from bridge_passed`).toHaveLength(0);
		isIll = false;
		await first.carryAll();
		expect(await amounts()).toEqual([1, 2]);
		for (const bridge of [first, second]) await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] passes nothing where the database is away, or another than it was', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await own.link(here, ledger, hers);
		const faults: unknown[] = [];
		let fault: Error | undefined;
		const away = (append: AppendRelayFacts): AppendRelayFacts => {
			return (...given) => {
				if (fault !== undefined) throw fault;
				return append(...given);
			};
		};
		const bridge = bridgeOf(own, { wrap: away, faults });
		await bridge.carryAll();
		await store(own, here, [await recordFact(here, { ledger })]);
		for (const code of ['57P01', '42P01', 'CONNECTION_CLOSED'])
			for (const one of [
				Object.assign(new Error(code), { code }),
				new Error(code, { cause: { code } })
			]) {
				fault = one;
				await bridge.carryAll();
				own.clock.now += 60_000;
				await bridge.carryAll();
			}
		expect(faults.length).toBe(12);
		expect(await own.database.sql`select from bridge_passed`).toHaveLength(0);
		fault = undefined;
		await bridge.carryAll();
		expect(ofKind(await own.feedOf(hers.person), 'booked')).toHaveLength(1);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] one thing in a ledger that cannot be brought keeps nobody from being linked', async () => {
		const own = await createHostileStand();
		await own.service.close();
		const [here, hers] = [await own.shop('duka'), await own.customer('amina')];
		await store(own, here, [await recordFact(here, { ledger })]);
		const { sql } = own.database;
		const torn = here.n + 1;
		await sql`
			with head as (update feed_head set s = s + 1 where business = ${here.business} returning s)
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			select ${here.business}, ${here.code}, ${torn}::bigint, 'entry', 0, 0, '2026-11-20', 1, 'torn', 0, s
			from head`;
		await sql`
			insert into ledger_fact (business, ledger, code, n, kind)
			values (${here.business}, ${ledger}, ${here.code}, ${torn}, 'entry')`;
		await own.link(here, ledger, hers);
		const bridge = bridgeOf(own, { wrap: (append) => append, faults: [] });
		await bridge.carryAll();
		own.clock.now += 30_000;
		await bridge.carryAll();
		expect(ofKind(await own.feedOf(hers.person), 'booked')).toHaveLength(1);
		expect(await verifyBridge(sql, here.business)).toHaveLength(1);
		expect(await sql`select from bridge_state where is_behind`).toHaveLength(0);
		await bridge.close();
		await own.close();
	});

	it('[BRIDGE-20] tells as much of the goods as has room beside their record', async () => {
		const { text } = await recordFact(shop, { ledger });
		const parsed = parseFact(text);
		if (!parsed.ok || parsed.value.kind !== 'record') throw new Error('a record');
		const [record] = parsed.value.records;
		const line = {
			name: '\u0001'.repeat(200),
			quantityThousandths: 1,
			unitPriceMinor: 1,
			totalMinor: 1
		};
		const sale = {
			...parsed.value,
			kind: 'sale',
			lines: Array(50).fill(line),
			tenders: [],
			record
		};
		const { sql } = stand.database;
		const of = { branch: null, fact: sale as unknown as Fact };
		const [carry] = await carriesOf({ sql, business: shop.business, crypto }, [of]);
		if (carry?.draft.kind !== 'booked') throw new Error('it is booked');
		expect(carry.draft.more.lines?.length).toBe(33);
		const head = {
			id: '0.1-1',
			code: '0.1',
			n: 1,
			at: { wall: 0, counter: 0 },
			on: '2026-11-20',
			by: 0
		};
		expect(() => encodeFact({ ...carry.draft, ...head } as unknown as Fact)).not.toThrow();
	});
});

interface BridgeOptions {
	readonly wrap: (append: AppendRelayFacts) => AppendRelayFacts;
	readonly faults: unknown[];
	/** Hears how many feeds were locked at once. */
	readonly locked?: number[];
	readonly dayMax?: number;
	readonly folds?: NonNullable<BridgeParts['folds']>;
}

function bridgeOf(
	{ database, clock }: HostileStand,
	{ wrap, faults, locked, ...more }: BridgeOptions
): Bridge {
	const appended = { clock: () => clock.now, epoch: STAND_EPOCH, projectLedgerFacts };
	return createBridge({
		executor: database.orm,
		sql: database.sql,
		clock: () => clock.now,
		crypto,
		appendRelayFacts: wrap(createAppendRelayFacts(appended)),
		lockScopes: (transaction, scopes) => {
			locked?.push(scopes.length);
			return lockScopes(transaction, scopes);
		},
		feedMoved: () => Promise.resolve(),
		relayKey: new Uint8Array(65).fill(4),
		every: () => () => undefined,
		fault: (fault) => faults.push(fault),
		...more
	});
}

/** Stores facts as the relay does, with nobody woken. */
async function store(
	{ database: { sql } }: HostileStand,
	{ business, branch, document }: StandShop,
	facts: readonly HandFact[]
): Promise<void> {
	const read = facts.map(({ text }) => {
		const fact = parseFact(text);
		if (!fact.ok) throw new Error(fact.error);
		return { business, branch, fact: fact.value };
	});
	await sql.begin(async (tx) => {
		const [head] = await tx<{ s: string }[]>`
			update feed_head set s = s + ${facts.length} where business = ${business} returning s`;
		const first = Number(head?.s) - facts.length + 1;
		const rows = read.map(({ fact }, at) => ({
			...{ business, branch, code: fact.code, n: fact.n, kind: fact.kind, document: document() },
			...{ wall: fact.at.wall, counter: 0, on_day: fact.on, member: 1, s: first + at },
			text: facts[at]?.text ?? '',
			digest: String(BigInt.asIntN(64, digestOf(facts[at]?.text ?? '')))
		}));
		await tx`insert into fact ${tx(rows)}`;
		await createProject(crypto)(tx as never, read);
	});
}

/** The same of a person's answers. */
async function storeReplies(
	{ database: { sql } }: HostileStand,
	{ person }: StandCustomer,
	replies: readonly HandFact[]
): Promise<void> {
	for (const { id, text } of replies) {
		await sql`
			with head as (
				insert into feed_head as held (business, s) values (${person}, 1)
				on conflict (business) do update set s = held.s + 1 returning s
			)
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			select ${person}, 'p1', ${id.slice('p1-'.length)}::bigint, 'reply', 0, 0, '2026-11-20', 1,
				${text}, 0, s
			from head`;
	}
}

async function documentOf(scope: string, { code: of, n }: Fact): Promise<unknown> {
	const rows = await stand.database.sql`
		select document from fact where business = ${scope} and code = ${of} and n = ${n}`;
	return rows[0]?.['document'];
}

function bytesOf(text: string): Uint8Array {
	const bytes = decodeBase64url(text);
	if (!bytes.ok) throw new Error('no base64url');
	return bytes.value;
}
