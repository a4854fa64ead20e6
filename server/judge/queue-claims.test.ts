import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';
import { clock, databaseEpoch, fact } from '#server/database/journal.ts';
import { claimWaiting } from '#server/database/ledgers.ts';
import {
	createLedgerStand,
	fileClaim,
	makeShop,
	mintLedger,
	writeRecord,
	type LedgerStand
} from '#tests/support/ledger-stand.ts';
import { queueClaims, wakeClaims } from './queue-claims.ts';

let stand: LedgerStand;
beforeAll(async () => {
	stand = await createLedgerStand();
});
afterAll(() => stand.close());

it('[JUDGE-14] [JUDGE-15] claims alone wait, once each, and go with the transaction that stores them', async () => {
	const { orm, sql } = stand.database;
	const shop = await makeShop(stand, 'queue');
	const h = await writeRecord(stand, { business: shop.business, ledger: mintLedger() });
	const waiting = await fileClaim(stand, shop, { h, way: 'sms', code: '123456', counter: 0 });
	const [row] = await orm.select().from(fact);
	const parsed = parseFact(row?.text ?? '');
	if (!parsed.ok || parsed.value.kind !== 'claim') throw new Error('no claim was filed');
	const claim: ClaimFact = parsed.value;
	await orm.delete(claimWaiting);

	const stored = { business: shop.business, fact: claim };
	await queueClaims(sql, [stored, { ...stored, fact: { ...claim, kind: 'seen', upToMs: 1 } }], 5);
	await queueClaims(sql, [stored], 6);
	await queueClaims(sql, [], 7);
	expect(await orm.select().from(claimWaiting)).toEqual([
		{ ...waiting, dueAt: 5, tries: 0, awaits: null }
	]);

	// Of a database that was restored nobody knows whether what is stamped ahead was judged before.
	const claimNow = async (): Promise<number | null | undefined> => {
		await orm.delete(claimWaiting);
		await queueClaims(sql, [stored], 8);
		return (await orm.select().from(claimWaiting))[0]?.dueAt;
	};
	await orm.insert(clock).values({
		...{ business: shop.business, code: claim.code, n: claim.n, clockCode: '0.4', clockN: 1 },
		...{ wall: claim.at.wall - 1, counter: 0, onDay: claim.on }
	});
	expect(await claimNow()).toBe(8);
	const restoredAt = async (startedAt: number): Promise<void> => {
		await orm.delete(databaseEpoch);
		await orm.insert(databaseEpoch).values([1, 2].map((epoch) => ({ epoch, startedAt })));
	};
	await restoredAt(1);
	expect(await claimNow()).toBe(60_008);
	await orm.delete(clock);
	expect(await claimNow()).toBe(8);
	// A clock may be five minutes off and nobody says so.
	await restoredAt(claim.at.wall - STAMP_AHEAD_MAX_MS);
	expect(await claimNow()).toBe(8);
	await restoredAt(claim.at.wall - STAMP_AHEAD_MAX_MS + 1);
	expect(await claimNow()).toBe(60_008);
});

it('[JUDGE-15] [JUDGE-18] a claim of before a restore whose record comes after it waits for its verdict too', async () => {
	const { orm, sql } = stand.database;
	const shop = await makeShop(stand, 'woken');
	const h = await writeRecord(stand, { business: shop.business, ledger: mintLedger() });
	const waiting = await fileClaim(stand, shop, { h, way: 'sms', code: '123456', counter: 0 });
	const dueOnce = async (startedAts: readonly number[]): Promise<number | null | undefined> => {
		await orm.delete(databaseEpoch);
		const epochs = startedAts.map((startedAt, at) => ({ epoch: at + 1, startedAt }));
		await orm.insert(databaseEpoch).values(epochs);
		const ofShop = eq(claimWaiting.business, shop.business);
		await orm.update(claimWaiting).set({ dueAt: null, awaits: h, tries: 1 }).where(ofShop);
		await wakeClaims(sql, [{ business: shop.business, h }], 8);
		const [row] = await orm.select().from(claimWaiting).where(ofShop);
		expect(row).toEqual({ ...waiting, dueAt: row?.dueAt, tries: 0, awaits: null });
		return row?.dueAt;
	};
	const [own] = await orm.select().from(fact).where(eq(fact.business, shop.business));
	const wall = own?.wall ?? 0;
	expect(await dueOnce([1])).toBe(8);
	expect(await dueOnce([1, wall - STAMP_AHEAD_MAX_MS])).toBe(8);
	expect(await dueOnce([1, wall])).toBe(60_008);
});
