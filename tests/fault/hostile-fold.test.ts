import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import {
	claimFact,
	recordFact,
	replyFact,
	type HandRecord,
	type PutOutcome
} from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	ofKind,
	type HostileStand,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';

/** A shop that makes a ledger long, and then has it folded again and again. */
const RECORDS = 2_000;
/** So often it may be, while the clock stands. */
const TIMES = 8;
const LIMITS = { atOnce: RECORDS * TIMES, eachSecond: 100 };
/** Until all that was folded has had its time. */
const PAID_MS = ((2 * LIMITS.atOnce) / LIMITS.eachSecond) * 1_000;
let stand: HostileStand;
let shop: StandShop;
let other: StandShop;
let amina: StandCustomer;
let ledger: LedgerId;
let elsewhere: LedgerId;
let round = 0;

beforeAll(async () => {
	stand = await createHostileStand({ foldLimits: LIMITS });
});
beforeEach(async () => {
	round += 1;
	shop = await stand.shop(`shop${String(round)}`);
	other = await stand.shop(`other${String(round)}`);
	amina = await stand.customer(`amina${String(round)}`);
	ledger = mintLedger();
	elsewhere = mintLedger();
	await stand.link(shop, ledger, amina);
	await stand.link(other, elsewhere, amina);
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

async function put(by: StandShop, draft: Partial<HandRecord>): Promise<PutOutcome> {
	const of = by === shop ? ledger : elsewhere;
	return stand.put(by, [await recordFact(by, { ledger: of, ...draft })]);
}

async function grow(): Promise<void> {
	await stand.database.sql`
		insert into record (business, ledger, h, code, n, kind, currency, exponent, amount,
			occurred_at, on_day, record, wall, counter)
		select ${shop.business}, ${ledger},
			rtrim(translate(encode(sha256(i::text::bytea), 'base64'), '+/', '-_'), '='),
			'A', 1000000 + i, 'due', 'KES', 2, 1, 1, '2026-11-20', gen_random_uuid(), 1, 0
		from generate_series(1, ${RECORDS}) as i`;
}

/** Reversals, each folding the ledger, until one is refused: how many were taken. */
async function foldUntilRefused(h: RecordHash): Promise<number> {
	for (let taken = 0; taken <= 2 * TIMES; taken += 1) {
		const outcome = await put(shop, { kind: 'reversalOfDebit', ref: h, minor: 1 });
		if (outcome === 'tooMany') return taken;
		expect(outcome).toBe('taken');
		// Somebody else is decided in between, also what folds a ledger of his.
		expect(await put(other, { kind: 'openingDebit' })).toBe('taken');
	}
	return Infinity;
}

async function waiting(): Promise<string> {
	const [row] = await stand.database.sql<{ waiting: string }[]>`
		select waiting from balance where business = ${shop.business} and ledger = ${ledger}`;
	return row?.waiting ?? '';
}

it('[PROJ-14] [RELAY-82] a long ledger costs its own shop: what adds is taken, what folds is held back, nobody else waits', async () => {
	await grow();
	const first = await recordFact(shop, { ledger, minor: 100 });
	const named = await recordFact(shop, { ledger, minor: 7 });
	expect(await stand.put(shop, [first])).toBe('taken');
	expect(await put(shop, { kind: 'credit', ref: named.h, minor: 3 })).toBe('taken');
	// Each of these would be as dear as one that names another, did it not only add.
	for (let at = 0; at < 2 * TIMES; at += 1) expect(await put(shop, { minor: 1 })).toBe('taken');
	expect(await foldUntilRefused(first.h)).toBe(TIMES - 2);

	expect(await put(shop, { minor: 1 })).toBe('taken');
	for (const draft of [
		{ kind: 'statement', list: [first.h] },
		{ kind: 'reversalOfDebit', ref: first.h },
		{ kind: 'openingDebit' }
	] as const) {
		expect(await put(shop, draft)).toBe('tooMany');
	}
	expect(await stand.put(shop, [named])).toBe('tooMany');
	const due = 100 - (TIMES - 2) + 2 * TIMES + 1 + RECORDS;
	expect(await waiting()).toBe(String(due));

	stand.clock.now += PAID_MS;
	expect(await stand.put(shop, [named])).toBe('taken');
	expect(await waiting()).toBe(String(due + 7));
});

it('[RELAY-82] what is answered and claimed there waits for a later look, and elsewhere for nothing', async () => {
	const book = async (by: StandShop, of: LedgerId): Promise<RecordHash> => {
		const fact = await recordFact(by, { ledger: of });
		expect(await stand.put(by, [fact])).toBe('taken');
		return fact.h;
	};
	const h = await book(shop, ledger);
	const there = await book(other, elsewhere);
	await stand.settled();
	await grow();
	await foldUntilRefused(h);

	const answers = [
		await replyFact(amina, { business: shop.business, ledger, h, decision: 'cancel' }),
		await replyFact(amina, {
			business: other.business,
			ledger: elsewhere,
			h: there,
			decision: 'accept'
		})
	];
	expect(await stand.put(amina, answers)).toBe('taken');
	const claim = { way: 'sheet', code: '12345678', counter: 0 } as const;
	expect(await stand.put(shop, [await claimFact(shop, { ...claim, h })])).toBe('taken');
	expect(await stand.put(other, [await claimFact(other, { ...claim, h: there })])).toBe('taken');
	await until(async () => (await heard(other.business)) === 'answered, verdict');
	expect(await heard(shop.business)).toBe('');

	stand.clock.now += PAID_MS;
	// Any commit wakes who waits.
	await book(other, elsewhere);
	await until(async () => (await heard(shop.business)) === 'answered, verdict');
});

/** What came of answers and claims at a shop. */
async function heard(business: BusinessId): Promise<string> {
	const facts = await stand.feedOf(business);
	const all = [...ofKind(facts, 'answered'), ...ofKind(facts, 'verdict')];
	return all.map(({ kind }) => kind).join(', ');
}
