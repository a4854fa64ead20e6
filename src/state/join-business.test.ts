import { describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import type { FactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, FactRow, JournalRow } from '#storage/device-store.ts';
import { readJoined, type Joined } from './account-answers.ts';
import { createBook, journalOf } from './book.ts';
import { createChanges } from './changes.ts';
import { databaseName } from './database-name.ts';
import { deviceWays } from './device-ways.ts';
import { beginCarry } from './enter-epoch.ts';
import { mintIdentity, type Identity } from './identity.ts';
import { joinBusiness } from './join-business.ts';
import { readMeta, writeMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import type { ReceiveReport } from './receive.ts';
import { createRegistry } from './registry.ts';
import { forgetBefore, readBefore } from './refused-facts.svelte.ts';
import { createSigner, createSigningKeys } from './web-crypto.ts';

const SHOP = 'aaaaaaaa-2222-4333-8444-555555555555';

function joined(code: string): Joined {
	const id = (letter: string): string => `${letter.repeat(8)}-2222-4333-8444-555555555555`;
	const ids = { business: SHOP, branch: id('b'), person: id('c') };
	const read = readJoined({ ...ids, member: 2, code, sight: 'counter', epoch: 1, name: 'Shop' });
	if (!read.ok) throw new Error('not joined');
	return read.value;
}

type Answers = (path: string, body: string, token: string) => unknown;

interface Machine {
	readonly page: PageParts;
	readonly books: Map<string, DeviceStore>;
	readonly asked: string[];
}

/** A browser in memory, and a relay that answers what it is told to; undefined: it is not reached. */
function machine(answers: Answers): Machine {
	const books = new Map<string, DeviceStore>();
	const asked: string[] = [];
	const page: PageParts = {
		...BROWSER_PAGE,
		openStore: (name) => {
			const store = books.get(name) ?? createMemoryDeviceStore();
			books.set(name, store);
			return { ...store, close: () => undefined };
		},
		fetch: (address, init) => {
			if (typeof address !== 'string' || typeof init?.body !== 'string') throw new Error('no text');
			const path = new URL(address).pathname;
			asked.push(path);
			const token = new Headers(init.headers).get('authorization') ?? '';
			const answer = answers(path, init.body, token);
			if (answer === undefined) return Promise.reject(new TypeError('no network'));
			const isNo = typeof answer === 'object' && answer !== null && 'title' in answer;
			const status = isNo ? 403 : 200;
			return Promise.resolve(Response.json(answer, { status }));
		},
		base: 'http://relay.test'
	};
	return { page, books, asked };
}

async function join({ page }: Machine, code: string): Promise<Signer | undefined> {
	let asking: Signer | undefined;
	const ask = (signer: Signer): Promise<Result<Joined, never>> => {
		asking = signer;
		return Promise.resolve(ok(joined(code)));
	};
	expect((await joinBusiness(ask, page)).ok).toBe(true);
	return asking;
}

async function identityIn(books: Machine['books'], code?: string): Promise<Identity | undefined> {
	const { business } = joined('A');
	const heir = code === undefined ? undefined : joined(code).code;
	const store = books.get(databaseName(business, heir));
	return store?.read(['meta'], (rows) => readMeta(rows, 'identity'));
}

async function opens({ page }: Machine): Promise<string> {
	return createRegistry(page.openStore('daftar')).bookOf(joined('A').business);
}

const NONCE = { nonce: 'A'.repeat(43) };

describe('joining a shop', () => {
	it('[JOIN-1] again makes another device of one whose access was ended, in a book of its own', async () => {
		const here = machine(() => undefined);
		await join(here, 'B');
		const [old] = [...here.books].filter(([name]) => name.endsWith(SHOP)).map(([, one]) => one);
		await old?.write(['meta'], (rows) => writeMeta(rows, 'removedAt', 5));
		await join(here, 'D');
		expect(await identityIn(here.books)).toMatchObject({ code: 'B' });
		expect(await identityIn(here.books, 'D')).toMatchObject({ code: 'D', heirOf: 'B' });
		expect(await opens(here)).toBe(`daftar-${SHOP}-D`);
		expect(here.asked).toEqual([]);
	});

	it('[JOIN-1] asks the relay where nothing is noted, and leaves a device alone that it lets in or does not answer', async () => {
		const away = machine(() => undefined);
		await join(away, 'B');
		await join(away, 'D');
		expect(await identityIn(away.books)).toMatchObject({ code: 'B' });
		expect(await opens(away)).toBe(`daftar-${SHOP}`);

		const here = machine((path) =>
			path.endsWith('/nonce') ? NONCE : { code: 'deviceRemoved', status: 403, title: '' }
		);
		await join(here, 'B');
		await join(here, 'D');
		expect(await opens(here)).toBe(`daftar-${SHOP}-D`);
	});

	it('[JOIN-1] takes another key where the device that an answer was lost of was taken out since', async () => {
		const here = machine(() => undefined);
		const keys: string[] = [];
		const asking = (answer: (key: string) => Result<Joined, string>): Promise<unknown> =>
			joinBusiness((signer) => {
				keys.push(encodeBase64url(signer.publicKey));
				return Promise.resolve(answer(encodeBase64url(signer.publicKey)));
			}, here.page);
		expect(await asking(() => err('unreachable'))).toEqual(err('unreachable'));
		// The owner sees a device that nobody has, and ends its access.
		const [lost] = keys;
		const removed = (key: string): Result<Joined, string> =>
			key === lost ? err('deviceRemoved') : ok(joined('D'));
		expect(await asking(removed)).toMatchObject({ ok: true });
		expect(keys.slice(0, 2)).toEqual([lost, lost]);
		expect(await identityIn(here.books)).toMatchObject({ code: 'D', publicKey: keys[2] });
		// A member that was taken out gets no further by it, and the relay is asked no third time.
		keys.length = 0;
		expect(await asking(() => err('deviceRemoved'))).toEqual(err('deviceRemoved'));
		expect(keys).toHaveLength(2);
	});

	it('[JOIN-1] leaves to the owner what the device of before had not sent', async () => {
		const heard: string[] = [];
		let isReached = false;
		const here = machine((path, body, token) => {
			if (!isReached) return undefined;
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(`${token} ${body}`);
			return { waiting: ['B-1'], known: [], refused: [] };
		});
		await join(here, 'B');
		const [old] = [...here.books].filter(([name]) => name.endsWith(SHOP)).map(([, one]) => one);
		const text = '["B-1","sale"]';
		const row = { n: 1, id: 'B-1' as JournalRow['id'], document: 'j/x', digest: '00', text };
		await old?.write(['meta', 'journal'], async (rows) => {
			await writeMeta(rows, 'removedAt', 5);
			await rows.put('journal', [{ ...row, sent: 0, at: 0, minor: 0n }]);
		});
		const signer = await join(here, 'D');
		const identity = await identityIn(here.books, 'D');
		const store = here.books.get(await opens(here));
		if (signer === undefined || identity === undefined || store === undefined)
			throw new Error('not joined');
		const device = { identity, receive: () => Promise.reject(new Error('nothing is received')) };
		const changes = createChanges();
		const parts = { device, store, changes, signer, clock: () => 0, page: here.page };
		const { leaveBehind } = deviceWays(parts);
		expect(await leaveBehind?.()).toBe(false);
		isReached = true;
		expect(await leaveBehind?.()).toBe(true);
		expect(heard).toHaveLength(1);
		expect(heard[0]).toContain(`${joined('B').business}.B.`);
		expect(heard[0]).toContain(JSON.stringify(text));
		expect(await leaveBehind?.()).toBe(true);
		expect(heard).toHaveLength(1);
		const held = await old?.read(['journal'], (rows) => rows.get('journal', 1));
		expect(held?.refused).toBe('withOwner');
	});

	it.each([
		['was restored since', { epoch: 1, alone: [], carry: undefined }],
		[
			'was not told all of it',
			{ epoch: 2, alone: [], carry: { epoch: 2, code: '', n: 0, left: 0, isDone: false } }
		],
		[
			'would not have it',
			{
				epoch: 2,
				alone: [{ code: 'C', from: 1, to: 1, reason: 'authorUnknown' }],
				carry: { epoch: 2, code: '', n: 0, left: 0, isDone: true }
			}
		]
	])('[JOIN-1] hands in what others wrote where the relay %s', async (_how, was) => {
		const heard: string[] = [];
		const here = machine((path, body) => {
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(body);
			return { waiting: ['B-1'], known: [], refused: [] };
		});
		await join(here, 'B');
		const old = here.books.get(databaseName(joined('A').business));
		const at = { wall: 1, counter: 0, on: '2026-11-20', by: 2, branch: '' as const, refs: [] };
		const row = { n: 1, id: 'B-1' as FactId, document: 'j/x', digest: '00', text: '["B-1"]' };
		await old?.write(['meta', 'journal', 'facts'], async (rows) => {
			await writeMeta(rows, 'removedAt', 5);
			await writeMeta(rows, 'epoch', was.epoch);
			await writeMeta(rows, 'alone', was.alone);
			if (was.carry !== undefined) await writeMeta(rows, 'carry', was.carry);
			await rows.put('journal', [{ ...row, sent: 0, at: 0, minor: 0n }]);
			for (const code of ['B', 'C'] as const) {
				const id = `${code}-1` as FactId;
				const of = { id, code: joined(code).code, n: 1, kind: 'sale', text: `["${id}"]` };
				await rows.put('facts', [{ ...of, ...at }]);
			}
		});
		const signer = await join(here, 'D');
		const identity = await identityIn(here.books, 'D');
		const store = here.books.get(await opens(here));
		if (signer === undefined || identity === undefined || store === undefined)
			throw new Error('not joined');
		const received: string[] = [];
		const receive = (facts: readonly { readonly text: string }[]): Promise<ReceiveReport> => {
			received.push(...facts.map(({ text }) => text));
			return Promise.resolve({ fresh: facts.length, unreadable: 0 });
		};
		const device = { identity, receive };
		const parts = { device, store, changes: createChanges(), signer, clock: () => 0 };
		const leave = (): Promise<boolean> | undefined =>
			deviceWays({ ...parts, page: here.page }).leaveBehind?.();
		// The line did not hear yet of which epoch the relay is.
		expect(await leave()).toBe(false);
		await store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 2));
		expect([await leave(), heard.length]).toEqual([true, 1]);
		expect(received).toEqual(['["C-1"]']);
		const carry = await store.read(['meta'], (rows) => readMeta(rows, 'carry'));
		expect(carry).toMatchObject({ epoch: 2, code: '', n: 0, isDone: false });
		// Asked once more it has nothing left to bring.
		await store.write(['meta'], (rows) =>
			writeMeta(rows, 'leftBehind', databaseName(SHOP as never))
		);
		expect([await leave(), received.length]).toEqual([true, 1]);
	});

	it('[JOIN-1] leaves it too where the device that was to leave it was taken out before it could', async () => {
		const heard: string[] = [];
		let isReached = false;
		const here = machine((path, body, token) => {
			if (!isReached) return undefined;
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(`${token} ${body}`);
			return { waiting: ['B-1'], known: [], refused: [] };
		});
		const out = async (code: string): Promise<DeviceStore> => {
			await join(here, code);
			const store = here.books.get(await opens(here));
			if (store === undefined) throw new Error('not joined');
			return store;
		};
		const leave = async (store: DeviceStore, code: string): Promise<boolean | undefined> => {
			const identity = await identityIn(here.books, code);
			if (identity === undefined) throw new Error('not joined');
			const device = { identity, receive: () => Promise.reject(new Error('nothing is received')) };
			const signer = await createSigner(await createSigningKeys());
			const parts = { device, store, changes: createChanges(), signer, clock: () => 0 };
			return deviceWays({ ...parts, page: here.page }).leaveBehind?.();
		};
		const text = '["B-1","sale"]';
		const row = { n: 1, id: 'B-1' as JournalRow['id'], document: 'j/x', digest: '00', text };
		await (
			await out('B')
		).write(['meta', 'journal'], async (rows) => {
			await writeMeta(rows, 'removedAt', 5);
			await rows.put('journal', [{ ...row, sent: 0, at: 0, minor: 0n }]);
		});
		const between = await out('D');
		expect(await leave(between, 'D')).toBe(false);
		await between.write(['meta'], (rows) => writeMeta(rows, 'removedAt', 6));
		const last = await out('E');
		isReached = true;
		expect(await leave(last, 'E')).toBe(true);
		expect(heard.filter((one) => one.includes(JSON.stringify(text)))).toHaveLength(1);
		expect(await last.read(['meta'], (rows) => readMeta(rows, 'leftBehind'))).toBeUndefined();
	});

	it('[HEIR-11] shows what the relay had said of it as it takes the place before once more', async () => {
		const heard: unknown[] = [];
		const here = machine((path, body) => {
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(JSON.parse(body));
			return { ...joined(heard.length === 1 ? 'D' : 'AD'), epoch: 1 };
		});
		await join(here, 'B');
		const [book, old] = [await opens(here), here.books.get(await opens(here))];
		await old?.write(['meta'], (rows) => writeMeta(rows, 'removedAt', 5));
		const signer = await join(here, 'D');
		const identity = await identityIn(here.books, 'D');
		const store = here.books.get(await opens(here));
		if (signer === undefined || identity === undefined || store === undefined)
			throw new Error('not joined');
		const place = { code: 'B', book, at: 0, upTo: 0, names: [] };
		const row = { wall: 1, counter: 0, on: '2024-10-04', by: 0, refs: [], branch: '' } as const;
		const told = (n: number, code: string, key: string): FactRow => {
			const id = `0.1-${String(n)}` as FactRow['id'];
			const text = JSON.stringify([id, 'device', 1, 0, 20_000, 0, code, { key }]);
			return { ...row, id, code: '0.1', n, kind: 'device', text };
		};
		const own = told(2, 'D', identity.publicKey);
		await store.write(['meta', 'facts'], async (rows) => {
			await writeMeta(rows, 'inheritance', place);
			const others = [told(1, 'D', encodeBase64url(new Uint8Array(65))), own];
			await rows.put('facts', [...others, told(3, 'E', identity.publicKey)]);
		});
		const device = { identity, receive: () => Promise.reject(new Error('nothing is received')) };
		const parts = {
			device,
			store,
			changes: createChanges(),
			signer,
			clock: () => 0,
			page: here.page
		};
		const { retake } = deviceWays(parts);
		expect([await retake?.(), await retake?.()]).toEqual([true, false]);
		expect(heard[0]).toMatchObject({ business: identity.business, code: 'B', told: own.text });
	});

	it('[UNSENT-6] says what its owner cannot have any more until somebody has the file of it', async () => {
		let answer: object = { code: 'deviceRemoved', status: 403, title: '' };
		const heard: string[] = [];
		const here = machine((path, body) => {
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(body);
			return answer;
		});
		const out = async (code: string): Promise<DeviceStore> => {
			await join(here, code);
			const store = here.books.get(await opens(here));
			if (store === undefined) throw new Error('not joined');
			return store;
		};
		const old = await out('B');
		await old.write(['meta', 'journal'], async (rows) => {
			await writeMeta(rows, 'removedAt', 5);
			await writeMeta(rows, 'sequence', { n: 3, receipt: 3 });
			for (const n of [1, 2, 3]) {
				const id = `B-${String(n)}` as JournalRow['id'];
				const row = { n, id, document: 'j/x', digest: '00', text: `["${id}","sale"]` };
				await rows.put('journal', [{ ...row, sent: n === 2 ? 1 : 0, at: n, minor: 0n }]);
			}
		});
		const leave = async (store: DeviceStore): Promise<boolean | undefined> => {
			const identity = await store.read(['meta'], (rows) => readMeta(rows, 'identity'));
			if (identity === undefined) throw new Error('not joined');
			const device = { identity, receive: () => Promise.reject(new Error('received')) };
			const signer = await createSigner(await createSigningKeys());
			const parts = { device, store, changes: createChanges(), signer, clock: () => 0 };
			return deviceWays({ ...parts, page: here.page }).leaveBehind?.();
		};
		const told = async (store: DeviceStore): Promise<readonly string[]> => {
			const rows = await readBefore(store, (name) => here.page.openStore(name));
			return rows.map(({ id, text, refused = '' }) => `${refused} ${id} ${text}`);
		};
		const countIn = async (store: DeviceStore): Promise<number> => {
			const book = createBook({ store, identity: () => joined('D') as never });
			return (await book.unsent()).refused.length;
		};

		// 91 days later.
		const store = await out('D');
		expect(await leave(store)).toBe(true);
		const all = ['notLeft B-1 ["B-1","sale"]', 'notLeft B-3 ["B-3","sale"]'];
		expect(await told(store)).toEqual(all);
		expect(await countIn(store)).toBe(2);
		const marks = await store.read(['journal', 'meta'], (rows) => journalOf(rows, ['B-1']));
		expect(marks.get('B-1')).toBeUndefined();
		// Asked once more at the next start, for these alone.
		expect(heard.at(-1)).toContain('B-2');
		answer = { waiting: ['B-1'], known: [], refused: ['B-3'] };
		expect(await leave(store)).toBe(true);
		expect(heard.at(-1)).not.toContain('B-2');
		const conflict = ['conflict B-3 ["B-3","sale"]'];
		expect(await told(store)).toEqual(conflict);

		// It is taken out and invited once more.
		await store.write(['meta'], (rows) => writeMeta(rows, 'removedAt', 6));
		const next = await out('E');
		expect(await leave(next)).toBe(true);
		expect(await told(next)).toEqual(conflict);
		// A file that was given before it was known holds nothing of it.
		await forgetBefore(next, new Set(['B-1']));
		expect([await told(next), await countIn(next)]).toEqual([conflict, 1]);
		await forgetBefore(next, new Set(['B-3']));
		expect([await told(next), await countIn(next), await leave(next)]).toEqual([[], 0, true]);
		expect(await told(next)).toEqual([]);
	});
});

describe('a book whose claim was answered to nobody', () => {
	interface Unheard extends Machine {
		readonly store: DeviceStore;
		readonly key: string;
		join(): Promise<readonly string[]>;
	}

	/** A trial that signed up: the relay made its business, and the page was gone before it said so. */
	async function unheard(answers: Answers, isRemoved = false): Promise<Unheard> {
		const here = machine(answers);
		const { business, branch } = joined('A');
		const store = here.page.openStore(databaseName(business));
		const pair = await createSigningKeys();
		const { publicKey } = await createSigner(pair);
		const minted = mintIdentity({ uuid: { v4: () => crypto.randomUUID() }, publicKey });
		await store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'identity', { ...minted, business, branch });
			await writeMeta(rows, 'keys', pair);
		});
		await createRegistry(here.page.openStore('daftar')).begin(business);
		const key = encodeBase64url(publicKey);
		const join = async (): Promise<readonly string[]> => {
			const keys: string[] = [];
			const ask = (signer: Signer): Promise<Result<Joined, 'deviceRemoved'>> => {
				keys.push(encodeBase64url(signer.publicKey));
				// The relay knows the key as the device that claimed, any other gets the next code.
				if (keys.at(-1) !== key) return Promise.resolve(ok(joined('B')));
				return Promise.resolve(isRemoved ? err('deviceRemoved') : ok(joined('A')));
			};
			await joinBusiness(ask, here.page, business);
			return keys;
		};
		return { ...here, store, key, join };
	}

	it('[JOIN-3] is claimed, and goes on, where its owner signs in and opens the shop', async () => {
		const here = await unheard((path) =>
			path.endsWith('/nonce') ? NONCE : { token: 'abc', expiresAt: 5 }
		);
		const before = await identityIn(here.books);
		expect(await here.join()).toEqual([here.key]);
		expect(await identityIn(here.books)).toEqual({ ...before, member: 2, claimed: true });
		expect(await opens(here)).toBe(`daftar-${SHOP}`);
	});

	it('[JOIN-3] is another device in a book of its own where its access was ended since', async () => {
		const here = await unheard(
			(path) =>
				path.endsWith('/nonce') ? NONCE : { code: 'deviceRemoved', status: 403, title: '' },
			true
		);
		const before = await identityIn(here.books);
		expect(await here.join()).toHaveLength(2);
		expect(await identityIn(here.books)).toEqual(before);
		expect(await identityIn(here.books, 'B')).toMatchObject({ code: 'B', heirOf: 'A' });
		expect(await opens(here)).toBe(`daftar-${SHOP}-B`);
	});

	it('[JOIN-3] stays as it is where the relay knows its key as nobody’s', async () => {
		const here = await unheard((path) =>
			path.endsWith('/nonce') ? NONCE : { code: 'deviceRefused', status: 403, title: '' }
		);
		const before = await identityIn(here.books);
		expect(await here.join()).not.toContain(here.key);
		expect(await identityIn(here.books)).toEqual(before);
	});
});

describe('a device that a restored relay forgot', () => {
	interface Forgotten extends Machine {
		readonly old: DeviceStore;
		readonly key: string;
	}

	/** It sold something that was never sent, and was let in no more. */
	async function forgotten(answers: Answers = () => undefined): Promise<Forgotten> {
		const here = machine(answers);
		const signer = await join(here, 'B');
		const old = here.books.get(databaseName(joined('A').business));
		if (signer === undefined || old === undefined) throw new Error('not joined');
		await old.write(['meta'], (rows) => writeMeta(rows, 'removedAt', 5));
		return { ...here, old, key: encodeBase64url(signer.publicKey) };
	}

	type Answer = Result<Joined, 'deviceRemoved' | 'unreachable'>;

	/** Joins once more; answers the keys that asked. */
	async function comeBack(
		{ page }: Machine,
		answer: (key: string) => Answer
	): Promise<readonly string[]> {
		const keys: string[] = [];
		const ask = (signer: Signer): Promise<Answer> => {
			keys.push(encodeBase64url(signer.publicKey));
			return Promise.resolve(answer(encodeBase64url(signer.publicKey)));
		};
		await joinBusiness(ask, page, joined('A').business);
		return keys;
	}

	it('[JOIN-2] is let in anew by its own key and goes on in its own book', async () => {
		const here = await forgotten();
		expect(await comeBack(here, () => ok(joined('B')))).toEqual([here.key]);
		expect(await opens(here)).toBe(`daftar-${SHOP}`);
		expect(await identityIn(here.books)).toMatchObject({ code: 'B', publicKey: here.key });
		expect(await here.old.read(['meta'], (rows) => readMeta(rows, 'removedAt'))).toBeUndefined();
	});

	it('[JOIN-2] asks by another key only where its own was removed for good', async () => {
		const here = await forgotten();
		expect(await comeBack(here, () => err('unreachable'))).toEqual([here.key]);
		expect(await opens(here)).toBe(`daftar-${SHOP}`);
		const keys = await comeBack(here, (key) =>
			key === here.key ? err('deviceRemoved') : ok(joined('D'))
		);
		expect(keys).toHaveLength(2);
		expect(await opens(here)).toBe(`daftar-${SHOP}-D`);
		expect(await identityIn(here.books, 'D')).toMatchObject({ publicKey: keys[1] });
	});

	it('[JOIN-2] hands in what its book holds where it got another code', async () => {
		const here = await forgotten((path) =>
			path.endsWith('/nonce') ? NONCE : { code: 'deviceRefused', status: 403, title: '' }
		);
		const at = { wall: 1, counter: 0, on: '2026-11-20', by: 2, branch: '' as const, refs: [] };
		const fact = {
			id: 'B-1' as FactId,
			code: joined('B').code,
			n: 1,
			kind: 'sale',
			text: '["B-1"]'
		};
		const row = { n: 1, id: fact.id, document: 'j/x', digest: '00', text: fact.text };
		await here.old.write(['journal', 'facts'], async (rows) => {
			await rows.put('facts', [{ ...fact, ...at }]);
			await rows.put('journal', [{ ...row, sent: 0, at: 0, minor: 0n }]);
		});
		expect(await comeBack(here, () => ok(joined('D')))).toEqual([here.key]);
		const identity = await identityIn(here.books, 'D');
		const store = here.books.get(await opens(here));
		if (identity === undefined || store === undefined) throw new Error('not joined');
		expect(identity).toMatchObject({ publicKey: here.key, heirOf: 'B' });

		const received: string[] = [];
		const receive = async (facts: readonly { readonly text: string }[]): Promise<ReceiveReport> => {
			received.push(...facts.map(({ text }) => text));
			// Meanwhile the line hears that the relay was restored once more.
			await store.write(['meta'], async (rows) => {
				await writeMeta(rows, 'epoch', 3);
				await beginCarry(rows, 3);
			});
			return { fresh: facts.length, unreadable: 0 };
		};
		const signer = await createSigner(await createSigningKeys());
		const changes = createChanges();
		const moved: string[] = [];
		changes.on((tables) => moved.push(...tables));
		const device = { identity, receive };
		const parts = { device, store, changes, signer, clock: () => 0, page: here.page };
		const { leaveBehind } = deviceWays(parts);
		expect(await leaveBehind?.()).toBe(false);
		await store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 2));
		expect(await leaveBehind?.()).toBe(true);
		expect(received).toEqual(['["B-1"]']);
		expect(await store.read(['meta'], (rows) => readMeta(rows, 'carry'))).toMatchObject({
			epoch: 3,
			isDone: false
		});
		expect(await store.read(['meta'], (rows) => readMeta(rows, 'alone'))).toEqual([
			{ code: 'B', from: 1, to: 1, reason: 'authorUnknown' }
		]);
		expect(moved).toContain('links');
		expect(await leaveBehind?.()).toBe(true);
		expect(received).toHaveLength(1);
	});
});
