import { assert, unreachable } from '#domain/assert.ts';
import type { LedgerId, ProductId } from '#domain/ids.ts';
import type { SaleDraft } from '#state/device.ts';
import { waitUntilCaughtUp } from './catch-up.ts';
import { accepted, type Player } from './player.ts';
import type { PlannedAct, Step } from './schedule.ts';
import type { ShopClock } from './shop-clock.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Act, Named, TradeLine } from './trade-rules.ts';

/** Which product a code is and which ledger a customer has, by their keys. */
interface Catalogue {
	readonly products: Map<string, ProductId>;
	readonly customers: Map<string, LedgerId>;
}

export interface TradeRunParts {
	readonly players: readonly Player[];
	readonly clock: ShopClock;
	/** Throws the first fault that nobody awaited. */
	readonly checkFaults: () => void;
	readonly stopwatch: Stopwatch;
	/** Hears of each morning, with its time and what was done before. */
	readonly morning: (atMs: number, done: TradeDone) => void;
}

/** What the devices have done, and how much of it off the network. */
export interface TradeDone {
	readonly acts: number;
	readonly offline: number;
}

/**
 * Plays the steps, one after the other, on the devices.
 *
 * Two devices that cannot see each other would make one code twice. As in a real shop the day begins
 * with everybody on the network: each new code and customer of the day is written by the device
 * that will be the first to name it, and the shutters go up when all devices have all of them. From
 * then on nobody waits: acts fall to devices that are cut off, and what they write is sent when they
 * are back.
 */
export async function playTrade(steps: readonly Step[], parts: TradeRunParts): Promise<TradeDone> {
	const catalogue: Catalogue = { products: new Map(), customers: new Map() };
	let done: TradeDone = { acts: 0, offline: 0 };
	for (const step of steps) {
		parts.checkFaults();
		parts.clock.moveTo(step.atMs);
		switch (step.kind) {
			case 'morning':
				parts.morning(step.atMs, done);
				await openDay(step.acts, catalogue, parts);
				parts.stopwatch.enter('acts');
				break;
			case 'leave':
				playerOf(parts, step.device).network.cut();
				break;
			case 'join':
				comeBack(playerOf(parts, step.device));
				break;
			case 'act':
				done = await playAct(playerOf(parts, step.device), step.act, { catalogue, done });
				break;
			default:
				unreachable(step);
		}
	}
	parts.players.forEach(comeBack);
	return done;
}

async function playAct(
	player: Player,
	act: Act,
	{ catalogue, done }: { readonly catalogue: Catalogue; readonly done: TradeDone }
): Promise<TradeDone> {
	await play(player, act, catalogue);
	return { acts: done.acts + 1, offline: done.offline + (player.network.isUp ? 0 : 1) };
}

function playerOf({ players }: TradeRunParts, device: number): Player {
	const player = players[device];
	assert(player !== undefined, 'the schedule names devices that are there');
	return player;
}

function comeBack({ network, link }: Player): void {
	network.mend();
	link.wake();
}

async function openDay(
	acts: readonly PlannedAct[],
	catalogue: Catalogue,
	parts: TradeRunParts
): Promise<void> {
	parts.stopwatch.enter('catalogue');
	parts.players.forEach(comeBack);
	await Promise.all(
		parts.players.map(async (player, device) => {
			const firsts = newOnes(acts, catalogue).filter((first) => first.device === device);
			await writeProducts(player, firsts, catalogue);
			await writeCustomers(player, firsts, catalogue);
		})
	);
	parts.stopwatch.enter('mornings');
	await waitUntilCaughtUp(parts.players, parts.checkFaults);
	for (const { store } of parts.players) {
		const held = await store.read(['products'], (rows) => rows.count('products'));
		assert(held === catalogue.products.size, 'every device has every product');
	}
}

/** What a day names for the first time, and who is the first to name it. */
type First = { readonly device: number } & (
	| { readonly kind: 'product'; readonly of: TradeLine }
	| { readonly kind: 'customer'; readonly of: Named }
);

function newOnes(
	acts: readonly PlannedAct[],
	{ products, customers }: Catalogue
): readonly First[] {
	const firstByCode = new Map<string, First>();
	const firstByCustomer = new Map<string, First>();
	for (const { device, act } of acts) {
		const { customer } = act;
		if (customer !== null && !customers.has(customer.key) && !firstByCustomer.has(customer.key))
			firstByCustomer.set(customer.key, { kind: 'customer', device, of: customer });
		for (const line of act.lines) {
			const { key } = line.code;
			if (products.has(key) || firstByCode.has(key)) continue;
			firstByCode.set(key, { kind: 'product', device, of: line });
		}
	}
	return [...firstByCode.values(), ...firstByCustomer.values()];
}

async function writeProducts(
	{ device }: Player,
	firsts: readonly First[],
	{ products }: Catalogue
): Promise<void> {
	const lines = firsts.flatMap((first) => (first.kind === 'product' ? [first.of] : []));
	if (lines.length === 0) return;
	const drafts = lines.map(({ code, name, unitPriceMinor }) => ({
		name,
		price: unitPriceMinor,
		codes: [code.name],
		unit: 'piece' as const,
		kind: 'goods' as const
	}));
	const ids = accepted('a list of products', await device.addProducts(drafts));
	lines.forEach(({ code }, place) => {
		const id = ids[place];
		if (id !== undefined) products.set(code.key, id);
	});
}

async function writeCustomers(
	{ device }: Player,
	firsts: readonly First[],
	{ customers }: Catalogue
): Promise<void> {
	for (const first of firsts) {
		if (first.kind !== 'customer') continue;
		const { key, name } = first.of;
		customers.set(key, accepted(`customer ${name}`, await device.addCustomer({ name })));
	}
}

async function play({ device }: Player, act: Act, catalogue: Catalogue): Promise<void> {
	const what = `${act.kind} ${act.invoice}`;
	switch (act.kind) {
		case 'sale':
			accepted(what, await device.sell(saleOf(act, catalogue)));
			return;
		case 'return': {
			const ledger = ledgerOf(act, catalogue);
			const refund =
				ledger === null ? { kind: 'cash' as const } : { kind: 'account' as const, ledger };
			const lines = act.lines.map((line) => ({
				product: productOf(line, catalogue),
				name: line.name,
				quantity: line.quantityThousandths,
				unitPriceMinor: line.unitPriceMinor,
				damaged: false
			}));
			accepted(what, await device.takeBack({ lines, refund }));
			return;
		}
		case 'adjust': {
			const rows = act.lines.map((line) => ({
				product: productOf(line, catalogue),
				delta: -line.quantityThousandths
			}));
			accepted(what, await device.adjustStock(rows, 'correction'));
			return;
		}
		default:
			unreachable(act.kind);
	}
}

function saleOf(act: Act, catalogue: Catalogue): SaleDraft {
	const ledger = ledgerOf(act, catalogue);
	const minor = act.lines.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
	return {
		lines: act.lines.map((line) => ({
			productId: productOf(line, catalogue),
			name: line.name,
			quantityThousandths: line.quantityThousandths,
			unitPriceMinor: line.unitPriceMinor
		})),
		tenders: [ledger === null ? { kind: 'cash', minor } : { kind: 'account', minor, ledger }]
	};
}

function productOf({ code }: TradeLine, { products }: Catalogue): ProductId {
	const product = products.get(code.key);
	assert(product !== undefined, 'the morning wrote every code of its day');
	return product;
}

function ledgerOf({ customer }: Act, { customers }: Catalogue): LedgerId | null {
	if (customer === null) return null;
	const ledger = customers.get(customer.key);
	assert(ledger !== undefined, 'the morning wrote every customer of its day');
	return ledger;
}
