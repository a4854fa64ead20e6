import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseBusinessId, parseLedgerId, parsePersonId, type BusinessId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { systemRandom } from '#server/auth/random.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import {
	factAs,
	handFact,
	recordFact,
	type HandFact,
	type ShopAuthor
} from '#tests/support/hostile-facts.ts';
import { createTestKey } from '#tests/support/people-stand.ts';
import { sure } from '#tests/support/sure.ts';
import { TRADE_BRANCH } from '#tests/support/trade.ts';
import type { Allowance } from './allowance.ts';
import { appendToFeed } from './feed-only.ts';
import type { Given } from './given-fact.ts';
import { holdingBack, readHeldBack } from './held-back.ts';
import type { Room } from './room.ts';
import { factKey, type NewFact, type Submission } from './submission.ts';
import { textItem } from './update-writer.ts';

const crypto = createNodeCrypto();
const ledger = sure(parseLedgerId(systemRandom.uuid()));
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

async function shop(): Promise<ShopAuthor> {
	return {
		business: sure(parseBusinessId(systemRandom.uuid())),
		branch: TRADE_BRANCH,
		person: sure(parsePersonId(systemRandom.uuid())),
		...{ code: 'A', n: 0, signer: await createTestKey(), clock: { now: Date.UTC(2026, 10, 20) } }
	};
}

function submission(scope: BusinessId, facts: readonly HandFact[]): Submission {
	const checks = facts.map(({ id, text }, clock) => {
		return [textItem({ client: 1, clock, key: id, text }), ok(sure(parseFact(text)))] as const;
	});
	const update = { items: checks.map(([item]) => item), deletions: [] };
	const caller = { scope, code: 'A' };
	return { room: {} as Room, caller, update, checks: new Map(checks), sender: {} };
}

it('[RELAY-82] holds back what folds a ledger of who is beyond it, and nothing else of anybody', async () => {
	const [spent, other] = [await shop(), await shop()];
	const plain = await recordFact(spent, { ledger });
	const named = await recordFact(spent, { ledger });
	const folding = [
		await recordFact(spent, { ledger, kind: 'reversalOfDebit', ref: plain.h }),
		await recordFact(spent, { ledger, kind: 'credit', ref: plain.h }),
		await recordFact(spent, { ledger, kind: 'openingCredit' }),
		await recordFact(spent, { ledger, kind: 'statement', list: [plain.h] })
	];
	const setting = handFact(spent, 'setting', { name: 'Shop' });
	const others = [await recordFact(other, { ledger, kind: 'reversalOfDebit', ref: plain.h })];
	await database.sql`
		insert into early_name (business, ledger, h) values (${spent.business}, ${ledger}, ${named.h}),
			(${other.business}, ${ledger}, ${plain.h})`;
	const batch = [
		submission(spent.business, [plain, setting, named, ...folding]),
		submission(other.business, others)
	];
	const isSpent = (business: string): boolean => business === spent.business;
	const held = await readHeldBack(database.sql, batch, { isSpent, crypto });
	const keys = [named, ...folding].map(({ id }) => factKey(spent.business, id));
	expect([...held].sort()).toEqual(keys.sort());
	expect(await readHeldBack(database.sql, batch, { isSpent: () => false, crypto })).toEqual(
		new Set()
	);

	const facts = batch.flatMap(({ caller, checks }) =>
		Array.from(checks.values(), (check) => {
			return { device: caller, fact: sure(check) } as NewFact;
		})
	);
	const bringing = { facts, items: facts.length, isCarried: false };
	const bearer = { scope: spent.business, code: 'A' };
	const beyond = holdingBack(allowing([]), held).beyond(bearer, bringing);
	expect(beyond).toEqual(
		facts.filter(({ device, fact }) => held.has(factKey(device.scope, fact.id)))
	);
	// What there is no room for anyhow is named once.
	expect(holdingBack(allowing(facts), held).beyond(bearer, bringing)).toEqual(facts);
	expect(holdingBack(allowing('all'), held).beyond(bearer, bringing)).toBe('all');
});

function allowing(beyond: readonly NewFact[] | 'all'): Allowance {
	return { beyond: () => beyond, take: () => undefined, keep: () => Promise.resolve() };
}

it('[RELAY-82] refuses and counts what the feed alone is told of a ledger, too', async () => {
	const author = await shop();
	const counted: number[] = [];
	let isSpent = true;
	const folds = {
		isSpent: (business: string) => isSpent && business === author.business,
		take: (_business: string, rows: number) => counted.push(rows)
	};
	const by = { code: '0.1', clock: author.clock };
	const given = [
		factAs(by, 1, ['link', ledger, { state: 'linked', way: 'app' }]),
		factAs(by, 2, ['member', 2, { name: 'Bob' }])
	].map(({ text }): Given => {
		const of = { scope: author.business, code: '0.1' };
		const told = { given: { branch: null, text }, fact: sure(parseFact(text)), author: of };
		return { kind: 'fact', ...told, address: null, name: '', isAuthorBack: false };
	});
	const parts = { sql: database.sql, clock: () => author.clock.now, folds };
	const tell = async (): Promise<readonly unknown[]> => {
		const caller = { scope: author.business };
		const told = await appendToFeed({ ...parts, caller }, given, { code: 'A', isCarrying: true });
		return told.map(({ became }) => became);
	};
	expect(await tell()).toEqual([{ became: 'refused', reason: 'tooMany' }, { became: 'kept' }]);
	expect(counted).toEqual([]);
	isSpent = false;
	expect(await tell()).toEqual([{ became: 'kept' }, { became: 'known' }]);
	expect(counted).toEqual([1]);
});
