import { describe, expect, it } from 'vitest';
import { pageSide, type RecordKind } from '#domain/confirmation/record-kind.ts';
import { saysKey, sideKey } from './me-words.ts';

const said = (kind: RecordKind) => saysKey({ kind, side: pageSide(kind) });
const under = (kind: RecordKind, receipt?: string) =>
	sideKey({ kind, side: pageSide(kind), ...(receipt !== undefined && { receipt }) });

describe('What a line says', () => {
	it('is that somebody paid only where it is a payment', () => {
		expect([said('payment'), under('payment')]).toEqual(['me.says.paid', 'me.paid']);
		expect([said('forgiveness'), under('forgiveness')]).toEqual(['me.says.forgives', 'me.off']);
		expect([said('credit'), under('credit')]).toEqual(['me.says.lowers', 'me.off']);
		expect(under('credit', 'A-000002')).toBe('me.brought');
	});

	it('is that somebody took only where nothing is taken back', () => {
		expect([said('due'), under('due')]).toEqual(['me.says.took', 'me.took']);
		expect([said('reversalOfDebit'), under('reversalOfDebit')]).toEqual([
			'me.says.lowers',
			'me.off'
		]);
		expect([said('reversalOfCredit'), under('reversalOfCredit')]).toEqual([
			'me.says.off',
			'me.off'
		]);
	});
});
