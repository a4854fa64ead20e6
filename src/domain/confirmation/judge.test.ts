import { describe, expect, it } from 'vitest';
import { hashOf } from '#tests/support/confirmation-vectors.ts';
import {
	CODE_AGE_MAX_MS,
	isLocked,
	judge,
	opens,
	SHOP_WRONG_DAY_MAX,
	SMS_AGE_MAX_MS,
	type CodeMatch,
	type CodeWay,
	type JudgeQuestion,
	type LedgerGuard
} from './judge.ts';
import { recordKinds } from './record-kind.ts';

const H = hashOf('01'.repeat(32));
const OTHER = hashOf('02'.repeat(32));
const GUARD: LedgerGuard = {
	linked: 'app',
	wrongSheet: 0,
	wrongPhone: 0,
	shopWrongToday: 0,
	wrongSend: 0
};
const SHEET = { kind: 'debit', currency: 'KES', exponent: 2, cap: 500 } as const;
const AT = 1_790_000_000_000;

function match(more: Partial<CodeMatch> = {}): CodeMatch {
	return { isCurrent: true, issuedAt: AT, sheet: SHEET, ...more };
}

function question(more: Partial<JudgeQuestion> = {}): JudgeQuestion {
	const record = { h: H, kind: 'due', currency: 'KES', exponent: 2, amount: 500 } as const;
	return { way: 'sheet', record, match: match(), guard: GUARD, at: AT, ...more };
}

function exact(more: Partial<CodeMatch> = {}): CodeMatch {
	return { isCurrent: true, issuedAt: AT, ...more };
}

describe('a right code', () => {
	it('[CP-25] confirms, as strong as its way and no stronger than a number by phone', () => {
		const al = (way: CodeWay, linked: LedgerGuard['linked']): number =>
			judge(question({ way, match: exact(), guard: { ...GUARD, linked } })).al;
		expect((['sheet', 'sms', 'app'] as const).map((way) => al(way, 'app'))).toEqual([1, 2, 3]);
		expect((['sheet', 'sms', 'app'] as const).map((way) => al(way, 'phone'))).toEqual([1, 2, 2]);
		expect(judge(question())).toEqual({
			result: 'ok',
			al: 1,
			isSpent: true,
			isWrong: false,
			isAlarm: false
		});
	});

	it('[CP-25] is spent whatever follows, and asked about in one order', () => {
		const locked = { ...GUARD, wrongSheet: 3 };
		const old = { at: AT + CODE_AGE_MAX_MS + 1 };
		const over = match({ sheet: { ...SHEET, cap: 499 } });
		const all = { ...over, isCurrent: false };
		const asked: readonly (readonly [JudgeQuestion, string])[] = [
			[question({ ...old, match: all, guard: { ...locked, linked: 'none' } }), 'notLinked'],
			[question({ ...old, match: all, guard: locked }), 'revoked'],
			[question({ ...old, match: over, guard: locked }), 'overTheCap'],
			[question({ ...old, guard: locked }), 'locked'],
			[question(old), 'tooOld'],
			[question({ at: AT + CODE_AGE_MAX_MS }), 'ok']
		];
		for (const [one, result] of asked)
			expect(judge(one)).toMatchObject({ result, isSpent: true, isWrong: false });
		expect(judge(question({ match: all })).isAlarm).toBe(true);
	});

	it('[CP-25] confirms one record only, and that one once more', () => {
		expect(judge(question({ match: match({ spentFor: OTHER }) }))).toMatchObject({
			result: 'used',
			al: 0,
			isAlarm: true
		});
		expect(judge(question({ match: match({ spentFor: H }) })).result).toBe('ok');
	});

	it('[CP-25] is worth nothing for another kind, currency or amount', () => {
		const of = (sheet: Partial<NonNullable<CodeMatch['sheet']>>): string =>
			judge(question({ match: match({ sheet: { ...SHEET, ...sheet } }) })).result;
		expect(of({ kind: 'credit' })).toBe('overTheCap');
		expect(of({ currency: 'USD' })).toBe('overTheCap');
		expect(of({ exponent: 0 })).toBe('overTheCap');
		const payment = { ...question().record, kind: 'payment' } as const;
		expect(judge(question({ record: payment })).result).toBe('overTheCap');
	});

	it('[CP-25] of a set for debits opens every debit and a statement; of the other every credit', () => {
		expect(recordKinds().filter((kind) => opens('debit', kind))).toEqual([
			...['due', 'openingDebit', 'fee', 'advancePaidBack', 'reversalOfCredit', 'statement']
		]);
		expect(recordKinds().filter((kind) => opens('credit', kind))).toEqual([
			...['payment', 'credit', 'openingCredit', 'forgiveness']
		]);
	});

	it('[CP-25] by SMS lives for ten minutes', () => {
		const sms = { way: 'sms', match: exact() } as const;
		expect(judge(question({ ...sms, at: AT + SMS_AGE_MAX_MS })).result).toBe('ok');
		expect(judge(question({ ...sms, at: AT + SMS_AGE_MAX_MS + 1 })).result).toBe('tooOld');
	});
});

describe('a wrong code', () => {
	it('[CP-26] counts, alarms, and confirms nothing', () => {
		expect(judge(question({ match: undefined }))).toEqual({
			result: 'wrong',
			al: 0,
			isSpent: false,
			isWrong: true,
			isAlarm: true
		});
	});

	it('[CP-26] closes its own way: three of a sheet, five of a phone, five of an SMS', () => {
		const guard = { ...GUARD, wrongSheet: 3, wrongPhone: 4, wrongSend: 4 };
		const ways = ['sheet', 'app', 'sms'] as const;
		expect(ways.map((way) => isLocked(way, guard))).toEqual([true, false, false]);
		const more = { ...GUARD, wrongSheet: 2, wrongPhone: 5, wrongSend: 5 };
		expect(ways.map((way) => isLocked(way, more))).toEqual([false, true, true]);
		expect(judge(question({ match: undefined, guard }))).toMatchObject({
			result: 'locked',
			isWrong: false,
			isAlarm: true
		});
	});

	it('[CP-26] twenty times a day closes the shop’s claims, right ones too, which are spent', () => {
		const guard = { ...GUARD, shopWrongToday: SHOP_WRONG_DAY_MAX };
		expect(judge(question({ guard }))).toMatchObject({ result: 'locked', isSpent: true });
		expect(judge(question({ guard, match: undefined }))).toMatchObject({
			result: 'locked',
			isSpent: false,
			isWrong: false
		});
	});
});
