import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDocument, createMemoryDocumentsHost, type DocumentsHost } from './documents-host.ts';
import { createIndexeddbDocumentsHost } from './documents-indexeddb.ts';
import { seeded, wide } from '#tests/support/seeded.ts';

function documentsHostContract(name: string, create: () => DocumentsHost): void {
	describe(`documents host: ${name}`, () => {
		const DOCUMENT = 'j/x/y/20261120';
		let host: DocumentsHost;
		beforeEach(() => {
			host = create();
		});

		const write = async (id: string): Promise<void> => {
			const { doc } = await host.open(DOCUMENT);
			doc.getMap('f').set(id, `text of ${id}`);
		};
		const held = async (): Promise<readonly string[]> =>
			[...(await host.open(DOCUMENT)).doc.getMap('f').keys()].sort();

		it('[STORAGE-11] gives one document a name, however often it is opened', async () => {
			const [first, second] = await Promise.all([host.open(DOCUMENT), host.open(DOCUMENT)]);
			expect(first.doc).toBe(second.doc);
		});

		it('[STORAGE-11] keeps a closed document, and nothing of a dropped one', async () => {
			await write('A-1');
			await settled();
			const { doc } = await host.open(DOCUMENT);
			await host.close(DOCUMENT);
			// Whoever passes its updates on hears that it has ended.
			expect(doc.isDestroyed).toBe(true);
			expect(await held()).toEqual(['A-1']);
			await write('A-2');
			await settled();
			await host.close(DOCUMENT);
			expect(await held()).toEqual(['A-1', 'A-2']);
			await host.drop(DOCUMENT);
			expect(await held()).toEqual([]);
		});

		it('[STORAGE-12] draws a new client id of 53 bits for each opening', async () => {
			const ids: number[] = [];
			for (let opening = 0; opening < 8; opening += 1) {
				ids.push((await host.open(DOCUMENT)).doc.clientID);
				await host.close(DOCUMENT);
			}
			expect(new Set(ids).size).toBe(8);
			expect(ids.some((id) => id > 2 ** 32)).toBe(true);
			expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
		});

		it('[STORAGE-11] closes and drops what is not open', async () => {
			await host.close('j/x/y/20261121');
			await host.drop('j/x/y/20261121');
			expect(await held()).toEqual([]);
		});
	});
}

const draw = seeded(7);
const random = wide(draw);

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

documentsHostContract('memory', () => createMemoryDocumentsHost(random));

documentsHostContract('indexeddb', () => {
	vi.stubGlobal('indexedDB', new IDBFactory());
	vi.stubGlobal('IDBKeyRange', IDBKeyRange);
	return createIndexeddbDocumentsHost(random);
});

it('[STORAGE-12] draws an id that is not nought', () => {
	expect(createDocument(() => 0).clientID).toBe(1);
});

it('[STORAGE-11] two books keep documents of one name apart', async () => {
	const NAME = 'j/x/y/20261120';
	vi.stubGlobal('indexedDB', new IDBFactory());
	vi.stubGlobal('IDBKeyRange', IDBKeyRange);
	const [own, heirs] = ['', 'B'].map((book) => createIndexeddbDocumentsHost(random, book));
	if (own === undefined || heirs === undefined) throw new Error('two books');
	(await own.open(NAME)).doc.getMap('f').set('A-1', 'mine');
	await settled();
	await own.close(NAME);
	expect((await heirs.open(NAME)).doc.getMap('f').size).toBe(0);
	await heirs.drop(NAME);
	expect((await own.open(NAME)).doc.getMap('f').size).toBe(1);
	await own.close(NAME);
});

describe('a document that a frozen tab holds open', () => {
	it('[STORAGE-11] is opened as a new one while its removal waits, and closes too', async () => {
		const NAME = 'j/x/y/20261120';
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		vi.stubGlobal('IDBKeyRange', IDBKeyRange);
		const host = createIndexeddbDocumentsHost(random);
		const { doc } = await host.open(NAME);
		doc.getMap('f').set('A-1', 'refused');
		await settled();
		// Another tab, which hears of nothing: it does not close when the database is to go.
		const frozen = await opened(factory, `daftar-document:${NAME}`);
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
		let isRemoved = false;
		const removal = host.drop(NAME).then(() => {
			isRemoved = true;
		});
		await vi.advanceTimersByTimeAsync(8_000);

		const opening = host.open(NAME);
		await vi.advanceTimersByTimeAsync(4_000);
		const anew = await opening;
		expect([...anew.doc.getMap('f').keys()]).toEqual([]);
		anew.doc.getMap('f').set('A-2', 'sent');
		const closing = host.close(NAME);
		await vi.advanceTimersByTimeAsync(4_000);
		await closing;
		expect(isRemoved).toBe(false);

		vi.useRealTimers();
		frozen.close();
		await removal;
		expect([...(await host.open(NAME)).doc.getMap('f').keys()]).toEqual([]);
	});
});

function opened(factory: IDBFactory, name: string): Promise<{ close(): void }> {
	return new Promise((resolve, reject) => {
		const request = factory.open(name);
		request.onsuccess = () => {
			resolve(request.result);
		};
		request.onerror = () => {
			reject(new Error('not opened', { cause: request.error }));
		};
	});
}

/** y-indexeddb says nothing of its writes; a few turns of the loop are enough for the fake. */
function settled(): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, 20);
	});
}
