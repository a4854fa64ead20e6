import { describe, expect, it, vi } from 'vitest';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, JournalRow } from '#storage/device-store.ts';
import { createMemoryDocumentsHost, type DocumentsHost } from '#storage/documents-host.ts';
import { seeded } from '#tests/support/seeded.ts';
import { createChanges } from './changes.ts';
import { followHeir, type FollowHeirParts, type HeirWays } from './follow-heir.ts';
import type { LateApi } from './late-facts.ts';
import { readMeta, writeMeta } from './meta.ts';
import type { LinkStatus, RelayLink } from './relay-link.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const DAY_MS = 86_400_000;

/** A line that says what a test has it say. */
interface ToldLine extends RelayLink {
	readonly says: (moved: Partial<LinkStatus>) => void;
	readonly starts: () => number;
}

function createToldLine(): ToldLine {
	let starts = 0;
	const listeners = new Set<(status: LinkStatus) => void>();
	let status: LinkStatus = {
		state: 'offline',
		unsent: 0,
		feedBehind: 0,
		lastContactAt: undefined,
		clockOffMs: undefined,
		refused: [],
		halted: undefined
	};
	const line: ToldLine = {
		get status() {
			return status;
		},
		on: (told) => {
			listeners.add(told);
			return () => listeners.delete(told);
		},
		start: () => {
			starts += 1;
			return Promise.resolve();
		},
		// As the real one does, which shows that it is offline.
		stop: () => {
			line.says({ state: 'offline' });
			return Promise.resolve();
		},
		wake: () => undefined,
		starts: () => starts,
		says: (moved) => {
			status = { ...status, ...moved };
			for (const told of listeners) told(status);
		}
	};
	return line;
}

const FULL = new Error('the disk is full');

interface Stand {
	readonly line: ToldLine;
	readonly store: DeviceStore;
	readonly followed: RelayLink;
	readonly parts: FollowHeirParts;
	/** What was asked of the ways and the page, in order. */
	readonly done: string[];
	readonly faults: unknown[];
	/** Rings every timer that waits now; answers for how long they would have waited, ms. */
	readonly ring: () => readonly number[];
}

function stand({
	ways = {},
	page = {},
	late,
	books = new Map<string, DeviceStore>(),
	documentsOf = () => createMemoryDocumentsHost(seeded(1))
}: {
	readonly ways?: Partial<HeirWays>;
	readonly page?: Partial<FollowHeirParts['page']>;
	readonly late?: LateApi['leave'];
	readonly books?: Map<string, DeviceStore>;
	readonly documentsOf?: FollowHeirParts['documentsOf'];
} = {}): Stand {
	const line = createToldLine();
	const store = createMemoryDeviceStore();
	const done: string[] = [];
	const faults: unknown[] = [];
	const waiting = new Map<() => void, number>();
	const parts: FollowHeirParts = {
		store,
		changes: createChanges(),
		clock: () => NOW,
		random: (limit) => limit - 1,
		onFault: (fault) => faults.push(fault),
		timers: {
			after: (ms, work) => {
				waiting.set(work, ms);
				return () => waiting.delete(work);
			}
		},
		documentsOf,
		ways: {
			make: () => {
				done.push('make');
				return Promise.resolve('done');
			},
			enter: (code) => {
				done.push(`enter ${code}`);
				return Promise.resolve();
			},
			carryOver: () => {
				done.push('carry over');
				return Promise.resolve(0);
			},
			...(late !== undefined && { late: { leave: late } }),
			...ways
		},
		page: {
			openStore: (name) => books.get(name) ?? createMemoryDeviceStore(),
			removeStore: (name) => {
				done.push(`remove ${name}`);
				books.delete(name);
				return Promise.resolve();
			},
			isTyping: () => false,
			reload: () => done.push('reload'),
			...page
		}
	};
	return {
		...{ line, store, parts, done, faults },
		followed: followHeir(line, parts),
		ring: () => {
			const rung = [...waiting];
			waiting.clear();
			for (const [work] of rung) work();
			return rung.map(([, ms]) => ms);
		}
	};
}

function inherit(store: DeviceStore, at: number): Promise<void> {
	const inheritance = { code: 'A', book: 'old', at, upTo: 1, names: [[1, 1] as const], known: [] };
	return store.write(['meta'], (rows) => writeMeta(rows, 'inheritance', inheritance));
}

function row(n: number, sent: 0 | 1, refused?: string): JournalRow {
	const of = { n, id: `A-${String(n)}` as JournalRow['id'], document: 'j/x', digest: '00' };
	const text = `["A-${String(n)}"]`;
	return { ...of, text, sent, at: 0, minor: 0n, ...(refused !== undefined && { refused }) };
}

async function keepRows(store: DeviceStore, ...rows: readonly JournalRow[]): Promise<void> {
	await store.write(['journal'], (held) => held.put('journal', rows));
}

/** Every promise that is settled by now has told whom it had to. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the line of an heir', () => {
	it('[HEIR-9] starts though the book before can neither be taken in nor removed', async () => {
		let tries = 0;
		const test = stand({
			ways: {
				carryOver: () => {
					tries += 1;
					return tries < 3 ? Promise.reject(FULL) : Promise.resolve(1);
				}
			},
			page: { removeStore: () => new Promise(() => undefined) }
		});
		await inherit(test.store, NOW - 2 * DAY_MS);
		await test.followed.start();
		expect(test.line.starts()).toBe(1);
		await vi.waitUntil(() => test.faults.length === 1);
		await settled();
		expect(test.ring()).toEqual([1_000]);
		await vi.waitUntil(() => test.faults.length === 2);
		await settled();
		expect(test.ring()).toEqual([2_000]);
		await vi.waitUntil(() => tries === 3);
		await settled();
		expect(test.ring()).toEqual([]);
	});

	it('[HEIR-9] does not start where the tab was told to stop meanwhile, and tries nothing more', async () => {
		const test = stand({ ways: { carryOver: () => Promise.reject(FULL) } });
		await inherit(test.store, NOW);
		const starting = test.followed.start();
		await test.followed.stop();
		await starting;
		expect(test.line.starts()).toBe(0);
		await settled();
		expect(test.ring()).toEqual([]);
	});

	it('[HEIR-13] keeps the book before where a tab that slept sold into it while it was removed', async () => {
		const old = createMemoryDeviceStore();
		const books = new Map([['old', old]]);
		await keepRows(old, row(1, 0));
		await old.write(['meta'], async (rows) => {
			await writeMeta(rows, 'heir', { keys: {} as CryptoKeyPair, code: 'B' });
			await writeMeta(rows, 'documents', ['j/x']);
		});
		const drop = async (): Promise<void> => {
			// It waits for the very tab that has the document open.
			await keepRows(old, row(2, 0));
		};
		const documentsOf = (): DocumentsHost => ({ ...createMemoryDocumentsHost(seeded(1)), drop });
		const test = stand({ books, documentsOf });
		await keepRows(test.store, row(1, 1));
		await inherit(test.store, NOW - 2 * DAY_MS);
		await test.followed.start();
		await vi.waitUntil(() => test.done.includes('carry over'));
		await settled();
		await settled();
		expect(test.done).not.toContain('remove old');
		expect(await old.read(['journal'], (rows) => rows.count('journal'))).toBe(2);
		expect(await old.read(['meta'], (rows) => readMeta(rows, 'heir'))).not.toHaveProperty('isOver');
	});

	it('[HEIR-4] removes the book before a day later, once the relay has all of it', async () => {
		const old = createMemoryDeviceStore();
		const books = new Map([['old', old]]);
		const open = async (at: number, sent: 0 | 1): Promise<Stand> => {
			const test = stand({ books });
			await keepRows(test.store, row(1, sent));
			await inherit(test.store, at);
			await test.followed.start();
			await vi.waitUntil(() => test.done.includes('carry over'));
			await settled();
			return test;
		};
		await keepRows(old, row(1, 0));
		const heir = { keys: {} as CryptoKeyPair, code: 'B' };
		await old.write(['meta'], (rows) => writeMeta(rows, 'heir', heir));
		await open(NOW - DAY_MS, 1);
		await open(NOW - DAY_MS - 1, 0);
		expect(books.size).toBe(1);
		const { store, done } = await open(NOW - DAY_MS - 1, 1);
		await vi.waitUntil(() => done.includes('remove old'));
		await vi.waitUntil(
			async () =>
				(await store.read(['meta'], (rows) => readMeta(rows, 'inheritance'))) === undefined
		);
	});
});

it('[HEIR-4] is done with a book before whose removal was cut off before it was noted', async () => {
	// The browser makes an empty one where none is.
	const test = stand({ books: new Map([['old', createMemoryDeviceStore()]]) });
	await keepRows(test.store, row(1, 1));
	await inherit(test.store, NOW - 2 * DAY_MS);
	await test.followed.start();
	await vi.waitUntil(() => test.done.includes('remove old'));
	await vi.waitUntil(
		async () =>
			(await test.store.read(['meta'], (rows) => readMeta(rows, 'inheritance'))) === undefined
	);
});

describe('a book whose heir’s is made', () => {
	it('[HEIR-10] is tried again after a fault, and left for the heir’s once that is the one to open', async () => {
		let tries = 0;
		const test = stand({
			ways: {
				make: async () => {
					tries += 1;
					if (tries < 3) throw FULL;
					const keys = {} as CryptoKeyPair;
					await test.store.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: 'B' }));
					return 'done';
				},
				enter: (code) => {
					test.done.push(`enter ${code}`);
					return test.done.length === 1 ? Promise.reject(FULL) : Promise.resolve();
				}
			}
		});
		await test.followed.start();
		test.line.says({ halted: 'fork' });
		for (const ms of [1_000, 2_000]) {
			await vi.waitUntil(() => test.faults.length === ms / 1_000);
			await settled();
			expect(test.ring()).toEqual([ms]);
		}
		await vi.waitUntil(() => test.faults.length === 3);
		await settled();
		// The heir's book is whole; a page that came back now would come back to the old one.
		expect(test.done).toEqual(['enter B']);
		expect(test.ring()).toEqual([1_000]);
		await vi.waitUntil(() => test.done.includes('reload'));
		expect(test.done).toEqual(['enter B', 'enter B', 'reload']);
	});

	it('[HEIR-10] is left at its next start, with no relay, where it was killed before', async () => {
		const test = stand();
		const keys = {} as CryptoKeyPair;
		await test.store.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: 'B' }));
		await test.followed.start();
		test.parts.changes.tell(['meta']);
		await vi.waitUntil(() => test.done.includes('reload'));
		await settled();
		expect(test.done).toEqual(['enter B', 'reload']);
		expect(test.line.starts()).toBe(0);
	});

	it('[HEIR-10] is not left under a hand that types, for a minute at the most', async () => {
		const test = stand({ page: { isTyping: () => true } });
		const keys = {} as CryptoKeyPair;
		await test.store.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: 'B' }));
		await test.followed.start();
		await settled();
		for (let second = 0; second < 60; second += 1) {
			expect(test.done).toEqual(['enter B']);
			expect(test.ring()).toEqual([1_000]);
		}
		expect(test.done).toEqual(['enter B', 'reload']);
	});
});

describe('what is sold until the page goes over', () => {
	it.each([false, true])(
		'[HEIR-14] goes along, and the page goes over though it cannot (%s)',
		async (isFull) => {
			const test = stand({
				ways: {
					takeAlong: (code) => {
						test.done.push(`take along to ${code}`);
						return isFull ? Promise.reject(FULL) : Promise.resolve();
					}
				}
			});
			const keys = {} as CryptoKeyPair;
			await test.store.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: 'B' }));
			await test.followed.start();
			await vi.waitUntil(() => test.done.includes('reload'));
			expect(test.done).toEqual(['enter B', 'take along to B', 'reload']);
			expect(test.faults).toEqual(isFull ? [FULL] : []);
		}
	);
});

describe('a device that gets no heir, since its access was ended', () => {
	it('[HEIR-10] stops for want of rights, and leaves to its owner what it had not sent', async () => {
		const heard: string[] = [];
		const test = stand({
			ways: { make: () => Promise.resolve('refused') },
			late: (texts) => {
				heard.push(...texts);
				return Promise.resolve(ok({ waiting: ['A-1'], known: [], refused: [] }));
			}
		});
		const halts: (string | undefined)[] = [];
		test.followed.on(({ halted }) => halts.push(halted));
		await keepRows(test.store, row(1, 0));
		await test.followed.start();
		test.line.says({ halted: 'fork', unsent: 1 });
		await vi.waitUntil(() => heard.length === 1);
		expect(halts).toEqual(['fork', 'rights']);
		expect(test.followed.status.halted).toBe('rights');
	});

	it('[LATE-2] leaves once what is not taken, and tries again by and by what could not be kept', async () => {
		let lots = 0;
		const test = stand({
			late: () => {
				lots += 1;
				if (lots === 1) return Promise.reject(FULL);
				return Promise.resolve(ok({ waiting: [], known: ['A-2'], refused: ['A-1'] }));
			}
		});
		test.parts.changes.on((tables) => {
			if (tables.includes('journal')) test.line.says({});
		});
		await keepRows(test.store, row(1, 0), row(2, 0, 'badBody'));
		await test.followed.start();
		test.line.says({ halted: 'rights', unsent: 1 });
		await vi.waitUntil(() => test.faults.length === 1);
		await settled();
		expect(test.ring()).toEqual([1_000]);
		await vi.waitUntil(() => lots === 2);
		await settled();
		test.line.says({});
		await settled();
		expect(lots).toBe(2);
		const rows = await test.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ sent, refused }) => [sent, refused])).toEqual([
			[0, 'conflict'],
			[1, undefined]
		]);
	});
});

describe('a relay that was restored', () => {
	it('[HEIR-11] lets in again an heir that it forgot, and one that was removed stays out', async () => {
		const answers: (boolean | 'unreachable')[] = ['unreachable', true, false];
		let asked = 0;
		const test = stand({ ways: { retake: () => Promise.resolve(answers[asked++] ?? false) } });
		const noted = (): Promise<number | undefined> =>
			test.store.read(['meta'], (rows) => readMeta(rows, 'removedAt'));
		await test.followed.start();
		test.line.says({ halted: 'unknown', lastContactAt: 1 });
		await settled();
		test.line.says({});
		expect(asked).toBe(1);
		expect(test.ring()).toEqual([1_000]);
		await vi.waitUntil(() => test.line.starts() === 2);
		expect(await noted()).toBeUndefined();
		test.line.says({ halted: 'rights' });
		await settled();
		expect(asked).toBe(2);
		expect(await noted()).toBe(NOW);
	});

	it('[HEIR-11] is asked for the place before as often as it says that it does not know the heir', async () => {
		let asked = 0;
		const test = stand({
			ways: { retake: () => Promise.resolve((asked += 1) === 3) },
			late: () => Promise.reject(new Error('nobody was removed'))
		});
		await test.followed.start();
		for (const lastContactAt of [1, 2, 3]) {
			test.line.says({ halted: 'unknown', lastContactAt, unsent: 2 });
			await settled();
			test.line.says({ unsent: 3 });
			await settled();
		}
		expect([asked, test.line.starts(), test.faults]).toEqual([3, 2, []]);
	});

	it('[LATE-3] asks anew whom it lets in, where it knows of no removal any more', async () => {
		const test = stand({ late: () => Promise.resolve(err('unknown')) });
		await keepRows(test.store, row(1, 0));
		await test.followed.start();
		test.line.says({ halted: 'rights', unsent: 1 });
		await vi.waitUntil(() => test.line.starts() === 2);
		test.line.says({ halted: 'rights', unsent: 1 });
		await settled();
		expect(test.line.starts()).toBe(2);
	});

	it('[LATE-3] is left what waits where a device that was let in again is taken out once more', async () => {
		const heard: string[] = [];
		let isForgotten = true;
		const test = stand({
			late: (texts) => {
				heard.push(...texts);
				if (isForgotten) return Promise.resolve(err('unknown'));
				return Promise.resolve(
					ok({ waiting: texts.length > 0 ? ['A-2'] : [], known: [], refused: [] })
				);
			}
		});
		await keepRows(test.store, row(1, 0));
		await test.followed.start();
		test.line.says({ halted: 'rights', unsent: 1 });
		await vi.waitUntil(() => test.line.starts() === 2);
		// The restored relay lets it in, and has what waited; then its owner takes it out once more.
		test.line.says({ halted: undefined, state: 'online', unsent: 0 });
		await keepRows(test.store, row(1, 1), row(2, 0));
		isForgotten = false;
		test.line.says({ halted: 'rights', state: 'offline', unsent: 1 });
		await vi.waitUntil(() => heard.includes('["A-2"]'));
		await settled();
		const held = await test.store.read(['journal'], (rows) => rows.get('journal', 2));
		expect([held?.refused, test.faults]).toEqual(['withOwner', []]);
	});

	it('[LATE-3] is left once a turn what waited with the owner', async () => {
		const heard: string[] = [];
		const test = stand({
			late: (texts) => {
				heard.push(...texts);
				return Promise.resolve(ok({ waiting: ['A-1'], known: [], refused: [] }));
			}
		});
		await keepRows(test.store, row(1, 0, 'withOwner'));
		const halted = { halted: 'rights', refused: [{ id: 'A-1', reason: 'withOwner' }] } as const;
		for (const turns of [1, 2]) {
			await test.followed.start();
			test.line.says(halted);
			await vi.waitUntil(() => heard.length === turns);
			await settled();
			test.line.says(halted);
			await settled();
			expect(heard).toHaveLength(turns);
			await test.followed.stop();
		}
	});

	it('[LATE-3] is told the last that was sent though nothing waits, once a turn', async () => {
		const heard: string[] = [];
		const test = stand({
			late: (texts) => {
				heard.push(...texts);
				return Promise.resolve(ok({ waiting: ['A-2'], known: ['A-1'], refused: [] }));
			}
		});
		await test.store.write(['meta'], (rows) => writeMeta(rows, 'sequence', { n: 2, receipt: 0 }));
		await keepRows(test.store, row(1, 1), row(2, 1));
		await test.followed.start();
		test.line.says({ halted: 'rights' });
		await vi.waitUntil(() => heard.length === 2);
		await settled();
		test.line.says({});
		await settled();
		expect(heard).toHaveLength(2);
		const rows = await test.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ sent, refused }) => [sent, refused])).toEqual([
			[1, undefined],
			[0, 'withOwner']
		]);
	});

	it('[LATE-3] gets it as always where it lets the device in', async () => {
		const test = stand({ late: () => Promise.reject(FULL) });
		await keepRows(test.store, row(1, 0, 'withOwner'), row(2, 0, 'badBody'));
		await test.followed.start();
		const refused = [
			{ id: 'A-1', reason: 'withOwner' },
			{ id: 'A-2', reason: 'badBody' }
		];
		test.line.says({ state: 'online', refused });
		await settled();
		const rows = await test.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map((held) => held.refused)).toEqual([undefined, 'badBody']);
		expect(test.faults).toEqual([]);
	});
});

it('[JOIN-1] a device notes that its access was ended, and that it is let in again', async () => {
	const test = stand();
	const noted = (): Promise<number | undefined> =>
		test.store.read(['meta'], (rows) => readMeta(rows, 'removedAt'));
	await test.followed.start();
	test.line.says({ state: 'online' });
	await settled();
	expect(await noted()).toBeUndefined();
	test.line.says({ halted: 'rights' });
	await settled();
	expect(await noted()).toBe(NOW);
	test.line.says({ halted: undefined });
	await settled();
	expect(await noted()).toBeUndefined();
});

it('[LATE-1] a removed device leaves nothing, and starts no line, in a tab that leads no more', async () => {
	const heard: string[] = [];
	const test = stand({
		late: (texts) => {
			heard.push(...texts);
			// The relay was restored while this tab slept: it knows of no removal.
			if (heard.length > 1) return Promise.resolve(err('unknown'));
			return Promise.resolve(ok({ waiting: ['A-1'], known: [], refused: [] }));
		}
	});
	await keepRows(test.store, row(1, 0));
	await test.followed.start();
	test.line.says({ state: 'online', halted: 'rights', unsent: 1 });
	await settled();
	await test.store.write(['meta'], (rows) => rows.remove('meta', ['removedAt']));
	await test.followed.stop();
	await settled();
	expect([heard, test.line.starts()]).toEqual([['["A-1"]'], 1]);
	expect(await test.store.read(['meta'], (rows) => readMeta(rows, 'removedAt'))).toBeUndefined();
});

it.each([
	['let in again', { state: 'online' }, { halted: 'rights' }, undefined],
	['taken out', { halted: 'rights' }, { state: 'online', halted: undefined }, NOW]
] as const)(
	'[JOIN-1] notes that it is %s where another tab led meanwhile',
	async (...[, a, b, noted]) => {
		const test = stand();
		const other = createToldLine();
		const second = followHeir(other, test.parts);
		for (const [tab, line, moved] of [
			[test.followed, test.line, a],
			[second, other, b],
			[test.followed, test.line, a]
		] as const) {
			await tab.start();
			line.says(moved);
			await settled();
			await tab.stop();
		}
		expect(await test.store.read(['meta'], (rows) => readMeta(rows, 'removedAt'))).toBe(noted);
	}
);

it('[JOIN-2] a device notes that the relay does not know it, which is no removal', async () => {
	const test = stand({ late: () => Promise.reject(new Error('nobody was removed')) });
	const noted = (): Promise<unknown> =>
		test.store.read(['meta'], async (rows) => [
			await readMeta(rows, 'removedAt'),
			await readMeta(rows, 'unknownAt')
		]);
	await test.followed.start();
	test.line.says({ halted: 'unknown', lastContactAt: 1, unsent: 2 });
	await settled();
	expect(await noted()).toEqual([undefined, NOW]);
	test.line.says({ halted: 'rights', unsent: 0 });
	await settled();
	expect(await noted()).toEqual([NOW, undefined]);
	test.line.says({ halted: undefined, state: 'online' });
	await settled();
	expect(await noted()).toEqual([undefined, undefined]);
	expect(test.faults).toEqual([]);
});
