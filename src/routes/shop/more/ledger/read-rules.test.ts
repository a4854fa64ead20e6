import { describe, expect, it } from 'vitest';
import { readRules, type TypedRules } from './read-rules.ts';

const READING = { locale: 'en-KE', exponent: 2 };
const NOTHING: TypedRules = {
	ask: 'each',
	above: '',
	terms: '',
	payday: '',
	sms: false,
	smsLimit: ''
};

describe('the rules for customers’ pages', () => {
	it('[RULES-1] hold what was typed, in every script', () => {
		const typed: TypedRules = {
			ask: 'above',
			above: '1,000',
			terms: '٣٠',
			payday: '25',
			sms: true,
			smsLimit: '200'
		};
		expect(readRules(typed, READING).fields).toEqual({
			ask: 'above',
			askAbove: 100_000,
			terms: 30,
			payday: 25,
			sms: true,
			smsLimit: 200
		});
		expect(readRules(NOTHING, READING).fields).toEqual({ ask: 'each', terms: null, sms: false });
	});

	it.each([
		[{ payday: '0' }, 'payday'],
		[{ payday: '32' }, 'payday'],
		[{ payday: '2.5' }, 'payday'],
		[{ terms: '3661' }, 'terms'],
		[{ terms: 'soon' }, 'terms'],
		[{ smsLimit: '100001' }, 'smsLimit']
	] as const)('[RULES-2] refuse %j at its own field', (typed, field) => {
		const rules = readRules({ ...NOTHING, ...typed }, READING);
		expect([rules[field].isRight, rules.fields]).toEqual([false, undefined]);
	});

	it('[RULES-2] look at the amount only where one asks above it', () => {
		const typed = { ...NOTHING, above: 'much' };
		expect(readRules(typed, READING).fields).toBeDefined();
		const rules = readRules({ ...typed, ask: 'above' }, READING);
		expect([rules.above.refusal, rules.fields]).toEqual(['notANumber', undefined]);
	});
});
