import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginNextEpoch } from '#server/commands/keeping/after-restore.ts';
import { judgeClaim } from '#server/judge/judge-claim.ts';
import {
	createLedgerStand,
	factsOf,
	fileClaim,
	giveSheet,
	link,
	makeCustomer,
	makeShop,
	mintLedger,
	writeRecord,
	type LedgerStand,
	type TestShop
} from '#tests/support/ledger-stand.ts';
import { SETS_OF_EPOCH } from './code-sets.ts';

/** What a connection is in the database. */
const FORGOTTEN = [
	...['ledger_link', 'ledger_guard', 'code_epoch', 'sheet_set', 'code_spent', 'claim_judged']
];
let stand: LedgerStand;

beforeAll(async () => {
	stand = await createLedgerStand();
});
afterAll(() => stand.close());

/** What the shop's claim by the first code of a sheet came to. */
async function present(shop: TestShop, { h, code }: { h: Hash; code: string }): Promise<unknown> {
	const claim = { h, way: 'sheet', code, counter: 0 } as const;
	expect(await judgeClaim(stand.parts, await fileClaim(stand, shop, claim))).toBe('judged');
	return factsOf(stand, shop.business, 'verdict').at(-1)?.verdict.result;
}

type Hash = Awaited<ReturnType<typeof writeRecord>>;

/** As a backup is restored that has no row of the connections of one shop. */
async function restoreWithout({ business }: TestShop): Promise<LedgerStand> {
	const { sql } = stand.database;
	stand.clock.now += 60_000;
	const epoch = await sql.begin(async (tx) => {
		for (const table of FORGOTTEN) {
			await tx`delete from ${tx(table)} where business = ${business}`;
		}
		return beginNextEpoch(tx as unknown as Sql, stand.clock.now);
	});
	return { ...stand, parts: { ...stand.parts, epoch } };
}

it('[CODES-13] a connection that restores forgot, once and again, never has the same codes', async () => {
	const shop = await makeShop(stand, 'duka');
	const { person } = await makeCustomer(stand, 'amina');
	const name = { business: shop.business, ledger: mintLedger() };
	// By another shop her secret was made before the backup.
	const other = { business: (await makeShop(stand, 'other')).business, ledger: mintLedger() };
	await link(stand, other, { way: 'app', person });
	const given: (readonly string[])[] = [await giveSheet(stand, { name: other, person })];

	let running = stand;
	for (let restores = 0; restores < 2; restores += 1) {
		await link(running, name, { way: 'app', person });
		const codes = await giveSheet(running, { name, person });
		const spoken = codes[0] ?? '';
		expect(await present(shop, { h: await writeRecord(stand, name), code: spoken })).toBe('ok');
		given.push(codes);
		// As many as a minute has numbers for.
		for (let sets = 2; sets < SETS_OF_EPOCH; sets += 1) {
			given.push(await giveSheet(running, { name, person }));
		}

		running = await restoreWithout(shop);
		await link(running, name, { way: 'app', person });
		given.push(await giveSheet(running, { name, person }));
		// The shop knows the code that she spoke, and presents it for what she never saw.
		const forged = await writeRecord(stand, name, { minor: 999 });
		expect(await present(shop, { h: forged, code: spoken })).toBe('wrong');
		running = await restoreWithout(shop);
	}
	expect(new Set(given.map((codes) => codes.join(' '))).size).toBe(given.length);
});
