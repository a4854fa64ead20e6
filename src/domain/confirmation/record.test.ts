import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, draft, vectors } from '#tests/support/confirmation-vectors.ts';
import { i64, u64, utf8 } from '../bytes.ts';
import { err, ok } from '../result.ts';
import { advisoryBalance, AMOUNT_MAX, BALANCE_AFTER_MAX, INSTANT_MAX_MS } from './limits.ts';
import { isCredit, isDebit, RECORD_KINDS, recordKindOf, recordKinds } from './record-kind.ts';
import { encodeRecordCore, parseRecordCore, type CoreRefusal, type RecordCore } from './record.ts';

const core: RecordCore = { ...draft.core, restHash: bytes(vectors.restHash) };
const a = bytes(vectors.A);

/** The example's core with other bytes at `offset`. */
function patched(offset: number, patch: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(a);
	copy.set(patch, offset);
	return copy;
}

it('[CP-3] reads the example', () => {
	expect(parseRecordCore(a)).toEqual(ok(core));
	expect(parseRecordCore(Uint8Array.of(1, ...a).subarray(1))).toEqual(ok(core));
});

it('[CP-3] reads what it wrote, for every kind and at the limits', () => {
	fc.assert(
		fc.property(
			fc.record({
				kind: fc.constantFrom(...recordKinds()),
				isMadeOffline: fc.boolean(),
				currency: fc.constantFrom('BDT', 'JPY', 'KWD'),
				exponent: fc.integer({ min: 0, max: 4 }),
				amount: fc.constantFrom(1, 2 ** 33, AMOUNT_MAX),
				occurredAt: fc.constantFrom(0, 1795212345678, INSTANT_MAX_MS),
				balanceAfter: fc.constantFrom(-BALANCE_AFTER_MAX, -1, 0, BALANCE_AFTER_MAX),
				restHash: fc.uint8Array({ minLength: 32, maxLength: 32 })
			}),
			(changed) => {
				const written = { ...core, ...changed };
				expect(parseRecordCore(encodeRecordCore(written))).toEqual(ok(written));
			}
		)
	);
});

describe('[CP-3] refuses', () => {
	it.each<readonly [string, Uint8Array, CoreRefusal]>([
		['a byte too few', a.subarray(1), 'wrongLength'],
		['a byte too many', Uint8Array.of(...a, 0), 'wrongLength'],
		['no bytes', new Uint8Array(), 'wrongLength'],
		['another magic', patched(0, utf8('CPR2')), 'notARecord'],
		['kind 0x00', patched(4, Uint8Array.of(0)), 'unknownKind'],
		['kind 0x05', patched(4, Uint8Array.of(5)), 'unknownKind'],
		['kind 0xff', patched(4, Uint8Array.of(255)), 'unknownKind'],
		['flag bit 1', patched(5, Uint8Array.of(2)), 'unknownFlag'],
		['flag bits 0 and 7', patched(5, Uint8Array.of(0x81)), 'unknownFlag'],
		['a lower-case currency', patched(6, utf8('bdt')), 'wrongCurrency'],
		['a currency of two letters', patched(6, utf8('BD\0')), 'wrongCurrency'],
		['bytes beyond ASCII', patched(6, Uint8Array.of(0xc3, 0x89, 0x41)), 'wrongCurrency'],
		['exponent 5', patched(9, Uint8Array.of(5)), 'wrongExponent'],
		['amount 0', patched(10, u64(0)), 'wrongAmount'],
		['amount 10¹³ + 1', patched(10, u64(AMOUNT_MAX + 1)), 'wrongAmount'],
		['amount 2⁶⁴ − 1', patched(10, new Uint8Array(8).fill(255)), 'wrongAmount'],
		['an instant beyond the calendar', patched(18, u64(INSTANT_MAX_MS + 1)), 'wrongInstant'],
		['an instant beyond floats', patched(18, new Uint8Array(8).fill(255)), 'wrongInstant'],
		['a business of version 7', patched(32, Uint8Array.of(0x70)), 'wrongBusinessId'],
		['a ledger of version 1', patched(48, Uint8Array.of(0x1c)), 'wrongLedgerId'],
		['a ledger of another variant', patched(50, Uint8Array.of(0xc0)), 'wrongLedgerId'],
		['a record of version 4', patched(64, Uint8Array.of(0x4a)), 'wrongRecordId'],
		['a balance above', patched(74, i64(BALANCE_AFTER_MAX + 1)), 'wrongBalance'],
		['a balance below', patched(74, i64(-BALANCE_AFTER_MAX - 1)), 'wrongBalance'],
		['the least balance', patched(74, Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0)), 'wrongBalance']
	])('%s', (_, given, refusal) => {
		expect(parseRecordCore(given)).toEqual(err(refusal));
	});
});

it('[CP-3] names the first thing that is wrong, from left to right', () => {
	const allWrong = new Uint8Array(114).fill(0xee);
	expect(parseRecordCore(allWrong)).toEqual(err('notARecord'));
	allWrong.set(utf8('CPR1'));
	expect(parseRecordCore(allWrong)).toEqual(err('unknownKind'));
	allWrong.set([1], 4);
	expect(parseRecordCore(allWrong)).toEqual(err('unknownFlag'));
	allWrong.set([0], 5);
	expect(parseRecordCore(allWrong)).toEqual(err('wrongCurrency'));
});

it('[CP-3] asserts of our own records what it refuses of others', () => {
	expect(() => encodeRecordCore({ ...core, amount: 0 })).toThrow('wrongAmount');
	expect(() => encodeRecordCore({ ...core, amount: 1.5 })).toThrow('wrongAmount');
	expect(() => encodeRecordCore({ ...core, balanceAfter: -0.5 })).toThrow('wrongBalance');
	expect(() => encodeRecordCore({ ...core, restHash: new Uint8Array(31) })).toThrow('32 bytes');
});

it('[CP-3] knows a kind by its byte, and its side', () => {
	for (const kind of recordKinds()) expect(recordKindOf(RECORD_KINDS[kind].byte)).toBe(kind);
	const debits = ['due', 'openingDebit', 'fee', 'advancePaidBack', 'reversalOfCredit'];
	expect(recordKinds().filter(isDebit)).toEqual(debits);
	expect(recordKinds().filter(isCredit)).toEqual([
		'payment',
		'credit',
		'openingCredit',
		'forgiveness'
	]);
});

it('[CP-3] stops the advisory balance at its limit', () => {
	const limit = BigInt(BALANCE_AFTER_MAX);
	expect([limit + 1n, limit, -5n, -limit, -limit - 1n].map(advisoryBalance)).toEqual([
		BALANCE_AFTER_MAX,
		BALANCE_AFTER_MAX,
		-5,
		-BALANCE_AFTER_MAX,
		-BALANCE_AFTER_MAX
	]);
});
