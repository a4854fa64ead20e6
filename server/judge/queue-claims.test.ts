import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { fact } from '#server/database/journal.ts';
import { claimWaiting } from '#server/database/ledgers.ts';
import {
	createLedgerStand,
	fileClaim,
	makeShop,
	mintLedger,
	writeRecord,
	type LedgerStand
} from '#tests/support/ledger-stand.ts';
import { queueClaims } from './queue-claims.ts';

let stand: LedgerStand;
beforeAll(async () => {
	stand = await createLedgerStand();
});
afterAll(() => stand.close());

it('[JUDGE-14] claims alone wait, once each, and go with the transaction that stores them', async () => {
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
	expect(await orm.select().from(claimWaiting)).toEqual([{ ...waiting, dueAt: 5, tries: 0 }]);
});
