import { effectsOf } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact, FactHead } from '#domain/fact/fact.ts';
import { factId, type DeviceCode, type LedgerId } from '#domain/ids.ts';
import { TRADE_BRANCH, type Trade, type WrittenFact } from './trade.ts';

const HOUR_MS = 3_600_000;
/** These facts are numbered from here. */
export const CONTESTED_FROM = 1_000;

interface Contest {
	readonly codes: readonly DeviceCode[];
	readonly random: (limit: number) => number;
}

/** What several devices said of the same: the last of it counts, or the first. */
export function contested(
	{ facts }: Pick<Trade, 'facts'>,
	{ codes, random }: Contest
): readonly WrittenFact[] {
	const effects = facts.map(({ fact }) => effectsOf(fact));
	const [ledger, other] = new Set(effects.flatMap(({ customers }) => customers)).values();
	const [product] = effects.flatMap(({ products }) => products);
	if (ledger === undefined || other === undefined || product === undefined)
		throw new Error('a trade has customers and products');
	const [a, b] = [ledger.key, other.key].toSorted() as [LedgerId, LedgerId];
	const bodies: readonly Body[] = [
		...[1, 2, 3, 4].flatMap((at): readonly Body[] => [
			{ kind: 'product', rows: [{ productId: product.key, fields: { price: at } }] },
			{ kind: 'customer', rows: [{ ledgerId: a, fields: { name: `Amina ${String(at)}` } }] },
			{ kind: 'setting', fields: { name: `Shop ${String(at)}` } },
			{ kind: 'merge', a, b, isJoined: at % 2 === 0 },
			{ kind: 'entry', ledgerId: a, row: ['promise', 20_780 + at, at * 100, 'INR', 2] },
			{ kind: 'entry', ledgerId: 0, row: ['slipDone', factId('B', 9_000)] }
		])
	];
	return bodies.map((body, place) => {
		const wall = Date.UTC(2026, 10, 20, 8) + random(60) * HOUR_MS;
		const [code = 'A', n] = [codes[random(codes.length)], CONTESTED_FROM + place];
		const on = new Date(wall).toISOString().slice(0, 10);
		const fact: Fact = {
			...body,
			id: factId(code, n),
			code,
			n,
			at: { wall, counter: 0 },
			on,
			by: 1
		};
		return { fact, branch: TRADE_BRANCH, text: encodeFact(fact) };
	});
}

type Body = Contested extends infer F ? (F extends Fact ? Omit<F, keyof FactHead> : never) : never;
type Contested = Extract<
	Fact,
	{ readonly kind: 'product' | 'customer' | 'setting' | 'merge' | 'entry' }
>;
