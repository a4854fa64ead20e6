import { afterAll, beforeAll, expect, it } from 'vitest';
import { foldLedger, type LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import { ledgerEvents } from '#domain/confirmation/standing.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { LedgerId } from '#domain/ids.ts';
import { holdFact, isPersonFact } from '#domain/person/held-fact.ts';
import { saidByHash, standingFacts } from '#domain/person/said.ts';
import { shopFacts } from '#domain/person/shop-facts.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import {
	recordFact,
	replyFact,
	type HandFact,
	type HandReply
} from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	ofKind,
	type HostileStand,
	type Party,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';

let stand: HostileStand;
const crypto = createNodeCrypto();
const MINUTE_MS = 60_000;

beforeAll(async () => {
	stand = await createHostileStand();
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

async function put(by: Party, ...facts: readonly HandFact[]): Promise<void> {
	stand.clock.now += MINUTE_MS;
	expect(await stand.put(by, facts)).toBe('taken');
	await stand.settled();
}

async function answer(
	customer: StandCustomer,
	{ business }: StandShop,
	said: Omit<HandReply, 'business'>
): Promise<void> {
	await put(customer, await replyFact(customer, { business, ...said }));
}

async function connect(shop: StandShop, ledger: LedgerId, to: StandCustomer): Promise<void> {
	stand.clock.now += MINUTE_MS;
	await stand.link(shop, ledger, to);
	await stand.settled();
}

async function end(shop: StandShop, ledger: LedgerId): Promise<void> {
	stand.clock.now += MINUTE_MS;
	const body = { business: shop.business, ledger };
	expect((await stand.ask('/connections/end', { body, by: shop })).status).toBe(200);
}

const wordsOf = (sums: Partial<LedgerSums> = {}): readonly string[] =>
	[sums.confirmed, sums.waiting, sums.credited, sums.disputed, sums.total].map(String);

/** C, W, P, D and T as the shop's book has them. */
async function book({ business }: StandShop, ledger: LedgerId): Promise<readonly string[]> {
	const [row] = await stand.database.sql<Record<string, string>[]>`
		select confirmed, waiting, credited, disputed, total from balance
		where business = ${business} and ledger = ${ledger}`;
	return Object.values(row ?? {}).map(String);
}

/** The same from all that a person's phone holds. */
async function phone(
	{ person }: StandCustomer,
	{ business }: StandShop,
	ledger: LedgerId
): Promise<readonly string[]> {
	const feed = (await stand.feedOf(person)).filter(isPersonFact);
	const held = await Promise.all(feed.map((fact) => holdFact(fact, crypto)));
	const facts = shopFacts(
		{ business, ledger },
		held.filter((one) => one !== undefined)
	);
	const standing = standingFacts(facts, saidByHash(facts));
	const scope = { businessId: business, ledgerId: ledger };
	const events = ledgerEvents(standing);
	const [sums] = foldLedger(scope, { records: standing.records, events }).values();
	return wordsOf(sums);
}

it('[BRIDGE-16] who takes a ledger over under another account has the sums of the shop', async () => {
	const shop = await stand.shop('duka');
	// One woman, who lost her password and made another account.
	const [old, fresh] = [await stand.customer('amina'), await stand.customer('amina2')];
	const ledger = mintLedger();
	await connect(shop, ledger, old);
	const [refused, agreed, paid] = [
		await recordFact(shop, { ledger }),
		await recordFact(shop, { ledger, minor: 300 }),
		await recordFact(shop, { ledger, kind: 'payment', minor: 200 })
	];
	const undone = await recordFact(shop, {
		...{ ledger, kind: 'reversalOfCredit', minor: 200, ref: paid.h }
	});
	await put(shop, refused, agreed, paid, undone);
	await answer(old, shop, { ledger, h: refused.h, decision: 'cancel', reason: 'notMe' });
	await answer(old, shop, { ledger, h: agreed.h, decision: 'accept' });
	const sums = ['300', '200', '200', '500', '300'];
	expect(await book(shop, ledger)).toEqual(sums);
	expect(await phone(old, shop, ledger)).toEqual(sums);
	expect(ofKind(await stand.feedOf(old.person), 'filed')).toHaveLength(2);

	await end(shop, ledger);
	await connect(shop, ledger, fresh);
	expect(await book(shop, ledger)).toEqual(sums);
	expect(await phone(fresh, shop, ledger)).toEqual(sums);
	const told = ofKind(await stand.feedOf(shop.business), 'answered');
	const heard = ofKind(await stand.feedOf(fresh.person), 'filed');
	expect(heard.map(({ h, sig, at }) => [h, sig, at.wall])).toEqual(
		told.map(({ h, sig, at }) => [h, sig, at.wall])
	);
	expect(heard[0]?.key).toBe(encodeBase64url(old.signer.publicKey));

	// Her old phone had one more answer, which comes only now; and she takes back her no.
	await answer(old, shop, { ledger, h: undone.h, decision: 'cancel', reason: 'other' });
	await answer(fresh, shop, { ledger, h: refused.h, decision: 'accept', n: 2 });
	const after = ['800', '0', '200', '200', '600'];
	expect(await book(shop, ledger)).toEqual(after);
	expect(await phone(fresh, shop, ledger)).toEqual(after);
	expect(ofKind(await stand.feedOf(fresh.person), 'filed')).toHaveLength(4);

	// Back under her first account she is told what was answered meanwhile, and nothing of it twice.
	await end(shop, ledger);
	await connect(shop, ledger, old);
	expect(await phone(old, shop, ledger)).toEqual(after);
	expect(ofKind(await stand.feedOf(old.person), 'filed')).toHaveLength(4);
});

it('[BRIDGE-18] [CONNECT-16] what an accomplice agreed to binds nobody who is linked after him', async () => {
	const shop = await stand.shop('duka2');
	const [accomplice, amina] = [await stand.customer('second'), await stand.customer('amina3')];
	const ledger = mintLedger();
	await connect(shop, ledger, accomplice);
	const [first, second] = [
		await recordFact(shop, { ledger, minor: 9_000 }),
		await recordFact(shop, { ledger, minor: 700 })
	];
	await put(shop, first, second);
	await answer(accomplice, shop, { ledger, h: first.h, decision: 'accept' });
	// Who comes back stands there since he did first: his own yes stands for good.
	await end(shop, ledger);
	await connect(shop, ledger, accomplice);
	const links = ofKind(await stand.feedOf(shop.business), 'link').map(({ fields }) => fields);
	const [from, , back] = links;
	expect(from?.since).toBeUndefined();
	expect(back).toMatchObject({ state: 'linked', since: from?.at });
	await answer(accomplice, shop, { ledger, h: first.h, decision: 'cancel', n: 2, reason: 'other' });
	expect(await book(shop, ledger)).toEqual(['9000', '700', '0', '0', '9700']);
	expect(await phone(accomplice, shop, ledger)).toEqual(await book(shop, ledger));

	await end(shop, ledger);
	const endedAt = stand.clock.now;
	await connect(shop, ledger, amina);
	expect(ofKind(await stand.feedOf(amina.person), 'card')[1]?.fields.since).toBeUndefined();
	// He says yes to one more, now that she is there.
	await answer(accomplice, shop, { ledger, h: second.h, decision: 'accept' });
	expect(ofKind(await stand.feedOf(shop.business), 'answered').at(-1)?.at.wall).toBe(endedAt);
	const agreed = ['9700', '0', '0', '0', '9700'];
	expect(await book(shop, ledger)).toEqual(agreed);
	expect(await phone(amina, shop, ledger)).toEqual(agreed);
	for (const { h } of [first, second])
		await answer(amina, shop, { ledger, h, decision: 'cancel', n: 3, reason: 'notMe' });
	const disputed = ['0', '0', '0', '9700', '0'];
	expect(await book(shop, ledger)).toEqual(disputed);
	expect(await phone(amina, shop, ledger)).toEqual(disputed);
});

it('[BRIDGE-22] who agreed takes nothing back in the name of who is linked after him', async () => {
	const shop = await stand.shop('duka3');
	const [before, amina] = [await stand.customer('third'), await stand.customer('amina4')];
	const ledger = mintLedger();
	await connect(shop, ledger, before);
	const [signed, open] = [
		await recordFact(shop, { ledger, minor: 9_000 }),
		await recordFact(shop, { ledger, minor: 700 })
	];
	await put(shop, signed, open);
	await answer(before, shop, { ledger, h: signed.h, decision: 'accept' });
	await end(shop, ledger);
	await connect(shop, ledger, amina);
	// What he never answered he may still say no to.
	for (const { h } of [signed, open])
		await answer(before, shop, { ledger, h, decision: 'cancel', n: 2, reason: 'notMe' });
	const sums = ['9000', '0', '0', '700', '9000'];
	expect(await book(shop, ledger)).toEqual(sums);
	expect(await phone(amina, shop, ledger)).toEqual(sums);
	const heard = ofKind(await stand.feedOf(amina.person), 'filed');
	expect(heard.map(({ h, decision }) => [h, decision])).toEqual([
		[signed.h, 'accept'],
		[open.h, 'cancel']
	]);
	// She may contest it herself.
	await answer(amina, shop, { ledger, h: signed.h, decision: 'cancel', reason: 'notMe' });
	expect(await book(shop, ledger)).toEqual(['0', '0', '0', '9700', '0']);
});

it('[BRIDGE-22] a yes and a no that come together from who left are a yes', async () => {
	const shop = await stand.shop('duka4');
	const [before, amina] = [await stand.customer('fourth'), await stand.customer('amina5')];
	const ledger = mintLedger();
	await connect(shop, ledger, before);
	const due = await recordFact(shop, { ledger, minor: 9_000 });
	await put(shop, due);
	await end(shop, ledger);
	await connect(shop, ledger, amina);
	const { business } = shop;
	const said = { business, ledger, h: due.h } as const;
	await put(
		before,
		await replyFact(before, { ...said, decision: 'accept' }),
		await replyFact(before, { ...said, decision: 'cancel', n: 2, reason: 'notMe' })
	);
	const sums = ['9000', '0', '0', '0', '9000'];
	expect(await book(shop, ledger)).toEqual(sums);
	expect(await phone(amina, shop, ledger)).toEqual(sums);
});
