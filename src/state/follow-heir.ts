import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { deleteStore } from '#storage/delete-store.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { DocumentsHost } from '#storage/documents-host.ts';
import type { Changes } from './changes.ts';
import { isOldBookSpent } from './heir.ts';
import { leaveLate, type LateApi } from './late-facts.ts';
import { readMeta } from './meta.ts';
import type { RelayRefusal } from './relay-http.ts';
import { backoffMs, type RelayLink, type RelayLinkParts } from './relay-link.ts';

/** How a device, or a customer's phone, gets an heir. */
export interface HeirWays {
	/** Makes the heir's book and makes it the current one. */
	make(): Promise<'done' | RelayRefusal>;
	/** Takes over what was written in the book before since then; answers how many facts. */
	carryOver(old: DeviceStore): Promise<number>;
	/** Where a device leaves to its owner what it had not sent when it was removed; a phone has none. */
	readonly late?: LateApi;
}

export interface FollowHeirParts extends Pick<RelayLinkParts, 'timers' | 'random' | 'onFault'> {
	readonly ways: HeirWays;
	readonly store: DeviceStore;
	readonly changes: Changes;
	readonly clock: () => number;
	/** Opens the documents of the book that was before, to remove what was kept of them. */
	readonly documentsOf: (heir: string | undefined) => DocumentsHost;
}

/** A database is kept as long after it was taken over, for a tab that nobody looked at since. */
const OLD_BOOK_MS = 86_400_000;
const RELOAD_LOOK_MS = 1_000;
const RELOAD_LOOKS_MAX = 60;

/**
 * Makes a line that goes on by itself where this book's numbers turn out to be used by two: its heir's
 * book is made and the page is loaded anew in it. What is left of a book before is taken in first.
 */
export function followHeir(link: RelayLink, parts: FollowHeirParts): RelayLink {
	const { store, changes, onFault } = parts;
	let isTaking = false;
	let isLeaving = false;
	link.on(({ halted, unsent }) => {
		if (halted === 'fork' && !isTaking) {
			isTaking = true;
			take(parts, 0);
		}
		if (halted === 'rights' && unsent > 0 && !isLeaving) {
			isLeaving = true;
			leave(parts, 0, () => {
				isLeaving = false;
			});
		}
	});
	changes.on((tables) => {
		if (!tables.includes('meta')) return;
		store
			.read(['meta'], (rows) => readMeta(rows, 'heir'))
			.then((heir) => {
				if (heir?.code !== undefined) reloadWhenIdle(parts, RELOAD_LOOKS_MAX);
			}, onFault);
	});
	return {
		get status() {
			return link.status;
		},
		on: (told) => link.on(told),
		start: async () => {
			await takeIn(parts);
			await link.start();
		},
		stop: () => link.stop(),
		wake: () => {
			link.wake();
		}
	};
}

/** Tries until the relay was reached; where the device is let in no more, what it wrote stays here. */
function take(parts: FollowHeirParts, attempt: number): void {
	const { ways, changes, timers, random, onFault } = parts;
	ways.make().then((outcome) => {
		if (outcome === 'unreachable')
			timers.after(backoffMs(attempt, random), () => {
				take(parts, attempt + 1);
			});
		if (outcome === 'done') changes.tell(['meta']);
	}, onFault);
}

/** What a removed device had not sent goes to its owner, as often as it takes to reach the relay. */
function leave(parts: FollowHeirParts, attempt: number, over: () => void): void {
	const { ways, store, changes, timers, random, onFault } = parts;
	if (ways.late === undefined) return;
	leaveLate(store, ways.late).then((left) => {
		changes.tell(['journal']);
		if (left.ok) over();
		else if (left.error === 'unreachable')
			timers.after(backoffMs(attempt, random), () => {
				leave(parts, attempt + 1, over);
			});
	}, onFault);
}

/** Not under a hand that is typing; what is sold until then is taken over by the new page. */
function reloadWhenIdle(parts: FollowHeirParts, looksLeft: number): void {
	const isTyping = document.activeElement?.matches('input, textarea, select') === true;
	if (!isTyping || looksLeft === 0) {
		location.reload();
		return;
	}
	parts.timers.after(RELOAD_LOOK_MS, () => {
		reloadWhenIdle(parts, looksLeft - 1);
	});
}

/** Takes in what was written in the book before, and removes that book once all of it has arrived. */
async function takeIn(parts: FollowHeirParts): Promise<void> {
	const { ways, store, changes, clock } = parts;
	const inheritance = await store.read(['meta'], (rows) => readMeta(rows, 'inheritance'));
	if (inheritance === undefined) return;
	const old = createDexieDeviceStore(inheritance.book);
	try {
		const carried = await ways.carryOver(old);
		if (carried > 0) changes.tell(['journal', 'facts', 'stock', 'days', 'records', 'balances']);
		const isOld = Math.abs(clock() - inheritance.at) > OLD_BOOK_MS;
		if (!isOld || !(await isOldBookSpent(old, store))) return;
		await removeOldBook(parts, old, inheritance.book);
	} finally {
		old.close();
	}
}

async function removeOldBook(
	{ store, documentsOf }: FollowHeirParts,
	old: DeviceStore,
	name: string
): Promise<void> {
	const { documents, inheritance } = await old.read(['meta'], async (rows) => ({
		documents: (await readMeta(rows, 'documents')) ?? [],
		inheritance: await readMeta(rows, 'inheritance')
	}));
	// That book may have been an heir's itself: then its documents stood under its own code.
	const code = (await store.read(['meta'], (rows) => readMeta(rows, 'inheritance')))?.code;
	const host = documentsOf(inheritance === undefined ? undefined : code);
	for (const document of documents) await host.drop(document);
	old.close();
	await deleteStore(name);
	await store.write(['meta'], (rows) => rows.remove('meta', ['inheritance']));
}
