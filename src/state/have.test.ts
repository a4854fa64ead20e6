import { describe, expect, it } from 'vitest';
import type { FactId } from '#domain/ids.ts';
import type { HaveRange } from '#sync/frames.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, JournalRow, StoreReader } from '#storage/device-store.ts';
import { markSent, unmarkSent } from './have.ts';
import { writeMeta } from './meta.ts';

const FACTS = 9_000;

/** A store that tells what its journal was asked for. */
interface Watched {
	readonly store: DeviceStore;
	read: number;
	writes: number;
	/** Fails the write that is so many away; 0 for none. */
	failing: number;
}

function watched(): Watched {
	const store = createMemoryDeviceStore();
	function counting<R extends StoreReader>(rows: R): R {
		return {
			...rows,
			getMany: async (table, keys) => {
				told.read += keys.length;
				return rows.getMany(table, keys);
			},
			find: async (table, span) => {
				const found = await rows.find(table, span);
				told.read += found.length;
				return found;
			}
		};
	}
	const told: Watched = {
		store: {
			...store,
			read: (tables, work) => store.read(tables, (rows) => work(counting(rows))),
			write: (tables, work) => {
				told.writes += 1;
				if (told.failing > 0 && --told.failing === 0) return Promise.reject(new Error('killed'));
				return store.write(tables, (rows) => work(counting(rows)));
			}
		},
		read: 0,
		writes: 0,
		failing: 0
	};
	return told;
}

function digestOf(n: number): string {
	return (BigInt(n) * 0x9e37_79b9_7f4an).toString(16).padStart(16, '0');
}

function row(n: number, sent: 0 | 1): JournalRow {
	const id = `A-${String(n)}` as FactId;
	return {
		n,
		id,
		document: `d${String(n)}`,
		text: '',
		digest: digestOf(n),
		sent,
		at: n,
		minor: 0n
	};
}

/** The ranges of a relay that has 1 to `last`. */
function rangesTo(last: number): readonly HaveRange[] {
	const ranges: HaveRange[] = [];
	for (let from = 1; from <= last;) {
		const block = Math.floor(from / HAVE_RANGE_LENGTH);
		const to = Math.min(last, (block + 1) * HAVE_RANGE_LENGTH - 1);
		let xor = 0n;
		for (let n = from; n <= to; n += 1) xor ^= BigInt(`0x${digestOf(n)}`);
		ranges.push([from, to, xor.toString(16).padStart(16, '0')]);
		from = to + 1;
	}
	return ranges;
}

async function journalOf(unsent: ReadonlySet<number>): Promise<Watched> {
	const told = watched();
	const numbers = Array.from({ length: FACTS }, (_none, place) => place + 1);
	await told.store.write(['meta', 'journal'], async (rows) => {
		await writeMeta(rows, 'epoch', 1);
		await rows.put(
			'journal',
			numbers.map((n) => row(n, unsent.has(n) ? 0 : 1))
		);
	});
	told.read = told.writes = 0;
	return told;
}

async function unsentNumbers({ store }: Watched): Promise<readonly number[]> {
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.filter(({ sent }) => sent === 0).map(({ n }) => n);
}

describe('what the relay has', () => {
	it('[LINK-26] reads next to nothing of what is sent, and keeps nobody from writing', async () => {
		const told = await journalOf(new Set());
		expect(await markSent(told.store, { epoch: 1, ranges: rangesTo(FACTS) })).toEqual({
			kind: 'sent',
			documents: new Set()
		});
		expect([told.read, told.writes]).toEqual([1, 0]);
	});

	it('[LINK-26] looks at the ranges of what is unsent, and marks it', async () => {
		const told = await journalOf(new Set([700, 701, FACTS]));
		expect(await markSent(told.store, { epoch: 1, ranges: rangesTo(FACTS) })).toEqual({
			kind: 'sent',
			documents: new Set(['d700', 'd701', `d${String(FACTS)}`])
		});
		expect(await unsentNumbers(told)).toEqual([]);
		expect(told.read).toBeLessThan(5 * HAVE_RANGE_LENGTH);
		expect(told.writes).toBe(2);
	});

	it('[LINK-1] marks what is unsent however much it is, and nothing that no range covers', async () => {
		const told = await journalOf(new Set(Array.from({ length: FACTS }, (_none, n) => n + 1)));
		const last = FACTS - 100;
		await markSent(told.store, { epoch: 1, ranges: rangesTo(last) });
		expect(await unsentNumbers(told)).toEqual(
			Array.from({ length: 100 }, (_none, place) => last + 1 + place)
		);
	});

	it('[LINK-5] knows a fork by other bytes of what is unsent, and by numbers that it never wrote', async () => {
		const told = await journalOf(new Set([700]));
		const ranges = rangesTo(FACTS).map(([from, to, digest]): HaveRange =>
			from <= 700 && 700 <= to ? [from, to, '0'.repeat(16)] : [from, to, digest]
		);
		expect((await markSent(told.store, { epoch: 1, ranges })).kind).toBe('fork');
		expect(await unsentNumbers(told)).toEqual([700]);

		const copy = await journalOf(new Set());
		expect((await markSent(copy.store, { epoch: 1, ranges: rangesTo(FACTS + 1) })).kind).toBe(
			'fork'
		);
	});

	it('[LINK-10] marks nothing by what a tab heard before another heard of a restore', async () => {
		const told = await journalOf(new Set());
		await unmarkSent(told.store);
		await told.store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 2));
		// It slept, and goes by the epoch that it knew.
		await markSent(told.store, { epoch: 1, ranges: rangesTo(FACTS) });
		expect((await unsentNumbers(told)).length).toBe(FACTS);
	});

	it('[LINK-10] unmarks what was sent a piece at a time, and goes on where it was stopped', async () => {
		const told = await journalOf(new Set([5]));
		told.failing = 4;
		await expect(unmarkSent(told.store)).rejects.toThrow('killed');
		expect((await unsentNumbers(told)).length).toBeLessThan(2_000);
		await unmarkSent(told.store);
		expect((await unsentNumbers(told)).length).toBe(FACTS);
		expect(told.writes).toBeGreaterThan(FACTS / 1_000);
	});
});
