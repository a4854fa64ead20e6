import type { DeviceStore } from '#storage/device-store.ts';
import type { DocumentsHost } from '#storage/documents-host.ts';
import type { Changes } from './changes.ts';
import { isBookOf } from './database-name.ts';
import { tryRefusedAgain } from './have.ts';
import { endOldBook, isOldBookSpent } from './heir.ts';
import { leaveLate, WITH_OWNER, type LateApi } from './late-facts.ts';
import { heldMeta, readMeta, writeMeta, type Inheritance } from './meta.ts';
import type { PageParts } from './page-parts.ts';
import type { RelayRefusal } from './relay-http.ts';
import {
	backoffMs,
	type LinkHalt,
	type LinkStatus,
	type RelayLink,
	type RelayLinkParts
} from './relay-link.ts';

/** How a device, or a customer's phone, gets an heir. */
export interface HeirWays {
	/** Makes the heir's book, whole, and notes its code in this one. */
	make(): Promise<'done' | RelayRefusal>;
	/** Makes the heir's book the one that a page opens, where this one is; it takes no relay. */
	enter(code: string): Promise<void>;
	/**
	 * HEIR-11. Takes the place of the device before once more, for a relay that was restored may have
	 * forgotten that it did. False where this device has none, or gets none by the same code.
	 */
	readonly retake?: () => Promise<boolean | 'unreachable'>;
	/** Takes over what was done in this book since its heir's was made, just before that one is shown. */
	readonly takeAlong?: (code: string) => Promise<void>;
	/** Takes over what was written in the book before since then; answers how many facts. */
	carryOver(old: DeviceStore): Promise<number>;
	/** Where a device leaves to its owner what it had not sent when it was removed; a phone has none. */
	readonly late?: LateApi;
	/**
	 * Leaves to the owner what is unsent in the book of the device that this one was until its access was
	 * ended. False where the relay was not reached.
	 */
	readonly leaveBehind?: () => Promise<boolean>;
}

export interface FollowHeirParts extends Pick<RelayLinkParts, 'timers' | 'random' | 'onFault'> {
	readonly ways: HeirWays;
	readonly page: Pick<PageParts, 'openStore' | 'removeStore' | 'isTyping' | 'reload'>;
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
 * book is made and the page is loaded anew in it. Where the device is let in no more, it stops for want
 * of rights, and what it had not sent goes to its owner. What is left of a book before is taken in
 * beside the line. Whatever of it faults is told, and tried again.
 */
export function followHeir(link: RelayLink, parts: FollowHeirParts): RelayLink {
	const run: FollowRun = {
		...{ link, parts, listeners: new Set(), turn: 0 },
		...{ ...BEGINNING, isGoing: false, whyNone: undefined }
	};
	link.on(() => {
		look(run);
	});
	parts.changes.on((tables) => {
		if (tables.includes('meta')) findHeir(run).catch(parts.onFault);
	});
	return {
		get status() {
			return statusOf(run);
		},
		on: (told) => {
			run.listeners.add(told);
			return () => {
				run.listeners.delete(told);
			};
		},
		start: () => start(run),
		stop: () => stop(run),
		wake: () => {
			link.wake();
		}
	};
}

/** What a turn begins with. */
const BEGINNING = {
	isOn: false,
	isTaking: false,
	isLeaving: false,
	hasLeft: false,
	isFreeing: false,
	isRetaking: false,
	unknownAt: undefined,
	out: undefined
};

interface FollowRun {
	readonly link: RelayLink;
	readonly parts: FollowHeirParts;
	readonly listeners: Set<(status: LinkStatus) => void>;
	/** Moves with each stop: what was begun before it goes no further. */
	turn: number;
	/** A tab that was told to stop does nothing about what its line still says. */
	isOn: boolean;
	isTaking: boolean;
	isLeaving: boolean;
	/** What waits with the owner was left in this turn, though it had been before. */
	hasLeft: boolean;
	isFreeing: boolean;
	isRetaking: boolean;
	/** When the relay last said that it does not know this device, and the place before was asked for. */
	unknownAt: number | undefined;
	/** The heir's book is whole, and this page is about to end. */
	isGoing: boolean;
	/** What this tab noted of it in its book in this turn: another tab may have led meanwhile. */
	out: Out | 'in' | undefined;
	/** Why the relay gave this device no heir: its access was ended, or it does not know it. */
	whyNone: LinkHalt | undefined;
}

/** Under which name it is noted that the relay lets this device in no more. */
type Out = 'removedAt' | 'unknownAt';
const OUTS: readonly Out[] = ['removedAt', 'unknownAt'];

function statusOf({ link, whyNone }: FollowRun): LinkStatus {
	const { status } = link;
	return status.halted === 'fork' ? { ...status, halted: whyNone ?? 'fork' } : status;
}

function look(run: FollowRun): void {
	const status = statusOf(run);
	for (const told of [...run.listeners]) told(status);
	if (run.isOn) act(run, status);
}

function act(run: FollowRun, status: LinkStatus): void {
	if (status.halted === 'fork' && !run.isTaking) take(run);
	if (status.halted === 'rights') shutOut(run, status);
	if (status.halted === 'unknown') waitToBeKnown(run, status);
	if (status.halted === undefined && status.state === 'online') letIn(run, status);
}

function shutOut(run: FollowRun, status: LinkStatus): void {
	noteWhether(run, 'removedAt');
	// Once a turn though nothing waits: what was sent may have been forgotten since.
	if ((status.unsent > 0 || !run.hasLeft) && !run.isLeaving) leave(run);
}

/** Nothing goes to its owner, who knows of no removal; as often as the relay says so, its place is asked for. */
function waitToBeKnown(run: FollowRun, { lastContactAt = 0 }: LinkStatus): void {
	if (run.isRetaking || run.unknownAt === lastContactAt) return;
	run.unknownAt = lastContactAt;
	retake(run);
}

function letIn(run: FollowRun, status: LinkStatus): void {
	noteWhether(run, 'in');
	// Whatever became of that: where it is taken out once more, what waits then is left.
	run.isLeaving = false;
	const left = leftIn(status);
	if (left.length > 0 && !run.isFreeing) free(run, left);
}

/** What waits with the owner. */
function leftIn({ refused }: LinkStatus): readonly string[] {
	return refused.filter(({ reason }) => reason === WITH_OWNER).map(({ id }) => id);
}

/** HEIR-9. The line waits for nothing of the book before. */
async function start(run: FollowRun): Promise<void> {
	const { link, parts } = run;
	run.isOn = true;
	run.whyNone = undefined;
	const isStill = inThisTurn(run);
	// Killed after its heir's book was whole: that is the one to work in, with or without a relay.
	if (await findHeir(run).catch(told(parts))) return;
	if (!isStill()) return;
	insist(parts, { work: () => takeIn(run), isWanted: isStill });
	const { leaveBehind } = parts.ways;
	if (leaveBehind !== undefined) insist(parts, { work: leaveBehind, isWanted: isStill });
	await link.start();
}

async function stop(run: FollowRun): Promise<void> {
	run.turn += 1;
	Object.assign(run, BEGINNING);
	await run.link.stop();
}

function inThisTurn(run: FollowRun): () => boolean {
	const { turn } = run;
	return () => run.turn === turn;
}

function told({ onFault }: FollowHeirParts): (fault: unknown) => false {
	return (fault) => {
		onFault(fault);
		return false;
	};
}

interface Insisting {
	/** False: not done, and to be tried again. */
	readonly work: () => Promise<boolean>;
	readonly isWanted: () => boolean;
}

/** Tries until it is done. A fault is told, and tried again as a relay is that nobody reaches. */
function insist(parts: FollowHeirParts, insisting: Insisting, attempt = 0): void {
	const { work, isWanted } = insisting;
	void work()
		.catch(told(parts))
		.then((isDone) => {
			if (isDone || !isWanted()) return;
			parts.timers.after(backoffMs(attempt, parts.random), () => {
				if (isWanted()) insist(parts, insisting, attempt + 1);
			});
		});
}

/** Makes the heir's book; where the device is let in no more, what it wrote goes to its owner. */
function take(run: FollowRun): void {
	const { ways, changes } = run.parts;
	const isStill = inThisTurn(run);
	run.isTaking = true;
	insist(run.parts, {
		isWanted: isStill,
		work: async () => {
			const outcome = await ways.make();
			if (outcome === 'done') {
				changes.tell(['meta']);
				return findHeir(run);
			}
			const whyNone = outcome === 'refused' ? 'rights' : 'unknown';
			if (outcome !== 'unreachable' && run.whyNone !== whyNone && isStill()) {
				run.whyNone = whyNone;
				look(run);
			}
			return outcome === 'refused';
		}
	});
}

/** Shut out though nobody removed it: an heir that a restored relay forgot is let in again. */
function retake(run: FollowRun): void {
	const { link, parts } = run;
	const again = parts.ways.retake ?? (() => Promise.resolve(false));
	const isStill = inThisTurn(run);
	run.isRetaking = true;
	insist(parts, {
		isWanted: isStill,
		work: async () => {
			const isBack = await again();
			if (isBack === 'unreachable') return false;
			if (!isStill()) return true;
			run.isRetaking = false;
			if (isBack) await restart(link, isStill);
			else if (link.status.halted === 'unknown') noteWhether(run, 'unknownAt');
			return true;
		}
	});
}

async function restart(link: RelayLink, isStill: () => boolean): Promise<void> {
	await link.stop();
	if (isStill()) await link.start();
}

/** What a removed device had not sent goes to its owner, as often as it takes to reach the relay. */
function leave(run: FollowRun): void {
	const { link } = run;
	const { ways, store, changes } = run.parts;
	const { late } = ways;
	if (late === undefined) return;
	const isStill = inThisTurn(run);
	run.isLeaving = true;
	insist(run.parts, {
		isWanted: isStill,
		work: async () => {
			const left = await leaveLate(store, late, { again: !run.hasLeft });
			changes.tell(['journal']);
			if (left.ok && isStill()) {
				run.isLeaving = false;
				run.hasLeft = true;
			}
			// A relay that was restored knows of no removal: it may let this device in.
			if (!left.ok && left.error === 'unknown' && isStill()) await restart(link, isStill);
			return left.ok || left.error !== 'unreachable';
		}
	});
}

/** JOIN-1, JOIN-2. A device that is let in no more is not one of the shop's: it may be invited again. */
function noteWhether(run: FollowRun, out: Out | 'in'): void {
	const { store, clock, onFault } = run.parts;
	if (run.out === out) return;
	run.out = out;
	store
		.write(['meta'], async (rows) => {
			for (const name of OUTS) {
				const held = await readMeta(rows, name);
				if (name === out && held === undefined) await writeMeta(rows, name, clock());
				if (name !== out && held !== undefined) await rows.remove('meta', [name]);
			}
		})
		.catch((fault: unknown) => {
			run.out = undefined;
			onFault(fault);
		});
}

/** LATE-3. It is let in again: a restored relay knows of no removal, nor of what it left. */
function free(run: FollowRun, ids: readonly string[]): void {
	const { store, changes } = run.parts;
	run.isFreeing = true;
	insist(run.parts, {
		isWanted: inThisTurn(run),
		work: async () => {
			await tryRefusedAgain(store, ids);
			changes.tell(['journal']);
			run.isFreeing = false;
			return true;
		}
	});
}

/** Goes over into the heir's book where there is one. */
async function findHeir(run: FollowRun): Promise<boolean> {
	const { store, ways } = run.parts;
	const heir = await heldMeta(store, 'heir');
	const code = heir?.code;
	if (code === undefined) return false;
	if (run.isGoing) return true;
	run.isGoing = true;
	insist(run.parts, {
		isWanted: () => true,
		work: async () => {
			// First, or the page would come back to this book, and load itself anew after every act.
			await ways.enter(code);
			reloadWhenIdle(run.parts, code, RELOAD_LOOKS_MAX);
			return true;
		}
	});
	return true;
}

/** Not under a hand that is typing; what is sold until then goes along. */
function reloadWhenIdle(parts: FollowHeirParts, code: string, looksLeft: number): void {
	const { page, timers, ways } = parts;
	if (page.isTyping() && looksLeft > 0) {
		timers.after(RELOAD_LOOK_MS, () => {
			reloadWhenIdle(parts, code, looksLeft - 1);
		});
	} else if (ways.takeAlong === undefined) page.reload();
	else void ways.takeAlong(code).catch(told(parts)).finally(page.reload);
}

/** Takes in what was written in the book before, and removes that book once all of it has arrived. */
async function takeIn({ parts }: FollowRun): Promise<boolean> {
	const { ways, store, changes, clock, page } = parts;
	const { inheritance, offset } = await store.read(['meta'], async (rows) => ({
		inheritance: await readMeta(rows, 'inheritance'),
		offset: (await readMeta(rows, 'offset')) ?? 0
	}));
	if (inheritance === undefined) return true;
	const old = page.openStore(inheritance.book);
	try {
		const carried = await ways.carryOver(old);
		if (carried > 0) changes.tell(['journal', 'facts', 'stock', 'days', 'records', 'balances']);
		const isOld = Math.abs(clock() + offset - inheritance.at) > OLD_BOOK_MS;
		if (isOld && (await isOldBookSpent(old, store))) await removeOldBook(parts, old, inheritance);
	} finally {
		old.close();
	}
	return true;
}

async function removeOldBook(
	{ store, documentsOf, page }: FollowHeirParts,
	old: DeviceStore,
	{ book, code }: Inheritance
): Promise<void> {
	const { documents, isThere } = await old.read(['meta'], async (rows) => ({
		documents: await readMeta(rows, 'documents'),
		isThere: (await rows.count('meta')) > 0
	}));
	// That book may have been an heir's itself: then its documents stood under its own code.
	const host = documentsOf(isBookOf(book, code) ? code : undefined);
	for (const document of documents ?? []) await host.drop(document);
	// A tab that held one of them open may have woken, and have written since it was looked at. What is
	// not there was removed before, and that was cut off before it was noted.
	if (isThere && !(await endOldBook(old, store))) return;
	old.close();
	await page.removeStore(book);
	await store.write(['meta'], (rows) => rows.remove('meta', ['inheritance']));
}
