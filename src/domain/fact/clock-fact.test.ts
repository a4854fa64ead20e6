import { describe, expect, it } from 'vitest';
import type { FactId } from '#domain/ids.ts';
import { clockedTime, inTime, isSameTime, rulingTime } from './clock-fact.ts';
import { encodeFact } from './encode-fact.ts';
import type { ClockFact, SettingFact } from './fact.ts';
import { foldFacts } from './fold.ts';
import { parseFact } from './parse-fact.ts';

const CLOCK = '["0.4-7","clock",1795212345678,0,20777,0,"B-12",1795212345600,3,20776]';

function clock(text: string): ClockFact {
	const fact = parseFact(text);
	if (!fact.ok || fact.value.kind !== 'clock') throw new Error(`no clock fact: ${text}`);
	return fact.value;
}

function said(id: string, of: string, wall: number): ClockFact {
	return clock(JSON.stringify([id, 'clock', 1, 0, 20_777, 0, of, wall, 0, 20_776]));
}

/** A setting of the shop's name, stamped then. */
function named(id: string, wall: number, day = 20_780): SettingFact {
	const text = JSON.stringify([id, 'setting', wall, 0, day, 1, { name: id }]);
	const fact = parseFact(text);
	if (!fact.ok || fact.value.kind !== 'setting') throw new Error('no setting');
	return fact.value;
}

describe('a clock fact', () => {
	it('[FACT-17] is signed, or of before that was done', () => {
		const signed = `${CLOCK.slice(0, -1)},"${'A'.repeat(86)}"]`;
		expect(encodeFact(clock(signed))).toBe(signed);
		expect(clock(signed).sig).toBe('A'.repeat(86));
		expect(clock(CLOCK)).not.toHaveProperty('sig');
		for (const bad of [
			`${CLOCK.slice(0, -1)},""]`,
			`${CLOCK.slice(0, -1)},0]`,
			`${signed.slice(0, -1)},0]`
		])
			expect(parseFact(bad).ok).toBe(false);
	});

	it('[FACT-17] names a device’s fact, a stamp and a day, and is the relay’s alone', () => {
		const fact = clock(CLOCK);
		expect(encodeFact(fact)).toBe(CLOCK);
		expect(fact).toMatchObject({
			factId: 'B-12',
			wall: 1_795_212_345_600,
			counter: 3,
			day: 20_776
		});
		expect(clockedTime(fact)).toEqual({
			by: '0.4-7',
			at: { wall: 1_795_212_345_600, counter: 3 },
			on: '2026-11-19'
		});
		const wrong = [
			CLOCK.replace('"0.4-7"', '"A-7"').replace(',20777,0,', ',20777,1,'),
			CLOCK.replace('"0.4-7"', '"p1-7"').replace(',20777,0,', ',20777,1,'),
			...['"0.4-6"', '"p1-6"', '"B-0"', '"B"', '12', 'null'].map((of) =>
				CLOCK.replace('"B-12"', of)
			),
			...['-1', '1.5', '"1"', '8640000000001'].map((wall) => CLOCK.replace('1795212345600', wall)),
			CLOCK.replace(',3,20776]', ',1000001,20776]'),
			CLOCK.replace(',20776]', ',9999999]'),
			CLOCK.replace(',20776]', ',"2026-11-19"]'),
			CLOCK.replace(',20776]', ']'),
			CLOCK.replace(',20776]', ',20776,0]')
		];
		for (const text of wrong) expect([text, parseFact(text).ok]).toEqual([text, false]);
	});

	it('[FACT-18] moves its fact back to its stamp and day, and never forward', () => {
		const fact = named('A-3', 5_000, 20_780);
		const to = (wall: number, on: string): SettingFact =>
			inTime(fact, { at: { wall, counter: 1 }, on });
		expect(inTime(fact, undefined)).toBe(fact);
		expect(to(4_999, '2026-11-19')).toEqual({
			...fact,
			at: { wall: 4_999, counter: 1 },
			on: '2026-11-19'
		});
		// What was entered later bears a day that is past already.
		expect(to(4_999, '2026-12-01')).toEqual({ ...fact, at: { wall: 4_999, counter: 1 } });
		expect(to(5_000, '2026-11-19')).toBe(fact);
		expect(to(9_000, '2026-11-19')).toBe(fact);
		expect(isSameTime(fact, to(4_999, fact.on))).toBe(false);
		expect(isSameTime(fact, { at: fact.at, on: '2026-11-19' })).toBe(false);
		expect(isSameTime(fact, { at: { ...fact.at }, on: fact.on })).toBe(true);
	});

	it('[FACT-19] of several on one fact that of the lowest id counts, wherever it stands', () => {
		const [low, middle, high] = ['0.4-9', '0.4-10', '0.5-1'].map((by) => ({ by: by as FactId }));
		expect(rulingTime(high, low, undefined, middle)).toBe(low);
		expect(rulingTime(middle, high)).toBe(middle);
		expect(rulingTime(undefined)).toBeUndefined();
		expect(rulingTime()).toBeUndefined();
	});

	it('[FACT-18] [FACT-19] every fold takes the time that it says', () => {
		const facts = [
			named('A-1', 1_000),
			named('B-1', 9_000),
			said('0.5-1', 'B-1', 8_000),
			said('0.4-2', 'B-1', 500)
		];
		const fold = (of: typeof facts | readonly (SettingFact | ClockFact)[]): string | undefined =>
			foldFacts(
				of.map((fact) => ({ fact, branch: null })),
				() => {
					throw new Error('no record');
				}
			).settings.name;
		expect(fold(facts.slice(0, 2))).toBe('B-1');
		expect(fold(facts.slice(0, 3))).toBe('B-1');
		expect(fold(facts)).toBe('A-1');
		expect(fold(facts.toReversed())).toBe('A-1');
	});
});
