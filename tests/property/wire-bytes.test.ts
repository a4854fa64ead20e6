import { describe, expect, it } from 'vitest';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { wireBytesOf } from '#tests/support/wire-bytes.ts';

const CASH_SALE_BYTES_MAX = 160;
/** A signed record weighs most of it: its core 152, its signature 86, its rest about 200 characters. */
const ACCOUNT_SALE_BYTES_MAX = 720;

async function shop(): Promise<{
	till: TestDevice;
	products: readonly ProductId[];
	ledger: LedgerId;
}> {
	const till = await openTestDevice({ seed: 11, currency: 'GBP' });
	// A shop of some age: ids and receipt numbers of four digits.
	for (let page = 0; page < 20; page++) {
		const rows = Array.from({ length: 50 }, (_none, row) => ({ name: `Thing ${String(row)}` }));
		await till.device.addProducts(rows);
	}
	await till.store.write(['meta'], (rows) =>
		rows.put('meta', [{ key: 'sequence', value: { n: 1_270, receipt: 1_269 } }])
	);
	const added = await till.device.addProducts([{ name: 'Lantern' }, { name: 'Holder' }]);
	const customer = await till.device.addCustomer({ name: 'Amina' });
	if (!added.ok || !customer.ok) throw new Error('the shop could not be set up');
	return { till, products: added.value, ledger: customer.value };
}

const lines = (products: readonly ProductId[]) => [
	{ productId: products[0], name: 'Lantern', quantityThousandths: 6000, unitPriceMinor: 255 },
	{ productId: products[1], name: 'Holder', quantityThousandths: 1000, unitPriceMinor: 339 }
];

describe('bytes on the wire', () => {
	it('[DOC-6] a cash sale of two lines takes at most 160, names not counted', async () => {
		const { till, products } = await shop();
		const sold = await till.device.sell({
			lines: lines(products),
			tenders: [{ kind: 'cash', minor: 2_000 }]
		});
		if (!sold.ok) throw new Error(sold.error.kind);
		const bytes = wireBytesOf(sold.value.fact);
		process.stdout.write(`a cash sale of two lines: ${String(bytes)} bytes\n`);
		expect(bytes).toBeLessThanOrEqual(CASH_SALE_BYTES_MAX);
	});

	it('[DOC-6] the same sale on account carries its signed record, and little else', async () => {
		const { till, products, ledger } = await shop();
		const sold = await till.device.sell({
			lines: lines(products),
			tenders: [{ kind: 'account', minor: 1_869, ledger }]
		});
		if (!sold.ok) throw new Error(sold.error.kind);
		expect(sold.value.fact.record?.core.amount).toBe(1_869);
		const bytes = wireBytesOf(sold.value.fact);
		process.stdout.write(`the same on account: ${String(bytes)} bytes\n`);
		expect(bytes).toBeLessThanOrEqual(ACCOUNT_SALE_BYTES_MAX);
	});
});
