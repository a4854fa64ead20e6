import * as Y from 'yjs';
import { storageFull, TABLES, type DeviceStore, type TableName } from '#storage/device-store.ts';
import { createDocument, type DocumentsHost } from '#storage/documents-host.ts';
import type { Canary } from './canary.ts';
import type { Chance } from './chance.ts';
import { createDisk, type Disk } from './disk-contents.ts';
import type { SimTime } from './time.ts';

const ALL_TABLES = Object.keys(TABLES) as TableName[];

/** Another machine with the same contents: a profile that was copied, or a backup put back. */
export async function copyDisk(disk: Disk): Promise<Disk> {
	const copy = createDisk();
	await copyRows(disk.store, copy.store);
	for (const [name, updates] of disk.documents) copy.documents.set(name, [...updates]);
	return copy;
}

async function copyRows(from: DeviceStore, to: DeviceStore): Promise<void> {
	const held = await from.read(ALL_TABLES, (rows) =>
		Promise.all(ALL_TABLES.map((name) => rows.all(name)))
	);
	await to.write(ALL_TABLES, async (rows) => {
		for (const [at, name] of ALL_TABLES.entries()) await rows.put(name, held[at] as never);
	});
}

/** The process that uses a disk, and how it dies at it. */
export interface DiskUser {
	readonly isDead: () => boolean;
	readonly kill: () => void;
	/** What becomes of the next write of the store. */
	readonly fate: () => 'well' | 'killBefore' | 'killAfter';
}

export interface DiskParts {
	readonly disk: Disk;
	readonly user: DiskUser;
	readonly time: SimTime;
	readonly chance: Chance;
	readonly count: (name: string) => void;
	readonly canary: Canary;
}

/** The store as one process has it: strict, and nothing of it answers a dead process. */
export function storeOf({ disk, user, time, chance, count, canary }: DiskParts): DeviceStore {
	const never = (): Promise<never> => new Promise(() => undefined);
	/** A database takes its time now and then, and something else happens meanwhile. */
	const wait = (): Promise<void> =>
		new Promise((resolve) => {
			if (chance.percent(85)) resolve();
			else time.after(chance.below(4), resolve);
		});
	const answer = async <T>(work: () => Promise<T>): Promise<T> => {
		await wait();
		if (user.isDead()) return never();
		try {
			const done = await work();
			return user.isDead() ? await never() : done;
		} catch (fault) {
			if (user.isDead()) return never();
			throw fault;
		}
	};
	return {
		read: (tables, work) => answer(() => disk.store.read(tables, work)),
		write: (tables, work) =>
			answer(async () => {
				const fate = user.fate();
				let swallowed: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
				await canary.disk?.beforeWrite?.(disk);
				const done = await disk.store
					.write(tables, async (rows) => {
						const worked = await work(rows);
						if (disk.isFull) {
							count('write found no room');
							if (canary.disk?.swallowsAbort === true) swallowed = { value: worked };
							throw storageFull(new Error('the simulated disk is full'));
						}
						if (fate === 'killBefore') {
							user.kill();
							throw new Error('killed before the commit');
						}
						return worked;
					})
					.catch((fault: unknown) => {
						if (swallowed !== undefined) return swallowed.value;
						throw fault;
					});
				if (fate === 'killAfter') user.kill();
				return done;
			}),
		close: () => undefined
	};
}

const FLUSH_MS_MAX = 400;

/**
 * Documents as y-indexeddb keeps them: each update is written a moment later, with nobody told when,
 * and what was not written when the process dies, or while the disk is full, is lost.
 */
export function documentsOf({
	disk,
	user,
	time,
	chance,
	born
}: Omit<DiskParts, 'count' | 'canary'> & {
	/** Hears under which Yjs client a document is opened. */
	readonly born: (client: number) => void;
}): DocumentsHost {
	const open = new Map<string, { readonly doc: Y.Doc; readonly pending: Uint8Array[] }>();
	const flush = (name: string): void => {
		const held = open.get(name);
		if (held === undefined || user.isDead()) return;
		const updates = held.pending.splice(0);
		if (disk.isFull || updates.length === 0) return;
		disk.documents.set(name, [...(disk.documents.get(name) ?? []), ...updates]);
	};
	const end = (name: string): void => {
		open.get(name)?.doc.destroy();
		open.delete(name);
	};
	const wait = (): Promise<void> =>
		new Promise((resolve) => {
			time.after(chance.below(10), () => {
				if (!user.isDead()) resolve();
			});
		});
	return {
		open: async (name) => {
			await wait();
			const held = open.get(name);
			if (held !== undefined) return { name, doc: held.doc };
			const doc = createDocument(chance.below);
			born(doc.clientID);
			for (const update of disk.documents.get(name) ?? []) Y.applyUpdate(doc, update, 'disk');
			const pending: Uint8Array[] = [];
			open.set(name, { doc, pending });
			doc.on('update', (update: Uint8Array, origin: unknown) => {
				if (origin === 'disk') return;
				pending.push(update);
				time.after(chance.below(FLUSH_MS_MAX), () => {
					if (open.get(name)?.doc === doc) flush(name);
				});
			});
			return { name, doc };
		},
		close: async (name) => {
			flush(name);
			end(name);
			await wait();
		},
		drop: async (name) => {
			await wait();
			end(name);
			disk.documents.delete(name);
		}
	};
}
