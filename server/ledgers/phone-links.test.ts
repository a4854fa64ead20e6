import { afterAll, beforeAll, expect, it } from 'vitest';
import {
	createLedgerStand,
	link,
	makeShop,
	mintLedger,
	textsTo,
	type LedgerStand
} from '#tests/support/ledger-stand.ts';
import { askPhone, confirmPhone } from './phone-links.ts';

const HERS = '+254700000001';
const HIS = '+254700000002';
const YEAR_MS = 365 * 86_400_000;

let stand: LedgerStand;
beforeAll(async () => {
	stand = await createLedgerStand();
});
afterAll(() => stand.close());

it('[CONNECT-12] asks the number anew that was proved since another was asked for, however long ago', async () => {
	const shop = await makeShop(stand, 'duka');
	const name = { business: shop.business, ledger: mintLedger() };
	await link(stand, name, { way: 'phone', phone: HERS });
	const asked = await askPhone(stand.parts, { name, phone: HIS });
	expect(asked).toMatchObject({ ok: true, value: { needs: 'oldCode' } });
	stand.clock.now += 120_000;
	expect((await askPhone(stand.parts, { name, phone: HERS })).ok).toBe(true);
	const code = /\d{6}/.exec((await textsTo(stand, HERS)).at(-1) ?? '')?.[0] ?? '';
	expect((await confirmPhone(stand.parts, { name, code })).ok).toBe(true);
	stand.clock.now += YEAR_MS;
	const before = (await textsTo(stand, HERS)).length;
	const again = await askPhone(stand.parts, { name, phone: HIS });
	expect(again).toMatchObject({ ok: true, value: { needs: 'oldCode' } });
	expect((await textsTo(stand, HERS)).length - before).toBe(1);
});
