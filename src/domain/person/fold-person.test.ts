import { beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { businessDayOf, dayNumber } from '#domain/calendar.ts';
import { COUNTERS_PER_PHONE } from '#domain/confirmation/codes.ts';
import { foldLedger, type LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { ledgerEvents, type LedgerSaying } from '#domain/confirmation/standing.ts';
import type { Signer } from '#domain/crypto.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { FactRecord } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { recordHash } from '#domain/confirmation/record-hash.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '#state/web-crypto.ts';
import {
	createCustomerStand,
	STAND_NOW,
	type CustomerStand,
	type JudgedBy
} from '#tests/support/customer-stand.ts';
import { seeded } from '#tests/support/seeded.ts';
import { createPersonFold, foldPerson, type Looking } from './fold-person.ts';
import { checkRecord, holdFact, isPersonFact, type HeldFact } from './held-fact.ts';
import { shopFacts, shopKeys } from './shop-facts.ts';
import { statementOf } from './statement.ts';
import type { PersonView, RecordView, ShopView } from './view.ts';

const crypto = createWebCrypto();
const DAY_MS = 86_400_000;
const LOOKING: Looking = { nowMs: STAND_NOW + 3_600_000, readUpTo: 0, newer: 0 };

let shopSigner: Signer;
beforeAll(async () => {
	shopSigner = await createSigner(await createSigningKeys());
});

async function heldOf(texts: readonly string[]): Promise<readonly HeldFact[]> {
	const held: HeldFact[] = [];
	for (const text of texts) {
		const parsed = parseFact(text);
		if (!parsed.ok || !isPersonFact(parsed.value)) throw new Error(`no person's fact: ${text}`);
		const one = await holdFact(parsed.value, crypto);
		if (one !== undefined) held.push(one);
	}
	const cards = held.filter((one) => one.kind === 'card');
	return Promise.all(
		held.map((one) =>
			one.kind === 'record' ? checkRecord(one, shopKeys(cards), crypto) : Promise.resolve(one)
		)
	);
}

async function viewOf(stand: CustomerStand, looking: Partial<Looking> = {}): Promise<PersonView> {
	return foldPerson(await heldOf(stand.texts), { ...LOOKING, ...looking });
}

function onlyShop({ shops }: PersonView): ShopView {
	const [shop] = shops;
	if (shop === undefined) throw new Error('no shop');
	return shop;
}

function recordOf(view: PersonView, h: RecordHash): RecordView {
	const record = onlyShop(view).records.find((one) => one.h === h);
	if (record === undefined) throw new Error('no such record');
	return record;
}

let replyN = 0;
/** An answer as a phone writes it; nobody here looks at its signature. */
function reply(
	stand: CustomerStand,
	h: RecordHash,
	{
		decision = 'accept',
		n = 1,
		at = stand.now + 1_000,
		reason = 0,
		phone = 1
	}: {
		decision?: 'accept' | 'cancel';
		n?: number;
		at?: number;
		reason?: 0 | string;
		phone?: number;
	} = {}
): string {
	replyN += 1;
	const bytes = new Uint8Array(64);
	new DataView(bytes.buffer).setUint32(0, replyN);
	const sig = encodeBase64url(bytes);
	const day = dayNumber('2026-11-20');
	const kid = encodeBase64url(new Uint8Array(8));
	const head = [`p${String(phone)}-${String(replyN)}`, 'reply', at, 0, day, 1];
	const why = decision === 'cancel' && reason === 0 ? 'wrongAmount' : reason;
	const body = [stand.business, stand.ledger, h, decision, n, at, sig, kid, why, ''];
	return JSON.stringify([...head, ...body]);
}

const newStand = (number = 1): Promise<CustomerStand> =>
	createCustomerStand({ number, signer: shopSigner });

/** The sums as the shop's own facts have them. */
async function shopSums(stand: CustomerStand): Promise<ReadonlyMap<string, LedgerSums>> {
	const facts = stand.shopTexts.map((text) => {
		const parsed = parseFact(text);
		if (!parsed.ok) throw new Error('no fact');
		return parsed.value;
	});
	const records = [];
	const sayings: LedgerSaying[] = [];
	for (const fact of facts) {
		const effects = effectsOf(fact);
		for (const record of effects.records)
			records.push({ ...(await standing(record)), list: effects.list });
		for (const saying of effects.sayings) sayings.push(saying);
	}
	const spans = [{ from: 0, to: null, way: 'app' as const }];
	const events = ledgerEvents({ records, sayings, spans });
	const scope = { businessId: stand.business, ledgerId: stand.ledger };
	return foldLedger(scope, { records, events });
}

async function standing({ core, rest, signed }: FactRecord) {
	const h = await recordHash(signed.a, crypto);
	return { ...core, h, ...(rest.ref !== undefined && { ref: rest.ref }) };
}

/** A ledger in which everything happens, as chance has it. */
async function randomLedger(seed: number): Promise<CustomerStand> {
	const stand = await newStand();
	stand.card();
	const play: Play = { stand, random: seeded(seed), debits: [], credits: [], others: [], epoch: 1 };
	for (let step = 0; step < 30; step += 1) await ACTS[play.random(ACTS.length)]?.(play);
	return stand;
}

interface Play {
	readonly stand: CustomerStand;
	readonly random: (limit: number) => number;
	readonly debits: RecordHash[];
	readonly credits: RecordHash[];
	readonly others: RecordHash[];
	epoch: number;
}

const minorOf = ({ random }: Play): number => 100 * (1 + random(50));
const pick = ({ random }: Play, from: readonly RecordHash[]): RecordHash | undefined =>
	from[random(from.length)];

async function writeDue(play: Play): Promise<void> {
	const { stand, random, debits } = play;
	const due = random(2) === 0 ? {} : { due: STAND_NOW + (random(20) - 10) * DAY_MS };
	debits.push(await stand.book({ kind: 'due', minor: minorOf(play), ...due }));
}

async function writeLink(play: Play): Promise<void> {
	const { stand, random, debits, credits, others } = play;
	const minor = minorOf(play);
	const debit = pick(play, debits);
	const credit = pick(play, credits);
	const kind = random(3);
	if (kind === 0 && debit !== undefined)
		others.push(await stand.book({ kind: 'reversalOfDebit', minor, ref: debit }));
	if (kind === 1 && credit !== undefined)
		debits.push(await stand.book({ kind: 'reversalOfCredit', minor, ref: credit }));
	if (kind === 2 && debit !== undefined)
		credits.push(await stand.book({ kind: 'credit', minor, ref: debit }));
}

function answerOne(play: Play): Promise<void> {
	const { stand, random, debits, credits, others } = play;
	const h = pick(play, [...debits, ...credits, ...others]);
	if (h === undefined) return Promise.resolve();
	const decision = random(2) === 0 ? 'accept' : 'cancel';
	const text = reply(stand, h, { decision, n: 1 + random(3) });
	if (random(2) === 0) stand.texts.push(text);
	stand.file(text);
	return Promise.resolve();
}

function judgeOne(play: Play): Promise<void> {
	const debit = pick(play, play.debits);
	const code: JudgedBy =
		play.random(2) === 0
			? { way: 'sheet', counter: play.random(2) }
			: { way: 'app', counter: COUNTERS_PER_PHONE + play.random(3) };
	if (debit !== undefined) play.stand.judge(debit, play.random(3) === 0 ? 'wrong' : 'ok', code);
	return Promise.resolve();
}

const ACTS: readonly ((play: Play) => Promise<void>)[] = [
	writeDue,
	writeDue,
	async (play) => {
		play.credits.push(await play.stand.book({ kind: 'payment', minor: minorOf(play) }));
	},
	writeLink,
	writeLink,
	answerOne,
	answerOne,
	judgeOne,
	judgeOne,
	async (play) => {
		const list = [...new Set([pick(play, play.debits), pick(play, play.debits)])].filter(
			(h) => h !== undefined
		);
		if (list.length > 0)
			play.others.push(
				await play.stand.book({ kind: 'statement', minor: minorOf(play), more: { list } })
			);
	},
	async (play) => {
		await play.stand.book({ kind: 'due', minor: minorOf(play), currency: 'USD' });
	},
	(play) => {
		const { stand, random } = play;
		stand.card({ shop: `Shop ${String(random(100))}`, decimals: random(3) });
		play.epoch += random(2);
		stand.codes({ epoch: play.epoch, open: [random(9), 10], used: [11] });
		return Promise.resolve();
	},
	(play) => {
		const debit = pick(play, play.debits);
		const dueMs = STAND_NOW + (play.random(20) - 10) * DAY_MS;
		if (debit !== undefined) play.stand.tell(['dueMove', debit, dueMs, 'asked']);
		return Promise.resolve();
	}
];

describe.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('seed %i', (seed) => {
	it('[PERSON-1] any order and repetition gives the same view, at once or as they come', async () => {
		const stand = await randomLedger(seed);
		const held = await heldOf(stand.texts);
		const expected = foldPerson(held, LOOKING);
		const random = seeded(seed + 1_000);
		const shuffled = [...held, ...held.filter(() => random(3) === 0)]
			.map((one) => ({ one, place: random(1_000_000) }))
			.toSorted((a, b) => a.place - b.place)
			.map(({ one }) => one);
		const fold = createPersonFold();
		for (const one of shuffled) {
			fold.add([one]);
			if (random(4) === 0) fold.view(LOOKING);
		}
		expect(fold.view(LOOKING)).toEqual(expected);
		expect(onlyShop(expected).records.length).toBeGreaterThan(5);
	});

	it('[PERSON-2] the numbers are those of the shop’s own book', async () => {
		const stand = await randomLedger(seed);
		const shop = onlyShop(await viewOf(stand));
		const sums = await shopSums(stand);
		for (const [key, expected] of sums) {
			const total = shop.totals.find(
				({ currency, exponent }) => `${currency}/${String(exponent)}` === key
			);
			expect(total).toMatchObject(expected);
		}
		expect(sums.size).toBeGreaterThan(0);
	});

	it('[PERSON-7] the effects sum to the big number, in the statement and in the months', async () => {
		const stand = await randomLedger(seed);
		const shop = onlyShop(await viewOf(stand));
		for (const { currency, exponent, total } of shop.totals) {
			const of = { currency, exponent, from: '2026-11-20', to: '2026-11-20' };
			const statement = statementOf(shop, of);
			expect(statement.closingMinor).toBe(total);
			expect(statement.tookMinor - statement.paidMinor).toBe(total);
			const months = shop.months.find((one) => one.currency === currency)?.months ?? [];
			expect(months.at(-1)?.balanceMinor ?? 0n).toBe(total);
		}
	});
});

describe('person', () => {
	it('[PERSON-3] a record that the shop did not sign counts nowhere, an unknown key is flagged', async () => {
		const stand = await newStand();
		const thief = await createSigner(await createSigningKeys());
		// The thief names the shop's key, and signs with his own.
		const forger: Signer = { ...thief, kid: shopSigner.kid };
		stand.card();
		const right = await stand.book({ kind: 'due', minor: 500 });
		const forged = await stand.book({ kind: 'due', minor: 900, signer: forger });
		const unknown = await stand.book({ kind: 'due', minor: 70, signer: thief });
		const view = await viewOf(stand);
		const shop = onlyShop(view);
		expect(shop.totals[0]?.total).toBe(570n);
		expect(shop.forged).toBe(1);
		expect(shop.records.map(({ h }) => h)).not.toContain(forged);
		expect(view.notices.filter(({ kind }) => kind === 'toAnswer')).toHaveLength(2);
		expect(recordOf(view, right).check).toBe('verified');
		expect(recordOf(view, unknown).check).toBe('cannotBeCheckedYet');
	});

	it('[PERSON-3] a key that had ended before is flagged, and its record counts', async () => {
		const stand = await newStand();
		const key = encodeBase64url(shopSigner.publicKey);
		stand.card({ devices: [['A', key, 0, 0] as never] });
		const before = await stand.book({ kind: 'due', minor: 100 });
		const endedAt = stand.now + 500;
		const after = await stand.book({ kind: 'due', minor: 200, occurredAt: endedAt + 1 });
		stand.card({ devices: [['A', key, 0, endedAt] as never] });
		const view = await viewOf(stand);
		expect(recordOf(view, before).check).toBe('verified');
		expect(recordOf(view, after).check).toBe('keyEnded');
		expect(onlyShop(view).totals[0]?.total).toBe(300n);
	});

	it('[PERSON-3] a card that names a key no more does not unknow it', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 100 });
		stand.card({ devices: [] });
		const cards = (await heldOf(stand.texts)).filter((one) => one.kind === 'card');
		expect(
			shopKeys(shopFacts({ business: stand.business, ledger: stand.ledger }, cards).cards).size
		).toBe(1);
		expect(recordOf(await viewOf(stand), h).check).toBe('verified');
	});

	it('[PERSON-4] a no counts at once and is marked as here; filed it is the same no', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		const no = reply(stand, h, { decision: 'cancel' });
		stand.texts.push(no);
		const here = await viewOf(stand);
		expect(recordOf(here, h).standing).toMatchObject({ kind: 'saidNoHere', reason: 'wrongAmount' });
		expect(onlyShop(here).totals[0]).toMatchObject({ total: 0n, disputed: 500n });
		stand.file(no);
		const filed = await viewOf(stand);
		expect(recordOf(filed, h)).toMatchObject({ standing: { kind: 'saidNo' }, canDrop: true });
		expect(recordOf(filed, h).dispute).toHaveLength(1);
		expect(onlyShop(filed).totals[0]).toMatchObject({ total: 0n, disputed: 500n });
	});

	it('[PERSON-4] a yes is agreed once it is filed, and before it stands on this phone', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		const yes = reply(stand, h);
		stand.texts.push(yes);
		const here = await viewOf(stand);
		expect(recordOf(here, h).standing.kind).toBe('agreedHere');
		expect(here.toAnswer).toEqual([]);
		expect(onlyShop(here).totals[0]).toMatchObject({ total: 500n, agreed: 0n });
		stand.file(yes);
		const filed = await viewOf(stand);
		expect(recordOf(filed, h).standing).toMatchObject({ kind: 'agreed', by: 'app' });
		expect(onlyShop(filed).totals[0]).toMatchObject({ total: 500n, agreed: 500n });
	});

	it('[PERSON-4] letting a dispute go counts here at once', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		stand.file(reply(stand, h, { decision: 'cancel' }));
		stand.texts.push(reply(stand, h, { n: 2 }));
		const view = await viewOf(stand);
		expect(recordOf(view, h).standing.kind).toBe('agreedHere');
		expect(onlyShop(view).totals[0]).toMatchObject({ total: 500n, disputed: 0n });
		expect(recordOf(view, h).dispute.map(({ kind }) => kind)).toEqual(['cancel', 'drop']);
	});

	it('[CP-23] two records by one code, after a restore that forgot it, stand as they do in the shop', async () => {
		const stand = await newStand();
		stand.card();
		const hs: RecordHash[] = [];
		for (const minor of [500, 500, 700, 800]) hs.push(await stand.book({ kind: 'due', minor }));
		const standings = async (): Promise<readonly string[]> => {
			const view = await viewOf(stand);
			return hs.map((h) => recordOf(view, h).standing.kind);
		};
		const [first, second, third, fourth] = hs as [RecordHash, RecordHash, RecordHash, RecordHash];
		const spoken: JudgedBy = { way: 'app', counter: COUNTERS_PER_PHONE + 4 };
		for (const h of [first, second, third]) stand.judge(h, 'ok', spoken);
		// The third is of another amount, and so by another code.
		expect(await standings()).toEqual(['agreed', 'toAnswer', 'agreed', 'toAnswer']);
		const printed: JudgedBy = { way: 'sheet', counter: 4 };
		stand.judge(second, 'ok', printed);
		stand.codes({ epoch: 2 });
		stand.judge(fourth, 'ok', printed);
		expect(await standings()).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
		expect(onlyShop(await viewOf(stand)).totals[0]).toMatchObject(
			(await shopSums(stand)).get('KES/2') ?? {}
		);
	});

	it('[CP-23] [PERSON-12] a code of whoever stood there meanwhile is none of the sets of who came back', async () => {
		const stand = await newStand();
		stand.card();
		stand.codes({});
		const hs: RecordHash[] = [];
		for (const minor of [500, 600, 700]) hs.push(await stand.book({ kind: 'due', minor }));
		const printed: JudgedBy = { way: 'sheet', counter: 0 };
		const [own, second, third] = hs as [RecordHash, RecordHash, RecordHash];
		stand.judge(own, 'ok', printed);
		stand.card({ state: 'ended', endedBy: 'customer' });
		// Two lists that a number was sent: she is told what they confirmed, and nothing of the sets.
		for (const [h, epoch] of [[second, 2] as const, [third, 3] as const]) {
			stand.codes({ epoch });
			stand.texts.pop();
			stand.judge(h, 'ok', printed);
		}
		stand.card({ epoch: 4 });
		const view = await viewOf(stand);
		expect(hs.map((h) => recordOf(view, h).standing.kind)).toEqual(['agreed', 'agreed', 'agreed']);
		expect(onlyShop(view).totals[0]).toMatchObject((await shopSums(stand)).get('KES/2') ?? {});
	});

	it('[PERSON-5] a code may be contested for 14 days, a signature never', async () => {
		const stand = await newStand();
		stand.card();
		const byCode = await stand.book({ kind: 'due', minor: 500 });
		const judgedAt = stand.now;
		stand.judge(byCode, 'ok');
		const signed = await stand.book({ kind: 'due', minor: 100 });
		stand.file(reply(stand, signed));
		const waiting = await stand.book({ kind: 'due', minor: 50 });
		const at = async (nowMs: number): Promise<readonly boolean[]> => {
			const view = await viewOf(stand, { nowMs });
			return [byCode, signed, waiting].map((h) => recordOf(view, h).canCancel);
		};
		expect(await at(judgedAt + 14 * DAY_MS)).toEqual([true, false, true]);
		expect(await at(judgedAt + 14 * DAY_MS + 1)).toEqual([false, false, true]);
		expect(recordOf(await viewOf(stand), byCode).standing).toMatchObject({ by: 'code' });
	});

	it('[PERSON-5] what a statement’s code confirmed may be contested for 14 days, as the shop counts it', async () => {
		const stand = await newStand();
		stand.card();
		const listed = await stand.book({ kind: 'due', minor: 500 });
		const twice = await stand.book({ kind: 'due', minor: 300 });
		const list = [listed, twice];
		const statement = await stand.book({ kind: 'statement', minor: 800, more: { list } });
		const judgedAt = stand.now;
		stand.judge(statement, 'ok');
		stand.now = judgedAt + 10 * DAY_MS;
		stand.judge(twice, 'ok');
		const at = async (nowMs: number): Promise<readonly boolean[]> => {
			const view = await viewOf(stand, { nowMs });
			return list.map((h) => recordOf(view, h).canCancel);
		};
		expect(await at(judgedAt + 14 * DAY_MS)).toEqual([true, true]);
		expect(await at(judgedAt + 14 * DAY_MS + 1)).toEqual([false, false]);
		stand.file(reply(stand, listed, { decision: 'cancel' }));
		const view = await viewOf(stand, { nowMs: stand.now });
		expect(recordOf(view, listed).standing).toMatchObject({ kind: 'saidNo' });
		expect(onlyShop(view).totals[0]).toMatchObject({ agreed: 300n, disputed: 500n });
	});

	it('[PERSON-5] what others agreed to before may be contested for 14 days, and is not told as hers', async () => {
		const stand = await newStand();
		const byCode = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(byCode, 'ok');
		const signed = await stand.book({ kind: 'due', minor: 100 });
		stand.file(reply(stand, signed));
		const start = stand.now;
		stand.now += 20 * DAY_MS;
		const since = stand.now;
		stand.card({ before: [[1, start, 'app', 1]] });
		const at = async (nowMs: number): Promise<readonly unknown[]> => {
			const view = await viewOf(stand, { nowMs });
			return [byCode, signed].map((h) => {
				const { standing, canCancel } = recordOf(view, h);
				return [standing.kind === 'agreed' && standing.by, canCancel];
			});
		};
		const before = (canCancel: boolean): readonly unknown[] => ['before', canCancel];
		expect(await at(since + 14 * DAY_MS)).toEqual([before(true), before(true)]);
		expect(await at(since + 14 * DAY_MS + 1)).toEqual([before(false), before(false)]);
		stand.file(reply(stand, byCode));
		stand.file(reply(stand, signed, { decision: 'cancel', n: 2 }));
		const view = await viewOf(stand, { nowMs: stand.now });
		expect(recordOf(view, byCode).standing).toMatchObject({ kind: 'agreed', by: 'app' });
		expect(recordOf(view, signed).standing).toMatchObject({ kind: 'saidNo', isByCode: false });
		expect(onlyShop(view).totals[0]).toMatchObject({ agreed: 500n, disputed: 100n });
	});

	it('[PERSON-5] a no that came too late after a code disputes nothing', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(h, 'ok');
		stand.now += 14 * DAY_MS;
		stand.file(reply(stand, h, { decision: 'cancel' }));
		const view = await viewOf(stand, { nowMs: stand.now });
		expect(recordOf(view, h).standing).toMatchObject({ kind: 'agreed', by: 'code' });
		expect(onlyShop(view).totals[0]).toMatchObject({ agreed: 500n, disputed: 0n });
	});

	it('[PERSON-6] a dispute reads as it went, and a correction is one step', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		const no = reply(stand, h, { decision: 'cancel' });
		stand.texts.push(no);
		stand.file(no);
		stand.tell(['insist', h, 'look again']);
		const answer = [h, 'correct', 'it was 300'] as const;
		await stand.book({ kind: 'reversalOfDebit', minor: 500, ref: h, more: { answer } });
		const anew = await stand.book({ kind: 'due', minor: 300, more: { answer } });
		const view = await viewOf(stand);
		expect(recordOf(view, h).dispute.map(({ by, kind }) => `${by} ${kind}`)).toEqual([
			'customer cancel',
			'shop insist',
			'shop correct',
			'shop correct'
		]);
		expect(recordOf(view, h).standing.kind).toBe('reversed');
		expect(view.toAnswer.map((record) => record.h)).toEqual([anew]);
		expect(view.notices.filter(({ kind }) => kind === 'disputeAnswered')).toHaveLength(2);
	});

	it('[PERSON-8] of a set of codes the latest word counts, and a raised epoch revokes it', async () => {
		const stand = await newStand();
		stand.card();
		stand.codes({ open: [1, 2, 3, 4, 5] });
		stand.codes({ open: [6, 3, 2, 4, 5], used: [1] });
		const first = onlyShop(await viewOf(stand)).codes;
		expect(first).toMatchObject([
			{ open: [2, 3, 4, 5, 6], used: [1], isRevoked: false, isLocked: false, isTooOld: false }
		]);
		stand.codes({ kind: 'credit', epoch: 2 });
		const raised = onlyShop(await viewOf(stand)).codes;
		expect(raised.map(({ kind, isRevoked }) => [kind, isRevoked])).toEqual([
			['debit', true],
			['credit', false]
		]);
		const old = onlyShop(await viewOf(stand, { nowMs: stand.now + 90 * DAY_MS })).codes;
		expect(old.every(({ isTooOld }) => isTooOld)).toBe(true);
		stand.card({ state: 'ended', endedBy: 'customer' });
		expect(onlyShop(await viewOf(stand)).codes.every(({ isRevoked }) => isRevoked)).toBe(true);
	});

	it('[CONNECT-19] whose connection a restore forgot is told that it is over, by nobody', async () => {
		const stand = await newStand();
		stand.card();
		stand.card({ state: 'ended', endedBy: 'shop' });
		expect(onlyShop(await viewOf(stand))).toMatchObject({ state: 'ended', endedBy: 'shop' });
		stand.card({ state: 'linked', way: 'app' });
		stand.card({ state: 'ended' });
		const view = await viewOf(stand);
		expect(onlyShop(view).state).toBe('ended');
		expect(onlyShop(view).endedBy).toBeUndefined();
		const ends = view.notices.filter(({ kind }) => kind === 'connectionEnded');
		expect(ends.map((notice) => ('by' in notice ? notice.by : undefined)).toSorted()).toEqual([
			'shop',
			undefined
		]);
	});

	it('[PERSON-8] three wrong codes lock a set, and a new one is open again', async () => {
		const stand = await newStand();
		stand.card();
		stand.codes({});
		const h = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(h, 'wrong', { wrong: 1 });
		stand.judge(h, 'wrong', { wrong: 2 });
		expect(onlyShop(await viewOf(stand)).codes[0]?.isLocked).toBe(false);
		stand.judge(h, 'wrong', { wrong: 3 });
		const view = await viewOf(stand);
		expect(onlyShop(view).codes[0]?.isLocked).toBe(true);
		expect(view.notices.filter(({ kind }) => kind === 'wrongCode')).toHaveLength(3);
		stand.codes({ epoch: 2, open: [1, 2] });
		expect(onlyShop(await viewOf(stand)).codes[0]?.isLocked).toBe(false);
	});

	it('[PERSON-8] wrong codes of an SMS and of a phone, and a shop’s closed day, lock no set', async () => {
		const stand = await newStand();
		stand.card();
		stand.codes({});
		const h = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(h, 'locked', { way: 'sms' });
		stand.judge(h, 'locked');
		for (const wrong of [1, 2, 3]) stand.judge(h, 'wrong', { wrong, way: 'app' });
		stand.judge(h, 'wrong', { wrong: 4 });
		const view = await viewOf(stand);
		expect(onlyShop(view).codes[0]?.isLocked).toBe(false);
		const told = view.notices.filter((notice) => notice.kind === 'wrongCode');
		expect(told.map(({ isLocked }) => isLocked)).toEqual([false, false, false, false]);
		stand.judge(h, 'wrong', { wrong: 5 });
		stand.judge(h, 'wrong', { wrong: 6 });
		const locked = await viewOf(stand);
		expect(onlyShop(locked).codes[0]?.isLocked).toBe(true);
		expect(locked.notices[0]).toMatchObject({ kind: 'wrongCode', isLocked: true });
	});

	it('[PERSON-8] a wrong code of an SMS was told once, not never', async () => {
		const stand = await newStand();
		stand.card();
		const h = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(h, 'wrong', { way: 'sms' });
		const [told] = (await viewOf(stand)).notices;
		expect(told).toMatchObject({ kind: 'wrongCode', wrong: 1, isLocked: false });
	});

	it('[PERSON-9] news is told once, and read up to where the person looked', async () => {
		const stand = await newStand();
		stand.card();
		await stand.book({ kind: 'due', minor: 500 });
		await stand.book({ kind: 'payment', minor: 100 });
		const before = await viewOf(stand);
		expect(before.notices.map(({ kind }) => kind)).toEqual([
			'paymentReceived',
			'toAnswer',
			'connected'
		]);
		expect(before.unread).toBe(3);
		const day = dayNumber('2026-11-20');
		const upTo = before.notices[1]?.at ?? 0;
		stand.texts.push(JSON.stringify(['p1-900', 'seen', stand.now + 1, 0, day, 1, upTo]));
		const after = await viewOf(stand);
		expect(after.notices.map(({ isRead }) => isRead)).toEqual([false, true, true]);
		expect(after).toMatchObject({ unread: 1, seenUpTo: upTo });
	});

	it('[PERSON-9] what was written before the connection is told as one, while it waits', async () => {
		const stand = await newStand();
		stand.card({ at: STAND_NOW + DAY_MS });
		const h = await stand.book({ kind: 'due', minor: 500 });
		const view = await viewOf(stand);
		expect(view.notices.map(({ kind }) => kind)).toEqual(['broughtToAnswer', 'connected']);
		expect(view.notices[0]).toMatchObject({ shop: { id: onlyShop(view).id }, count: 1 });
		expect(view.toAnswer.map((record) => record.h)).toEqual([h]);
		stand.now += DAY_MS;
		stand.judge(h, 'ok');
		const after = await viewOf(stand);
		expect(after.notices.map(({ kind }) => kind)).toEqual(['confirmedByCode', 'connected']);
	});

	it('[PERSON-9] what was judged before the connection is told by the connection alone', async () => {
		const stand = await newStand();
		const before = await stand.book({ kind: 'due', minor: 500 });
		stand.judge(before, 'ok');
		stand.judge(before, 'wrong', { wrong: 1 });
		stand.now += 20 * DAY_MS;
		stand.card();
		const view = await viewOf(stand, { nowMs: stand.now });
		expect(view.notices.map(({ kind }) => kind)).toEqual(['connected']);
	});

	it('[PERSON-9] what an ended connection told stays told', async () => {
		const stand = await newStand();
		stand.card();
		await stand.book({ kind: 'due', minor: 500 });
		await stand.book({ kind: 'payment', minor: 100 });
		stand.card({ state: 'ended', endedBy: 'shop' });
		const view = await viewOf(stand);
		const kinds = ['connectionEnded', 'paymentReceived', 'toAnswer', 'connected'];
		expect(view.notices.map(({ kind }) => kind)).toEqual(kinds);
		expect(view.unread).toBe(4);
	});

	it('[PERSON-9] what was written before the connection and comes later is told', async () => {
		const stand = await newStand();
		const offlineAt = stand.now;
		stand.now += DAY_MS;
		stand.card();
		const day = dayNumber('2026-11-20');
		stand.texts.push(JSON.stringify(['p1-900', 'seen', stand.now + 1, 0, day, 1, stand.now]));
		expect((await viewOf(stand)).unread).toBe(0);
		await stand.book({ kind: 'due', minor: 500, occurredAt: offlineAt });
		const view = await viewOf(stand);
		expect(view.notices[0]).toMatchObject({ kind: 'broughtToAnswer', isRead: false, count: 1 });
	});

	it('[PERSON-9] a request is told to the side that did not ask', async () => {
		const stand = await newStand();
		const ask = '0192f0c1-7a00-7000-8000-000000000001';
		const mine = '0192f0c1-7a00-7000-8000-000000000002';
		stand.fact('asked', ask, { by: 'shop', shop: 'Kiosk', username: 'kiosk', state: 'asked' });
		stand.fact('asked', mine, { by: 'customer', shop: 'Duka', username: 'duka', state: 'asked' });
		const view = await viewOf(stand);
		expect(view.asks.map((one) => one.ask)).toEqual([mine, ask]);
		expect(view.notices.map(({ kind }) => kind)).toEqual(['connectionAsked']);
		stand.fact('asked', mine, { state: 'declined' });
		const answered = await viewOf(stand);
		expect(answered.asks.map((one) => one.ask)).toEqual([ask]);
		expect(answered.notices[0]).toMatchObject({
			kind: 'connectionAnswered',
			ask: { shop: 'Duka', state: 'declined' }
		});
	});

	it('[PERSON-10] a debit says what was paid of it and when it falls due, with its moves', async () => {
		const stand = await newStand();
		stand.card();
		const due = STAND_NOW + 2 * DAY_MS;
		const first = await stand.book({ kind: 'due', minor: 500, due });
		const second = await stand.book({ kind: 'due', minor: 300 });
		await stand.book({ kind: 'payment', minor: 600 });
		const view = await viewOf(stand);
		expect(recordOf(view, first).settling).toMatchObject({ status: 'paid', restMinor: 0n });
		expect(recordOf(view, second).settling).toMatchObject({
			status: 'partPaid',
			paidMinor: 100n,
			restMinor: 200n,
			isOverdue: false
		});
		expect(view.notices.some(({ kind }) => kind === 'dueSoon')).toBe(false);
		stand.tell(['dueMove', second, STAND_NOW + DAY_MS, 'asked for time']);
		const moved = await viewOf(stand);
		expect(recordOf(moved, second).settling).toMatchObject({ dueMs: STAND_NOW + DAY_MS });
		expect(onlyShop(moved).totals[0]).toMatchObject({
			overdueMinor: 0n,
			nextDue: { h: second, restMinor: 200n }
		});
		expect(moved.notices.filter(({ kind }) => kind === 'dueSoon')).toHaveLength(1);
		const late = await viewOf(stand, { nowMs: STAND_NOW + 3 * DAY_MS });
		expect(onlyShop(late).totals[0]?.overdueMinor).toBe(200n);
		const [overdue] = late.notices;
		expect(overdue).toMatchObject({ kind: 'overdue', isRead: false });
		const readUpTo = overdue?.at ?? 0;
		const read = await viewOf(stand, { nowMs: STAND_NOW + 3 * DAY_MS, readUpTo });
		expect(read.notices[0]).toMatchObject({ kind: 'overdue', isRead: true });
	});

	it('[PERSON-13] shows the promise that the shop counts, the latest until it is kept', async () => {
		const stand = await newStand();
		stand.card();
		await stand.book({ kind: 'due', minor: 900 });
		const [first, second] = [dayNumber('2026-11-25'), dayNumber('2026-12-05')];
		const shown = async (): Promise<readonly unknown[]> =>
			onlyShop(await viewOf(stand)).promises.map(({ on, minor, money: { currency } }) => [
				on,
				minor,
				currency
			]);
		stand.tell(['promise', first, 500, 'KES', 2]);
		stand.tell(['promise', first, 70, 'USD', 2]);
		expect(await shown()).toEqual([
			['2026-11-25', 500, 'KES'],
			['2026-11-25', 70, 'USD']
		]);
		stand.tell(['promise', second, 300, 'KES', 2]);
		const latest = [
			['2026-12-05', 300, 'KES'],
			['2026-11-25', 70, 'USD']
		];
		expect(await shown()).toEqual(latest);
		await stand.book({ kind: 'payment', minor: 299 });
		expect(await shown()).toEqual(latest);
		await stand.book({ kind: 'payment', minor: 1 });
		expect(await shown()).toEqual(latest.slice(1));
	});

	it('[PERSON-10] moves of one due that the relay carried in one moment are told apart', async () => {
		const stand = await newStand();
		stand.card();
		const due = await stand.book({ kind: 'due', minor: 500, due: STAND_NOW + DAY_MS });
		stand.tell(['dueMove', due, STAND_NOW + 2 * DAY_MS, 'till Friday']);
		// What a shop wrote while it was offline is carried together.
		stand.now -= 1_000;
		stand.tell(['dueMove', due, STAND_NOW + 3 * DAY_MS, 'till Monday']);
		const moves = recordOf(await viewOf(stand), due).settling?.moves ?? [];
		expect(moves.map(({ reason }) => reason)).toEqual(['till Friday', 'till Monday']);
		// The record's page lists them by their ids: two that bear one end the page.
		expect(new Set(moves.map(({ at }) => at)).size).toBe(1);
		expect(moves.map(({ id }) => id)).toEqual(['0.1-10003', '0.1-10004']);
	});

	it('[PERSON-2] a shop that copies another’s ledger id is another shop', async () => {
		const [one, other] = [await newStand(1), await newStand(2)];
		one.card();
		await one.book({ kind: 'due', minor: 500 });
		other.card();
		await other.book({ kind: 'due', minor: 70 });
		const view = foldPerson(await heldOf([...one.texts, ...other.texts]), LOOKING);
		expect(view.shops.map(({ totals }) => totals[0]?.total)).toEqual([70n, 500n]);
	});

	it('[PERSON-7] a debit taken back stands whole, and its reversal beside it; a disputed one moves nothing', async () => {
		const stand = await newStand();
		stand.card();
		const due = await stand.book({ kind: 'due', minor: 500 });
		const back = await stand.book({ kind: 'reversalOfDebit', minor: 700, ref: due });
		const contested = await stand.book({ kind: 'due', minor: 90 });
		const part = await stand.book({ kind: 'reversalOfDebit', minor: 40, ref: contested });
		stand.file(reply(stand, contested, { decision: 'cancel' }));
		const view = await viewOf(stand);
		const effects = [due, back, contested, part].map((h) => recordOf(view, h).effectMinor);
		expect(effects).toEqual([500n, -500n, 0n, 0n]);
		expect(onlyShop(view).totals[0]).toMatchObject({ total: 0n, disputed: 50n });
	});

	it('[PERSON-7] what takes a payment back is written as raising the debt, what takes goods back as lowering it', async () => {
		const stand = await newStand();
		stand.card();
		const due = await stand.book({ kind: 'due', minor: 500 });
		const goodsBack = await stand.book({ kind: 'reversalOfDebit', minor: 500, ref: due });
		const payment = await stand.book({ kind: 'payment', minor: 30 });
		const paymentBack = await stand.book({ kind: 'reversalOfCredit', minor: 30, ref: payment });
		const view = await viewOf(stand);
		const written = [due, goodsBack, payment, paymentBack].map((h) => {
			const { side, writtenMinor } = recordOf(view, h);
			return [side, writtenMinor];
		});
		expect(written).toEqual([
			['took', 500],
			['took', -500],
			['paid', -30],
			['paid', 30]
		]);
	});

	it('[PERSON-7] a statement begins with what stood before its first day', async () => {
		const stand = await newStand();
		stand.card();
		await stand.book({ kind: 'due', minor: 500, on: '2026-10-31' });
		const h = await stand.book({ kind: 'due', minor: 200, on: '2026-11-01' });
		await stand.book({ kind: 'payment', minor: 100, on: '2026-11-20' });
		const shop = onlyShop(await viewOf(stand));
		const period = { currency: 'KES', exponent: 2, from: '2026-11-01', to: '2026-11-19' };
		const statement = statementOf(shop, period);
		expect(statement).toMatchObject({ openingMinor: 500n, closingMinor: 700n, tookMinor: 200n });
		expect(statement.rows.map(({ record }) => record.h)).toEqual([h]);
		expect(shop.months[0]?.months).toEqual([
			{ month: '2026-10', tookMinor: 500n, paidMinor: 0n, balanceMinor: 500n },
			{ month: '2026-11', tookMinor: 200n, paidMinor: 100n, balanceMinor: 600n }
		]);
	});

	it('[PERSON-2] a shop whose card has not come shows what its records say', async () => {
		const stand = await newStand();
		await stand.book({ kind: 'due', minor: 500 });
		const shop = onlyShop(await viewOf(stand));
		expect(shop).toMatchObject({ name: '', state: 'linked', zone: 'UTC' });
		expect(shop.totals.map(({ currency, total }) => [currency, total])).toEqual([['KES', 500n]]);
	});

	it('[PERSON-11] a zone that this phone has not heard of is UTC', async () => {
		const stand = await newStand();
		stand.card({ zone: 'Mars/Olympus_Mons' });
		await stand.book({ kind: 'due', minor: 500 });
		const shop = onlyShop(await viewOf(stand));
		expect(shop.zone).toBe('UTC');
		expect(businessDayOf(shop.lastAt, shop.zone, 0)).toBe('2026-11-20');
	});

	it('[PERSON-6] a no to a payment only flags it', async () => {
		const stand = await newStand();
		stand.card();
		await stand.book({ kind: 'due', minor: 500 });
		const payment = await stand.book({ kind: 'payment', minor: 200 });
		stand.file(reply(stand, payment, { decision: 'cancel' }));
		const view = await viewOf(stand);
		expect(recordOf(view, payment).standing.kind).toBe('saidNo');
		expect(onlyShop(view).totals[0]?.total).toBe(300n);
	});
});

it('[CP-29] holds no statement that came with another list than its record names', async () => {
	const stand = await createCustomerStand({ signer: shopSigner });
	const due = await stand.book({ kind: 'due', minor: 500 });
	const other = await stand.book({ kind: 'due', minor: 700 });
	await stand.book({ kind: 'statement', minor: 500, more: { list: [due] } });
	const honest = stand.texts.at(-1) ?? '';
	for (const [text, isHeld] of [
		[honest, true],
		[honest.replace(due, other), false]
	] as const) {
		const parsed = parseFact(text);
		if (!parsed.ok || !isPersonFact(parsed.value)) throw new Error('no fact of a person');
		expect((await holdFact(parsed.value, crypto)) !== undefined).toBe(isHeld);
	}
});
