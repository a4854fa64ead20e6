import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DeviceCode } from '#domain/ids.ts';
import { createWebCrypto } from '#state/web-crypto.ts';
import { talkedTrade } from '#tests/support/talked-trade.ts';
import { TRADE_BRANCH, type Trade } from '#tests/support/trade.ts';
import { changeMinor, documentTotalMinor } from './document-total.ts';
import { effectsOf } from './effects.ts';
import { encodeFact } from './encode-fact.ts';
import type { SaleFact } from './fact.ts';
import { foldFacts } from './fold.ts';
import { parseFact } from './parse-fact.ts';

const SALE =
	'["A-127","sale",1795212345678,0,20777,1,12,[["A-3","Rice",1500,95000,142500],[0,"",1000,500,500]],[["cash",150000]]]';
const codes = ['A', 'B'] as DeviceCode[];
let trade: Trade;

beforeAll(async () => {
	trade = await talkedTrade({ seed: 7, count: 160, codes, crypto: createWebCrypto() });
});

function sale(text: string): SaleFact {
	const fact = parseFact(text);
	if (!fact.ok || fact.value.kind !== 'sale') throw new Error('not a sale');
	return fact.value;
}

describe('fact', () => {
	it('[FACT-1] is read from its text, and written back to the same text', () => {
		expect(sale(SALE)).toEqual({
			id: 'A-127',
			code: 'A',
			n: 127,
			at: { wall: 1795212345678, counter: 0 },
			on: '2026-11-20',
			by: 1,
			kind: 'sale',
			receipt: 12,
			lines: [
				{
					productId: 'A-3',
					name: 'Rice',
					quantityThousandths: 1500,
					unitPriceMinor: 95000,
					totalMinor: 142500
				},
				{
					productId: null,
					name: '',
					quantityThousandths: 1000,
					unitPriceMinor: 500,
					totalMinor: 500
				}
			],
			tenders: [{ kind: 'cash', minor: 150000 }]
		});
		expect(encodeFact(sale(SALE))).toBe(SALE);
		for (const { text, fact } of trade.facts) {
			expect(parseFact(text)).toEqual({ ok: true, value: fact });
			expect(encodeFact(fact)).toBe(text);
		}
		const kinds = new Set(trade.facts.map(({ fact }) => fact.kind));
		expect([...kinds].toSorted()).toEqual([
			'adjust',
			'answered',
			'claim',
			'customer',
			'link',
			'product',
			'record',
			'return',
			'sale',
			'setting',
			'verdict'
		]);
	});

	it.each([
		['notJson', 'not json'],
		['notJson', '['.repeat(60_000)],
		['notCompact', SALE.replace(',', ', ')],
		['notCompact', SALE.replace('150000', '1.5e5')],
		['badText', SALE.replace('Rice', 'Ri\\u0000ce')],
		['badText', SALE.replace('Rice', 'Ri\\ud83dce')],
		['badHead', '{}'],
		['badHead', '["A-127","sale"]'],
		['badHead', SALE.replace('A-127', 'A-0127')],
		['badHead', SALE.replace('1795212345678', '-1')],
		['badHead', SALE.replace(',1,12,', ',0,12,')],
		['unknownKind', SALE.replace('sale', 'sale.2')],
		['badBody', SALE.replace(',12,', ',0,')],
		['badBody', SALE.replace('1500,', '0,')],
		['badBody', SALE.replace('142500', '10000000000001')],
		['badBody', SALE.replace('142500', '-1')],
		['badBody', SALE.replace('150000', '142999')],
		['badBody', SALE.replace('"cash"', '"card"')],
		['badBody', SALE.replace('"cash"', '"account"')],
		['badBody', SALE.replace(']]]', ']],{"rec":1}]')],
		['badBody', SALE.replace(']]]', ']],{"extra":1}]')],
		['badBody', '["A-1","product",1,0,1,1,[[0,{"name":"a","colour":"red"}]]]'],
		['badBody', '["A-1","product",1,0,1,1,[[0,{"__proto__":{"name":"a"}}]]]'],
		['badBody', '["A-1","setting",1,0,1,1,{"cutoff":1440}]'],
		['badBody', '["A-1","adjust",1,0,1,1,[["A-3",0]],"waste"]'],
		['badBody', '["A-1","adjust",1,0,1,1,[["A-3",1]],"lost"]'],
		['badBody', '["A-1","member",1,0,1,1,1,{"name":"a"}]'],
		['badBody', '["A-1","record",1,0,1,1,[],{"undoes":"due"}]']
	])('[FACT-2] refuses as %s what is not whole (%#)', (error, text) => {
		expect(parseFact(text)).toEqual({ ok: false, error });
	});

	it('[FACT-2] keeps a name in which a backslash stands before u0000', () => {
		const text = SALE.replace('Rice', 'Ri\\\\u0000ce');
		expect(sale(text).lines[0]?.name).toBe('Ri\\u0000ce');
	});

	it('[FACT-3] is at most 64 KiB of UTF-8', () => {
		const line = '[0,"é",1,0,0]';
		const of = (count: number, pad: string) =>
			`["A-1","sale",1,0,1,1,1,[${Array.from({ length: count }, () => line).join()},[0,"${pad}",1,0,0]],[]]`;
		const bytes = (text: string) => new TextEncoder().encode(text).length;
		const products = (rows: number, pad: string) =>
			`["A-1","product",1,0,1,1,[${Array.from({ length: rows }, () => `[0,{"name":"${'é'.repeat(190)}"}]`).join()},[0,{"name":"${pad}"}]]]`;
		const short = products(164, 'x');
		const fits = products(164, 'x'.repeat(1 + Math.min(199, 65_536 - bytes(short))));
		expect(bytes(fits)).toBeLessThanOrEqual(65_536);
		expect(parseFact(fits).ok).toBe(true);
		expect(parseFact(products(168, 'x'))).toEqual({ ok: false, error: 'tooLarge' });
		expect(parseFact(of(900, 'x')).ok).toBe(true);
	});

	it('[FACT-4] never throws, whatever arrives', () => {
		const mutations = fc.tuple(fc.nat(SALE.length), fc.nat(6), fc.string({ maxLength: 6 }));
		fc.assert(
			fc.property(mutations, ([at, cut, put]) => {
				parseFact(SALE.slice(0, at) + put + SALE.slice(at + cut));
			}),
			{ numRuns: 500 }
		);
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(parseFact(text).ok).toBe(false);
			})
		);
	});

	it('[FACT-5] does to stock, day and ledger what it says', () => {
		const fact = sale(SALE);
		expect(documentTotalMinor(fact)).toBe(143_000n);
		expect(changeMinor(fact)).toBe(7_000n);
		expect(effectsOf(fact)).toMatchObject({
			stock: [{ productId: 'A-3', deltaThousandths: -1500 }],
			day: { salesCount: 1n, salesMinor: 143_000n, cashInMinor: 143_000n, accountMinor: 0n },
			receipt: 'A-000012'
		});
	});

	it('[FACT-9] holds prices with their tax and prices on which it comes, and adds only the latter', () => {
		const text =
			'["A-1","sale",1,0,1,1,1,[[0,"in",1000,118,118,["in","std",[["VAT",180000,18]]]],[0,"ex",1000,100,100,["ex","std",[["VAT",180000,18]]]]],[["cash",236]]]';
		expect(documentTotalMinor(sale(text))).toBe(236n);
		expect(encodeFact(sale(text))).toBe(text);
		expect(parseFact(text.replace('"ex","std"', '"on","std"'))).toEqual({
			ok: false,
			error: 'badBody'
		});
	});

	it('[FACT-6] any order and any repetition of facts gives the same numbers', () => {
		const once = foldFacts(trade.facts, trade.hashOf);
		expect(once.stock.size).toBeGreaterThan(3);
		expect(once.balances.size).toBeGreaterThan(2);
		const sums = [...once.balances.values()].flatMap((of) => [...of.values()]);
		expect(sums.some(({ confirmed }) => confirmed > 0n)).toBe(true);
		expect(sums.some(({ disputed }) => disputed > 0n)).toBe(true);
		fc.assert(
			fc.property(
				fc.array(fc.nat(trade.facts.length - 1)),
				fc.infiniteStream(fc.nat()),
				(again, keys) => {
					const order = new Map(trade.facts.map((fact) => [fact, keys.next().value ?? 0]));
					const shuffled = trade.facts.toSorted(
						(a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)
					);
					const repeated = again.flatMap((index) => trade.facts[index] ?? []);
					expect(sorted(foldFacts([...repeated, ...shuffled], trade.hashOf))).toEqual(sorted(once));
				}
			),
			{ numRuns: 20 }
		);
	});

	it('[FACT-7] the goods of a day and the money of a day add up to its facts', () => {
		const { stock, days } = foldFacts(trade.facts, trade.hashOf);
		const moved = trade.facts
			.flatMap(({ fact }) => effectsOf(fact).stock)
			.reduce((sum, { deltaThousandths }) => sum + BigInt(deltaThousandths), 0n);
		expect([...stock.values()].reduce((a, b) => a + b, 0n)).toBe(moved);
		const sold = trade.facts.reduce(
			(sum, { fact }) => (fact.kind === 'sale' ? sum + documentTotalMinor(fact) : sum),
			0n
		);
		expect([...days.values()].reduce((sum, day) => sum + day.salesMinor, 0n)).toBe(sold);
		const dated = [...days].filter(([, totals]) => totals.salesCount > 0n);
		expect(dated.every(([key]) => key.startsWith(TRADE_BRANCH))).toBe(true);
	});
});

function sorted(numbers: ReturnType<typeof foldFacts>): unknown {
	return Object.fromEntries(
		Object.entries(numbers).map(([name, value]) => [
			name,
			value instanceof Map
				? [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
				: value
		])
	);
}
