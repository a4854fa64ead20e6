import { parseBranchId } from '#domain/ids.ts';
import type { FactText } from '#state/arrived-fact.ts';
import { STAND_EPOCH, type HostileStand, type StandShop } from './hostile-stand.ts';
import { openTestDevice, type TestDevice } from './test-device.ts';
import { identityOf } from './way-back-stand.ts';

/** A shop's real device, whose facts reach the relay when it is told to. */
export interface ShopDevice extends TestDevice {
	/** Sends what was not sent, waits until all is judged and carried, and takes in the whole feed. */
	sync(): Promise<void>;
}

export async function openShopDevice(stand: HostileStand, shop: StandShop): Promise<ShopDevice> {
	const { signer } = shop;
	const seed = Math.floor(Math.random() * 1e9);
	const test = await openTestDevice({
		seed,
		signer,
		joins: { identity: identityOf(shop), code: shop.code }
	});
	test.clock.now = stand.clock.now;
	await test.device.changeSettings({ currency: 'KES' });
	const sent = new Set<string>();
	return {
		...test,
		sync: async () => {
			const rows = await test.store.read(['journal'], (read) => read.all('journal'));
			const facts = rows.filter(({ id }) => !sent.has(id)).map(({ id, text }) => ({ id, text }));
			if (facts.length > 0) {
				const outcome = await stand.put(shop, facts);
				if (outcome !== 'taken') throw new Error(`the relay refused: ${outcome}`);
			}
			for (const { id } of facts) sent.add(id);
			await stand.settled();
			await test.device.receive(await feedRows(stand, shop));
		}
	};
}

async function feedRows(stand: HostileStand, shop: StandShop): Promise<readonly FactText[]> {
	const path = `/feed?epoch=${String(STAND_EPOCH)}&after=0`;
	const { body } = await stand.ask(path, { by: shop });
	const rows = body['rows'] as readonly (readonly [number, string | null, string])[];
	return rows.map(([, branch, text]) => {
		const parsed = branch === null ? undefined : parseBranchId(branch);
		return { text, branch: parsed?.ok === true ? parsed.value : null };
	});
}
