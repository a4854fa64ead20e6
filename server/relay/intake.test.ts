import { describe, expect, it } from 'vitest';
import type { BusinessId } from '#domain/ids.ts';
import { DEVICE_SOCKETS_MAX, PENDING_BYTES_MAX, PENDING_BYTES_PAUSE } from '#sync/limits.ts';
import {
	ALL_BYTES_PAUSE,
	createIntake,
	LITTLE_BYTES,
	MESSAGE_BYTES,
	type Intake,
	type Place
} from './intake.ts';

const scope = '0192f0c1-7a00-4000-8000-0000000000a1' as BusinessId;
const A = { scope, code: 'A' };
const B = { scope, code: 'B' };

/** A socket that says whether it is read from. */
function socket(): { isPaused: boolean; pause(): void; resume(): void } {
	return {
		isPaused: false,
		pause() {
			this.isPaused = true;
		},
		resume() {
			this.isPaused = false;
		}
	};
}

function enter(intake: Intake, device: typeof A, of = socket()): Place {
	const place = intake.enter(device, of);
	if (place === undefined) throw new Error('no place');
	return place;
}

describe('the intake of a device', () => {
	it('[RELAY-52] has so many places, and one again for each that is left', () => {
		const intake = createIntake();
		const places = Array.from({ length: DEVICE_SOCKETS_MAX }, () => enter(intake, A));
		expect(intake.enter(A, socket())).toBeUndefined();
		enter(intake, B);
		places[0]?.leave();
		enter(intake, A);
		expect(intake.enter(A, socket())).toBeUndefined();
	});

	it('[RELAY-52] above a limit none of its sockets is read from, until half of that is under way', () => {
		const intake = createIntake();
		const [one, two, other] = [socket(), socket(), socket()];
		const [first, second] = [enter(intake, A, one), enter(intake, A, two)];
		enter(intake, B, other);
		const half = PENDING_BYTES_PAUSE / 2 - MESSAGE_BYTES;
		const done = [first.take(half), second.take(half)];
		expect([one.isPaused, two.isPaused]).toEqual([false, false]);
		done.push(second.take(1));
		expect([one.isPaused, two.isPaused, other.isPaused]).toEqual([true, true, false]);
		// One that comes meanwhile is not read from either.
		const late = socket();
		enter(intake, A, late);
		expect(late.isPaused).toBe(true);
		done[2]?.();
		expect(one.isPaused).toBe(true);
		done[0]?.();
		expect([one.isPaused, two.isPaused, late.isPaused]).toEqual([false, false, false]);
	});

	it('[RELAY-52] counts a message of one byte as what it weighs', () => {
		const one = socket();
		const place = enter(createIntake(), A, one);
		const under: unknown[] = [];
		while (!one.isPaused && under.length < 1e5) under.push(place.take(1));
		expect(under.length).toBeLessThanOrEqual(PENDING_BYTES_PAUSE / 1024);
	});

	it('[RELAY-52] takes nothing beyond what may be under way at all', () => {
		const place = enter(createIntake(), A, socket());
		const done = place.take(PENDING_BYTES_MAX - MESSAGE_BYTES);
		expect(done).toBeDefined();
		expect(place.take(1)).toBeUndefined();
		done?.();
		expect(place.take(1)).toBeDefined();
	});

	it('[RELAY-52] where all together have too much the largest waits, and who has little never', () => {
		const intake = createIntake();
		const share = PENDING_BYTES_PAUSE - MESSAGE_BYTES;
		const shares = ALL_BYTES_PAUSE / PENDING_BYTES_PAUSE;
		const tills = Array.from({ length: shares }, (_none, at) => {
			const of = socket();
			const place = enter(intake, { scope, code: `T${String(at)}` }, of);
			return { of, done: place.take(at === 0 ? share : share - 1) };
		});
		expect(tills.some(({ of }) => of.isPaused)).toBe(false);
		const small = socket();
		const one = enter(intake, A, small);
		const done = [one.take(1_000), one.take(1_000)];
		// One is held back for each message that comes meanwhile, the largest first.
		expect(tills.map(({ of }) => of.isPaused).filter(Boolean)).toHaveLength(2);
		expect(tills[0]?.of.isPaused).toBe(true);
		for (let at = 0; at < 50; at += 1) done.push(one.take(1_000));
		expect(tills.every(({ of }) => of.isPaused)).toBe(true);
		expect(small.isPaused).toBe(false);
		// More than a little, and it is one of those.
		done.push(one.take(LITTLE_BYTES));
		expect(small.isPaused).toBe(true);
		for (const each of done) each?.();
		expect(small.isPaused).toBe(false);
		tills.forEach(({ of, done }, at) => {
			done?.();
			expect(of.isPaused).toBe(false);
			const waiting = tills.slice(at + 1).filter((till) => till.of.isPaused).length;
			expect(waiting).toBe(tills.length - at - 1);
		});
	});

	it('[RELAY-52] who waited for the others is read from as soon as all together have half', () => {
		const intake = createIntake();
		const share = PENDING_BYTES_PAUSE - MESSAGE_BYTES;
		const others = Array.from({ length: ALL_BYTES_PAUSE / PENDING_BYTES_PAUSE }, (_none, at) =>
			enter(intake, { scope, code: `T${String(at)}` }).take(share)
		);
		const waiting = socket();
		const place = enter(intake, A, waiting);
		place.take(LITTLE_BYTES);
		const answered = place.take(1);
		const little = enter(intake, B);
		little.take(1);
		// The largest is one of the others, one for each message.
		expect(waiting.isPaused).toBe(false);
		for (const _other of others) little.take(1);
		expect(waiting.isPaused).toBe(true);
		// An answer to it alone makes no room for all.
		answered?.();
		expect(waiting.isPaused).toBe(true);
		const half = others.length / 2;
		for (const done of others.slice(0, half)) done?.();
		expect(waiting.isPaused).toBe(true);
		others[half]?.();
		expect(waiting.isPaused).toBe(false);
	});
});
