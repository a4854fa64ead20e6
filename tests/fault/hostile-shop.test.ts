import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sheetCheck } from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { SHEET_CODES } from '#domain/fact/ledger-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import {
	claimFact,
	factAs,
	handFact,
	recordFact,
	replyFact,
	uuidV7,
	type HandClaim,
	type HandRecord,
	type HandRecordFact
} from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	ofKind,
	STAND_EPOCH,
	type HostileStand,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { giveStandSheet, type StandSheet } from '#tests/support/stand-sheet.ts';
import { createTestKey } from '#tests/support/people-stand.ts';

/** What a shop's own program would never do, and a changed one may: said to the relay as it stands. */
let stand: HostileStand;
let shop: StandShop;
let amina: StandCustomer;
let ledger: LedgerId;
let round = 0;
const crypto = createNodeCrypto();
const CAP = 1_000;
const DAY_MS = 86_400_000;

beforeAll(async () => {
	stand = await createHostileStand();
});
beforeEach(async () => {
	round += 1;
	shop = await stand.shop(`shop${String(round)}`);
	amina = await stand.customer(`amina${String(round)}`);
	ledger = mintLedger();
	await stand.link(shop, ledger, amina);
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** A record in the shop's journal, brought to its customer. */
async function book(
	draft: Partial<HandRecord> = {},
	by: StandShop = shop
): Promise<HandRecordFact> {
	const fact = await recordFact(by, { ledger, ...draft });
	expect(await stand.put(by, [fact])).toBe('taken');
	return fact;
}

/** Hands in a claim, and answers what the relay's last verdict says. */
async function present(claim: HandClaim, by: StandShop = shop): Promise<string> {
	const before = (await verdicts(by)).length;
	expect(await stand.put(by, [await claimFact(by, claim)])).toBe('taken');
	await stand.settled();
	const all = await verdicts(by);
	return all.length === before ? 'none' : (all.at(-1)?.verdict.result ?? 'none');
}

async function verdicts(by: StandShop = shop) {
	return ofKind(await stand.feedOf(by.business), 'verdict');
}

async function judged(who: StandCustomer = amina) {
	return ofKind(await stand.feedOf(who.person), 'judged');
}

function newSheet(): Promise<StandSheet> {
	return giveStandSheet(stand, { shop, ledger, customer: amina, cap: CAP });
}

function sheet(h: RecordHash, { codes }: StandSheet, counter: number): HandClaim {
	return { h, way: 'sheet', code: codes[counter] ?? '', counter };
}

describe('codes that nobody told', () => {
	it('[JUDGE-6] guessed by the check values: three tries, then a lock, and the customer hears of each', async () => {
		const given = await newSheet();
		const { h } = await book();
		const told = ofKind(await stand.feedOf(shop.business), 'sheet').at(-1)?.fields.open ?? [];
		expect(told).toHaveLength(SHEET_CODES);
		const guesses = await fitting(given, told[0]?.[1] ?? -1, 3);
		const results = [];
		for (const guess of guesses) {
			results.push(await present({ h, way: 'sheet', code: guess, counter: 0 }));
		}
		expect(results).toEqual(['wrong', 'wrong', 'wrong']);
		expect(await present(sheet(h, given, 0))).toBe('locked');
		expect((await judged()).map(({ verdict }) => verdict.result)).toEqual([
			'wrong',
			'wrong',
			'wrong',
			'locked'
		]);
		expect((await judged()).map(({ wrong }) => wrong)).toEqual([1, 2, 3, 3]);

		// Only she opens it again, and what was guessed at is worth nothing by then.
		const again = await newSheet();
		expect(await present(sheet((await book()).h, given, 1))).toBe('revoked');
		expect(await present(sheet(h, again, 0))).toBe('ok');
	});

	/** Codes whose ten bits are those of the counter's code, and that are not the code. */
	async function fitting({ codes, scope, info }: StandSheet, check: number, count: number) {
		const found: string[] = [];
		for (let guess = 0; found.length < count; guess += 1) {
			const digits = String(guess).padStart(8, '0');
			const own = await sheetCheck(scope, { info, counter: 0, digits }, crypto);
			if (own === check && digits !== codes[0]) found.push(digits);
		}
		return found;
	}

	it('[CODES-2] [CODES-10] are not to be had from the routes that make and send them', async () => {
		const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap: CAP };
		const name = { business: shop.business, ledger };
		const path = `/people/${amina.person}`;
		for (const by of [
			shop,
			{ headers: shop.session },
			await stand.customer(`bob${String(round)}`)
		]) {
			const secret = await stand.ask(`${path}/secrets`, { by });
			const made = await stand.ask(`${path}/sheets`, { body: { ...name, ...worth }, by });
			expect([401, 404]).toContain(secret.status);
			expect([401, 404]).toContain(made.status);
		}
		const own = await stand.ask(`/ledgers/${ledger}/sheets/sms`, {
			body: { currency: 'KES', exponent: 2, cap: CAP },
			by: shop
		});
		expect(own.body['code']).toBe('notLinked');
		expect(ofKind(await stand.feedOf(shop.business), 'sheet')).toEqual([]);
	});
});

describe('a right code', () => {
	it('[JUDGE-5] said to be over the limit and kept for later is spent', async () => {
		const given = await newSheet();
		expect(await present(sheet((await book({ minor: CAP + 1 })).h, given, 0))).toBe('overTheCap');
		expect(await present(sheet((await book({ minor: 5 })).h, given, 0))).toBe('used');
		expect((await judged()).map(({ verdict }) => verdict.result)).toEqual(['overTheCap', 'used']);
	});

	it('[JUDGE-5] is for one record: another amount under the same record’s id gets nothing', async () => {
		const given = await newSheet();
		const record = uuidV7();
		const agreed = await book({ minor: 100, record });
		expect(await present(sheet(agreed.h, given, 0))).toBe('ok');
		const raised = await book({ minor: 900, record });
		expect(raised.h).not.toBe(agreed.h);
		expect(await present(sheet(raised.h, given, 0))).toBe('used');
		await stand.settled();
		// She has both, and sees the one that she did not agree to.
		const booked = ofKind(await stand.feedOf(amina.person), 'booked');
		expect(booked.map(({ record: { core } }) => core.amount)).toEqual([100, 900]);
		expect(await balanceOf(shop)).toEqual({ confirmed: '100', waiting: '900' });
	});

	it('[RELAY-21] is no use for a record whose fact is rewritten: that is a fork', async () => {
		const first = await book({ minor: 100 });
		shop.n -= 1;
		const rewritten = await recordFact(shop, { ledger, minor: 900 });
		expect(rewritten.id).toBe(first.id);
		expect(await stand.put(shop, [rewritten])).toBe('fork');
		await stand.settled();
		expect(ofKind(await stand.feedOf(amina.person), 'booked')).toHaveLength(1);
	});

	it('[JUDGE-10] confirms no record of another customer', async () => {
		const given = await newSheet();
		const bob = await stand.customer(`bob${String(round)}`);
		const bobs = mintLedger();
		await stand.link(shop, bobs, bob);
		const { h } = await book({ ledger: bobs });
		expect(await present(sheet(h, given, 0))).toBe('wrong');
		expect((await judged(bob)).map(({ verdict }) => verdict.result)).toEqual(['wrong']);
		expect(await judged()).toEqual([]);
		expect(await present(sheet((await book()).h, given, 0))).toBe('ok');
	});

	it('[JUDGE-10] opens nothing at another business that has the same ledger id', async () => {
		const given = await newSheet();
		const thief = await stand.shop(`thief${String(round)}`);
		const own = await book({}, thief);
		expect(['wrong', 'notLinked']).toContain(await present(sheet(own.h, given, 0), thief));
		const { h, text } = await book();
		expect(await present(sheet(h, given, 0), thief)).toBe('none');
		// Nor does the record itself count there, as it was signed or signed anew.
		const copied = JSON.parse(text) as unknown[];
		const copy = handFact(thief, 'record', copied[6]);
		expect(await stand.put(thief, [copy])).toBe('recordUnsigned');
		const signedAnew = await recordFact(thief, { ledger, business: shop.business });
		expect(await stand.put(thief, [signedAnew])).toBe('recordOfAnother');

		expect(await present(sheet(h, given, 0))).toBe('ok');
		const seen = ofKind(await stand.feedOf(amina.person), 'booked');
		expect(seen.map(({ businessId }) => businessId)).toEqual([shop.business]);
	});

	it('[JUDGE-3] claimed again by the same claim gets no second verdict, under whatever fact', async () => {
		const given = await newSheet();
		const { h } = await book();
		const claim = await claimFact(shop, sheet(h, given, 0));
		expect(await stand.put(shop, [claim])).toBe('taken');
		const [, , , , , , object, sig] = JSON.parse(claim.text) as unknown[];
		expect(await stand.put(shop, [handFact(shop, 'claim', object, sig)])).toBe('taken');
		await stand.settled();
		expect((await verdicts()).map(({ verdict }) => verdict.result)).toEqual(['ok']);
		expect(await judged()).toHaveLength(1);
		// A claim that another device signed is not his who copied it.
		const thief = await stand.shop(`thief${String(round)}`);
		expect(await stand.put(thief, [handFact(thief, 'claim', object, sig)])).toBe('claimUnsigned');
	});
});

describe('claims that nobody made', () => {
	it('[RELAY-7] bear the device’s own key and code, or are refused', async () => {
		const { h } = await book();
		const claim: HandClaim = { h, way: 'sheet', code: '00000000', counter: 0 };
		const stranger = await createTestKey();
		expect(await stand.put(shop, [await claimFact(shop, claim, stranger)])).toBe('claimUnsigned');
		const ofB = { ...claim, d: 'B' as never };
		expect(await stand.put(shop, [await claimFact(shop, ofB)])).toBe('claimOfAnother');
		const record = await recordFact(shop, { ledger, signer: stranger });
		expect(await stand.put(shop, [record])).toBe('recordUnsigned');
		await stand.settled();
		expect(await verdicts()).toEqual([]);
	});
});

describe('what the relay alone says', () => {
	it('[RELAY-8] is not taken from a device, under its own name or the relay’s', async () => {
		const given = await newSheet();
		const { h } = await book();
		await present(sheet(h, given, 0));
		const feed = await stand.feedOf(shop.business);
		const said = feed.filter(({ code: by }) => by.startsWith('0.'));
		const kinds = ['link', 'sheet', 'verdict', 'member', 'device'];
		expect(new Set(said.map(({ kind }) => kind))).toEqual(new Set(kinds));
		const answered = factAs({ code: '0.1', clock: stand.clock }, 900, [
			'answered',
			...[ledger, h, 'accept', 1, stand.clock.now, 'A'.repeat(86), 'A'.repeat(87), 0, '']
		]);
		const texts = [...said.map(encodeFact), answered.text];
		for (const text of texts) {
			const [, kind, , , , , ...body] = JSON.parse(text) as unknown[];
			const asOwn = await stand.put(shop, [handFact(shop, String(kind), ...body)]);
			expect([kind, asOwn]).toEqual([kind, expect.stringMatching(REFUSED)]);
			const asRelay = factAs({ code: '0.1', clock: stand.clock }, 900, [kind, ...body]);
			expect([kind, await stand.put(shop, [asRelay])]).toEqual([kind, 'forgery']);
		}
		// A verdict that was said once, said again by the shop.
		const verdict = ofKind(feed, 'verdict').at(-1);
		if (verdict === undefined) throw new Error('it was judged');
		const replayed = { id: verdict.id, text: encodeFact(verdict) };
		expect(await stand.put(shop, [replayed])).toBe('forgery');
		await stand.settled();
		expect(await stand.feedOf(shop.business)).toHaveLength(feed.length);
	});

	it('[RELAY-8] is not taken from a phone', async () => {
		const { h } = await book();
		await stand.settled();
		const feed = await stand.feedOf(amina.person);
		const filed = [shop.business, ledger, h, 'accept', 1, stand.clock.now];
		const filedText = JSON.stringify(['', 'filed', 0, 0, 0, 0, ...filed, 'A'.repeat(86)]);
		const texts = [
			...feed.filter(({ code: by }) => by.startsWith('0.')).map(encodeFact),
			filedText
		];
		expect(texts.length).toBeGreaterThan(2);
		for (const text of texts) {
			const [, kind, , , , , ...body] = JSON.parse(text) as unknown[];
			const asOwn = await stand.put(amina, [handFact(amina, String(kind), ...body)]);
			expect([kind, asOwn]).toEqual([kind, expect.stringMatching(REFUSED)]);
			const asRelay = factAs({ code: '0.1', clock: stand.clock }, 900, [kind, ...body]);
			expect([kind, await stand.put(amina, [asRelay])]).toEqual([kind, 'forgery']);
		}
		expect(await stand.feedOf(amina.person)).toHaveLength(feed.length);
	});

	/** A kind that is not this author's is none that the form knows of, or none that he may write. */
	const REFUSED = /^(badBody|badHead|notYourKind)$/;
});

describe('a customer’s answer', () => {
	it('[RELAY-7] signed by another key, or by another of her phones, is refused', async () => {
		const { h } = await book();
		const answer = { business: shop.business, ledger, h, decision: 'accept' } as const;
		const forged = await replyFact(amina, answer, shop.signer);
		expect(await stand.put(amina, [forged])).toBe('answerUnsigned');
		const [, , , , , , ...body] = JSON.parse((await replyFact(amina, answer)).text) as unknown[];
		// What was signed for one decision does not stand for the other.
		const turned = body.map((part) => (part === 'accept' ? 'cancel' : part));
		expect(await stand.put(amina, [handFact(amina, 'reply', ...turned)])).toBe('answerUnsigned');
		await stand.settled();
		expect(ofKind(await stand.feedOf(shop.business), 'answered')).toEqual([]);
	});

	it('[BRIDGE-22] contests nothing that a code confirmed once her days are over, in the days of who follows her', async () => {
		const given = await newSheet();
		const [long, late] = [await book({ minor: 900 }), await book({ minor: 700 })];
		expect(await present(sheet(long.h, given, 0))).toBe('ok');
		stand.clock.now += 20 * DAY_MS;
		expect(await present(sheet(late.h, given, 1))).toBe('ok');
		const { business } = shop;
		const ended = await stand.ask('/connections/end', { body: { business, ledger }, by: shop });
		expect(ended.status).toBe(200);
		stand.clock.now += DAY_MS;
		await stand.link(shop, ledger, await stand.customer(`bob${String(round)}`));
		stand.clock.now += DAY_MS;
		await sayNo(long, late);
		expect(await disputedOf(shop)).toEqual({ confirmed: '900', disputed: '700', total: '900' });
	});

	it('[BRIDGE-22] contests nothing that she agreed to on a statement, in the days of who follows her', async () => {
		const given = await newSheet();
		const [coded, signed, late] = [
			await book({ minor: 900 }),
			await book({ minor: 50 }),
			await book({ minor: 3 })
		];
		const page = await book({ kind: 'statement', minor: 900, list: [coded.h] });
		expect(await present(sheet(page.h, given, 0))).toBe('ok');
		const agreed = await book({ kind: 'statement', minor: 50, list: [signed.h] });
		const { business } = shop;
		const yes = { business, ledger, h: agreed.h, decision: 'accept' } as const;
		expect(await stand.put(amina, [await replyFact(amina, yes)])).toBe('taken');
		stand.clock.now += 20 * DAY_MS;
		const ended = await stand.ask('/connections/end', { body: { business, ledger }, by: shop });
		expect(ended.status).toBe(200);
		await stand.link(shop, ledger, await stand.customer(`bob${String(round)}`));
		stand.clock.now += DAY_MS;
		await sayNo(coded, signed, late);
		expect(await disputedOf(shop)).toEqual({ confirmed: '950', disputed: '3', total: '950' });
	});

	it('[BRIDGE-4] is not given by somebody else, nor by a shop’s device', async () => {
		const { h } = await book();
		const bob = await stand.customer(`bob${String(round)}`);
		await stand.link(shop, mintLedger(), bob);
		const answer = { business: shop.business, ledger, h, decision: 'accept' } as const;
		expect(await stand.put(bob, [await replyFact(bob, answer)])).toBe('taken');
		const byShop = await replyFact(shop, answer);
		expect(await stand.put(shop, [byShop])).not.toBe('taken');
		await stand.settled();
		expect(ofKind(await stand.feedOf(shop.business), 'answered')).toEqual([]);
		expect(ofKind(await stand.feedOf(bob.person), 'filed')).toEqual([]);
		expect(await balanceOf(shop)).toEqual({ confirmed: '0', waiting: '500' });

		expect(await stand.put(amina, [await replyFact(amina, answer)])).toBe('taken');
		await stand.settled();
		expect(ofKind(await stand.feedOf(shop.business), 'answered')).toHaveLength(1);
		expect(await balanceOf(shop)).toEqual({ confirmed: '500', waiting: '0' });
	});
});

describe('what is not one’s own', () => {
	it('[RELAY-9] [FEED-5] no document of another shop, customer or side is opened', async () => {
		const thief = await stand.shop(`thief${String(round)}`);
		const bob = await stand.customer(`bob${String(round)}`);
		const year = String(new Date(stand.clock.now).getUTCFullYear());
		const hers = [`s/${amina.person}/${year}`, amina.document()];
		const tries = [
			...[shop.document(), shop.document().replace('j/', 'o/'), ...hers].map(
				(document) => [thief, document] as const
			),
			...[shop.document(), ...hers].map((document) => [bob, document] as const),
			...hers.map((document) => [shop, document] as const),
			[amina, shop.document()] as const,
			[thief, thief.document().replace(thief.branch, shop.branch)] as const
		];
		for (const [by, document] of tries) {
			expect([document, await stand.put(by, [], document)]).toEqual([document, 'documentClosed']);
		}
		// Her own side she reads, and does not write.
		const reply = handFact(amina, 'seen', stand.clock.now);
		expect(await stand.put(amina, [reply], hers[0])).toBe('notYourKind');
		expect(await stand.put(amina, [handFact(amina, 'seen', stand.clock.now)])).toBe('taken');
	});

	it('[FEED-1] nothing of others stands in a feed', async () => {
		const thief = await stand.shop(`thief${String(round)}`);
		const bob = await stand.customer(`bob${String(round)}`);
		await stand.link(thief, ledger, bob);
		await book({ note: 'nobody else reads this' });
		await book({ note: 'of the thief alone' }, thief);
		await stand.settled();
		const feedOf = async (by: StandShop | StandCustomer): Promise<string> => {
			const path = `/feed?epoch=${String(STAND_EPOCH)}&after=0`;
			const [feed, history] = await Promise.all([
				stand.ask(path, { by }),
				stand.ask('/history?before=100000', { by })
			]);
			expect([feed.status, history.status]).toEqual([200, 200]);
			return feed.text + history.text;
		};
		const [ours, hers, his, bobs] = await Promise.all([shop, amina, thief, bob].map(feedOf));
		expect(ours).toContain('nobody else reads this');
		expect(hers).toContain('nobody else reads this');
		for (const text of [his, bobs]) {
			expect(text).toContain('of the thief alone');
			for (const mark of ['nobody else', shop.business, amina.person, amina.username]) {
				expect(text).not.toContain(mark);
			}
		}
		expect(ours).not.toContain('of the thief');
		const checkpoint = await stand.ask(`/checkpoint?branch=${shop.branch}`, { by: thief });
		expect(checkpoint.body['code']).toBe('branchUnknown');
		expect((await stand.ask('/checkpoint', { by: amina })).status).toBe(401);
	});
});

/** She contests them, one after the other. */
async function sayNo(...records: readonly HandRecordFact[]): Promise<void> {
	const { business } = shop;
	for (const { h } of records) {
		const no = { business, ledger, h, decision: 'cancel', reason: 'notMe' } as const;
		expect(await stand.put(amina, [await replyFact(amina, no)])).toBe('taken');
	}
	await stand.settled();
}

/** What is agreed to, and what was contested beside it. */
async function disputedOf({ business }: StandShop) {
	const [row] = await stand.database.sql<Record<string, string>[]>`
		select confirmed, disputed, total from balance
		where business = ${business} and ledger = ${ledger}`;
	return row;
}

async function balanceOf({ business }: StandShop) {
	const [row] = await stand.database.sql<{ confirmed: string; waiting: string }[]>`
		select confirmed, waiting from balance where business = ${business} and ledger = ${ledger}`;
	return { ...row };
}
