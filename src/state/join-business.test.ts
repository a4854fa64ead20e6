import { describe, expect, it } from 'vitest';
import type { Signer } from '#domain/crypto.ts';
import { ok, type Result } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, JournalRow } from '#storage/device-store.ts';
import { readJoined, type Joined } from './account-answers.ts';
import { databaseName } from './database-name.ts';
import { deviceWays } from './device-ways.ts';
import type { Identity } from './identity.ts';
import { joinBusiness } from './join-business.ts';
import { readMeta, writeMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';

const SHOP = 'aaaaaaaa-2222-4333-8444-555555555555';

function joined(code: string): Joined {
	const id = (letter: string): string => `${letter.repeat(8)}-2222-4333-8444-555555555555`;
	const ids = { business: SHOP, branch: id('b'), person: id('c') };
	const read = readJoined({ ...ids, member: 2, code, sight: 'counter', epoch: 1, name: 'Shop' });
	if (!read.ok) throw new Error('not joined');
	return read.value;
}

type Answers = (path: string, body: string) => unknown;

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
			const answer = answers(path, init.body);
			if (answer === undefined) return Promise.reject(new TypeError('no network'));
			const status = path.endsWith('/devices/token') ? 403 : 200;
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

	it('[JOIN-1] leaves to the owner what the device of before had not sent', async () => {
		const heard: string[] = [];
		let isReached = false;
		const here = machine((path, body) => {
			if (!isReached) return undefined;
			if (path.endsWith('/nonce')) return NONCE;
			heard.push(body);
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
		const parts = { device: { identity }, store, signer, clock: () => 0, page: here.page };
		const { leaveBehind } = deviceWays(parts);
		expect(await leaveBehind?.()).toBe(false);
		isReached = true;
		expect(await leaveBehind?.()).toBe(true);
		expect(heard).toHaveLength(1);
		expect(heard[0]).toContain('"code":"B"');
		expect(heard[0]).toContain(JSON.stringify(text));
		expect(await leaveBehind?.()).toBe(true);
		expect(heard).toHaveLength(1);
		const held = await old?.read(['journal'], (rows) => rows.get('journal', 1));
		expect(held?.refused).toBe('withOwner');
	});
});
