import { tellEarly } from './early-clock.ts';
import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { install, type Clock } from '@sinonjs/fake-timers';
import type { Chance } from './chance.ts';
import { takePacking } from './packing.ts';

/** The one time of a run: nothing happens but when a timer of it fires. */
export interface SimTime {
	readonly now: () => number;
	/** Calls `act` after so many ms; the answer takes it back. */
	readonly after: (ms: number, act: () => void) => () => void;
	readonly every: (ms: number, act: () => void) => () => void;
	/** Work of the machine itself, a statement of the database, that the next event waits for. */
	readonly awaits: (work: Promise<unknown>) => void;
	/** Lets events happen one by one until `isOver` says so, or `untilMs` is reached. */
	readonly run: (untilMs: number, isOver?: () => boolean) => Promise<void>;
	/** Gives the thread its own time and chance back. */
	readonly end: () => void;
}

/** Turns of the machine's loop in which nothing is begun: what is still to settle, settles. */
const QUIET_TURNS = 2;
const FAKED = ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;

const nextTurn = (): Promise<void> =>
	new Promise((resolve) => {
		setImmediate(resolve);
	});

/** Takes time and chance of the whole thread over. One at a time. */
export function takeTime(startMs: number, chance: Chance): SimTime {
	const clock = install({ now: startMs, toFake: [...FAKED] });
	const giveBack = takeChance(chance);
	const unpackAgain = takePacking();
	tellEarly(() => clock.now);
	const working = new Set<Promise<unknown>>();
	const awaits = (work: Promise<unknown>): void => {
		working.add(work);
		const done = (): void => {
			working.delete(work);
		};
		work.then(done, done);
	};

	async function settle(): Promise<void> {
		for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
			while (working.size > 0) {
				await Promise.allSettled(working);
				quiet = 0;
			}
			await nextTurn();
		}
	}

	return {
		now: () => clock.now,
		after: (ms, act) => {
			const timer = setTimeout(act, ms);
			return () => {
				clearTimeout(timer);
			};
		},
		every: (ms, act) => {
			const timer = setInterval(act, ms);
			return () => {
				clearInterval(timer);
			};
		},
		awaits,
		run: async (untilMs, isOver) => {
			await settle();
			while (isOver?.() !== true && hasNext(clock, untilMs)) {
				clock.next();
				await settle();
			}
		},
		end: () => {
			tellEarly(undefined);
			clock.uninstall();
			unpackAgain();
			giveBack();
		}
	};
}

/** Whether a timer is due by `untilMs`; where none is, the time is `untilMs`. */
function hasNext(clock: Clock, untilMs: number): boolean {
	const [next] = clock.countTimers() === 0 ? [] : [nextAt(clock)];
	if (next !== undefined && next <= untilMs) return true;
	// Nothing is due by then, so nothing happens; set, the clock would take all timers along with it.
	if (clock.now < untilMs) clock.tick(untilMs - clock.now);
	return false;
}

/** The library keeps its timers in a heap, whose first is the next. */
function nextAt(clock: Clock): number | undefined {
	const { timerHeap } = clock as unknown as {
		readonly timerHeap?: { peek(): { readonly callAt: number } | undefined };
	};
	return timerHeap?.peek()?.callAt;
}

/** Chance of the whole thread, as far as the product draws it by itself. Answers how to give it back. */
function takeChance(chance: Chance): () => void {
	const web0 = globalThis.crypto;
	const kept = {
		random: Math.random.bind(Math),
		getRandomValues: web0.getRandomValues.bind(web0),
		webUuid: web0.randomUUID.bind(web0),
		timeout: AbortSignal.timeout.bind(AbortSignal)
	};
	const { randomBytes, randomUUID, randomInt } = nodeCrypto;
	const math = chance.apart('math');
	const web = chance.apart('web');
	const node = chance.apart('node');
	Math.random = () => math.below(2 ** 53) / 2 ** 53;
	globalThis.crypto.getRandomValues = (into) => {
		const { buffer, byteOffset, byteLength } = into as unknown as Uint8Array<ArrayBuffer>;
		new Uint8Array(buffer, byteOffset, byteLength).set(web.bytes(byteLength));
		return into;
	};
	globalThis.crypto.randomUUID = () => web.uuid() as ReturnType<typeof kept.webUuid>;
	AbortSignal.timeout = (ms) => {
		const ending = new AbortController();
		setTimeout(() => {
			ending.abort(new DOMException('too late', 'TimeoutError'));
		}, ms);
		return ending.signal;
	};
	Object.assign(nodeCrypto, {
		randomBytes: (length: number) => Buffer.from(node.bytes(length)),
		randomUUID: () => node.uuid(),
		randomInt: (a: number, b?: number) => (b === undefined ? node.below(a) : a + node.below(b - a))
	});
	syncBuiltinESMExports();
	return () => {
		Math.random = kept.random;
		globalThis.crypto.getRandomValues = kept.getRandomValues;
		globalThis.crypto.randomUUID = kept.webUuid;
		AbortSignal.timeout = kept.timeout;
		Object.assign(nodeCrypto, { randomBytes, randomUUID, randomInt });
		syncBuiltinESMExports();
	};
}
