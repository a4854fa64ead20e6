import { expect, it } from 'vitest';
import { createFoldMeter, FOLD_LIMITS } from './fold-meter.ts';

const LEDGER = 20_000;
const { atOnce, eachSecond } = FOLD_LIMITS;

it('[RELAY-82] a business is beyond what is folded for it at once, until the rows had their time', () => {
	const clock = { now: 1_000 };
	const meter = createFoldMeter(() => clock.now);
	meter.take('a', atOnce - 1);
	expect(meter.isSpent('a')).toBe(false);
	meter.take('a', 1);
	expect([meter.isSpent('a'), meter.isSpent('b')]).toEqual([true, false]);
	clock.now += 1;
	expect(meter.isSpent('a')).toBe(false);
	// What one fold took beyond it is paid too, so that one long ledger weighs no less than many.
	meter.take('a', 10 * eachSecond);
	clock.now += 9_999;
	expect(meter.isSpent('a')).toBe(true);
	clock.now += 1;
	expect(meter.isSpent('a')).toBe(false);
});

it('[RELAY-82] a day of ten sayings a minute in a ledger of 20,000 records is never beyond it', () => {
	const clock = { now: 0 };
	const meter = createFoldMeter(() => clock.now);
	let spent = 0;
	for (let saying = 0; saying < 24 * 60 * 10; saying += 1) {
		// A minute's at once.
		if (saying % 10 === 0) clock.now += 60_000;
		meter.take('a', LEDGER);
		if (meter.isSpent('a')) spent += 1;
	}
	expect(spent).toBe(0);
});

it('[RELAY-82] who is even again is forgotten, and who is not is kept, however many there are', () => {
	const clock = { now: 0 };
	const meter = createFoldMeter(() => clock.now);
	meter.take('first', 2 * atOnce);
	for (let at = 0; at < 3_000; at += 1) {
		clock.now += 1;
		meter.take(String(at), 1);
	}
	expect(meter.isSpent('first')).toBe(true);
});

it('[RELAY-82] a clock that is set back by days makes no business wait until it is there again', () => {
	const clock = { now: 3 * 86_400_000 };
	const meter = createFoldMeter(() => clock.now);
	meter.take('a', 1);
	meter.take('b', atOnce + eachSecond);
	clock.now = 0;
	// What was folded before is still paid.
	expect([meter.isSpent('a'), meter.isSpent('b')]).toEqual([false, true]);
	clock.now += 999;
	expect(meter.isSpent('b')).toBe(true);
	clock.now += 2;
	expect(meter.isSpent('b')).toBe(false);
});
