import { describe, expect, it } from 'vitest';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { factId, type DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import type { FactText } from './arrived-fact.ts';
import { createBook, journalOf } from './book.ts';
import { carryFacts } from './carry.ts';
import { carryAgain, beginCarry, enterEpoch } from './enter-epoch.ts';
import { readMeta, writeMeta, type MetaValues } from './meta.ts';
import { readUnsentRows } from './refused-facts.svelte.ts';
import type { HaveAnswer, RelayHttp } from './relay-http.ts';

/** A fact of the relay's own. */
const RELAYS = encodeFact({
	id: factId('0.1', 7),
	...({ code: '0.1', n: 7, at: { wall: 1_000, counter: 0 }, on: '2024-10-04', by: 0 } as const),
	...({ kind: 'device', device: 'Q' as DeviceCode, fields: { member: 1 } } as const)
});
const OLD = 1;
const NEW = 400_000;

interface Relay {
	readonly http: { have: RelayHttp['have']; readonly carried: RelayHttp['carried'] };
	/** The ids of each request, in order. */
	readonly requests: (readonly string[])[];
	readonly texts: (readonly string[])[];
	ranges: HaveAnswer['ranges'];
	/** Answers so many requests, and is gone then. */
	answers: number;
	/** Why it would not have these. */
	readonly refused: Map<string, string>;
}

function fakeRelay(): Relay {
	const relay: Relay = {
		requests: [],
		texts: [],
		ranges: {},
		answers: Infinity,
		refused: new Map(),
		http: {
			have: () => Promise.resolve(ok({ epoch: NEW, ranges: relay.ranges })),
			carried: (facts) => {
				if (relay.answers <= 0) return Promise.resolve(err('unreachable'));
				relay.answers -= 1;
				const ids = facts.map(idOf);
				relay.requests.push(ids);
				relay.texts.push(facts.map(({ text }) => text));
				return Promise.resolve(
					ok(
						ids.map((id) => {
							const reason = relay.refused.get(id);
							return reason === undefined
								? { id, became: 'kept' }
								: { id, became: 'refused', reason };
						})
					)
				);
			}
		}
	};
	return relay;
}

function idOf({ text }: FactText): string {
	return /^\["([^"]+)"/.exec(text)?.[1] ?? '';
}

/** A device that wrote two facts of its own, and holds `count` of device B and one of the relay. */
async function holder(count = 3): Promise<TestDevice> {
	const test = await openTestDevice({ seed: 1 });
	const { device, parts } = test;
	await device.changeSettings({ name: 'one' });
	await device.changeSettings({ name: 'two' });
	const of = (id: string, n: number): FactText => ({
		text: JSON.stringify([id, 'setting', 1_000 + n, 0, 20_000, 1, { phone: String(n) }]),
		branch: device.identity.branch
	});
	const others = Array.from({ length: count }, (_none, at) => of(`B-${String(at + 1)}`, at));
	await device.receive([...others, { text: RELAYS, branch: null }]);
	const held = await parts.store.read(['facts'], (rows) => rows.count('facts'));
	expect(held).toBeGreaterThanOrEqual(count + 3);
	await parts.store.write(['meta'], (rows) => enterEpoch(rows, { epoch: NEW, ends: [[OLD, 5]] }));
	return test;
}

function placeIn({ parts }: TestDevice): Promise<MetaValues['carry'] | undefined> {
	return parts.store.read(['meta'], (rows) => readMeta(rows, 'carry'));
}

describe('what the relay forgot', () => {
	it('[CARRY-1] is handed in once, the relay’s own first, and not what goes by its documents', async () => {
		const test = await holder();
		const relay = fakeRelay();
		relay.ranges = { B: [[2, 2, '0'.repeat(16)]] };
		const parts = { ...test.parts, device: test.device, http: relay.http };
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.requests).toEqual([['0.1-7'], ['B-1', 'B-3']]);
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.requests).toHaveLength(2);
		expect(await placeIn(test)).toMatchObject({ isDone: true, left: 0 });
	});

	it('[CARRY-6] is handed in once where the relay has another text under its name', async () => {
		const test = await holder(1);
		const relay = fakeRelay();
		relay.ranges = { B: [[1, 1, '0'.repeat(16)]] };
		const parts = { ...test.parts, device: test.device, http: relay.http };
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.requests).toEqual([['0.1-7']]);
		const [held] = await test.store.read(['facts'], (rows) => rows.getMany('facts', ['B-1']));
		const text = held?.text.replace('"phone":"0"', '"phone":"1"') ?? '';
		await test.device.receive([{ text, branch: test.device.identity.branch, s: 9 }]);
		relay.answers = 0;
		expect(await carryFacts(parts, NEW)).toBe('unreachable');
		relay.answers = 1;
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.texts.at(-1)).toEqual([held?.text]);
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.requests).toHaveLength(2);
	});

	it('[CARRY-6] is handed in again where there was no room for it, and is here as long', async () => {
		const test = await holder(2);
		const relay = fakeRelay();
		const { branch } = test.device.identity;
		const held = await test.store.read(['facts'], (rows) => rows.getMany('facts', ['B-1', 'B-2']));
		const before = held.map((row) => row?.text ?? '');
		await test.device.receive(
			before.map((text, at) => ({
				text: text.replace('"phone":"', '"phone":"1'),
				branch,
				s: 9 + at
			}))
		);
		relay.ranges = { B: [[1, 2, '0'.repeat(16)]], '0.1': [[7, 7, '0'.repeat(16)]] };
		relay.refused.set('B-2', 'tooMany');
		const parts = { ...test.parts, device: test.device, http: relay.http };
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.texts).toEqual([before]);
		relay.refused.clear();
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.texts.slice(1)).toEqual([before.slice(1)]);
		expect(await carryFacts(parts, NEW)).toBe('done');
		expect(relay.texts).toHaveLength(2);
	});

	it('[CARRY-6] what is put apart while the rest is handed in is handed in the next time', async () => {
		const test = await holder(2);
		const relay = fakeRelay();
		relay.ranges = { B: [[1, 2, '0'.repeat(16)]], '0.1': [[7, 7, '0'.repeat(16)]] };
		const { branch } = test.device.identity;
		const held = await test.store.read(['facts'], (rows) => rows.getMany('facts', ['B-1', 'B-2']));
		const before = held.map((row) => row?.text ?? '');
		const replace = async (place: number): Promise<void> => {
			const text = (before[place] ?? '').replace('"phone":"', '"phone":"1');
			await test.device.receive([{ text, branch, s: 9 + place }]);
		};
		await replace(0);
		const slow: Relay['http'] = {
			...relay.http,
			carried: async (facts) => {
				await replace(1);
				return relay.http.carried(facts);
			}
		};
		const parts = { ...test.parts, device: test.device };
		expect(await carryFacts({ ...parts, http: slow }, NEW)).toBe('done');
		expect(await carryFacts({ ...parts, http: relay.http }, NEW)).toBe('done');
		expect(relay.texts).toEqual(before.map((text) => [text]));
	});

	it('[CARRY-6] what is put apart stays where a tab that slept hears late of what another handed in', async () => {
		const test = await holder(2);
		const relay = fakeRelay();
		relay.ranges = { B: [[1, 2, '0'.repeat(16)]], '0.1': [[7, 7, '0'.repeat(16)]] };
		const { branch } = test.device.identity;
		const held = await test.store.read(['facts'], (rows) => rows.getMany('facts', ['B-1', 'B-2']));
		const before = held.map((row) => row?.text ?? '');
		const replace = async (place: number): Promise<void> => {
			const text = (before[place] ?? '').replace('"phone":"', '"phone":"1');
			await test.device.receive([{ text, branch, s: 9 + place }]);
		};
		await replace(0);
		const parts = { ...test.parts, device: test.device };
		const slept: Relay['http'] = {
			...relay.http,
			carried: async (facts) => {
				const answer = await relay.http.carried(facts);
				// The tab that leads meanwhile hands in the same, and hears of more.
				expect(await carryFacts({ ...parts, http: relay.http }, NEW)).toBe('done');
				await replace(1);
				return answer;
			}
		};
		expect(await carryFacts({ ...parts, http: slept }, NEW)).toBe('done');
		expect(await carryFacts({ ...parts, http: relay.http }, NEW)).toBe('done');
		expect(relay.texts.at(-1)).toEqual([before[1]]);
	});

	it('[CARRY-1] goes on where it stopped', async () => {
		const test = await holder(1_200);
		const relay = fakeRelay();
		relay.answers = 2;
		const parts = { ...test.parts, device: test.device, http: relay.http };
		expect(await carryFacts(parts, NEW)).toBe('unreachable');
		relay.answers = Infinity;
		expect(await carryFacts(parts, NEW)).toBe('done');
		const handed = relay.requests.flat();
		expect(handed).toHaveLength(1_201);
		expect(new Set(handed).size).toBe(1_201);
		expect(relay.requests.every((ids) => ids.length <= 500)).toBe(true);
	});

	it.each([1, 3])(
		'[CARRY-1] begins anew where a book was taken in while page %d was under way',
		async (page) => {
			const test = await holder(1_200);
			const { device, parts } = test;
			const relay = fakeRelay();
			let pages = 0;
			const http: Relay['http'] = {
				...relay.http,
				carried: async (facts, ...more) => {
					pages += 1;
					if (pages === page) {
						const text = JSON.stringify(['AB-1', 'setting', 1_000, 0, 20_000, 1, { phone: '7' }]);
						await device.receive([{ text, branch: device.identity.branch }]);
						await parts.store.write(['meta'], (rows) => beginCarry(rows, NEW));
					}
					return relay.http.carried(facts, ...more);
				}
			};
			expect(await carryFacts({ ...parts, device, http }, NEW)).toBe('done');
			expect(relay.requests.flat()).toContain('AB-1');
			expect(await placeIn(test)).toMatchObject({ isDone: true, left: 0 });
		}
	);

	it('[CARRY-1] that nobody could take yet is handed in again the next time', async () => {
		const test = await holder();
		const relay = fakeRelay();
		relay.refused.set('B-1', 'authorUnknown').set('B-2', 'recordWrong');
		const parts = { ...test.parts, device: test.device, http: relay.http };
		await carryFacts(parts, NEW);
		expect(await placeIn(test)).toMatchObject({ isDone: true, left: 1 });
		await carryAgain(test.parts.store);
		relay.refused.clear();
		await carryFacts(parts, NEW);
		await carryAgain(test.parts.store);
		await carryFacts(parts, NEW);
		expect(relay.requests).toHaveLength(4);
	});

	it('[CARRY-5] is here alone, and said to be, until the relay has it or its author brings it', async () => {
		const test = await holder(4);
		const { store } = test.parts;
		const relay = fakeRelay();
		relay.refused.set('0.1-7', 'linkOtherwise').set('B-1', 'authorUnknown');
		relay.refused.set('B-2', 'authorUnknown').set('B-3', 'authorBack').set('B-4', 'recordWrong');
		const moved: string[] = [];
		test.parts.changes.on((tables) => moved.push(...tables));
		const parts = { ...test.parts, device: test.device, http: relay.http };
		const book = createBook({ store, identity: () => test.device.identity });
		const said = async (): Promise<readonly string[]> =>
			(await book.unsent()).refused.map(({ id, reason }) => `${id} ${reason}`);
		const marks = (): Promise<readonly unknown[]> =>
			store.read(['journal', 'meta'], async (rows) => {
				const found = await journalOf(rows, ['B-1', 'B-3', 'B-4']);
				return ['B-1', 'B-3', 'B-4'].map((id) => found.get(id));
			});
		await carryFacts(parts, NEW);
		const alone = ['B-1 authorUnknown', 'B-2 authorUnknown', 'B-4 recordWrong'];
		expect(await said()).toEqual(alone);
		expect((await book.unsent()).count).toBe(2);
		expect(moved).toContain('journal');
		expect(await marks()).toEqual([
			{ id: 'B-1', sent: 0, refused: 'authorUnknown' },
			undefined,
			{ id: 'B-4', sent: 0, refused: 'recordWrong' }
		]);
		const rows = await store.read(['journal', 'facts', 'meta'], readUnsentRows);
		expect(rows.slice(-3).map(({ id, text }) => [id, idOf({ text, branch: null })])).toEqual([
			['B-1', 'B-1'],
			['B-2', 'B-2'],
			['B-4', 'B-4']
		]);

		// While it is handed in again, and after another restore, nothing better is known.
		relay.refused.clear();
		await carryAgain(store);
		relay.answers = 0;
		await carryFacts(parts, NEW);
		expect(await said()).toEqual(alone);
		await store.write(['meta'], (write) => enterEpoch(write, { epoch: NEW + 1, ends: [] }));
		expect(await said()).toEqual(alone);
		relay.answers = Infinity;
		relay.http.have = () => Promise.resolve(ok({ epoch: NEW + 1, ranges: {} }));
		await carryFacts(parts, NEW + 1);
		expect(await said()).toEqual([]);
		expect(await marks()).toEqual([undefined, undefined, undefined]);
	});

	it('[CARRY-1] is no matter where the epoch is another, or nobody answers', async () => {
		const test = await holder();
		const relay = fakeRelay();
		const parts = { ...test.parts, device: test.device, http: relay.http };
		expect(await carryFacts(parts, NEW + 1)).toBe('done');
		const gone = { ...relay.http, have: () => Promise.resolve(err('refused' as const)) };
		expect(await carryFacts({ ...parts, http: gone }, NEW)).toBe('refused');
		// A relay of before may be up beside the restored one, and has what that one lacks.
		const ranges = { B: [[1, 3, '0'.repeat(16)]] as const };
		const old = { ...relay.http, have: () => Promise.resolve(ok({ epoch: OLD, ranges })) };
		expect(await carryFacts({ ...parts, http: old }, NEW)).toBe('unreachable');
		expect(relay.requests).toEqual([]);
	});
});

it('[CARRY-2] goes back to what survived, and takes a checkpoint anew that held more', async () => {
	const { parts } = await openTestDevice({ seed: 1 });
	const enter = async (
		feed: number,
		checkpoint: number
	): Promise<readonly [feed: unknown, history: unknown, isLost: unknown]> =>
		parts.store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'feed', { epoch: OLD, s: feed });
			await writeMeta(rows, 'history', { epoch: OLD, s: checkpoint + 1 });
			await writeMeta(rows, 'checkpoint', { epoch: OLD, s: checkpoint, ranges: {} });
			await enterEpoch(rows, { epoch: NEW, ends: [[OLD, 50]] });
			return [
				(await readMeta(rows, 'feed'))?.s,
				(await readMeta(rows, 'history'))?.s,
				await readMeta(rows, 'isCheckpointLost')
			];
		});
	expect(await enter(40, 30)).toEqual([40, 31, undefined]);
	expect(await enter(90, 50)).toEqual([50, 51, undefined]);
	expect(await enter(90, 80)).toEqual([50, 51, true]);
});
