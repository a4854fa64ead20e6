import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factId, type FactId } from '#domain/ids.ts';
import { effectsOf } from './effects.ts';
import { encodeFact } from './encode-fact.ts';
import type { Fact } from './fact.ts';
import {
	firstName,
	firstText,
	idAtStart,
	issueAgain,
	RENAMED_MAX,
	type Issuing
} from './issued-again.ts';
import { parseFact } from './parse-fact.ts';

const SALE =
	'["A-7","sale",1795212345678,0,20777,1,12,[["A-3","Rice",1500,95000,142500],["A-4.2","Tea",1000,500,500],["C-9","Oil",1000,1,1]],[["cash",150000]]]';
const RETURN =
	'["A-8","return",1795212345678,1,20777,1,13,"A-7",[["A-3","Rice",500,95000,500,0,0]],[["cash",500]]]';
const ADJUST = '["A-9","adjust",1795212345678,2,20777,1,[["A-3",5000],["A-1",1000]],"found"]';
const SLIP_DONE = '["A-10","entry",1795212345678,3,20777,1,0,["slipDone","A-7"]]';

const RENAMED = new Map<FactId, FactId>([
	[factId('A', 3), factId('D', 1)],
	[factId('A', 4), factId('D', 2)],
	[factId('A', 7), factId('D', 3)]
]);

function read(text: string): Fact {
	const parsed = parseFact(text);
	if (!parsed.ok) throw new Error(`${parsed.error}: ${text}`);
	return parsed.value;
}

function again(text: string, n: number, more: Partial<Issuing> = {}): string {
	return issueAgain(text, read(text), { id: factId('D', n), renamed: RENAMED, ...more });
}

describe('a fact issued again', () => {
	it('[FACT-14] says its new id and its first one, and leaves its bytes as they were', () => {
		const text = again(ADJUST, 9, { renamed: new Map() });
		expect(text).toBe(ADJUST.replace('["A-9"', '[["D-9","A-9"]'));
		expect(read(text)).toEqual({ ...read(ADJUST), id: 'D-9', code: 'D', n: 9, was: 'A-9' });
		expect(encodeFact(read(text))).toBe(text);
	});

	it('[FACT-14] is read with the new names of what was issued again with it', () => {
		const sale = read(again(SALE, 3));
		if (sale.kind !== 'sale') throw new Error('a sale stays one');
		expect(sale.lines.map(({ productId }) => productId)).toEqual(['D-1', 'D-2.2', 'C-9']);
		const back = read(again(RETURN, 4));
		if (back.kind !== 'return') throw new Error('a return stays one');
		expect([back.saleId, back.lines[0]?.productId]).toEqual(['D-3', 'D-1']);
		expect(effectsOf(read(again(ADJUST, 5))).stock).toEqual([
			{ productId: 'D-1', deltaThousandths: 5000 },
			{ productId: 'A-1', deltaThousandths: 1000 }
		]);
		expect(effectsOf(read(again(SLIP_DONE, 6))).ends).toEqual(['D-3']);
	});

	it.each([SALE, RETURN, ADJUST, SLIP_DONE])(
		'[FACT-14] is written back as it was read: %s',
		(text) => {
			const once = again(text, 9);
			expect(encodeFact(read(once))).toBe(once);
			expect(firstText(once)).toBe(text);
			expect(idAtStart(once)).toBe('D-9');
		}
	);

	it('[FACT-14] may name one fact by its old name and its new one: both are read as the new', () => {
		const rows = '[["A-3",5000],["D-1",1000]]';
		const twice = again(ADJUST.replace('[["A-3",5000],["A-1",1000]]', rows), 9);
		expect(firstText(twice)).toContain(rows);
		const meant = effectsOf(read(twice)).stock.map(({ productId }) => productId);
		expect(meant).toEqual(['D-1', 'D-1']);
		expect(read(encodeFact(read(twice)))).toEqual(read(twice));
	});

	it('[FACT-14] names its first id however often it is issued again, and each name by what it means last', () => {
		const once = again(SALE, 3);
		const next = new Map<FactId, FactId>([[factId('D', 1), factId('F', 8)]]);
		const twice = issueAgain(once, read(once), { id: factId('F', 9), renamed: next });
		const sale = read(twice);
		if (sale.kind !== 'sale') throw new Error('a sale stays one');
		expect([sale.id, sale.was]).toEqual(['F-9', 'A-7']);
		expect(sale.lines.map(({ productId }) => productId)).toEqual(['F-8', 'D-2.2', 'C-9']);
		expect(firstText(twice)).toBe(SALE);
	});

	it('[FACT-15] keeps the number of its receipt', () => {
		expect(effectsOf(read(again(SALE, 3))).receipt).toBe('A-000012');
		expect(firstName(read(again(SALE, 3)))).toEqual({ id: 'A-7', code: 'A', n: 7 });
		expect(firstName(read(SALE))).toMatchObject({ id: 'A-7', code: 'A', n: 7 });
	});

	it('[FACT-16] is known by its first id and text, whoever issued it', () => {
		const [one, other] = [again(SALE, 3), again(SALE, 77, { renamed: new Map() })];
		expect(one).not.toBe(other);
		expect(firstText(one)).toBe(firstText(other));
		expect(firstText(SALE)).toBe(SALE);
	});

	it.each([
		['of no two ids', '[["D-1"],'],
		['that was itself', '[["D-1","D-4"],'],
		['that was the relay’s', '[["D-1","0.1-4"],'],
		['of a phone that was a device', '[["p1-1","D-4"],'],
		['with an empty list of names', '[["D-1","A-4",[]],'],
		['with half a pair', '[["D-1","A-4",["A-1"]],'],
		['with a name that is no id', '[["D-1","A-4",["A-1","x"]],'],
		['with a name for itself', '[["D-1","A-4",["A-1","A-1"]],'],
		['with one name twice', '[["D-1","A-4",["A-1","D-2","A-1","D-3"]],'],
		['with two names for one', '[["D-1","A-4",["A-1","D-2","A-2","D-2"]],'],
		['with more', '[["D-1","A-4",["A-1","D-2"],0],']
	])('[FACT-2] refuses one %s', (_why, start) => {
		const text = ADJUST.replace('["A-9",', start);
		expect(parseFact(text)).toEqual({ ok: false, error: 'badHead' });
	});

	it('[FACT-3] may be larger by its names alone', () => {
		const rows = Array.from({ length: 2_000 }, (_row, at) => [`A-${String(at + 1_000)}`, 1_000]);
		const text = JSON.stringify(['A-9', 'adjust', 1795212345678, 2, 20777, 1, rows, 'found']);
		const renamed = new Map(
			rows.map((_row, at) => [factId('A', at + 1_000), factId('DDD', at + 100_000_000_000_000)])
		);
		const fact = read(issueAgain(text, read(text), { id: factId('DDD', 1), renamed }));
		expect(fact.renamed).toHaveLength(RENAMED_MAX);
		const full = 'x'.repeat(70_000);
		expect(parseFact(`[["D-1","A-4",["A-1","D-2"]],"setting",1,0,1,1,{"name":"${full}"}]`)).toEqual(
			{
				ok: false,
				error: 'tooLarge'
			}
		);
	});

	it('[FACT-4] reads no start as a fact’s that is none, and never throws', () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				expect([undefined, 'string']).toContain(
					typeof idAtStart(text) === 'string' ? 'string' : undefined
				);
				expect(firstText(text)).toBe(text);
			})
		);
	});
});
