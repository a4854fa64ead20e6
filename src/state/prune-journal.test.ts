import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFactId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import type { HaveRange } from '#sync/frames.ts';
import { markSent, unmarkSent } from './have.ts';
import { writeMeta } from './meta.ts';
import { blockOf } from './number-ranges.ts';
import { createJournalPrune, JOURNAL_KEPT_DAYS, type JournalPrune } from './prune-journal.ts';

const DAY_MS = 86_400_000;
const BLOCK = 512;
const ROWS = 3 * BLOCK;

function digestOf(n: number): string {
	return (BigInt(n) * 0x9e37_79b9_7f4a_7c15n).toString(16).padStart(16, '0').slice(-16);
}

/** A journal of three blocks and a begun one, written a row a minute. */
function rowsFor(count: number): readonly JournalRow[] {
	return Array.from({ length: count }, (_none, place): JournalRow => {
		const n = place + 1;
		const id = parseFactId(`A-${String(n)}`);
		if (!id.ok) throw new Error('no id');
		const what = { document: 'd', text: `["A-${String(n)}"]`, digest: digestOf(n), minor: 0n };
		return { n, id: id.value.id, ...what, sent: 0, at: n };
	});
}

/** What the relay has of each number, cut as it cuts. */
function rangesOf(numbers: readonly number[], textOf = digestOf): readonly HaveRange[] {
	const ranges: { from: number; to: number; xor: bigint }[] = [];
	for (const n of numbers) {
		const last = ranges.at(-1);
		const digest = BigInt(`0x${textOf(n)}`);
		if (last?.to === n - 1 && blockOf(last.from) === blockOf(n)) {
			last.to = n;
			last.xor ^= digest;
		} else ranges.push({ from: n, to: n, xor: digest });
	}
	return ranges.map(({ from, to, xor }) => [from, to, xor.toString(16).padStart(16, '0')]);
}

interface Stand {
	readonly store: DeviceStore;
	/** The next write that lets something go is cut off before or after its end. */
	readonly fate: { kill: 'never' | 'before' | 'after' };
	readonly relay: { epoch: number; sent: Set<number>; backedUp: Set<number> };
	readonly clock: { now: number };
	prune: JournalPrune;
	begin(): void;
	gone(): Promise<ReadonlySet<number>>;
}

async function createStand(): Promise<Stand> {
	const inner = createMemoryDeviceStore();
	const fate: Stand['fate'] = { kill: 'never' };
	const store: DeviceStore = {
		...inner,
		write: async (tables, work) => {
			const { kill } = fate;
			if (kill === 'never' || !tables.includes('backedUp')) return inner.write(tables, work);
			fate.kill = 'never';
			if (kill === 'after') await inner.write(tables, work);
			else
				await inner.write(tables, async (rows) => {
					await work(rows);
					throw new Error('killed');
				});
			throw new Error('killed');
		}
	};
	const relay = { epoch: 1, sent: new Set<number>(), backedUp: new Set<number>() };
	const clock = { now: 0 };
	await inner.write(['meta', 'journal'], async (rows) => {
		await rows.put('journal', rowsFor(ROWS + 200));
		await writeMeta(rows, 'epoch', 1);
	});
	const begin = (): JournalPrune => {
		const backedUp = (from: number): Promise<ReturnType<typeof ok<Answer>>> => {
			const held = [...relay.backedUp].filter((n) => n >= from).sort((a, b) => a - b);
			return Promise.resolve(ok({ epoch: relay.epoch, ranges: rangesOf(held) }));
		};
		return createJournalPrune({ store, http: { backedUp }, clock: () => clock.now }, relay.epoch);
	};
	const stand: Stand = {
		...{ store, fate, relay, clock },
		prune: begin(),
		begin: () => {
			stand.prune = begin();
		},
		gone: async () => {
			const held = await inner.read(['journal'], (rows) => rows.all('journal'));
			const left = new Set(held.map(({ n }) => n));
			const all = Array.from({ length: ROWS + 200 }, (_none, place) => place + 1);
			return new Set(all.filter((n) => !left.has(n)));
		}
	};
	return stand;
}

interface Answer {
	readonly epoch: number;
	readonly ranges: readonly HaveRange[];
}

type Step =
	| { readonly do: 'send' | 'unheard' | 'backUp'; readonly from: number; readonly count: number }
	| { readonly do: 'wait'; readonly days: number }
	| { readonly do: 'restore'; readonly lost: number }
	| { readonly do: 'kill'; readonly when: 'before' | 'after' }
	| { readonly do: 'prune' | 'start' };

const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
	fc.oneof(
		{
			weight: 5,
			arbitrary: fc.record({
				do: fc.constantFrom('send' as const, 'unheard' as const, 'backUp' as const),
				from: fc.constantFrom(1, 1, 1, 1, 400, BLOCK),
				count: fc.constantFrom(300, BLOCK, ROWS + 200, ROWS + 200)
			})
		},
		{ weight: 8, arbitrary: fc.constantFrom({ do: 'prune' as const }, { do: 'start' as const }) },
		{
			weight: 2,
			arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.constantFrom(1, 12, 40) })
		},
		fc.record({ do: fc.constant('restore' as const), lost: fc.constantFrom(10, 600, ROWS) }),
		fc.record({
			do: fc.constant('kill' as const),
			when: fc.constantFrom('before' as const, 'after' as const)
		})
	),
	{ minLength: 20, maxLength: 60 }
);

function numbers({ from, count }: { readonly from: number; readonly count: number }): number[] {
	const to = Math.min(ROWS + 200, from + count - 1);
	return Array.from({ length: Math.max(0, to - from + 1) }, (_none, place) => from + place);
}

async function act(stand: Stand, step: Step): Promise<void> {
	const { relay, store, clock, fate } = stand;
	switch (step.do) {
		case 'send': {
			for (const n of numbers(step)) relay.sent.add(n);
			const have = rangesOf([...relay.sent].sort((a, b) => a - b));
			const outcome = await markSent(store, { epoch: relay.epoch, ranges: have }).catch(
				() => undefined
			);
			expect(outcome?.kind).not.toBe('fork');
			return;
		}
		case 'unheard':
			for (const n of numbers(step)) relay.sent.add(n);
			return;
		case 'backUp':
			for (const n of numbers(step)) if (relay.sent.has(n)) relay.backedUp.add(n);
			return;
		case 'wait':
			clock.now += step.days * DAY_MS;
			return;
		case 'restore':
			relay.epoch += 1;
			relay.sent = new Set([...relay.sent].slice(0, -step.lost));
			relay.backedUp.clear();
			await unmarkSent(store);
			await store.write(['meta'], (rows) => writeMeta(rows, 'epoch', relay.epoch));
			return;
		case 'kill':
			fate.kill = step.when;
			return;
		case 'prune':
			await stand.prune.step().catch((fault: unknown) => {
				expect(fault).toEqual(new Error('killed'));
				stand.begin();
			});
			return;
		case 'start':
			stand.begin();
	}
}

async function sentOf({ store }: Stand): Promise<ReadonlySet<number>> {
	const sent = await store.read(['journal'], (rows) => rows.find('journal', only('sent', 1)));
	return new Set(sent.map(({ n }) => n));
}

describe('letting the journal go', () => {
	it('[DEVICE-47] takes no row that is unsent, too young or in no verified backup, whatever happens', async () => {
		let wentOnce = 0;
		await fc.assert(
			fc.asyncProperty(STEPS, async (steps) => {
				const stand = await createStand();
				let before: ReadonlySet<number> = new Set();
				for (const step of steps) {
					const { relay, clock } = stand;
					const may = new Set(relay.backedUp);
					const sent = await sentOf(stand);
					await act(stand, step);
					const after = await stand.gone();
					for (const n of [...after].filter((one) => !before.has(one))) {
						expect(may.has(n) && sent.has(n)).toBe(true);
						expect(clock.now - n).toBeGreaterThanOrEqual(JOURNAL_KEPT_DAYS * DAY_MS - ROWS);
						wentOnce += 1;
					}
					before = after;
				}
				const kept = await stand.store.read(['backedUp'], (rows) => rows.all('backedUp'));
				expect(kept.length).toBe(new Set([...before].map(blockOf)).size);
			}),
			{ numRuns: 80 }
		);
		expect(wentOnce).toBeGreaterThan(10 * BLOCK);
	});

	it('[DEVICE-47] keeps what finds out another text under a number that left', async () => {
		const stand = await createStand();
		await act(stand, { do: 'send', from: 1, count: ROWS + 200 });
		await act(stand, { do: 'backUp', from: 1, count: ROWS + 200 });
		await act(stand, { do: 'wait', days: 40 });
		for (let outcome = 'some'; outcome !== 'over';) outcome = await stand.prune.step();
		expect((await stand.gone()).size).toBe(ROWS - 1);
		const all = Array.from({ length: ROWS + 200 }, (_none, place) => place + 1);
		expect(await markSent(stand.store, { epoch: 1, ranges: rangesOf(all) })).toEqual({
			kind: 'sent',
			documents: new Set()
		});
		const other = (n: number): string => digestOf(n === 700 ? 7 : n);
		const forked = await markSent(stand.store, { epoch: 1, ranges: rangesOf(all, other) });
		expect(forked).toMatchObject({ kind: 'fork', range: { 0: BLOCK, 1: 2 * BLOCK - 1 } });
		// A restored relay has a part of it: no fork, and nothing to mark.
		const part = rangesOf(all.filter((n) => n < 700 || n > 720));
		expect(await markSent(stand.store, { epoch: 1, ranges: part })).toEqual({
			kind: 'sent',
			documents: new Set()
		});
	});

	it('[DEVICE-47] believes no mark of a database that was restored since', async () => {
		const stand = await createStand();
		await act(stand, { do: 'send', from: 1, count: ROWS });
		await act(stand, { do: 'backUp', from: 1, count: ROWS });
		await act(stand, { do: 'wait', days: 40 });
		expect(await stand.prune.step()).toBe('some');
		await act(stand, { do: 'restore', lost: 10 });
		await act(stand, { do: 'send', from: 1, count: ROWS });
		for (let outcome = 'some'; outcome !== 'over';) outcome = await stand.prune.step();
		expect((await stand.gone()).size).toBe(BLOCK - 1);
	});

	it('[DEVICE-47] keeps what is unsent again before the epoch of the restore is entered', async () => {
		const stand = await createStand();
		await act(stand, { do: 'send', from: 1, count: ROWS });
		await act(stand, { do: 'wait', days: 40 });
		const { store, clock } = stand;
		const ranges = rangesOf(numbers({ from: 1, count: ROWS }));
		const backedUp = async (): Promise<ReturnType<typeof ok<Answer>>> => {
			// A relay that was restored greets while the one of before still answers.
			await unmarkSent(store);
			return ok({ epoch: 1, ranges });
		};
		const prune = createJournalPrune({ store, http: { backedUp }, clock: () => clock.now }, 1);
		for (let outcome = 'some'; outcome !== 'over';) outcome = await prune.step();
		expect((await stand.gone()).size).toBe(0);
	});

	it('[DEVICE-47] waits while a cart is open', async () => {
		const stand = await createStand();
		await act(stand, { do: 'send', from: 1, count: ROWS });
		await act(stand, { do: 'backUp', from: 1, count: ROWS });
		await act(stand, { do: 'wait', days: 40 });
		await stand.store.write(['meta'], (rows) => writeMeta(rows, 'cart', [{ name: 'Tea' }]));
		expect(await stand.prune.step()).toBe('busy');
		expect((await stand.gone()).size).toBe(0);
		await stand.store.write(['meta'], (rows) => writeMeta(rows, 'cart', []));
		expect(await stand.prune.step()).toBe('some');
		expect((await stand.gone()).size).toBe(BLOCK - 1);
	});

	it('[DEVICE-47] does not let go what the backup holds with another text', async () => {
		const stand = await createStand();
		await act(stand, { do: 'send', from: 1, count: ROWS });
		await act(stand, { do: 'wait', days: 40 });
		const ranges = rangesOf(numbers({ from: 1, count: ROWS }), (n) => digestOf(n + 1));
		const http = { backedUp: () => Promise.resolve(ok({ epoch: 1, ranges })) };
		const { store, clock } = stand;
		const prune = createJournalPrune({ store, http, clock: () => clock.now }, 1);
		for (let outcome = 'some'; outcome !== 'over';) outcome = await prune.step();
		expect((await stand.gone()).size).toBe(0);
	});
});
