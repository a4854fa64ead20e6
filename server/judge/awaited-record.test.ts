import { expect, it } from 'vitest';
import { claimFact, recordFact } from '#tests/support/hostile-facts.ts';
import { createHostileStand, mintLedger, ofKind } from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';

it('[JUDGE-18] a claim that came before its record is judged as soon as that is stored', async () => {
	const stand = await createHostileStand();
	const [shop, amina, ledger] = [
		await stand.shop('duka'),
		await stand.customer('amina'),
		mintLedger()
	];
	await stand.link(shop, ledger, amina);
	const record = await recordFact(shop, { ledger });
	const { h } = record;
	const early = await claimFact(shop, { h, way: 'sheet', code: '12345678', counter: 0 });
	const { sql } = stand.database;
	const waits = (): Promise<readonly { readonly awaits: string | null }[]> =>
		sql<{ awaits: string | null }[]>`select awaits from claim_waiting`;
	expect(await stand.put(shop, [early])).toBe('taken');
	await until(async () => (await waits())[0]?.awaits === h);
	// What waits for a record is not due, whatever time it is.
	stand.clock.now += 86_400_000;
	expect(await waits()).toEqual([{ awaits: h }]);
	expect(await stand.put(shop, [record])).toBe('taken');
	await until(async () => (await waits()).length === 0);
	expect(ofKind(await stand.feedOf(amina.person), 'judged')).toHaveLength(1);
	await stand.close();
	expect(stand.faults).toEqual([]);
});
