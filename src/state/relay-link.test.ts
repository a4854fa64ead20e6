import { afterEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { appendFact, readFacts } from '#documents/facts.ts';
import { CLOSE } from '#sync/close-code.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createMemoryDocumentsHost, type DocumentsHost } from '#storage/documents-host.ts';
import { createFakeRelay, type FakeRelay } from '#tests/support/fake-relay.ts';
import { until } from '#tests/support/relay-stand.ts';
import { seeded, wide } from '#tests/support/seeded.ts';
import { checkpointOf, foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { createTimersByHand } from '#tests/support/timers-by-hand.ts';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createChanges } from './changes.ts';
import { openDevice } from './device.ts';
import { markSent } from './have.ts';
import { readMeta, writeMeta } from './meta.ts';
import type { RelayHttp } from './relay-http.ts';
import type { ProviderEvents } from './relay-provider.ts';
import { backoffMs, createRelayLink, type RelayLink, type RelayLinkParts } from './relay-link.ts';

const DAY_MS = 86_400_000;

interface LinkedDevice extends TestDevice {
	readonly link: RelayLink;
	readonly lineParts: RelayLinkParts;
	readonly documents: DocumentsHost;
	readonly faults: unknown[];
	/** Starts its link, and waits until nothing more is on its way. */
	readonly start: () => Promise<void>;
	/** Lets every waiting timer ring. */
	readonly ring: () => void;
	/** How long each waiting timer has still to wait, ms. */
	readonly waiting: () => readonly number[];
	/** Time goes on for the device and for the relay, and timers ring when they are due. */
	readonly pass: (ms: number) => Promise<void>;
	/** How many lines were opened so far. */
	readonly opened: () => number;
}

const open: RelayLink[] = [];
afterEach(async () => {
	for (const link of open.splice(0)) await link.stop();
});

async function linked(
	relay: FakeRelay,
	seed: number,
	joins?: { readonly from: TestDevice; readonly code: string }
): Promise<LinkedDevice> {
	const test = await openTestDevice({
		seed,
		...(joins && { joins: { identity: joins.from.device.identity, code: joins.code } })
	});
	relay.attend(test.isBusy);
	const { code, member } = test.device.identity;
	await test.device.markClaimed({ code, member });
	const draw = seeded(seed);
	const random = wide(draw);
	const documents = createMemoryDocumentsHost(random);
	const { timers, ring, waiting, pass } = createTimersByHand();
	const faults: unknown[] = [];
	const { createProvider, http } = relay.line(code);
	let opened = 0;
	const parts: RelayLinkParts = {
		http,
		createProvider: (...line) => {
			opened += 1;
			return createProvider(...line);
		},
		...test.parts,
		device: test.device,
		documents,
		timers,
		random,
		onFault: (fault) => faults.push(fault)
	};
	const link = createRelayLink(parts);
	open.push(link);
	return {
		...test,
		link,
		lineParts: parts,
		documents,
		faults,
		start: async () => {
			await link.start();
			await relay.quiet();
		},
		ring,
		waiting,
		pass: (ms) =>
			pass(ms, {
				settle: () => relay.quiet(),
				ticks: (by) => {
					test.clock.now += by;
					relay.now += by;
				}
			}),
		opened: () => opened
	};
}

/** The same relay, and what each of its lines may be told beside it. */
function overheard(relay: FakeRelay, heard: ProviderEvents[]): FakeRelay {
	return {
		...relay,
		line: (code) => {
			const { createProvider, http } = relay.line(code);
			return {
				http,
				createProvider: (name, doc, events) => {
					heard.push(events);
					return createProvider(name, doc, events);
				}
			};
		}
	};
}

/** Takes so many writes, and none after that: its program was killed. */
function killedAfter(store: DeviceStore, life: { left: number; isOver: boolean }): DeviceStore {
	return {
		...store,
		write: async (tables, work) => {
			life.isOver ||= life.left === 0;
			if (life.isOver) throw new Error('killed');
			life.left -= 1;
			return store.write(tables, work);
		}
	};
}

/** Another device, which writes in this document under that client. */
function writeUnder(
	relay: FakeRelay,
	{ name, client }: { readonly name: string; readonly client: number }
): void {
	const doc = new Y.Doc();
	doc.clientID = client;
	appendFact(doc, { id: 'Z-1', text: settingText(1) });
	const none = (): void => undefined;
	const { createProvider } = relay.line('Z');
	const events = { hello: none, have: none, nack: none, feed: none, synced: none, closed: none };
	createProvider(name, doc, events).connect();
}

/** Lines over which so many facts of others come one at a time, and all else behind them. */
function slowly(
	relay: FakeRelay,
	{ createProvider, timers }: Pick<RelayLinkParts, 'createProvider' | 'timers'>,
	{ facts, everyMs }: { readonly facts: number; readonly everyMs: number }
): RelayLinkParts['createProvider'] {
	return (name, doc, events) => {
		const line = createProvider(name, doc, events);
		let cancel: () => void = () => undefined;
		const next = (): void => {
			const held = readFacts(doc).filter(({ id }) => id.startsWith('Z-')).length;
			if (held === facts) {
				line.connect();
				return;
			}
			cancel = timers.after(everyMs, () => {
				const told = new Y.Doc();
				appendFact(told, { id: `Z-${String(held + 1)}`, text: settingText(held + 1) });
				Y.applyUpdate(doc, Y.encodeStateAsUpdate(told), relay);
				next();
			});
		};
		return {
			...line,
			connect: () => {
				events.hello({ epoch: 1, kinds: [], now: relay.now, limits: {}, s: 0 });
				next();
			},
			close: () => {
				cancel();
				line.close();
			}
		};
	};
}

/** The same relay, some of its routes answered otherwise. */
function withHttp(relay: FakeRelay, http: Partial<RelayHttp>): FakeRelay {
	return Object.assign(Object.create(relay) as FakeRelay, {
		line: (code: string) => {
			const line = relay.line(code);
			return { ...line, http: { ...line.http, ...http } };
		}
	});
}

/** A fact of another device, as the relay would give it for that number of its feed. */
function settingText(s: number): string {
	return `["Z-${String(s)}","setting",${String(TEST_NOW)},0,20000,1,{"phone":"1"}]`;
}

/** A connection, as the relay tells it. */
const LINKED = `["0.2-1","link",${String(TEST_NOW)},0,20000,0,"ae271512-da04-46a6-95e3-fb8e0808a2c1",{"state":"linked","way":"app"}]`;

/** The same relay, which will not have some facts yet, whoever hands them in; `handed` are all that were. */
function carriedBut(
	relay: FakeRelay,
	waiting: ReadonlyMap<string, string>,
	handed: string[]
): FakeRelay {
	return withHttp(relay, {
		carried: (facts) => {
			const ids = facts.map(({ text }) => /^\["([^"]+)"/.exec(text)?.[1] ?? '');
			handed.push(...ids);
			return Promise.resolve(
				ok(
					ids.map((id) => {
						const reason = waiting.get(id);
						return reason === undefined
							? { id, became: 'kept' }
							: { id, became: 'refused', reason };
					})
				)
			);
		}
	});
}

function sell(test: TestDevice, minor = 100): ReturnType<TestDevice['device']['sell']> {
	return test.device.sell({
		lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: minor }],
		tenders: [{ kind: 'cash', minor }]
	});
}

async function sent(test: TestDevice): Promise<readonly (0 | 1)[]> {
	const rows = await test.store.read(['journal'], (read) => read.all('journal'));
	return rows.map((row) => row.sent);
}

function texts(relay: FakeRelay): readonly string[] {
	return relay.feed.map(({ text }) => text);
}

describe('relay link', () => {
	it('[LINK-15] begins a line anew that is up and leaves something unsent', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await a.start();
		relay.losing = 1;
		await sell(a);
		await relay.quiet();
		expect([await sent(a), a.link.status.state, relay.losing]).toEqual([[0], 'online', 0]);
		a.ring();
		await relay.quiet();
		expect([await sent(a), texts(relay).length, a.faults]).toEqual([[1], 1, []]);
	});

	it('[LINK-15] lets a line be that has not yet sent all that it was given', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await a.start();
		relay.losing = 1;
		relay.isSending = true;
		await sell(a);
		await relay.quiet();
		const opened = relay.opened;
		for (let half = 0; half < 4; half += 1) await a.pass(31_000);
		expect([await sent(a), relay.opened - opened]).toEqual([[0], 0]);
		relay.isSending = false;
		await a.pass(31_000);
		expect([await sent(a), relay.opened - opened]).toEqual([[1], 1]);
	});

	it('[LINK-15] lets a line be over which a long document is still coming', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await sell(a);
		const slow = createRelayLink({
			...a.lineParts,
			createProvider: slowly(relay, a.lineParts, { facts: 8, everyMs: 20_000 })
		});
		open.push(slow);
		await slow.start();
		await a.pass(170_000);
		expect([await sent(a), a.faults]).toEqual([[1], []]);
	});

	it('[LINK-15] begins a line anew over which a document stopped coming', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await sell(a);
		let opened = 0;
		const { createProvider } = a.lineParts;
		const silent = createRelayLink({
			...a.lineParts,
			createProvider: (name, doc, events) => {
				opened += 1;
				if (opened > 1) return createProvider(name, doc, events);
				return slowly(relay, a.lineParts, { facts: 1, everyMs: DAY_MS })(name, doc, events);
			}
		});
		open.push(silent);
		await silent.start();
		await a.pass(31_000);
		expect([await sent(a), opened, a.faults]).toEqual([[1], 2, []]);
	});

	it('[LINK-15] begins a line anew though older facts wait in a document that is left alone', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		a.clock.now = TEST_NOW - DAY_MS;
		await sell(a);
		a.clock.now = TEST_NOW;
		relay.refused.set('A-1', 'tooMany');
		await a.start();
		relay.losing = 1;
		await sell(a);
		await relay.quiet();
		expect([await sent(a), relay.losing]).toEqual([[0, 0], 0]);
		await a.pass(62_000);
		expect([await sent(a), texts(relay).length, a.faults]).toEqual([[0, 1], 1, []]);
		relay.losing = 1;
		await sell(a);
		await a.pass(62_000);
		expect([await sent(a), texts(relay).length, a.faults]).toEqual([[0, 1, 1], 2, []]);
	});

	it('[LINK-15] sends what somebody else kept back who wrote under its document’s client', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		relay.isUp = false;
		await a.start();
		await sell(a);
		await relay.quiet();
		const { business, branch } = a.device.identity;
		const name = journalName(business, branch, TEST_NOW);
		const { doc } = await a.documents.open(name);
		expect(readFacts(doc)).toHaveLength(1);
		relay.isUp = true;
		writeUnder(relay, { name, client: doc.clientID });
		await relay.quiet();
		a.link.wake();
		await relay.quiet();
		await a.pass(31_000);
		expect([await sent(a), a.link.status.state]).toEqual([[0], 'online']);
		await a.pass(31_000);
		expect([await sent(a), texts(relay).length, a.faults]).toEqual([[1], 2, []]);
		expect(a.link.status).toMatchObject({ unsent: 0, refused: [], halted: undefined });
	});

	it('[LINK-1] says sent only when the relay’s ranges have the fact under its own digest', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await sell(a);
		expect(await sent(a)).toEqual([0]);
		await a.start();
		expect(await sent(a)).toEqual([1]);
		await sell(a);
		await relay.quiet();
		expect(await sent(a)).toEqual([1, 1]);
		expect(a.link.status).toMatchObject({
			state: 'online',
			unsent: 0,
			feedBehind: 0,
			halted: undefined
		});
		expect((await a.book.recentReceipts(2)).map(({ mark }) => mark)).toEqual(['sent', 'sent']);
		expect(texts(relay)).toHaveLength(2);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-2] brings what two devices wrote apart to both, once, whatever way it came', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 2);
		const b = await linked(relay, 3, { from: a, code: 'B' });
		for (const device of [a, b, a, b]) await sell(device, 150);
		await a.start();
		await b.start();
		await sell(a, 50);
		await relay.quiet();
		const numbers = await storedNumbers(a.store);
		expect(await storedNumbers(b.store)).toEqual(numbers);
		expect(await foldedNumbers(b.store)).toEqual(numbers);
		expect((await b.book.dayTotals('2026-11-20')).salesMinor).toBe(650n);
		expect(texts(relay)).toHaveLength(5);
		expect([...a.faults, ...b.faults]).toEqual([]);
	});

	it('[LINK-3] hands in what was written on earlier days, and keeps open only today’s journal', async () => {
		const relay = createFakeRelay();
		const a = await linked(relay, 4);
		for (let day = 0; day < 5; day += 1) {
			a.clock.now = TEST_NOW + day * DAY_MS;
			await sell(a);
		}
		relay.now = a.clock.now;
		await a.start();
		expect(await sent(a)).toEqual([1, 1, 1, 1, 1]);
		const { business, branch } = a.device.identity;
		const today = journalName(business, branch, a.clock.now);
		expect(await a.store.read(['meta'], (rows) => readMeta(rows, 'documents'))).toEqual([today]);
		const past = await a.documents.open(journalName(business, branch, TEST_NOW));
		expect(readFacts(past.doc)).toEqual([]);

		a.clock.now += DAY_MS;
		relay.now = a.clock.now;
		a.ring();
		await relay.quiet();
		const next = journalName(business, branch, a.clock.now);
		expect(await a.store.read(['meta'], (rows) => readMeta(rows, 'documents'))).toEqual([next]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-4] puts unsent facts back into a document that was lost, and only under absent keys', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 5);
		await a.start();
		relay.isUp = false;
		await sell(a);
		await sell(a);
		await a.link.stop();
		const { business, branch } = a.device.identity;
		await a.documents.drop(journalName(business, branch, TEST_NOW));
		relay.isUp = true;
		await a.start();
		expect(await sent(a)).toEqual([1, 1]);
		expect(texts(relay)).toHaveLength(2);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-4] stops, and says why, where its document has other bytes under an own id', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 6);
		await sell(a);
		const { business, branch } = a.device.identity;
		const { doc } = await a.documents.open(journalName(business, branch, TEST_NOW));
		appendFact(doc, { id: 'A-1', text: '["A-1","other"]' });
		await a.start();
		expect(a.link.status).toMatchObject({ halted: 'fork', state: 'offline', unsent: 1 });
	});

	it('[LINK-5] marks nothing and stops where the relay has another text under an own id', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 7);
		await sell(a);
		const b = await linked(relay, 8, { from: a, code: 'A' });
		await sell(b, 999);
		await b.start();
		await a.start();
		expect(a.link.status.halted).toBe('fork');
		expect(await sent(a)).toEqual([0]);
		expect(texts(relay)).toHaveLength(1);
	});

	it('[LINK-6] keeps a refused fact with its reason, and sends the honest rest', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.refused.set('A-2', 'badBody');
		const a = await linked(relay, 9);
		for (let n = 1; n <= 3; n += 1) await sell(a, n);
		await a.start();
		expect(await sent(a)).toEqual([1, 0, 1]);
		expect(a.link.status).toMatchObject({
			unsent: 0,
			refused: [{ id: 'A-2', reason: 'badBody' }],
			halted: undefined
		});
		expect((await a.book.unsent()).refused).toEqual([{ id: 'A-2', reason: 'badBody' }]);
		expect(a.faults).toEqual([]);
	});

	it.each(['close', 'fault'] as const)(
		'[LINK-20] finds the one fact that is refused with no word on which it was (%s), and sends all others',
		async (way) => {
			const relay = createFakeRelay(TEST_NOW);
			const a = await linked(relay, 40);
			for (let n = 1; n <= 12; n += 1) await sell(a, n);
			relay.unnamed.set('A-3', way);
			relay.unnamed.set('A-9', way);
			await a.start();
			const wanted = [1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1];
			expect(await sent(a)).toEqual(wanted);
			const reason = way === 'close' ? 'forgery' : 'fault';
			expect(a.link.status).toMatchObject({
				unsent: 0,
				halted: undefined,
				refused: [
					{ id: 'A-3', reason },
					{ id: 'A-9', reason }
				]
			});
			await sell(a, 13);
			await relay.quiet();
			expect(await sent(a)).toEqual([...wanted, 1]);
			expect(a.faults).toEqual([]);

			// At its next start the relay may be another.
			relay.unnamed.clear();
			await a.link.stop();
			await a.start();
			expect(await sent(a)).toEqual(Array.from({ length: 13 }, () => 1));
			expect(a.link.status.refused).toEqual([]);
		}
	);

	it.each(['close', 'fault'] as const)(
		'[LINK-21] keeps no fact apart while the relay takes none (%s), and asks it seldom',
		async (way) => {
			const relay = createFakeRelay(TEST_NOW);
			const a = await linked(relay, 44);
			for (let n = 1; n <= 41; n += 1) await sell(a, n);
			for (let n = 1; n <= 60; n += 1) relay.unnamed.set(`A-${String(n)}`, way);
			await a.start();
			expect(a.link.status).toMatchObject({ refused: [], unsent: 41, halted: undefined });
			expect(a.opened()).toBeLessThan(9);

			await a.pass(3_600_000);
			await sell(a, 42);
			await relay.quiet();
			expect(a.link.status).toMatchObject({ refused: [], unsent: 42, halted: undefined });
			expect(a.opened()).toBeLessThan(35);

			relay.unnamed.clear();
			await a.pass(300_000);
			expect(a.link.status).toMatchObject({ refused: [], unsent: 0, state: 'online' });
			expect(texts(relay).length).toBe(42);
			expect(a.faults).toEqual([]);
		}
	);

	it('[LINK-20] finds those that are refused without a word though they stand together, first and last', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 45);
		const bad = [1, 2, 6, 7, 8, 12];
		for (let n = 1; n <= 12; n += 1) await sell(a, n);
		for (const n of bad) relay.unnamed.set(`A-${String(n)}`, 'fault');
		await a.start();
		await a.pass(600_000);
		// All that is good went by; what is left is known by what is taken after it.
		expect(texts(relay).length).toBe(6);
		for (let n = 13; n <= 18; n += 1) {
			await sell(a, n);
			await a.pass(300_000);
			expect(texts(relay).length).toBe(n - bad.length);
		}
		expect(a.link.status).toMatchObject({ unsent: 0, halted: undefined, state: 'online' });
		expect(a.link.status.refused.map(({ id }) => id)).toEqual(bad.map((n) => `A-${String(n)}`));
		expect(a.opened()).toBeLessThan(30);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-20] finds the last of a day that is over by what is taken of today', async () => {
		const relay = createFakeRelay();
		const a = await linked(relay, 46);
		await sell(a, 1);
		a.clock.now = TEST_NOW + DAY_MS;
		relay.now = a.clock.now;
		relay.unnamed.set('A-1', 'fault');
		await a.start();
		expect(a.link.status).toMatchObject({ unsent: 1, refused: [] });
		await sell(a, 2);
		await a.pass(120_000);
		expect(a.link.status).toMatchObject({
			unsent: 0,
			refused: [{ id: 'A-1', reason: 'fault' }]
		});
		expect(a.faults).toEqual([]);
	});

	it.each(['close', 'fault'] as const)(
		'[LINK-28] shows a fact that is refused for long with nothing behind it (%s), and sends it after another was taken',
		async (way) => {
			const relay = createFakeRelay();
			relay.now = TEST_NOW;
			const a = await linked(relay, 48);
			await sell(a, 1);
			relay.unnamed.set('A-1', way);
			await a.link.start();
			await relay.quiet();
			await a.pass(180_000);
			expect(a.link.status).toMatchObject({ unsent: 1, refused: [] });
			await a.pass(1_500_000);
			const reason = way === 'close' ? 'forgery' : 'fault';
			expect(a.link.status).toMatchObject({ unsent: 0, refused: [{ id: 'A-1', reason }] });
			expect(a.opened()).toBeLessThan(14);

			// It was the relay's fault.
			relay.unnamed.clear();
			await sell(a, 2);
			await relay.quiet();
			await a.pass(30_000);
			expect(await sent(a)).toEqual([1, 1]);
			expect(a.link.status).toMatchObject({ unsent: 0, refused: [] });
			expect(a.faults).toEqual([]);
		}
	);

	it('[LINK-28] keeps it apart for good once others were taken before and after it', async () => {
		const relay = createFakeRelay();
		relay.now = TEST_NOW;
		const a = await linked(relay, 49);
		await sell(a, 1);
		relay.unnamed.set('A-1', 'fault');
		await a.link.start();
		await relay.quiet();
		await a.pass(1_800_000);
		for (let n = 2; n <= 4; n += 1) {
			await sell(a, n);
			await a.pass(300_000);
			expect(texts(relay).length).toBe(n - 1);
		}
		expect(a.link.status).toMatchObject({ unsent: 0, refused: [{ id: 'A-1', reason: 'fault' }] });
		expect(a.faults).toEqual([]);
	});

	it('[LINK-22] tries again what was refused of its moment, an hour later over a new line', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 47);
		relay.refused.set('A-2', 'unknownKind');
		relay.refused.set('A-3', 'badBody');
		for (let n = 1; n <= 4; n += 1) await sell(a, n);
		await a.start();
		expect(await sent(a)).toEqual([1, 0, 0, 1]);
		relay.refused.clear();
		const newLine = async (): Promise<void> => {
			relay.isUp = false;
			relay.isUp = true;
			await a.pass(30_000);
		};
		await a.pass(3_000_000);
		await newLine();
		expect(await sent(a)).toEqual([1, 0, 0, 1]);
		await a.pass(600_000);
		await newLine();
		expect(await sent(a)).toEqual([1, 1, 0, 1]);
		expect(a.link.status.refused).toEqual([{ id: 'A-3', reason: 'badBody' }]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-25] sends the rest of a document that cannot be removed, and marks and hears meanwhile', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.refused.set('A-2', 'badBody');
		const a = await linked(relay, 53);
		let frozen = 0;
		const before = { ...a.documents };
		Object.assign(a.documents, {
			drop: async (name: string) => {
				await before.drop(name);
				frozen += 1;
				await new Promise(() => undefined);
			}
		});
		for (let n = 1; n <= 3; n += 1) await sell(a, n);
		await a.start();
		expect(frozen).toBe(1);
		await a.pass(10_000);
		expect(await sent(a)).toEqual([1, 0, 1]);
		await sell(a, 4);
		await relay.quiet();
		expect(await sent(a)).toEqual([1, 0, 1, 1]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-18] waits with what there is no room for, and loses none of it', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.refused.set('A-2', 'tooMany');
		const a = await linked(relay, 41);
		await sell(a, 1);
		await sell(a, 2);
		await a.start();
		expect(a.link.status).toMatchObject({ unsent: 2, refused: [], halted: undefined });
		relay.refused.clear();
		await sell(a, 3);
		await relay.quiet();
		expect(await sent(a)).toEqual([0, 0, 0]);
		a.ring();
		await relay.quiet();
		expect(await sent(a)).toEqual([1, 1, 1]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-5] stops as a fork where the relay has an own act under another name', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.refused.set('A-1', 'again');
		const a = await linked(relay, 42);
		await sell(a);
		await a.start();
		expect(a.link.status).toMatchObject({ halted: 'fork', refused: [], unsent: 1 });
	});

	it('[LINK-19] stops for good where its key opens nothing any more, and not where one document is closed', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 43);
		await sell(a);
		await a.start();
		heard[0]?.closed(CLOSE.rights);
		await relay.quiet();
		expect(a.link.status.halted).toBeUndefined();
		a.ring();
		await relay.quiet();
		expect(a.link.status.state).toBe('online');
		relay.isRemoved = true;
		heard.at(-1)?.closed(CLOSE.rights);
		await relay.quiet();
		expect(a.link.status).toMatchObject({ halted: 'rights', state: 'offline' });
	});

	it('[LINK-34] is asked again by and by where the relay does not know this device, and goes on then', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 43);
		await a.start();
		relay.isEmpty = true;
		heard[0]?.closed(CLOSE.rights);
		await relay.quiet();
		expect(a.link.status).toMatchObject({ halted: 'unknown', state: 'offline' });
		await sell(a);
		// Each time for longer, up to an hour; no network is no answer.
		const waits: number[] = [];
		for (let times = 0; times < 9; times += 1) {
			waits.push(Math.max(...a.waiting()));
			await a.pass(waits.at(-1) ?? 0);
		}
		expect(waits[0]).toBeLessThanOrEqual(30_000);
		expect(waits.every((ms) => ms <= 3_600_000)).toBe(true);
		expect(waits.at(-1)).toBeGreaterThanOrEqual(1_800_000);
		expect(a.link.status.halted).toBe('unknown');
		relay.isEmpty = false;
		await a.pass(3_600_000);
		expect(a.link.status).toMatchObject({ halted: undefined, state: 'online', unsent: 0 });
		expect(a.faults).toEqual([]);
	});

	it('[LINK-34] asks at once when it is woken, and stops where its access has ended meanwhile', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 43);
		await a.start();
		for (const isRemoved of [false, true]) {
			relay.isEmpty = true;
			heard.at(-1)?.closed(CLOSE.rights);
			await relay.quiet();
			expect(a.link.status.halted).toBe('unknown');
			Object.assign(relay, { isEmpty: false, isRemoved });
			a.link.wake();
			await relay.quiet();
			expect(a.link.status.halted).toBe(isRemoved ? 'rights' : undefined);
		}
		await a.pass(3_600_000);
		expect([a.link.status.halted, a.waiting()]).toEqual(['rights', []]);
	});

	it('[LINK-34] opens what was left alone for a while too, though that while ended before it is known again', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.refused.set('A-1', 'tooMany');
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 44);
		a.clock.now -= DAY_MS;
		await sell(a, 1);
		a.clock.now += DAY_MS;
		await a.start();
		expect(a.link.status).toMatchObject({ state: 'online', unsent: 1 });
		relay.isEmpty = true;
		heard.at(-1)?.closed(CLOSE.rights);
		heard.at(0)?.closed(CLOSE.rights);
		await relay.quiet();
		expect(a.link.status.halted).toBe('unknown');
		await a.pass(3_600_000);
		relay.isEmpty = false;
		relay.refused.clear();
		await a.pass(2 * 3_600_000);
		expect(a.link.status).toMatchObject({ halted: undefined, state: 'online', unsent: 0 });
		expect(await sent(a)).toEqual([1]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-9] goes by no greeting that lay in a page that slept, but asks once more', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 45);
		await a.start();
		const slept = { epoch: 1, kinds: [], now: TEST_NOW + 100, limits: {}, s: 0 };
		const night = DAY_MS / 2;
		a.clock.now += night;
		relay.now += night;
		relay.isUp = false;
		heard.at(-1)?.hello(slept);
		await relay.quiet();
		const offset = (): Promise<number | undefined> =>
			a.store.read(['meta'], (rows) => readMeta(rows, 'offset'));
		expect((await offset()) ?? 0).toBe(0);
		const morning = await sell(a);
		expect(morning.ok && morning.value.fact.at.wall).toBe(a.clock.now);

		// The clock itself was moved: the next greeting says so.
		relay.isUp = true;
		a.clock.now += 3_600_000;
		heard.at(-1)?.hello({ ...slept, now: relay.now });
		await relay.quiet();
		a.link.wake();
		await relay.quiet();
		expect(await offset()).toBe(-3_600_000);
		expect(a.link.status).toMatchObject({ state: 'online', unsent: 0 });
		expect(a.faults).toEqual([]);
	});

	it('[LINK-7] tries again by itself, and at once when it is woken', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.isUp = false;
		const a = await linked(relay, 10);
		await sell(a);
		await a.start();
		expect(a.link.status).toMatchObject({ state: 'offline', unsent: 1 });
		a.ring();
		await relay.quiet();
		expect(a.link.status.state).toBe('offline');
		relay.isUp = true;
		a.link.wake();
		await relay.quiet();
		expect(a.link.status).toMatchObject({ state: 'online', unsent: 0 });
	});

	it('[LINK-29] sends what a tab wrote that died before it said so', async () => {
		const relay = createFakeRelay();
		relay.now = TEST_NOW;
		const a = await linked(relay, 10);
		const { parts, device, link } = a;
		const other = await openDevice({ ...parts, changes: createChanges() }, device.identity);
		const sellThere = async (): Promise<void> => {
			await sell({ ...a, device: other });
			await relay.quiet();
		};
		await link.start();
		await relay.quiet();

		await sellThere();
		expect([await sent(a), link.status.unsent]).toEqual([[0], 0]);
		link.wake();
		await relay.quiet();
		expect(await sent(a)).toEqual([1]);

		await sellThere();
		expect(await sent(a)).toEqual([1, 0]);
		relay.isUp = false;
		await relay.quiet();
		relay.isUp = true;
		a.ring();
		await relay.quiet();
		expect([await sent(a), link.status.unsent, a.faults]).toEqual([[1, 1], 0, []]);
	});

	it('[LINK-7] waits for a random time that grows to thirty seconds', () => {
		const longest = (attempt: number): number => backoffMs(attempt, (limit) => limit - 1);
		expect([0, 1, 2, 3, 4, 5, 99].map(longest)).toEqual([
			1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000
		]);
		expect(backoffMs(9, () => 0)).toBe(0);
	});

	it('[LINK-8] does nothing for a business that the relay does not know, until it was claimed', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const test = await openTestDevice({ seed: 11 });
		const { timers } = createTimersByHand();
		const random = (limit: number): number => Math.floor(limit / 3);
		const link = createRelayLink({
			...relay.line('A'),
			...test.parts,
			device: test.device,
			documents: createMemoryDocumentsHost(random),
			timers,
			random,
			onFault: (fault) => {
				throw fault;
			}
		});
		open.push(link);
		await sell(test);
		await link.start();
		expect(link.status).toMatchObject({ state: 'notJoined', unsent: 1 });
		await test.device.markClaimed({ code: test.device.identity.code, member: 1 });
		await relay.quiet();
		expect(link.status).toMatchObject({ state: 'online', unsent: 0 });
	});

	it('[LINK-9] corrects its clock by the relay’s, and leaves a small difference alone', async () => {
		const relay = createFakeRelay();
		relay.now = TEST_NOW + 600_000;
		const a = await linked(relay, 12);
		await a.start();
		expect(a.link.status.clockOffMs).toBe(600_000);
		const sold = await sell(a);
		expect(sold.ok && sold.value.fact.at.wall).toBe(TEST_NOW + 600_000);
		await a.link.stop();
		relay.now = TEST_NOW + 601_500;
		await a.start();
		expect(await a.store.read(['meta'], (rows) => readMeta(rows, 'offset'))).toBe(600_000);
	});

	it('[LINK-9] measures the clock when the relay speaks, however long its turn takes to come', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 31);
		await a.start();
		heard[0]?.hello({ epoch: 1, kinds: [], now: TEST_NOW, limits: {}, s: 0 });
		a.clock.now += 9_000;
		await relay.quiet();
		expect(a.link.status.clockOffMs).toBe(0);
		expect(await a.store.read(['meta'], (rows) => readMeta(rows, 'offset'))).toBeUndefined();
	});

	it('[LINK-14] puts what was written under a clock far ahead into today’s journal', async () => {
		const relay = createFakeRelay();
		const a = await linked(relay, 32);
		a.clock.now = TEST_NOW + 400 * DAY_MS;
		await sell(a);
		await sell(a);
		relay.now = TEST_NOW;
		await a.start();
		expect(await sent(a)).toEqual([1, 1]);
		expect(a.link.status).toMatchObject({ halted: undefined, refused: [], unsent: 0 });

		const sold = await sell(a);
		await relay.quiet();
		expect(sold.ok && sold.value.fact.on).toBe('2026-11-20');
		expect(await sent(a)).toEqual([1, 1, 1]);
		expect(relay.feed.length).toBe(3);
	});

	it('[LINK-14] learns what time it is where its clock was moved on an open line, and loses no fact', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 33);
		await a.start();
		a.clock.now = TEST_NOW + 400 * DAY_MS;
		await sell(a);
		await relay.quiet();
		expect(await sent(a)).toEqual([1]);
		expect(a.link.status).toMatchObject({ halted: undefined, refused: [], unsent: 0 });
	});

	it('[LINK-2] takes in news that came while it looked where it is', async () => {
		const relay = createFakeRelay();
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 33);
		const b = await linked(relay, 34, { from: a, code: 'B' });
		await a.start();
		await sell(b);
		const [row] = await b.store.read(['journal'], (read) => read.all('journal'));
		relay.feed.push({ s: 1, branch: b.device.identity.branch, text: row?.text ?? '' });
		heard[0]?.feed({ s: 0 });
		heard[0]?.feed({ s: 1 });
		await relay.quiet();
		expect((await a.store.read(['facts'], (read) => read.all('facts'))).length).toBe(1);
	});

	it('[LINK-1] [LINK-10] takes nothing for sent by the word of another epoch than the greeting’s', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 35);
		await a.start();
		relay.losing = 1;
		await sell(a);
		await relay.quiet();
		const [row] = await a.store.read(['journal'], (rows) => rows.all('journal'));
		if (row === undefined) throw new Error('nothing was written');
		const ranges = [[row.n, row.n, row.digest]] as const;
		heard[0]?.have({ epoch: relay.epoch + 1, ranges });
		await relay.quiet();
		expect(await sent(a)).toEqual([0]);
		heard[0]?.have({ epoch: relay.epoch, ranges });
		await relay.quiet();
		expect(await sent(a)).toEqual([1]);
	});

	it('[LINK-10] goes by the numbers of the new epoch, though the old one’s were higher', async () => {
		const relay = createFakeRelay();
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 35);
		await a.start();
		heard[0]?.feed({ s: 9 });
		await relay.quiet();
		heard[0]?.hello({ epoch: 2, kinds: [], now: TEST_NOW, limits: {}, s: 0 });
		let most = 0;
		a.link.on(({ feedBehind }) => {
			most = Math.max(most, feedBehind);
		});
		await relay.quiet();
		expect(most).toBe(0);
	});

	it('[LINK-42] a tab that slept through a restore does not go back to the epoch before', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.epoch = 2;
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 46);
		await a.start();
		await sell(a);
		await relay.quiet();
		const before = { epoch: 1, kinds: [], now: TEST_NOW, limits: {}, s: 0, ends: [] };
		const entered = (): Promise<number | undefined> =>
			a.store.read(['meta'], (rows) => readMeta(rows, 'epoch'));
		relay.isUp = false;
		heard.at(-1)?.hello(before);
		await relay.quiet();
		expect([await entered(), await sent(a)]).toEqual([2, [1]]);
		// One that says it again is gone by: no device is to wait for ever for what its relay is not.
		heard.at(-1)?.hello(before);
		await relay.quiet();
		expect(await entered()).toBe(1);

		relay.isUp = true;
		a.link.wake();
		await relay.quiet();
		expect([await entered(), await sent(a)]).toEqual([2, [1]]);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-42] nor by the same greeting once more, where the other could not be asked for', async () => {
		const relay = createFakeRelay(TEST_NOW);
		relay.epoch = 2;
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 46);
		let isAway = false;
		const documents: DocumentsHost = {
			...a.documents,
			open: (name) => (isAway ? Promise.reject(new Error('away')) : a.documents.open(name))
		};
		const link = createRelayLink({ ...a.lineParts, documents });
		open.push(link);
		await link.start();
		await relay.quiet();
		isAway = true;
		heard.at(-1)?.hello({ epoch: 1, kinds: [], now: TEST_NOW, limits: {}, s: 0, ends: [] });
		await relay.quiet();
		relay.isUp = false;
		isAway = false;
		a.ring();
		await relay.quiet();
		expect(await a.store.read(['meta'], (rows) => readMeta(rows, 'epoch'))).toBe(2);
		expect(a.faults).not.toEqual([]);
	});

	it('[LINK-42] nor where another tab enters the next one while it looks', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 47);
		const heard: (number | undefined)[] = [];
		const enter = (epoch: number): Promise<void> =>
			a.store.write(['meta'], (rows) => writeMeta(rows, 'epoch', epoch));
		const store: DeviceStore = {
			...a.store,
			write: async (tables, work) => {
				if (tables.join(' ') !== 'meta journal') return a.store.write(tables, work);
				if (heard.length === 0) await enter(2);
				const done = await a.store.write(tables, work);
				heard.push(await a.store.read(['meta'], (rows) => readMeta(rows, 'epoch')));
				return done;
			}
		};
		await enter(1);
		const slow = createRelayLink({ ...a.lineParts, store });
		open.push(slow);
		await slow.start();
		await relay.quiet();
		// The second was asked for, and says it again.
		expect(heard).toEqual([2, 1]);
	});

	it('[LINK-10] hands in again what a restored database has lost, its own and once', async () => {
		const relay = createFakeRelay();
		const a = await linked(relay, 13);
		const b = await linked(relay, 14, { from: a, code: 'B' });
		const at = (now: number): void => {
			relay.now = a.clock.now = b.clock.now = now;
		};
		at(TEST_NOW - DAY_MS);
		await a.link.start();
		await b.link.start();
		for (const device of [a, b, a, b, a]) await sell(device);
		await relay.quiet();
		at(TEST_NOW);
		for (const device of [a, b]) {
			device.ring();
			await relay.quiet();
			await sell(device);
		}
		await relay.quiet();
		expect(texts(relay)).toHaveLength(7);
		// The journal of yesterday is on no device any more: only the rows say what was lost.
		relay.restore(0);
		await relay.quiet();
		a.link.wake();
		b.link.wake();
		await relay.quiet();
		expect(new Set(texts(relay)).size).toBe(7);
		expect(texts(relay)).toHaveLength(7);
		expect(await sent(a)).toEqual([1, 1, 1, 1]);
		expect(await sent(b)).toEqual([1, 1, 1]);
		const numbers = await storedNumbers(a.store);
		expect(await storedNumbers(b.store)).toEqual(numbers);
		expect((await a.book.dayTotals('2026-11-19')).salesCount).toBe(5n);
		expect([...a.faults, ...b.faults]).toEqual([]);
	});

	it('[LINK-10] hands in again what a tab that slept takes for sent before the restore is noted', async () => {
		const relay = createFakeRelay(TEST_NOW - DAY_MS);
		const a = await linked(relay, 13);
		a.clock.now = relay.now;
		await a.start();
		await sell(a);
		await relay.quiet();
		await a.pass(DAY_MS);
		const rows = await a.store.read(['journal'], (read) => read.all('journal'));
		const ranges = rows.map(({ n, digest }) => [n, n, digest] as const);
		expect(await sent(a)).toEqual([1]);
		await a.link.stop();
		relay.restore(0);
		// Its line had said so; it goes by that as often as it gets a turn.
		const store: DeviceStore = {
			...a.store,
			write: async (tables, work) => {
				await markSent(a.store, { epoch: 1, ranges });
				return a.store.write(tables, work);
			}
		};
		const other = createRelayLink({ ...a.lineParts, store });
		open.push(other);
		await other.start();
		await relay.quiet();
		expect(texts(relay)).toHaveLength(1);
		expect(await sent(a)).toEqual([1]);
	});

	it('[LINK-10] hands in again what was lost, wherever it was killed while it heard of the restore', async () => {
		let killed = 0;
		for (let writes = 0; writes < 50; writes += 1) {
			const relay = createFakeRelay(TEST_NOW - DAY_MS);
			const a = await linked(relay, 13);
			a.clock.now = relay.now;
			await a.start();
			await sell(a);
			await relay.quiet();
			// The journal of yesterday is on no device any more: only the rows say what was lost.
			await a.pass(DAY_MS);
			expect(await sent(a)).toEqual([1]);
			await a.link.stop();
			relay.restore(0);
			const life = { left: writes, isOver: false };
			const dying = createRelayLink({ ...a.lineParts, store: killedAfter(a.store, life) });
			await dying.start().catch(() => undefined);
			await relay.quiet();
			await dying.stop();
			await a.start();
			expect(texts(relay)).toHaveLength(1);
			expect(await sent(a)).toEqual([1]);
			if (!life.isOver) break;
			killed += 1;
		}
		expect(killed).toBeGreaterThan(3);
	});

	it('[CARRY-4] hands in what was forgotten before the relay greeted this book at all', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 41);
		const b = await linked(relay, 42, { from: a, code: 'B' });
		await sell(a);
		// As an heir's book begins: the relay's numbers over HTTP, and what the old one held of others.
		const others = await a.store.read(['facts'], (rows) => rows.all('facts'));
		const { branch } = a.device.identity;
		await b.device.receive(others.map(({ text }) => ({ text, branch })));
		await b.store.write(['meta'], (rows) => writeMeta(rows, 'feed', { epoch: relay.epoch, s: 9 }));
		relay.restore(0);
		await b.start();
		await b.pass(10_000);
		expect(texts(relay)).toEqual(others.map(({ text }) => text));
		expect(b.faults).toEqual([]);
	});

	it('[LINK-32] opens a document in which others wrote more than a call has arguments', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		const doc = new Y.Doc();
		const count = 150_000;
		doc.transact(() => {
			for (let n = 1; n <= count; n += 1)
				appendFact(doc, { id: `B-${String(n)}`, text: `["B-${String(n)}"]` });
		});
		const received: number[] = [];
		const link = createRelayLink({
			...a.lineParts,
			device: {
				identity: a.device.identity,
				receive: (facts) => {
					received.push(facts.length);
					return Promise.resolve();
				}
			},
			documents: { ...a.documents, open: (name) => Promise.resolve({ name, doc }) },
			createProvider: () => ({
				connect: () => {
					received.push(0);
				},
				isSending: () => false,
				close: () => undefined
			})
		});
		open.push(link);
		await link.start();
		await relay.quiet();
		expect(received).toEqual([0, count]);
	});

	it('[LINK-27] stays on the line though the relay will not have yet what somebody else wrote', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const waiting = new Map([['B-1', 'authorUnknown']]);
		const handed: string[] = [];
		const heard: ProviderEvents[] = [];
		const a = await linked(carriedBut(overheard(relay, heard), waiting, handed), 41);
		const b = await linked(relay, 42, { from: a, code: 'B' });
		await a.link.start();
		await b.link.start();
		await sell(b);
		await relay.quiet();
		await b.link.stop();
		await a.link.stop();
		relay.restore(0);
		relay.refused.set('B-1', 'authorUnknown');
		await a.link.start();
		await a.pass(10_000);
		await sell(a);
		await a.pass(10_000);
		expect(a.link.status).toMatchObject({ state: 'online', unsent: 0, refused: [] });
		expect(await sent(a)).toEqual([1]);
		await until(() => handed.length > 0);
		expect(handed).toEqual(['B-1']);

		// Who stands behind a ledger is known again.
		waiting.clear();
		relay.feed.push({ s: relay.feed.length + 1, branch: null, text: LINKED });
		heard.at(-1)?.feed({ s: relay.feed.length });
		await until(() => handed.length > 1);
		await a.pass(10_000);
		expect(handed).toEqual(['B-1', 'B-1']);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-23] fetches history once, whatever news comes meanwhile', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const asked: number[] = [];
		const a = await linked(
			withHttp(relay, {
				history: ({ s }) => {
					asked.push(s);
					return Promise.resolve(ok([{ s: s - 1, branch: null, text: settingText(s) }]));
				}
			}),
			48
		);
		await a.store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'feed', { epoch: 1, s: 0 });
			await writeMeta(rows, 'history', { epoch: 1, s: 400_000 });
		});
		await a.start();
		for (let n = 1; n <= 10; n += 1) {
			await sell(a, n);
			await relay.quiet();
		}
		expect(asked).toEqual([]);
		await a.pass(20_000);
		expect(asked.length).toBe(10);
		expect(new Set(asked).size).toBe(10);
		expect(a.faults).toEqual([]);
	});

	it('[LINK-23] waits longer each time for history that the relay does not give, and once', async () => {
		const relay = createFakeRelay(TEST_NOW);
		let asked = 0;
		const a = await linked(
			withHttp(relay, {
				history: () => {
					asked += 1;
					return Promise.resolve({ ok: false, error: 'unreachable' });
				},
				feed: () => Promise.resolve({ ok: false, error: 'unreachable' })
			}),
			49
		);
		await a.store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'feed', { epoch: 1, s: 0 });
			await writeMeta(rows, 'history', { epoch: 1, s: 400_000 });
		});
		await a.start();
		await a.pass(600_000);
		expect(asked).toBeGreaterThan(15);
		expect(asked).toBeLessThan(60);
		// News that the feed will not give: one timer more, however often it is told.
		const before = a.waiting().length;
		for (let n = 1; n <= 5; n += 1) {
			await sell(a, n);
			await relay.quiet();
		}
		expect(a.waiting().length).toBeLessThanOrEqual(before + 1);
	});

	it('[LINK-24] asks again later, and nothing of it at once, where the feed or history leads no further', async () => {
		const relay = createFakeRelay(TEST_NOW);
		let asked = 0;
		const sameRow = { s: 0, branch: null, text: settingText(1) };
		const a = await linked(
			withHttp(relay, {
				feed: ({ s }) => {
					asked += 1;
					const rows = asked > 500 ? [] : [{ ...sameRow, s }];
					return Promise.resolve(ok({ kind: 'page', rows, last: 9 }));
				},
				history: ({ s }) => {
					asked += 1;
					return Promise.resolve(ok([{ ...sameRow, s }]));
				}
			}),
			50
		);
		await a.store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'feed', { epoch: 1, s: 0 });
			await writeMeta(rows, 'history', { epoch: 1, s: 400 });
		});
		await a.link.start();
		await sell(a);
		await a.pass(600_000);
		expect(asked).toBeGreaterThan(10);
		expect(asked).toBeLessThan(120);
		expect(await sent(a)).toEqual([1]);
		expect(a.faults).toEqual([]);
	});

	it.each([
		['the same piece', 1],
		['two pieces in turn', 2]
	])('[LINK-24] is not led round in a circle by a checkpoint, by %s', async (_told, length) => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 51);
		await a.link.start();
		for (let n = 1; n <= 205; n += 1) await sell(a, n);
		await relay.quiet();
		const checkpoint = await checkpointOf(a.store, 205);
		let asked = 0;
		const b = await linked(
			withHttp(relay, {
				checkpoint: () => {
					asked += 1;
					const next = { part: 'products', after: String(asked % length) };
					return Promise.resolve(asked > 500 ? err('unreachable') : ok({ ...checkpoint, next }));
				}
			}),
			52,
			{ from: a, code: 'B' }
		);
		await b.link.start();
		await until(() => asked > length);
		await relay.quiet();
		expect(asked).toBeLessThan(6);
		await sell(b);
		await until(async () => (await sent(b)).join() === '1');
		await relay.quiet();
		expect(b.link.status.feedBehind).toBe(0);
		expect(b.faults).toEqual([]);
	});

	it('[LINK-11] begins a new device with a checkpoint, then the feed, then history in idle time', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 15);
		await a.link.start();
		for (let n = 1; n <= 205; n += 1) await sell(a, n);
		await relay.quiet();
		relay.checkpoint = await checkpointOf(a.store, 205);
		await sell(a, 206);
		await relay.quiet();

		const b = await linked(relay, 16, { from: a, code: 'B' });
		await b.start();
		expect((await b.book.dayTotals('2026-11-20')).salesCount).toBe(206n);
		for (let page = 0; page < 8; page += 1) {
			b.ring();
			await relay.quiet();
		}
		expect(await b.store.read(['facts'], (rows) => rows.count('facts'))).toBe(206);
		expect(await storedNumbers(b.store)).toEqual(await foldedNumbers(b.store));
		expect(await storedNumbers(b.store)).toEqual(await storedNumbers(a.store));
		expect(b.faults).toEqual([]);
	});

	it('[DEVICE-66] begins anew where history brings what a checkpoint counted under another name', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 17);
		await a.link.start();
		for (let n = 1; n <= 205; n += 1) await sell(a, n);
		await relay.quiet();
		// After a restore the last of them came under the name of an heir.
		const last = relay.feed.length - 1;
		const row = relay.feed[last];
		const parsed = parseFact(row?.text ?? '');
		if (row === undefined || !parsed.ok) throw new Error('no fact');
		const id = factId('D', 1);
		const text = issueAgain(row.text, parsed.value, { id, renamed: new Map() });
		relay.feed[last] = { ...row, text };
		const other = await openTestDevice({
			seed: 18,
			joins: { identity: a.device.identity, code: 'R' }
		});
		await other.device.receive(
			relay.feed.map(({ text: told, branch }) => ({ text: told, branch }))
		);
		relay.checkpoint = await checkpointOf(other.store, relay.feed.length);

		const b = await linked(relay, 19, { from: a, code: 'B' });
		await b.device.receive([{ text: row.text, branch: row.branch }]);
		await b.start();
		expect((await b.book.dayTotals('2026-11-20')).salesCount).toBe(206n);
		for (let page = 0; page < 16; page += 1) {
			b.ring();
			await relay.quiet();
		}
		expect(await storedNumbers(b.store)).toEqual(await storedNumbers(other.store));
		expect(await storedNumbers(b.store)).toEqual(await foldedNumbers(b.store));
		expect(b.faults).toEqual([]);
	});
});

describe('many devices, an unsteady network', () => {
	it.each([1, 2, 3, 4, 5, 6])(
		'[LINK-2] seed %i: all agree in the end, each fact once',
		async (seed) => {
			const relay = createFakeRelay(TEST_NOW);
			const random = seeded(seed);
			const a = await linked(relay, seed * 10);
			const b = await linked(relay, seed * 10 + 1, { from: a, code: 'B' });
			const c = await linked(relay, seed * 10 + 2, { from: a, code: 'C' });
			const devices = [a, b, c];
			let sold = 0;
			let dropped = 0;
			for (let turn = 0; turn < 60; turn += 1) {
				const device = devices[random(3)] ?? a;
				const what = random(6);
				if (what < 3) {
					await sell(device, 1 + random(500));
					sold += 1;
				} else if (what === 3) await device.link.start();
				else if (what === 4) {
					await device.link.stop();
					dropped += 1;
				} else relay.isUp = random(3) > 0;
				if (random(3) === 0) await relay.quiet();
			}
			relay.isUp = true;
			for (const { link } of devices) await link.start();
			await relay.quiet();
			for (const device of devices) device.link.wake();
			await relay.quiet();
			expect(sold).toBeGreaterThan(10);
			expect(dropped).toBeGreaterThan(0);
			expect(texts(relay)).toHaveLength(sold);
			const numbers = await storedNumbers(a.store);
			for (const device of devices) {
				expect(await storedNumbers(device.store)).toEqual(numbers);
				expect(device.link.status).toMatchObject({ unsent: 0, halted: undefined, state: 'online' });
				expect(device.faults).toEqual([]);
			}
			expect(await foldedNumbers(a.store)).toEqual(numbers);
		}
	);
});

describe('a journal of years', () => {
	const DAYS = 31;

	/** Enough acts to fill the first block of numbers, a month ago. */
	async function fill({ device, clock }: LinkedDevice, count: number): Promise<void> {
		clock.now = TEST_NOW - DAYS * DAY_MS;
		for (let n = 0; n < count; n += 1)
			await device.changeSettings({ address: `Street ${String(n)}` });
		clock.now = TEST_NOW;
	}

	const journaled = ({ store }: LinkedDevice): Promise<readonly number[]> =>
		store.read(['journal'], async (rows) => (await rows.all('journal')).map(({ n }) => n));

	async function letGo(relay: FakeRelay, a: LinkedDevice): Promise<void> {
		await relay.quiet();
		for (let round = 0; round < 12; round += 1) {
			a.ring();
			await relay.quiet();
		}
	}

	it('[DEVICE-47] loses what a verified backup holds, and what the relay then forgets is handed in', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await fill(a, 520);
		await a.start();
		expect(a.link.status.unsent).toBe(0);
		await letGo(relay, a);
		expect(await journaled(a)).toHaveLength(520);

		await a.link.stop();
		relay.backup = relay.feed.length;
		await a.link.start();
		await letGo(relay, a);
		expect(await journaled(a)).toEqual(Array.from({ length: 9 }, (_none, place) => 512 + place));
		expect(a.link.status).toMatchObject({ unsent: 0, halted: undefined, state: 'online' });

		// From a backup that is older than the one that was told of.
		relay.restore(300);
		await letGo(relay, a);
		expect(new Set(relay.feed.map(({ text }) => text)).size).toBe(520);
		expect(a.link.status).toMatchObject({ unsent: 0, halted: undefined });
		await a.device.changeSettings({ address: 'Elsewhere' });
		await letGo(relay, a);
		expect(relay.feed).toHaveLength(521);
		expect(a.link.status).toMatchObject({ unsent: 0, halted: undefined });
		expect(await storedNumbers(a.store)).toEqual(await foldedNumbers(a.store));
		expect(a.faults).toEqual([]);
	});

	it('[DEVICE-47] goes on with it where the relay did not know this device for a while', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const heard: ProviderEvents[] = [];
		const a = await linked(overheard(relay, heard), 1);
		await fill(a, 520);
		await a.start();
		await a.link.stop();
		relay.backup = relay.feed.length;
		await a.link.start();
		await relay.quiet();
		relay.isEmpty = true;
		heard.at(-1)?.closed(CLOSE.rights);
		await relay.quiet();
		a.ring();
		await relay.quiet();
		expect(a.link.status.halted).toBe('unknown');
		relay.isEmpty = false;
		await letGo(relay, a);
		expect(a.link.status.halted).toBeUndefined();
		expect(await journaled(a)).toHaveLength(9);
	});

	it('[LINK-5] still stops where another device goes by a number that left', async () => {
		const relay = createFakeRelay(TEST_NOW);
		const a = await linked(relay, 1);
		await fill(a, 520);
		await a.start();
		await a.link.stop();
		relay.backup = relay.feed.length;
		await a.link.start();
		await letGo(relay, a);
		expect(await journaled(a)).toHaveLength(9);
		await a.link.stop();
		const [row] = relay.feed.splice(99, 1);
		if (row === undefined) throw new Error('nothing was sent');
		relay.feed.splice(99, 0, { ...row, text: row.text.replace('Street', 'Avenue') });
		await a.link.start();
		await letGo(relay, a);
		expect(a.link.status.halted).toBe('fork');
	});
});
