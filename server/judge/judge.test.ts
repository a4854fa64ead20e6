import { eq } from 'drizzle-orm';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { SHOP_WRONG_DAY_MAX, WRONG_SHEETS_MAX } from '#domain/confirmation/judge.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { encodeVerdict, parseVerdict, verdictMessage } from '#domain/confirmation/verdict.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { SHEET_CODES, type JudgedFact, type VerdictFact } from '#domain/fact/ledger-fact.ts';
import { factId, type BusinessId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { systemRandom } from '#server/auth/random.ts';
import { beginNextEpoch } from '#server/commands/keeping/after-restore.ts';
import { record } from '#server/database/journal.ts';
import { claimJudged, claimWaiting, codeSpent } from '#server/database/ledgers.ts';
import { rawSql } from '#server/database/transaction.ts';
import { commitAct } from '#server/ledgers/act.ts';
import { ofLedger } from '#server/ledgers/guard.ts';
import { readSet } from '#server/ledgers/code-sets.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { sendShopList } from '#server/ledgers/customer-sheets.ts';
import { endLink, forgetNumber } from '#server/ledgers/linking.ts';
import { sendRecordSms } from '#server/ledgers/record-sms.ts';
import {
	claimIdOf,
	codeOfSheet,
	codesOfSheet,
	createLedgerStand,
	enrolPhone,
	factsOf,
	fileClaim,
	giveSheet,
	link,
	makeCustomer,
	makeShop,
	mintLedger,
	phoneCodeFor,
	smsCodeOf,
	textsTo,
	writeRecord,
	type LedgerStand,
	type TestClaim,
	type TestCustomer,
	type TestShop
} from '#tests/support/ledger-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { dayOf } from './days.ts';
import { judgeClaim, type Outcome, type WaitingClaim } from './judge-claim.ts';
import { createJudge } from './judge-worker.ts';
import { countersToTry, isSameCode } from './match-code.ts';
import { wakeClaims } from './queue-claims.ts';

let stand: LedgerStand;
let shop: TestShop;
let amina: TestCustomer;
let name: LedgerName;
let people = 0;
const EPOCH_LINKED = 1;
const DAY_MS = 86_400_000;

beforeAll(async () => {
	stand = await createLedgerStand();
});
beforeEach(async () => {
	people += 1;
	shop = await makeShop(stand, `shop${String(people)}`);
	amina = await makeCustomer(stand, `amina${String(people)}`, '+254712345678');
	name = { business: shop.business, ledger: mintLedger() };
	await link(stand, name, { way: 'app', person: amina.person });
});
afterAll(() => stand.close());

/** Files a claim, judges it, and says what the last verdict of the shop was. */
async function present(claim: TestClaim, by: TestShop = shop): Promise<string> {
	const outcome = await judgeClaim(stand.parts, await fileClaim(stand, by, claim));
	return outcome === 'judged' ? resultOf(verdicts(by).at(-1)) : outcome;
}

function verdicts(of: TestShop = shop): readonly VerdictFact[] {
	return factsOf(stand, of.business, 'verdict');
}

function resultOf(fact: VerdictFact | undefined): string {
	return fact?.verdict.result ?? 'none';
}

function sheet(h: RecordHash, codes: readonly string[], counter: number): TestClaim {
	return { h, way: 'sheet', code: codes[counter] ?? '', counter };
}

/** Any code but the right one. */
function another(code: string | undefined): string {
	const last = Number(code?.at(-1));
	return `${code?.slice(0, -1) ?? ''}${String((last + 1) % 10)}`;
}

describe('one code', () => {
	it('[JUDGE-1] confirms its record, and tells both sides of it', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		stand.moved.length = 0;
		expect(await present(sheet(h, codes, 2))).toBe('ok');

		const [fact] = verdicts();
		expect(fact?.verdict).toMatchObject({ result: 'ok', al: 1, h, seq: 1, relayEpoch: 1 });
		const [judged] = factsOf(stand, amina.person, 'judged');
		expect(judged).toMatchObject({ businessId: shop.business, way: 'sheet', counter: 2 });
		expect(judged?.v).toBe(fact?.v);
		expect(new Set(stand.moved)).toEqual(new Set([shop.business, amina.person]));
	});

	it('[JUDGE-2] presented by 50 connections at once confirms exactly one record', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const own = stand.onOwnConnections(50);
		const waiting = [];
		for (let at = 0; at < 50; at += 1) {
			const h = await writeRecord(stand, name);
			waiting.push(await fileClaim(stand, shop, sheet(h, codes, 0)));
		}
		const outcomes = await Promise.all(waiting.map((one) => judgeClaim(own.parts, one)));
		await own.database.close();
		expect(new Set(outcomes)).toEqual(new Set<Outcome>(['judged']));

		const rows = await stand.database.orm
			.select()
			.from(claimJudged)
			.where(ofLedger(claimJudged, name))
			.orderBy(claimJudged.seq);
		const results = rows.map(({ v }) => {
			const parsed = parseVerdict(v);
			return parsed.ok ? parsed.value.result : 'unread';
		});
		expect(results.filter((result) => result === 'ok')).toHaveLength(1);
		expect(results.filter((result) => result === 'used')).toHaveLength(49);
		expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
		const spent = await stand.database.orm
			.select()
			.from(codeSpent)
			.where(ofLedger(codeSpent, name));
		expect(spent).toHaveLength(1);
	});

	it('[JUDGE-2] judged 50 times at once gets one verdict', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const waiting = await fileClaim(stand, shop, sheet(h, codes, 0));
		const outcomes = await Promise.all(
			Array.from({ length: 50 }, () => judgeClaim(stand.parts, waiting))
		);
		expect(outcomes.filter((outcome) => outcome === 'judged')).toHaveLength(1);
		expect(outcomes.filter((outcome) => outcome === 'gone')).toHaveLength(49);
		expect(verdicts()).toHaveLength(1);
	});

	it.each([0, 1])('[JUDGE-5] used for two records confirms the first, order %i', async (first) => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const hs = [await writeRecord(stand, name), await writeRecord(stand, name)];
		const order = first === 0 ? hs : hs.toReversed();
		const results = [];
		for (const h of order) results.push(await present(sheet(h, codes, 0)));
		expect(results).toEqual(['ok', 'used']);
		expect(verdicts().map(({ verdict }) => verdict.h)).toEqual(order);
		expect(factsOf(stand, amina.person, 'judged').map(({ verdict }) => verdict.result)).toEqual([
			'ok',
			'used'
		]);
	});

	it('[JUDGE-5] for the same record again gets the old answer, and spends nothing', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name, { minor: 5_000 });
		expect(await present(sheet(h, codes, 0))).toBe('overTheCap');
		expect(await present(sheet(h, codes, 0))).toBe('overTheCap');
		const other = await writeRecord(stand, name, { minor: 100 });
		expect(await present(sheet(other, codes, 0))).toBe('used');
		expect(factsOf(stand, shop.business, 'sheet')).toHaveLength(2);
	});
});

describe('after a restore', () => {
	/** The database forgets that a code was spent; her phone hands in what it was told. */
	async function forget(): Promise<void> {
		await lose();
		await carry({});
	}

	async function lose(): Promise<void> {
		const { orm } = stand.database;
		await orm.delete(codeSpent).where(ofLedger(codeSpent, name));
		await orm.delete(claimJudged).where(ofLedger(claimJudged, name));
	}

	/** Her phone tells the last verdict, as it was or otherwise. */
	async function carry(otherwise: Partial<JudgedFact>): Promise<void> {
		const told = factsOf(stand, amina.person, 'judged').at(-1);
		if (told === undefined) throw new Error('she was told nothing');
		await handIn(amina.person, { ...told, ...otherwise }, 'p1');
	}

	/** The shop tells the verdicts that were lost. */
	async function carryVerdicts(): Promise<void> {
		for (const told of verdicts()) {
			const n = await handIn(shop.business, told, 'A');
			await stand.database.sql`
				insert into ledger_fact (business, ledger, code, n, kind)
				values (${shop.business}, ${name.ledger}, ${told.code}, ${n}, 'verdict')`;
		}
	}

	async function handIn(
		scope: string,
		told: JudgedFact | VerdictFact,
		by: string
	): Promise<number> {
		carried += 1;
		const n = 1_000_000 + carried;
		const text = encodeFact({ ...told, n, id: factId(told.code, n) });
		await stand.database.sql`
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s,
				carried_by)
			values (${scope}, ${told.code}, ${n}, ${told.kind}, ${told.at.wall}, 0, ${told.on}, 0,
				${text}, 0, ${n}, ${by})`;
		return n;
	}
	let carried = 0;

	/** A claim that had its verdict is told again to a database that forgot it. */
	async function judgeAgain(waiting: WaitingClaim): Promise<Outcome> {
		await stand.database.orm.insert(claimWaiting).values({ ...waiting, dueAt: stand.clock.now });
		return judgeClaim(stand.parts, waiting);
	}

	it('[JUDGE-16] a verdict that is here, is of two codes or of another ledger spends nothing more', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const records = [await writeRecord(stand, name), await writeRecord(stand, name)] as const;
		expect(await present(sheet(records[0], codes, 0))).toBe('ok');
		// It is known, and what it spent.
		await carry({ counter: 1 });
		expect(await present(sheet(records[1], codes, 1))).toBe('ok');
		// It was forgotten, and is told of two codes.
		await forget();
		await carry({ counter: 2 });
		const last = await writeRecord(stand, name);
		expect(await present(sheet(last, codes, 2))).toBe('ok');
		// It was forgotten, and its record is another ledger's.
		await lose();
		await carry({ counter: 3 });
		const other = systemRandom.uuid();
		await stand.database.sql`update record set ledger = ${other} where h = ${last}`;
		expect(await present(sheet(await writeRecord(stand, name), codes, 3))).toBe('ok');
	});

	it('[JUDGE-16] what her phone remembers is spent, and the next code is not', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const [first, second] = [await writeRecord(stand, name), await writeRecord(stand, name)];
		expect(await present(sheet(first, codes, 0))).toBe('ok');
		await forget();
		expect(await present(sheet(second, codes, 0))).toBe('used');
		expect(await present(sheet(first, codes, 0))).toBe('ok');
		expect(await present(sheet(second, codes, 1))).toBe('ok');
	});

	it('[JUDGE-16] a wrong try and one that was used spend nothing', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		expect(await present({ ...sheet(h, codes, 0), code: another(codes[0]) })).toBe('wrong');
		await forget();
		expect(await present(sheet(h, codes, 0))).toBe('ok');
		const others = [await writeRecord(stand, name), await writeRecord(stand, name)] as const;
		expect(await present(sheet(others[0], codes, 0))).toBe('used');
		await forget();
		expect(await present(sheet(others[1], codes, 0))).toBe('ok');
	});

	it('[JUDGE-16] what was spent in another ledger, shop or way spends nothing here', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
		const others = [
			{ ledgerId: mintLedger() },
			{ businessId: systemRandom.uuid() as BusinessId },
			{ way: 'app' }
		] as const;
		for (const otherwise of others) {
			await lose();
			await carry(otherwise);
			expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
			await stand.database.sql`delete from fact where carried_by is not null`;
		}
	});

	it('[JUDGE-16] a verdict that stands here spends its code where the books do not say so', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
		const { orm } = stand.database;
		await orm.delete(codeSpent).where(ofLedger(codeSpent, name));
		await carry({});
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('used');
	});

	it('[JUDGE-15] of two verdicts on one claim the first is taken over', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		// Of another claim, on the same record.
		expect(await present({ ...sheet(h, codes, 0), code: another(codes[0]) })).toBe('wrong');
		const claim = await fileClaim(stand, shop, sheet(h, codes, 0));
		await judgeClaim(stand.parts, claim);
		const [wrong, told] = verdicts().slice(-2);
		if (wrong === undefined || told === undefined) throw new Error('there are two verdicts');
		const { relayEpoch, seq } = told.verdict;
		for (const [of, epoch, number] of [
			[wrong, relayEpoch, seq - 1],
			[told, relayEpoch + 1, seq - 1],
			[told, relayEpoch, seq + 2],
			[told, relayEpoch, seq]
		] as const) {
			const verdict = { ...of.verdict, relayEpoch: epoch, seq: number };
			const again = { ...of, verdict, v: encodeBase64url(encodeVerdict(verdict)) };
			const n = await handIn(shop.business, again, 'A');
			await stand.database.sql`
				insert into ledger_fact (business, ledger, code, n, kind)
				values (${shop.business}, ${name.ledger}, ${told.code}, ${n}, 'verdict')`;
		}
		await lose();
		expect(await judgeAgain(claim)).toBe('known');
		const rows = await stand.database.sql<{ v: Uint8Array }[]>`
			select v from claim_judged where ledger = ${name.ledger}`;
		expect(rows.map(({ v }) => encodeBase64url(new Uint8Array(v)))).toEqual([told.v]);
	});

	it('[JUDGE-15] one that was used is taken over, and spends the code for nobody', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const records = [await writeRecord(stand, name), await writeRecord(stand, name)] as const;
		expect(await present(sheet(records[0], codes, 0))).toBe('ok');
		const waiting = await fileClaim(stand, shop, sheet(records[1], codes, 0));
		await judgeClaim(stand.parts, waiting);
		expect(resultOf(verdicts().at(-1))).toBe('used');
		await lose();
		await carryVerdicts();
		expect(await judgeAgain(waiting)).toBe('known');
		expect(await present(sheet(records[0], codes, 0))).toBe('ok');
	});

	it('[JUDGE-11] [JUDGE-15] a code that was spent before is replaced once its verdict is taken over', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const set = async (): Promise<unknown> =>
			(
				await stand.database.sql`
					select next_counter::int as next from sheet_set where ledger = ${name.ledger}`
			)[0]?.['next'];
		const before = await set();
		const claim = sheet(await writeRecord(stand, name), codes, 0);
		const waiting = await fileClaim(stand, shop, claim);
		await judgeClaim(stand.parts, waiting);
		const after = await set();
		expect(after).toBe(Number(before) + 1);
		await lose();
		await stand.database.sql`
			update sheet_set set next_counter = ${Number(before)} where ledger = ${name.ledger}`;
		await carryVerdicts();
		expect(await judgeAgain(waiting)).toBe('known');
		expect(await set()).toBe(after);
	});

	it('[JUDGE-15] a wrong try of before is counted', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const claim = { ...sheet(h, codes, 0), code: another(codes[0]) };
		const waiting = await fileClaim(stand, shop, claim);
		await judgeClaim(stand.parts, waiting);
		expect(resultOf(verdicts().at(-1))).toBe('wrong');
		await lose();
		await stand.database.sql`
			update ledger_guard set sheet_wrong = 0 where ledger = ${name.ledger}`;
		await carryVerdicts();
		expect(await judgeAgain(waiting)).toBe('known');
		const [guard] = await stand.database.sql`
			select sheet_wrong from ledger_guard where ledger = ${name.ledger}`;
		expect(guard).toEqual({ sheet_wrong: 1 });
	});

	it('[JUDGE-16] of two records that one code confirmed the first is the one that it was spent for', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const records = [await writeRecord(stand, name), await writeRecord(stand, name)] as const;
		for (const h of records) {
			expect(await present(sheet(h, codes, 0))).toBe('ok');
			await lose();
			stand.clock.now += 1_000;
		}
		for (const told of factsOf(stand, amina.person, 'judged').toReversed())
			await handIn(amina.person, told, 'p1');
		expect(await present(sheet(records[1], codes, 0))).toBe('used');
		await lose();
		expect(await present(sheet(records[0], codes, 0))).toBe('ok');
	});

	it('[JUDGE-16] both codes that confirmed one record are spent, when their verdicts are taken over too', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const first = await fileClaim(stand, shop, sheet(h, codes, 0));
		await judgeClaim(stand.parts, first);
		await carry({});
		const second = await fileClaim(stand, shop, sheet(h, codes, 1));
		await judgeClaim(stand.parts, second);
		await lose();
		// The shop hands in both verdicts, her phone the first.
		await carryVerdicts();
		for (const one of [second, first]) expect(await judgeAgain(one)).toBe('known');
		const other = await writeRecord(stand, name);
		for (const counter of [0, 1]) expect(await present(sheet(other, codes, counter))).toBe('used');
		expect(factsOf(stand, amina.person, 'codes').at(-1)?.fields).toMatchObject({ used: [0, 1] });
	});

	it('[JUDGE-6] [JUDGE-15] wrong tries of before do not lock a set that the customer made after them', async () => {
		const before = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const tried: WaitingClaim[] = [];
		for (let times = 0; times < WRONG_SHEETS_MAX; times += 1) {
			const wrong = { ...sheet(h, before, times), code: another(before[times]) };
			const waiting = await fileClaim(stand, shop, wrong);
			await judgeClaim(stand.parts, waiting);
			tried.push(waiting);
		}
		expect(await present(sheet(h, before, 0))).toBe('locked');
		stand.clock.now += 1_000;
		const codes = await giveSheet(stand, { name, person: amina.person });
		await lose();
		await carryVerdicts();
		for (const waiting of tried) expect(await judgeAgain(waiting)).toBe('known');
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
	});

	it('[JUDGE-7] [JUDGE-15] a wrong try of before counts for the day on which it was judged', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const wrong = { ...sheet(h, codes, 0), code: another(codes[0]) };
		const waiting = await fileClaim(stand, shop, wrong);
		await judgeClaim(stand.parts, waiting);
		await lose();
		const { sql } = stand.database;
		const { business } = shop;
		await sql`delete from wrong_day where business = ${business}`;
		const yesterday = dayOf(stand.clock.now);
		stand.clock.now += 86_400_000;
		const today = dayOf(stand.clock.now);
		await sql`insert into wrong_day values (${business}, ${today}, ${SHOP_WRONG_DAY_MAX - 1})`;
		await carryVerdicts();
		expect(await judgeAgain(waiting)).toBe('known');
		// Else weeks of honest mistakes, handed in at once, would close every claim of this day.
		expect(await present(sheet(h, codes, 0))).toBe('ok');
		const days = await sql`
			select day, wrong from wrong_day where business = ${business} order by day`;
		expect(days).toEqual([
			{ day: yesterday, wrong: 1 },
			{ day: today, wrong: SHOP_WRONG_DAY_MAX - 1 }
		]);
	});

	it('[JUDGE-15] a code that the restored database has not given out yet is spent by its verdict of before', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		await present(sheet(await writeRecord(stand, name), codes, 0));
		const last = await fileClaim(stand, shop, sheet(await writeRecord(stand, name), codes, 5));
		await judgeClaim(stand.parts, last);
		expect(resultOf(verdicts().at(-1))).toBe('ok');
		await lose();
		await stand.database.sql`update sheet_set set next_counter = 5 where ledger = ${name.ledger}`;
		await carryVerdicts();
		expect(await judgeAgain(last)).toBe('known');
		for (const counter of [1, 2])
			expect(await present(sheet(await writeRecord(stand, name), codes, counter))).toBe('ok');
		expect(await present(sheet(await writeRecord(stand, name), codes, 5))).toBe('used');
	});

	it('[JUDGE-15] a code far beyond what was given out makes nothing of all that lies before it', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const epoch = EPOCH_LINKED + 1;
		const wrong = { way: 'sheet', code: another(codes[0]), counter: 0 } as const;
		for (let tries = 0; tries < 3; tries += 1)
			expect(await present({ ...wrong, h: await writeRecord(stand, name) })).toBe('wrong');
		// Her phone can make any of them, and behind the lock nobody is told that it is none.
		const counter = 0xffff_ffff;
		const far = await codeOfSheet(stand, name, { epoch, counter });
		const claim = { h: await writeRecord(stand, name), way: 'sheet', code: far, counter } as const;
		const waiting = await fileClaim(stand, shop, claim);
		await judgeClaim(stand.parts, waiting);
		expect(resultOf(verdicts().at(-1))).toBe('locked');
		const before = await readSet(stand.parts.executor, { ...name, epoch });
		await lose();
		await carryVerdicts();
		expect(await judgeAgain(waiting)).toBe('known');
		expect(await readSet(stand.parts.executor, { ...name, epoch })).toEqual(before);
	});

	it('[JUDGE-15] a code far beyond them that an older program took for spent makes nothing of these either', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const epoch = EPOCH_LINKED + 1;
		const h = await writeRecord(stand, name);
		const far = {
			...name,
			epoch,
			way: 'sheet' as const,
			counter: 900_000_000,
			h,
			claim: claimIdOf(700_000)
		};
		await stand.database.orm
			.insert(codeSpent)
			.values({ ...far, result: 'locked', al: 0, at: stand.clock.now });
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
		const set = await readSet(stand.parts.executor, { ...name, epoch });
		expect(set?.nextCounter).toBeLessThan(20);
	});

	it('[JUDGE-16] what was spent after one restore is spent after the next', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		stand.clock.now += 1_000;
		await stand.database.sql.begin((tx) => beginNextEpoch(tx as unknown as Sql, stand.clock.now));
		stand.clock.now += 1_000;
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
		await forget();
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('used');
	});

	it('[JUDGE-16] a code of another set with the same number is another code', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('ok');
		await forget();
		stand.clock.now += 1_000;
		const others = await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), others, 0))).toBe('ok');
	});
});

describe('after a kill', () => {
	it('[JUDGE-3] the verdict stands and the claim handed in again gets no second', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const id = claimIdOf(900_000 + people);
		// The commit is done; the relay dies before it tells anybody.
		const killed = {
			...stand.parts,
			feedMoved: () => Promise.reject(new Error('killed'))
		};
		const waiting = await fileClaim(stand, shop, { ...sheet(h, codes, 0), id });
		await expect(judgeClaim(killed, waiting)).rejects.toThrow('killed');
		const before = verdicts().at(-1);
		expect(resultOf(before)).toBe('ok');

		expect(await judgeClaim(stand.parts, waiting)).toBe('gone');
		const replay = await fileClaim(stand, shop, { ...sheet(h, codes, 0), id });
		expect(await judgeClaim(stand.parts, replay)).toBe('known');
		expect(verdicts()).toHaveLength(1);
		expect(verdicts().at(-1)).toBe(before);
	});

	it('[JUDGE-3] what was not committed left nothing, and is judged anew with the same result', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const waiting = await fileClaim(stand, shop, sheet(h, codes, 0));
		const broken = {
			...stand.parts,
			appendRelayFacts: () => Promise.reject(new Error('killed'))
		};
		await expect(judgeClaim(broken, waiting)).rejects.toThrow('killed');
		const { orm } = stand.database;
		expect(await orm.select().from(codeSpent).where(ofLedger(codeSpent, name))).toEqual([]);
		expect(await judgeClaim(stand.parts, waiting)).toBe('judged');
		expect(resultOf(verdicts().at(-1))).toBe('ok');
	});

	it('[JUDGE-13] finds what was left, in the order of the ids, and one poison stops no other', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const [first, second] = [await writeRecord(stand, name), await writeRecord(stand, name)];
		const base = 800_000 + people * 10;
		const [late, early] = [claimIdOf(base + 2), claimIdOf(base + 1)];
		await fileClaim(stand, shop, { ...sheet(first, codes, 0), id: late });
		await fileClaim(stand, shop, { ...sheet(second, codes, 0), id: early });
		const poison = { business: shop.business, claim: claimIdOf(base), code: 'A', n: 999_999_999 };
		await stand.database.orm.insert(claimWaiting).values({ ...poison, dueAt: 0 });
		const faults: unknown[] = [];
		const judge = createJudge({
			...stand.parts,
			fault: (fault) => faults.push(fault),
			every: () => () => undefined
		});
		await judge.judgeDue();
		await judge.close();
		expect(faults).toHaveLength(1);
		expect(verdicts().map(({ verdict, claimId }) => [claimId, verdict.result])).toEqual([
			[early, 'ok'],
			[late, 'used']
		]);
	});
});

it('[JUDGE-13] a shop that claims much has its turn, as every other has', async () => {
	const flooding = await makeShop(stand, `flood${String(people)}`);
	const nowhere = await writeRecord(stand, name);
	const { orm } = stand.database;
	for (let at = 0; at < 30; at += 1) {
		const id = claimIdOf(at + 1);
		await fileClaim(stand, flooding, { ...sheet(nowhere, ['12345678'], 0), id });
	}
	const codes = await giveSheet(stand, { name, person: amina.person });
	const h = await writeRecord(stand, name);
	await fileClaim(stand, shop, { ...sheet(h, codes, 0), id: claimIdOf(999_999) });
	const judge = createJudge({
		...stand.parts,
		// As soon as her verdict is told, nothing more is done.
		feedMoved: () => {
			void judge.close();
			return Promise.resolve();
		},
		fault: (fault) => {
			throw fault;
		},
		every: () => () => undefined
	});
	await judge.judgeDue();
	expect(resultOf(verdicts().at(-1))).toBe('ok');
	const left = await orm
		.select()
		.from(claimWaiting)
		.where(eq(claimWaiting.business, flooding.business));
	// All of them were there before hers, by time and by id.
	expect(left.map(({ tries }) => tries).filter((tries) => tries > 0)).toEqual([1]);
	await orm.delete(claimWaiting);
});

it('[JUDGE-13] what was put off while the clock was ahead waits a minute at most once it is set back', async () => {
	const { orm } = stand.database;
	const codes = await giveSheet(stand, { name, person: amina.person });
	const h = await writeRecord(stand, name);
	await fileClaim(stand, shop, { ...sheet(h, codes, 0), id: claimIdOf(999_997) });
	const judge = createJudge({
		...stand.parts,
		fault: (fault) => {
			throw fault;
		},
		every: () => () => undefined
	});
	await orm.update(claimWaiting).set({ dueAt: stand.clock.now + 3 * DAY_MS });
	await judge.judgeDue();
	expect(verdicts()).toEqual([]);
	stand.clock.now += 60_000;
	await judge.judgeDue();
	await judge.close();
	expect(resultOf(verdicts().at(-1))).toBe('ok');
	await orm.delete(claimWaiting);
});

it('[JUDGE-13] comes to every business that has a claim due, however many there are', async () => {
	const { orm, sql } = stand.database;
	await sql`
		insert into claim_waiting (business, claim, code, n, due_at)
		select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 'A', n, 0
		from generate_series(1, 130) as n`;
	const codes = await giveSheet(stand, { name, person: amina.person });
	const h = await writeRecord(stand, name);
	await fileClaim(stand, shop, { ...sheet(h, codes, 0), id: claimIdOf(999_998) });
	const faults: unknown[] = [];
	const judge = createJudge({
		...stand.parts,
		fault: (fault) => faults.push(fault),
		every: () => () => undefined
	});
	await judge.judgeDue();
	await judge.close();
	expect(resultOf(verdicts().at(-1))).toBe('ok');
	expect(faults).toHaveLength(130);
	await orm.delete(claimWaiting);
});

describe('the chain', () => {
	it('[JUDGE-4] numbers, signs and links the verdicts of a ledger', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		for (const counter of [0, 1, 2]) {
			await present(sheet(await writeRecord(stand, name), codes, counter));
		}
		const { crypto, relayKey } = stand.parts;
		let previous: Uint8Array = new Uint8Array(32);
		for (const [at, fact] of verdicts().entries()) {
			const [v, sig] = [bytes(fact.v), bytes(fact.sig)];
			expect(fact.verdict.seq).toBe(at + 1);
			expect(fact.verdict.previous).toEqual(previous);
			expect(await crypto.verify(relayKey.publicKey, verdictMessage(v), sig)).toBe(true);
			previous = await crypto.sha256(v);
		}
		expect(verdicts()).toHaveLength(3);
	});
});

function bytes(text: string): Uint8Array {
	const decoded = decodeBase64url(text);
	if (!decoded.ok) throw new Error('not base64url');
	return decoded.value;
}

describe('guessing', () => {
	it('[JUDGE-6] a client that tries every candidate is locked after three, and the customer told', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const wrong = another(codes[0]);
		const results = [];
		for (let tries = 0; tries < 5; tries += 1) {
			results.push(await present({ h, way: 'sheet', code: wrong, counter: 0 }));
		}
		expect(results).toEqual(['wrong', 'wrong', 'wrong', 'locked', 'locked']);
		expect(verdicts().map(({ wrong: count }) => count)).toEqual([1, 2, 3, 3, 3]);
		expect(factsOf(stand, amina.person, 'judged')).toHaveLength(5);
		// The right one comes too late: the lock tells right from wrong no more.
		expect(await present(sheet(h, codes, 0))).toBe('locked');

		const again = await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), again, 0))).toBe('ok');
	});

	it('[JUDGE-6] a success forgives no wrong code', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const wrong = { h, way: 'sheet', code: another(codes[1]), counter: 1 } as const;
		expect(await present(wrong)).toBe('wrong');
		expect(await present(wrong)).toBe('wrong');
		expect(await present(sheet(h, codes, 0))).toBe('ok');
		expect(await present(wrong)).toBe('wrong');
		expect(await present(sheet(await writeRecord(stand, name), codes, 2))).toBe('locked');
	});

	it('[JUDGE-6] who has no app hears by message, once', async () => {
		const phoned = { business: shop.business, ledger: mintLedger() };
		const number = `+25470000${String(1_000 + people)}`;
		await link(stand, phoned, { way: 'phone', phone: number });
		const h = await writeRecord(stand, phoned);
		for (let tries = 0; tries < 5; tries += 1) {
			await present({ h, way: 'sheet', code: '00000000', counter: 0 });
		}
		const texts = await textsTo(stand, number);
		expect(texts).toHaveLength(1);
		expect(texts[0]).toContain('wrong codes');
	});

	it('[JUDGE-7] twenty wrong claims of a day close the whole shop, until the next day', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		let wrong = 0;
		while (wrong < 20) {
			const other = { business: shop.business, ledger: mintLedger() };
			const h = await writeRecord(stand, other);
			expect(await present({ h, way: 'sheet', code: '00000000', counter: 0 })).toBe('wrong');
			wrong += 1;
		}
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('locked');
		stand.clock.now += DAY_MS;
		expect(await present(sheet(await writeRecord(stand, name), codes, 1))).toBe('ok');
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('used');
	});

	it('[JUDGE-6] five wrong phone codes lock the phone’s way alone', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const results = [];
		for (let tries = 0; tries < 6; tries += 1) {
			results.push(await present({ h, way: 'app', code: '000000000' }));
		}
		expect(results).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'locked']);
		expect(await present({ ...sheet(h, codes, 1), code: another(codes[1]) })).toBe('wrong');
		// Each way's own count is told.
		expect(verdicts().map(({ wrong }) => wrong)).toEqual([1, 2, 3, 4, 5, 5, 1]);
		expect(await present(sheet(h, codes, 0))).toBe('ok');
	});
});

describe('a right code kept for later', () => {
	it('[JUDGE-5] over the cap is spent, and opens nothing below it any more', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person, cap: 1_000 });
		expect(await present(sheet(await writeRecord(stand, name, { minor: 1_001 }), codes, 0))).toBe(
			'overTheCap'
		);
		expect(await present(sheet(await writeRecord(stand, name, { minor: 1 }), codes, 0))).toBe(
			'used'
		);
		expect(await present(sheet(await writeRecord(stand, name, { minor: 1_000 }), codes, 1))).toBe(
			'ok'
		);
	});

	it('[JUDGE-5] of another kind or currency opens nothing, and is spent', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const payment = await writeRecord(stand, name, { kind: 'payment' });
		expect(await present(sheet(payment, codes, 0))).toBe('overTheCap');
		const dollars = await writeRecord(stand, name, { currency: 'USD' });
		expect(await present(sheet(dollars, codes, 1))).toBe('overTheCap');
		const statement = await writeRecord(stand, name, { kind: 'statement' });
		expect(await present(sheet(statement, codes, 2))).toBe('ok');
	});

	it('[JUDGE-5] is too old after 90 days', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const begun = stand.clock.now;
		stand.clock.now = begun + 90 * DAY_MS;
		expect(await present(sheet(h, codes, 0))).toBe('ok');
		stand.clock.now += 1;
		expect(await present(sheet(await writeRecord(stand, name), codes, 1))).toBe('tooOld');
		stand.clock.now = begun;
	});

	it('[JUDGE-8] of a revoked set is shown as such, and is no wrong code', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		await giveSheet(stand, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('revoked');
		expect(verdicts().at(-1)?.wrong).toBe(0);
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('used');
		// It makes no room in the set in force.
		const set = factsOf(stand, shop.business, 'sheet').at(-1);
		expect(set?.fields.open).toHaveLength(SHEET_CODES);
		expect(set?.fields.open[0]?.[0]).toBe(0);

		// A restore leaves a gap in their numbers.
		const restored = { ...stand, parts: { ...stand.parts, epoch: 1_000 } };
		for (let sets = 0; sets < 7; sets += 1) {
			await giveSheet(restored, { name, person: amina.person });
		}
		expect(await present(sheet(await writeRecord(stand, name), codes, 1))).toBe('revoked');
		await giveSheet(restored, { name, person: amina.person });
		expect(await present(sheet(await writeRecord(stand, name), codes, 2))).toBe('wrong');
	});

	it('[JUDGE-5] after the connection ended confirms nothing', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		await commitAct(stand.parts, (act) => endLink(act, stand.parts, { ...name, by: 'customer' }));
		expect(await present(sheet(await writeRecord(stand, name), codes, 0))).toBe('notLinked');
		expect(factsOf(stand, amina.person, 'judged')).toHaveLength(1);
	});

	it('[JUDGE-8] of a counter that was not given out yet is wrong', async () => {
		await giveSheet(stand, { name, person: amina.person });
		const ahead = await codesOfSheet(stand, name, EPOCH_LINKED + 1);
		const h = await writeRecord(stand, name);
		expect(await present(sheet(h, ahead, 5))).toBe('wrong');
		expect(await present(sheet(h, ahead, 4))).toBe('ok');
		expect(await present(sheet(await writeRecord(stand, name), ahead, 5))).toBe('ok');
	});
});

describe('other people’s ledgers', () => {
	it('[JUDGE-10] a customer’s code confirms no record of another customer', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const bob = await makeCustomer(stand, `bob${String(people)}`);
		const bobs = { business: shop.business, ledger: mintLedger() };
		await link(stand, bobs, { way: 'app', person: bob.person });
		await giveSheet(stand, { name: bobs, person: bob.person });
		const h = await writeRecord(stand, bobs);
		expect(await present(sheet(h, codes, 0))).toBe('wrong');
		expect(factsOf(stand, bob.person, 'judged')).toHaveLength(1);
		expect(factsOf(stand, amina.person, 'judged')).toHaveLength(0);
	});

	it('[JUDGE-10] another business with the same ledger id has its own codes and records', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const thief = await makeShop(stand, `thief${String(people)}`);
		const copied = { business: thief.business, ledger: name.ledger };
		const h = await writeRecord(stand, name);
		const waits = await fileClaim(stand, thief, sheet(h, codes, 0));
		expect(await judgeClaim(stand.parts, waits)).toBe('later');
		const own = await writeRecord(stand, copied);
		expect(await present(sheet(own, codes, 0), thief)).toBe('wrong');
		expect(await present(sheet(h, codes, 0))).toBe('ok');
	});

	it('[JUDGE-10] [JUDGE-18] a claim waits for its record and no time, and is judged once it is there', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const { orm, sql } = stand.database;
		const [kept] = await orm.select().from(record).where(eq(record.h, h));
		if (kept === undefined) throw new Error('it was written');
		await orm.delete(record).where(eq(record.h, h));
		const waiting = await fileClaim(stand, shop, sheet(h, codes, 0));
		const rowNow = async (): Promise<typeof claimWaiting.$inferSelect | undefined> =>
			(await orm.select().from(claimWaiting).where(eq(claimWaiting.claim, waiting.claim)))[0];
		expect(await judgeClaim(stand.parts, waiting)).toBe('later');
		expect(await rowNow()).toMatchObject({ tries: 1, dueAt: null, awaits: h });
		expect(await judgeClaim(stand.parts, waiting)).toBe('gone');

		// Another's record of that name is none of it.
		const other = await makeShop(stand, `other${String(people)}`);
		await wakeClaims(sql, [{ business: other.business, h }], 7);
		expect(await rowNow()).toMatchObject({ dueAt: null });
		await orm.insert(record).values(kept);
		await wakeClaims(sql, [{ business: shop.business, h }], 7);
		expect(await rowNow()).toMatchObject({ tries: 0, dueAt: 7, awaits: null });
		expect(await judgeClaim(stand.parts, waiting)).toBe('judged');
		expect(resultOf(verdicts().at(-1))).toBe('ok');
	});

	it('[JUDGE-18] a record that is stored while its claim is looked at leaves the claim due', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const h = await writeRecord(stand, name);
		const { orm, sql } = stand.database;
		const [kept] = await orm.select().from(record).where(eq(record.h, h));
		if (kept === undefined) throw new Error('it was written');
		await orm.delete(record).where(eq(record.h, h));
		const waiting = await fileClaim(stand, shop, sheet(h, codes, 0));
		let judged: Promise<Outcome> | undefined;
		await orm.transaction(async (tx) => {
			await stand.parts.lockScopes(tx, [shop.business]);
			await tx.insert(record).values(kept);
			judged = judgeClaim(stand.parts, waiting);
			await until(async () => {
				const rows = await sql`select from pg_locks where not granted`;
				return rows.length > 0;
			});
			await wakeClaims(rawSql(tx), [{ business: shop.business, h }], 7);
		});
		expect(await judged).toBe('later');
		const [row] = await orm
			.select()
			.from(claimWaiting)
			.where(eq(claimWaiting.claim, waiting.claim));
		expect(row?.dueAt).not.toBeNull();
		expect(await judgeClaim(stand.parts, waiting)).toBe('judged');
	});

	it('[JUDGE-5] an amount that was changed after the claim is another record', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		const [agreed, raised] = [
			await writeRecord(stand, name, { minor: 100 }),
			await writeRecord(stand, name, { minor: 900 })
		];
		expect(await present(sheet(agreed, codes, 0))).toBe('ok');
		expect(await present(sheet(raised, codes, 0))).toBe('used');
	});
});

describe('refills', () => {
	it('[JUDGE-11] a used code is replaced by the next, for both sides', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		await present(sheet(await writeRecord(stand, name), codes, 1));
		const set = factsOf(stand, shop.business, 'sheet').at(-1);
		const open = set?.fields.open.map(([counter]) => counter) ?? [];
		expect(open).toHaveLength(SHEET_CODES);
		expect(open).not.toContain(1);
		expect(open.at(-1)).toBeGreaterThanOrEqual(SHEET_CODES);
		const told = factsOf(stand, amina.person, 'codes').at(-1);
		expect(told?.fields).toMatchObject({ open, used: [1] });
	});

	it('[JUDGE-11] of a ledger with no app it is not, and the set runs out', async () => {
		const phoned = { business: shop.business, ledger: mintLedger() };
		await link(stand, phoned, { way: 'phone', phone: `+25471111${String(1_000 + people)}` });
		const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap: 1_000 } as const;
		expect((await sendShopList(stand.parts, { name: phoned, worth })).ok).toBe(true);
		const codes = await codesOfSheet(stand, phoned, EPOCH_LINKED + 1);
		const open = (): readonly number[] | undefined =>
			factsOf(stand, shop.business, 'sheet')
				.at(-1)
				?.fields.open.map(([counter]) => counter);
		const given = open() ?? [];
		expect(given).toHaveLength(SHEET_CODES);
		for (const counter of given) {
			expect(await present(sheet(await writeRecord(stand, phoned), codes, counter))).toBe('ok');
		}
		expect(open()).toEqual([]);
		expect(await present(sheet(await writeRecord(stand, phoned), codes, 9))).toBe('wrong');
	});
});

describe('codes of the phone', () => {
	it('[JUDGE-9] confirm the exact amount, at strength 3, from any enrolled phone', async () => {
		await enrolPhone(stand, amina.person, 2);
		const spoken = (number: number, k: number, minor: number): Promise<string> =>
			phoneCodeFor(stand, name, { epoch: EPOCH_LINKED, number, k, minor });
		const h = await writeRecord(stand, name, { minor: 700 });
		expect(await present({ h, way: 'app', code: await spoken(2, 9, 700) })).toBe('ok');
		expect(verdicts().at(-1)?.verdict.al).toBe(3);
		expect(factsOf(stand, amina.person, 'judged').at(-1)?.counter).toBe(2 * 2 ** 32 + 9);
		// Another amount is another code, and a code of a phone that is not there is none.
		expect(
			await present({
				h: await writeRecord(stand, name, { minor: 701 }),
				way: 'app',
				code: await spoken(1, 0, 700)
			})
		).toBe('wrong');
		expect(
			await present({
				h: await writeRecord(stand, name, { minor: 700 }),
				way: 'app',
				code: await spoken(2, 9, 700)
			})
		).toBe('used');
	});

	it('[CODES-14] of before a phone was removed are worth nothing, and paper is', async () => {
		const codes = await giveSheet(stand, { name, person: amina.person });
		await enrolPhone(stand, amina.person, 2);
		const wanted = { epoch: EPOCH_LINKED + 1, number: 1, k: 0, minor: 700 };
		const own = { way: 'app', code: await phoneCodeFor(stand, name, wanted) } as const;
		await stand.database.sql`
			update phone set removed_at = ${stand.clock.now}
			where person = ${amina.person} and number = 2`;
		const h = await writeRecord(stand, name, { minor: 700 });
		expect(await present({ h, ...own })).toBe('revoked');
		expect(await present(sheet(h, codes, 1))).toBe('ok');
	});

	it('[JUDGE-9] confirm nothing once their phone is enrolled no more', async () => {
		const { person } = amina;
		await enrolPhone(stand, person, 2);
		const spoken = (number: number, k: number): Promise<string> =>
			phoneCodeFor(stand, name, { epoch: EPOCH_LINKED, number, k, minor: 700 });
		const say = async (number: number, k: number): Promise<string> =>
			present({
				h: await writeRecord(stand, name, { minor: 700 }),
				way: 'app',
				code: await spoken(number, k)
			});
		expect(await say(2, 0)).toBe('ok');
		await stand.database.sql`
			update phone set removed_at = ${stand.clock.now} where person = ${person} and number = 2`;
		expect(await say(2, 1)).toBe('wrong');
		// It could make those of the other phone too.
		expect(await say(1, 0)).toBe('revoked');
	});

	it('[JUDGE-9] are looked for in a window that moves with use, and back a little', () => {
		expect(countersToTry([])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		expect(countersToTry([0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		expect(countersToTry([3, 9])).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
	});

	it('compares codes of one length alone', () => {
		expect(isSameCode('12345678', '12345678')).toBe(true);
		expect(isSameCode('12345678', '12345679')).toBe(false);
		expect(isSameCode('12345678', '123456789')).toBe(false);
	});
});

describe('codes by SMS', () => {
	it('[JUDGE-12] confirm the record that they were sent for, at strength 2, within ten minutes', async () => {
		const h = await writeRecord(stand, name);
		const sent = await sendRecordSms(stand.parts, { name, h });
		expect(sent).toMatchObject({ ok: true, value: { to: '…678', send: 0, practice: true } });
		const code = await smsCodeOf(stand, h, 0);
		const other = await writeRecord(stand, name);
		expect(await present({ h: other, way: 'sms', code, counter: 0 })).toBe('wrong');
		expect(await present({ h, way: 'sms', code, counter: 1 })).toBe('wrong');
		expect(await present({ h, way: 'sms', code, counter: 0 })).toBe('ok');
		expect(verdicts().at(-1)?.verdict.al).toBe(2);
		expect(await present({ h, way: 'sms', code, counter: 0 })).toBe('ok');

		await sendRecordSms(stand.parts, { name, h: other });
		stand.clock.now += 600_001;
		const late = await smsCodeOf(stand, other, 0);
		expect(await present({ h: other, way: 'sms', code: late, counter: 0 })).toBe('tooOld');
	});

	it('[JUDGE-12] confirm nothing for who is linked since, or by another number', async () => {
		name = { business: shop.business, ledger: mintLedger() };
		await link(stand, name, { way: 'phone', phone: '+254700000001' });
		const [first, second] = [await writeRecord(stand, name), await writeRecord(stand, name)];
		await sendRecordSms(stand.parts, { name, h: first });
		const toOld = await smsCodeOf(stand, first, 0);
		await commitAct(stand.parts, async (act) => {
			await forgetNumber(act, stand.parts, name);
			return ok(null);
		});
		stand.clock.now += 1;
		const heir = await makeCustomer(stand, `heir${String(people)}`, '+254700000009');
		await link(stand, name, { way: 'app', person: heir.person });
		expect(await present({ h: first, way: 'sms', code: toOld, counter: 0 })).toBe('revoked');

		await sendRecordSms(stand.parts, { name, h: second });
		const code = await smsCodeOf(stand, second, 0);
		await stand.database.sql`
			update account set phone = '+254700000010' where person = ${heir.person}`;
		expect(await present({ h: second, way: 'sms', code, counter: 0 })).toBe('revoked');
	});

	it('[JUDGE-12] confirm nothing across two connections, though the number is the same', async () => {
		const h = await writeRecord(stand, name);
		await sendRecordSms(stand.parts, { name, h });
		const code = await smsCodeOf(stand, h, 0);
		const ended = { ...name, by: 'customer' } as const;
		await commitAct(stand.parts, (act) => endLink(act, stand.parts, ended));
		stand.clock.now += 1;
		await link(stand, name, { way: 'app', person: amina.person });
		expect(await present({ h, way: 'sms', code, counter: 0 })).toBe('revoked');
	});

	it('[JUDGE-12] [CODES-8] confirm for who was linked while the clock was ahead, once it is set back', async () => {
		name = { business: shop.business, ledger: mintLedger() };
		const [first, second] = [await writeRecord(stand, name), await writeRecord(stand, name)];
		stand.clock.now += 3 * DAY_MS;
		await link(stand, name, { way: 'phone', phone: '+254700000001' });
		expect((await sendRecordSms(stand.parts, { name, h: second })).ok).toBe(true);
		stand.clock.now -= 3 * DAY_MS;
		expect((await sendRecordSms(stand.parts, { name, h: first })).ok).toBe(true);
		const code = await smsCodeOf(stand, first, 0);
		expect(await present({ h: first, way: 'sms', code, counter: 0 })).toBe('ok');
		expect((await sendRecordSms(stand.parts, { name, h: second })).ok).toBe(true);
		const again = await smsCodeOf(stand, second, 1);
		expect(await present({ h: second, way: 'sms', code: again, counter: 1 })).toBe('ok');
	});

	it('[JUDGE-12] take five tries a message', async () => {
		const h = await writeRecord(stand, name);
		await sendRecordSms(stand.parts, { name, h });
		const code = await smsCodeOf(stand, h, 0);
		const wrong = another(code);
		for (let tries = 0; tries < 5; tries += 1) {
			expect(await present({ h, way: 'sms', code: wrong, counter: 0 })).toBe('wrong');
		}
		expect(await present({ h, way: 'sms', code: wrong, counter: 0 })).toBe('locked');
		stand.clock.now += 30_000;
		await sendRecordSms(stand.parts, { name, h });
		const next = await smsCodeOf(stand, h, 1);
		expect(await present({ h, way: 'sms', code: next, counter: 1 })).toBe('ok');
	});
});
