import { dayNumber } from '#domain/calendar.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import type { Device } from '#state/device.ts';
import { isStorageFull, type DeviceStore } from '#storage/device-store.ts';
import type { Chance } from './chance.ts';

/** What came of an act: done, refused in words, or there was nothing to do it to. */
export type Deed = 'done' | 'refused' | 'nothing' | 'full';

interface Acting {
	readonly device: Device;
	/** The disk itself, to look around on. */
	readonly store: DeviceStore;
	readonly chance: Chance;
	/** Stands in every name that this business gives, so that nobody else can read one unseen. */
	readonly marker: string;
}

type Act = (acting: Acting) => Promise<Deed>;

/** What people of a shop do, and how often. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
	[8, sell],
	[3, sellOnAccount],
	[2, addProduct],
	[1, changeProduct],
	[2, addCustomer],
	[1, changeCustomer],
	[1, adjust],
	[2, pay],
	[1, takeBack],
	[1, setting],
	[1, promise]
];
const WEIGHT = ACTS.reduce((sum, [weight]) => sum + weight, 0);

/** One act of somebody at a device, drawn by chance from what there is. */
export async function actOnce(acting: Acting): Promise<Deed> {
	let draw = acting.chance.below(WEIGHT);
	const [, act] = ACTS.find(([weight]) => (draw -= weight) < 0) ?? [0, sell];
	try {
		return await act(acting);
	} catch (fault) {
		// Said to the person: nothing was saved.
		if (isStorageFull(fault)) return 'full';
		throw fault;
	}
}

function said({ ok }: Result<unknown, unknown>): Deed {
	return ok ? 'done' : 'refused';
}

async function pickProduct({
	store,
	chance
}: Acting): Promise<{ id: string; price: number } | undefined> {
	const rows = await store.read(['products'], (read) => read.all('products'));
	if (rows.length === 0) return undefined;
	const { id, price } = chance.pick(rows);
	return { id, price: price ?? 100 };
}

async function pickLedger({ store, chance }: Acting): Promise<LedgerId | undefined> {
	const rows = await store.read(['customers'], (read) => read.all('customers'));
	return rows.length === 0 ? undefined : chance.pick(rows).ledger;
}

async function lineOf(acting: Acting): Promise<Parameters<Device['sell']>[0]['lines'][number]> {
	const product = await pickProduct(acting);
	const quantityThousandths = 1_000 * acting.chance.between(1, 3);
	const base = {
		name: `Tea of ${acting.marker}`,
		quantityThousandths,
		unitPriceMinor: product?.price ?? 150
	};
	return product === undefined ? base : { ...base, productId: product.id as never };
}

async function sell(acting: Acting): Promise<Deed> {
	const line = await lineOf(acting);
	const minor = (line.unitPriceMinor * line.quantityThousandths) / 1_000;
	return said(await acting.device.sell({ lines: [line], tenders: [{ kind: 'cash', minor }] }));
}

async function sellOnAccount(acting: Acting): Promise<Deed> {
	const ledger = await pickLedger(acting);
	if (ledger === undefined) return addCustomer(acting);
	const line = await lineOf(acting);
	const minor = (line.unitPriceMinor * line.quantityThousandths) / 1_000;
	const tenders = [{ kind: 'account' as const, minor, ledger }];
	return said(await acting.device.sell({ lines: [line], tenders }));
}

async function addProduct({ device, chance, marker }: Acting): Promise<Deed> {
	const number = chance.below(1_000_000);
	const price = chance.between(1, 50) * 10;
	return said(await device.addProducts([{ name: `${marker} ${String(number)}`, price }]));
}

async function changeProduct(acting: Acting): Promise<Deed> {
	const product = await pickProduct(acting);
	if (product === undefined) return 'nothing';
	const price = acting.chance.between(1, 50) * 10;
	return said(await acting.device.changeProduct(product.id as never, { price }));
}

async function addCustomer({ device, chance, marker }: Acting): Promise<Deed> {
	return said(await device.addCustomer({ name: `${marker} ${String(chance.below(1_000_000))}` }));
}

async function changeCustomer(acting: Acting): Promise<Deed> {
	const ledger = await pickLedger(acting);
	if (ledger === undefined) return 'nothing';
	const name = `${acting.marker} ${String(acting.chance.below(1_000_000))}`;
	return said(await acting.device.changeCustomer(ledger, { name }));
}

async function adjust(acting: Acting): Promise<Deed> {
	const product = await pickProduct(acting);
	if (product === undefined) return 'nothing';
	const delta = 1_000 * acting.chance.between(-5, 20);
	if (delta === 0) return 'nothing';
	const row = { product: product.id as never, delta };
	return said(await acting.device.adjustStock([row], delta < 0 ? 'waste' : 'found'));
}

async function pay(acting: Acting): Promise<Deed> {
	const ledger = await pickLedger(acting);
	if (ledger === undefined) return 'nothing';
	const kind = acting.chance.percent(70) ? ('payment' as const) : ('due' as const);
	const minor = acting.chance.between(1, 500);
	return said(await acting.device.writeRecords(ledger, [{ kind, minor }]));
}

async function takeBack(acting: Acting): Promise<Deed> {
	const rows = await acting.store.read(['facts'], (read) =>
		read.findAny('facts', 'kind', ['sale'])
	);
	if (rows.length === 0) return 'nothing';
	const sale = acting.chance.pick(rows);
	const line = { saleLine: 0, name: 'Tea', quantity: 1_000, damaged: acting.chance.percent(20) };
	return said(
		await acting.device.takeBack({
			sale: sale.id,
			lines: [line],
			refund: { kind: 'cash' }
		})
	);
}

async function setting({ device, chance, marker }: Acting): Promise<Deed> {
	return said(await device.changeSettings({ name: `${marker} ${String(chance.below(1_000))}` }));
}

async function promise(acting: Acting): Promise<Deed> {
	const ledger = await pickLedger(acting);
	if (ledger === undefined) return 'nothing';
	const day = dayNumber('2026-12-24');
	return said(await acting.device.addEntry(ledger, ['promise', day, 500, 'KES', 2]));
}
