import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
	decodeClientFrame,
	EMPTY_UPDATE,
	encodeStep1,
	encodeStep2,
	encodeUpdate
} from './frames.ts';
import { HEARTBEAT_MS, PIECE_BYTES_MAX } from './limits.ts';
import { createUploadPace, type UploadLane, type UploadPace } from './upload-pace.ts';

/** A pace on a clock that the test turns. */
function paceOnClock(code?: string): {
	readonly pace: UploadPace;
	/** Lets time pass, and what is due in it happen. */
	readonly pass: (ms: number) => void;
	readonly at: (ms: number, work: () => void) => void;
	readonly now: () => number;
} {
	let now = 0;
	let due: { readonly at: number; readonly work: () => void }[] = [];
	const at = (when: number, work: () => void): (() => void) => {
		const timer = { at: when, work };
		due.push(timer);
		return () => {
			due = due.filter((other) => other !== timer);
		};
	};
	return {
		pace: createUploadPace({
			clock: () => now,
			timers: { after: (ms, work) => at(now + ms, work) },
			code: code === undefined ? undefined : () => code
		}),
		pass: (ms) => {
			const end = now + ms;
			for (;;) {
				const [next] = due.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
				if (next === undefined) break;
				due = due.filter((other) => other !== next);
				now = next.at;
				next.work();
			}
			now = end;
		},
		at,
		now: () => now
	};
}

/** A document of so many facts of about 250 bytes, as a step 2; and as updates, one a fact. */
function facts(
	from: number,
	to: number
): { readonly step2: Uint8Array; readonly each: Uint8Array[] } {
	const doc = new Y.Doc();
	const each: Uint8Array[] = [];
	doc.on('update', (update: Uint8Array) => each.push(encodeUpdate(update)));
	for (let n = from; n <= to; n += 1) {
		doc.getMap('f').set(`A-${String(n)}`, `["A-${String(n)}",${'x'.repeat(230)}]`);
	}
	return { step2: encodeStep2(Y.encodeStateAsUpdate(doc)), each };
}

function lastNumber(frame: Uint8Array): number {
	const doc = new Y.Doc();
	const read = decodeClientFrame(frame);
	const pending = read !== undefined && 'update' in read ? Y.decodeUpdate(read.update) : undefined;
	doc.destroy();
	const last = pending?.structs.at(-1);
	return last instanceof Y.Item ? Number(last.parentSub?.split('-')[1]) : 0;
}

function kinds(frames: readonly Uint8Array[]): readonly (string | undefined)[] {
	return frames.map((frame) => decodeClientFrame(frame)?.kind);
}

function bytesOf(frames: readonly Uint8Array[]): number {
	return frames.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

const DIGEST = '0'.repeat(16);

describe('the pace of uploads', () => {
	it('[SYNC-8] what gets no answer is sent at once, whatever waits', () => {
		const { pace } = paceOnClock();
		const out: Uint8Array[] = [];
		const lane = pace.open((frame) => out.push(frame));
		lane.send(facts(1, 1_000).step2);
		const before = out.length;
		lane.send(encodeStep1(new Map()));
		lane.send(encodeStep2(EMPTY_UPDATE));
		lane.send(Uint8Array.of(1, 1, 0));
		expect(kinds(out.slice(before))).toEqual(['step1', 'step2', 'ignored']);
	});

	it('[SYNC-8] a long step 2 goes in pieces, the last of them the step 2, as answers come', () => {
		const { pace } = paceOnClock();
		const out: Uint8Array[] = [];
		const lane = pace.open((frame) => out.push(frame));
		lane.send(facts(1, 1_000).step2);
		expect(bytesOf(out)).toBeLessThanOrEqual(2 * PIECE_BYTES_MAX);
		expect(out.length).toBe(1);

		// It grows while it is gone through.
		for (const frame of out) {
			const n = lastNumber(frame);
			lane.have([[Math.max(1, n - 1), n, DIGEST]]);
		}
		expect(out.every(({ byteLength }) => byteLength <= PIECE_BYTES_MAX + 16)).toBe(true);
		expect(kinds(out)).toEqual([...out.slice(1).map(() => 'update'), 'step2']);
		const doc = new Y.Doc();
		for (const frame of out) {
			const read = decodeClientFrame(frame);
			if (read !== undefined && 'update' in read) Y.applyUpdate(doc, read.update);
		}
		expect(doc.getMap('f').size).toBe(1_000);
	});

	it('[SYNC-8] several sockets share one line, the first opened goes first', () => {
		const { pace } = paceOnClock();
		const out: string[] = [];
		const [a, b] = ['a', 'b'].map((name) => pace.open(() => out.push(name)));
		a?.send(facts(1, 1_000).step2);
		b?.send(facts(1_001, 2_000).step2);
		expect(out).toEqual(['a']);
		a?.close();
		expect(out).toEqual(['a', 'b']);
	});

	it('[SYNC-8] a sale that is being made does not wait for another document’s week', () => {
		const { pace } = paceOnClock();
		const out: string[] = [];
		const [week, today] = ['week', 'today'].map((name) => pace.open(() => out.push(name)));
		week?.send(facts(1, 2_000).step2);
		const { each } = facts(2_001, 2_002);
		today?.send(each[0] ?? EMPTY_UPDATE);
		expect(out).toEqual(['week', 'today']);
		// In its own document it stands behind what its client wrote before.
		week?.send(each[1] ?? EMPTY_UPDATE);
		expect(out).toEqual(['week', 'today']);
	});

	it('[SYNC-8] a new step 2 holds what was waiting, so that is not sent twice', () => {
		const { pace } = paceOnClock();
		const out: Uint8Array[] = [];
		const lane = pace.open((frame) => out.push(frame));
		const { step2 } = facts(1, 1_000);
		lane.send(step2);
		lane.send(step2);
		lane.have([]);
		const sent = drain(lane, out);
		expect(sent).toBeLessThan(1.5 * step2.byteLength);
	});

	it('[SYNC-8] what others wrote goes on at its own answer, and numbers of theirs are not one’s own', () => {
		const { pace } = paceOnClock('B');
		const out: Uint8Array[] = [];
		const lane = pace.open((frame) => out.push(frame));
		// A hundred of the own in front, and a brother's thousand behind.
		const doc = new Y.Doc();
		doc.clientID = 9;
		for (let n = 1; n <= 100; n += 1) doc.getMap('f').set(`B-${String(n)}`, 'x'.repeat(250));
		const his = new Y.Doc();
		his.clientID = 5;
		for (let n = 1; n <= 400; n += 1) his.getMap('f').set(`A-${String(n)}`, 'x'.repeat(250));
		Y.applyUpdate(doc, Y.encodeStateAsUpdate(his));
		lane.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		expect(out.length).toBe(1);
		lane.have([[100, 100, DIGEST]]);
		const second = out.length;
		expect(second).toBeGreaterThan(1);
		// All of the own were in the first: these are others', and their numbers are not meant.
		lane.have([[1, 511, DIGEST]]);
		expect(out.length).toBe(second);
		for (let at = 0; at < 50; at += 1) {
			const before = out.length;
			lane.have([]);
			if (out.length === before) break;
		}
		const doneWith = new Y.Doc();
		for (const frame of out) {
			const read = decodeClientFrame(frame);
			if (read !== undefined && 'update' in read) Y.applyUpdate(doneWith, read.update);
		}
		expect(doneWith.getMap('f').size).toBe(500);
	});

	it('[SYNC-8] what was refused, taken for nothing new, or gets no answer holds nothing up', () => {
		const { pace, pass } = paceOnClock();
		const out: Uint8Array[] = [];
		const lane = pace.open((frame) => out.push(frame));
		lane.send(facts(1, 1_000).step2);
		const counts = [out.length];
		lane.answered();
		counts.push(out.length);
		lane.have([]);
		counts.push(out.length);
		pass(9_999);
		counts.push(out.length);
		pass(10_001);
		counts.push(out.length);
		const [first = 0, nacked = 0, known = 0, silent = 0, gaveUp = 0] = counts;
		expect([nacked > first, known > nacked, silent === known, gaveUp > silent]).toEqual([
			true,
			true,
			true,
			true
		]);
	});

	it('[SYNC-8] what gets no answer holds nothing up for longer because others get theirs', () => {
		const { pace, pass } = paceOnClock();
		const out: string[] = [];
		const [week, today] = ['week', 'today'].map((name) => pace.open(() => out.push(name)));
		week?.send(facts(1, 1_000).step2);
		const { each } = facts(2_001, 2_060);
		const counts = each.map((sale, at) => {
			today?.send(sale);
			today?.have([[2_001 + at, 2_001 + at, DIGEST]]);
			pass(1_000);
			return out.filter((name) => name === 'week').length;
		});
		// Not at once: on a slow line the first opened are answered first.
		expect([counts[19], (counts[39] ?? 0) > 1]).toEqual([1, true]);
	});

	it('[SYNC-8] a line of 15 kB/s is never filled for longer than a heartbeat is waited for', () => {
		const stage = paceOnClock();
		const lanes: UploadLane[] = [];
		let freeAt = 0;
		let longestMs = 0;
		const got = new Set<number>();
		for (let day = 0; day < 7; day += 1) {
			const lane = stage.pace.open((frame) => {
				// The line carries 15 bytes a millisecond, one message after the other.
				freeAt = Math.max(freeAt, stage.now()) + frame.byteLength / 15;
				longestMs = Math.max(longestMs, freeAt - stage.now());
				const n = lastNumber(frame);
				stage.at(freeAt + 400, () => {
					got.add(n);
					// Every socket of the device hears of it.
					for (const other of lanes) other.have([[n, n, DIGEST]]);
				});
			});
			lanes.push(lane);
		}
		lanes.forEach((lane, day) => {
			lane.send(facts(day * 1_000 + 1, day * 1_000 + 1_000).step2);
		});
		stage.pass(10 * 60_000);
		expect([...got].filter((n) => n % 1_000 === 0).length).toBe(7);
		expect(longestMs).toBeGreaterThan(1_000);
		expect(longestMs).toBeLessThan(HEARTBEAT_MS / 2);
	});

	it('[SYNC-8] after a cut one piece goes at a time again', () => {
		const { pace } = paceOnClock();
		const out: Uint8Array[] = [];
		const first = pace.open((frame) => out.push(frame));
		first.send(facts(1, 2_000).step2);
		for (let answers = 0; answers < 3; answers += 1) first.have([]);
		expect(out.length).toBeGreaterThan(5);
		first.close();
		out.length = 0;
		pace.open((frame) => out.push(frame)).send(facts(1, 2_000).step2);
		expect(out.length).toBe(1);
	});

	it('[SYNC-8] a quick line is filled', () => {
		const stage = paceOnClock();
		let inFlight = 0;
		let most = 0;
		const lane: UploadLane = stage.pace.open((frame) => {
			inFlight += frame.byteLength;
			most = Math.max(most, inFlight);
			stage.at(stage.now() + 400, () => {
				inFlight -= frame.byteLength;
				const n = lastNumber(frame);
				lane.have([[n, n, DIGEST]]);
			});
		});
		lane.send(facts(1, 20_000).step2);
		stage.pass(60_000);
		expect(inFlight).toBe(0);
		expect(most).toBeGreaterThan(8 * PIECE_BYTES_MAX);
	});
});

/** Answers until nothing more comes; the bytes that came in all. */
function drain(lane: UploadLane, out: readonly Uint8Array[]): number {
	let seen = 0;
	while (seen < out.length) {
		seen += 1;
		lane.have([]);
	}
	return bytesOf(out);
}
