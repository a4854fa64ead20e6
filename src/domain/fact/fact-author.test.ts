import { expect, it } from 'vitest';
import { parseFact } from './parse-fact.ts';

const LEDGER = '0192f0c1-7a00-4000-8000-0000000000c4';

/** A fact of each kind that a shop's device writes, under another author's code. */
function factsBy(code: string, member: number): readonly string[] {
	const bodies: readonly (readonly unknown[])[] = [
		['setting', { name: 'Asha' }],
		['product', [[0, { name: 'Tea' }]]],
		['customer', [[LEDGER, { name: 'Amina' }]]],
		['sale', 7, [[0, 'Tea', 1_000, 200, 200]], [['cash', 200]]],
		['return', 9, 0, [[0, 'Tea', 1_000, 200, 200, -1, 0]], [['cash', 200]]],
		['adjust', [['A-1', -3_000]], 'waste'],
		['record', [], { answer: ['A'.repeat(43), 'insist', ''] }],
		['entry', 0, ['slip', 'owesUs', 5, 'KES', 2, '']],
		['merge', LEDGER, LEDGER.replace('c4', 'c5'), true]
	];
	return bodies.map(([kind, ...body]) =>
		JSON.stringify([`${code}-1`, kind, 1_000, 0, 20_000, member, ...body])
	);
}

it('[FACT-11] what a device alone writes is refused from a phone and from the relay', () => {
	expect(factsBy('B', 1).map((text) => parseFact(text).ok)).toEqual(
		factsBy('B', 1).map(() => true)
	);
	for (const [code, member] of [
		['p1', 1],
		['0.4', 0]
	] as const) {
		for (const text of factsBy(code, member)) {
			expect([text, parseFact(text)]).toEqual([text, { ok: false, error: 'badBody' }]);
		}
	}
});

it('[FACT-14] names of facts issued again are names of the same sort of author', () => {
	const head = (names: readonly string[]): string =>
		JSON.stringify([['B-5', 'A-1', names], 'adjust', 1, 0, 20_000, 1, [['A-1', -1]], 'waste']);
	expect(parseFact(head(['A-1', 'B-1'])).ok).toBe(true);
	for (const names of [
		['A-1', 'p1-1'],
		['A-1', '0.4-1'],
		['p1-1', 'A-1']
	]) {
		expect(parseFact(head(names))).toEqual({ ok: false, error: 'badHead' });
	}
});
