import { CLOSE } from '#sync/close-code.ts';
import type { Have, Hello } from '#sync/frames.ts';
import type { StoreReader } from '#storage/device-store.ts';
import type { DocumentLinkEvents } from './document-link.ts';
import { carryAgain, enterEpoch } from './enter-epoch.ts';
import { markSent, tryRefusedAgain, unmarkRest, unmarkSent } from './have.ts';
import { carry, pullFeed, tellFeed } from './link-feed.ts';
import {
	arrange,
	begin,
	beginLine,
	closeLines,
	connect,
	count,
	halt,
	putNew,
	putWaiting,
	retry
} from './link-lines.ts';
import { pruneJournal } from './link-prune.ts';
import { askWhetherKnown, lookForRights } from './link-rights.ts';
import { freeDoubted, pause, putCareful, reopen, takeNack } from './link-refusals.ts';
import {
	again,
	atLast,
	backoffMs,
	canRun,
	createLinkRun,
	insist,
	lastWritten,
	showState,
	type LinkRun,
	type LinkStatus,
	type RelayLinkParts
} from './link-run.ts';
import { heldMeta, readMeta, writeMeta } from './meta.ts';

export { backoffMs } from './link-run.ts';
export type { LinkHalt, LinkStatus, RelayLinkParts, Timers } from './link-run.ts';

export interface RelayLink {
	readonly status: LinkStatus;
	/** Calls on every change of `status`. Returns the way to stop. */
	on(told: (status: LinkStatus) => void): () => void;
	/** Goes on the network. Waits for a claim where the relay does not know the business yet. */
	start(): Promise<void>;
	/** Leaves the network, and closes what is open. May be started again. */
	stop(): Promise<void>;
	/** The network came back, or the page is looked at again: tries now. */
	wake(): void;
}

/** Below it the difference of two clocks is the way of the message. */
const CLOCK_STEP_MS = 2_000;
/** What was refused for a reason that may have passed is tried again after as long, when a line is new. */
const TRY_AGAIN_MS = 3_600_000;

/** A greeting that took longer says nothing of the clock: the page slept over it, or the clock was moved. */
const GREETING_MS_MAX = 60_000;

/** Makes the link of a device to its relay; it does nothing until it is started. */
export function createRelayLink(parts: RelayLinkParts): RelayLink {
	const listeners = new Set<(status: LinkStatus) => void>();
	let status: LinkStatus = {
		state: parts.device.identity.claimed ? 'offline' : 'notJoined',
		unsent: 0,
		feedBehind: 0,
		lastContactAt: undefined,
		clockOffMs: undefined,
		refused: [],
		halted: undefined
	};
	const say = {
		read: (): LinkStatus => status,
		change: (moved: Partial<LinkStatus>): void => {
			status = { ...status, ...moved };
			for (const listener of [...listeners]) listener(status);
		}
	};
	const run = createLinkRun(parts, say, eventsOf);
	return {
		get status() {
			return status;
		},
		on: (told) => {
			listeners.add(told);
			return () => {
				listeners.delete(told);
			};
		},
		start: () => start(run),
		stop: () => stop(run),
		wake: () => {
			wake(run);
		}
	};
}

async function start(run: LinkRun): Promise<void> {
	if (run.isRunning) return;
	run.isRunning = true;
	// A person who starts it again has had a look at why it stopped.
	run.reopenings.clear();
	run.paused.clear();
	run.say.change({ halted: undefined });
	run.askedClock.clear();
	run.lastPut = undefined;
	run.cancels.push(
		run.parts.changes.on((tables) => {
			if (tables.includes('journal')) run.later(() => putNew(run));
			// Who stands behind a ledger may be known again, and so who signed what was left.
			if (tables.includes('links')) carry(run);
			if (tables.includes('meta') && run.lines.size === 0) run.later(() => begin(run));
		})
	);
	// Whatever of it a full disk keeps from being done is tried again.
	const first = async (): Promise<void> => {
		// Before that: what is written meanwhile is new, and all else may be at the relay.
		run.lastPut ??= await lastWritten(run);
		await tryApart(run);
		await begin(run);
	};
	try {
		await run.inTurn(first);
	} catch (fault) {
		again(run, backoffMs(0, run.parts.random), () => {
			insist(run, first);
		});
		throw fault;
	}
}

/** LINK-22. What could not be taken then may be now: the relay's program is another, or this one's is. */
async function tryApart(run: LinkRun): Promise<void> {
	run.triedAt = run.parts.clock();
	await carryAgain(run.parts.store);
	if ((await tryRefusedAgain(run.parts.store)) > 0) run.parts.changes.tell(['journal']);
}

async function stop(run: LinkRun): Promise<void> {
	run.isRunning = false;
	for (const cancel of run.cancels.splice(0)) cancel();
	for (const cancel of run.slots.values()) cancel();
	run.slots.clear();
	run.pruning = 0;
	await run.inTurn(() => closeLines(run));
	showState(run);
}

function wake(run: LinkRun): void {
	for (const line of run.lines.values()) {
		if (line.cancelRetry === undefined) continue;
		line.cancelRetry();
		line.cancelRetry = undefined;
		line.attempt = 0;
		connect(run, line);
	}
	run.later(() => askWhetherKnown(run));
	if (run.told > 0 && run.isRunning) pullFeed(run);
	if (run.isRunning) putUnheard(run);
	showState(run);
}

function eventsOf(run: LinkRun, name: string): DocumentLinkEvents {
	return {
		hello: (hello) => {
			// Looked at now: a turn of work may take seconds, and they are not the clock's fault.
			const off = hello.now - run.parts.clock();
			if (isLate(run, name, off)) return;
			// The feed of another epoch has numbers of its own, which may be lower.
			if (run.greeting?.epoch !== hello.epoch) run.told = 0;
			run.greeting = hello;
			// Goes by it at once: a full disk may keep it from being written down for long.
			if (run.parts.correctsClock !== false && isOffBy(off, run.offset)) run.offset = off;
			hear(run, name);
			insist(run, async () => {
				// A later line's words count more.
				if (run.greeting === hello) await greet(run, name, { hello, off });
			});
		},
		have: (have) => {
			hear(run, name);
			run.later(() => takeHave(run, have));
		},
		nack: (nack) => {
			hear(run, name);
			const line = run.lines.get(name);
			insist(run, () => takeNack(run, { name, line }, nack));
		},
		feed: ({ s }) => {
			hear(run, name);
			tellFeed(run, s);
		},
		arrived: (facts) => {
			run.arrivals.push(facts);
			if (run.arrivals.length === 1) run.later(() => takeArrivals(run));
		},
		forked: () => {
			run.later(() => halt(run, 'fork'));
		},
		closed: (code) => {
			run.later(() => takeClose(run, name, code));
		}
	};
}

/**
 * LINK-9. Whether a greeting would move the clock and was long on its way: a new line asks for another.
 */
function isLate(run: LinkRun, name: string, off: number): boolean {
	const { clock, correctsClock } = run.parts;
	const line = run.lines.get(name);
	const tookMs = line === undefined ? 0 : Math.abs(clock() - line.askedAt);
	const isToMove = correctsClock !== false && isOffBy(off, run.offset);
	// The second in a row counts in any case: a line may always be as slow.
	const isSecond = run.lateHellos.delete(name);
	if (isSecond || !isToMove || tookMs <= GREETING_MS_MAX) return false;
	run.lateHellos.add(name);
	run.later(async () => {
		if (canRun(run) && run.lines.get(name) === line) await beginLine(run, name);
	});
	return true;
}

/** Keeps how far this device's clock is off, by the greeting; answers whether that is new. */
async function correct(run: LinkRun, off: number): Promise<boolean> {
	const { store, correctsClock } = run.parts;
	const known = (await heldMeta(store, 'offset')) ?? 0;
	const isOff = correctsClock !== false && isOffBy(off, known);
	if (isOff) await store.write(['meta'], (rows) => writeMeta(rows, 'offset', off));
	run.offset = isOff ? off : known;
	return isOff;
}

function isOffBy(off: number, known: number | undefined): boolean {
	return known === undefined || Math.abs(off - known) >= CLOCK_STEP_MS;
}

/** The relay spoke: the line is up, whatever the browser says of the network. */
function hear(run: LinkRun, name: string): void {
	const line = run.lines.get(name);
	if (line !== undefined) {
		line.isOnline = true;
		line.attempt = 0;
	}
	run.say.change({ lastContactAt: run.parts.clock() + (run.offset ?? 0) });
	showState(run);
}

/** What the relay says first: its clock, its epoch, and how far the feed has come. */
async function greet(
	run: LinkRun,
	name: string,
	{ hello, off }: { readonly hello: Hello; readonly off: number }
): Promise<void> {
	const { epoch, now, s } = hello;
	const { store } = run.parts;
	const before = await store.read(['meta'], epochOf);
	// LINK-42. The second in a row counts in any case, for a relay's clock may err.
	const isSecond = run.olderHellos.delete(name);
	if (!isSecond && isOfBefore(epoch, before)) {
		await askAgain(run, name);
		return;
	}
	const isNewEpoch = before !== undefined && before !== epoch;
	// What this database was not heard to have is unsent again, until its have says otherwise. Before
	// the epoch is entered: a kill between the two would leave sent what nobody has.
	if (isNewEpoch) await unmarkSent(store);
	const isOff = await correct(run, off);
	const isEntered = await store.write(['meta', 'journal'], async (rows) => {
		// Another tab may have entered the next one meanwhile.
		if (!isSecond && isOfBefore(epoch, await epochOf(rows))) return false;
		if (isNewEpoch) await unmarkRest(rows);
		await writeMeta(rows, 'contactAt', now);
		await writeMeta(rows, 'epoch', epoch);
		if (isNewEpoch) await enterEpoch(rows, hello);
		return true;
	});
	if (!isEntered) {
		await askAgain(run, name);
		return;
	}
	// Which days lost something is known when the first ranges were heard, not before. By another
	// clock another day may be today.
	run.mustArrange ||= isNewEpoch || isOff;
	run.epoch = epoch;
	run.say.change({ clockOffMs: off });
	tellFeed(run, s);
	if (hello.backup !== undefined) pruneJournal(run, epoch);
	if (Math.abs(run.parts.clock() - run.triedAt) >= TRY_AGAIN_MS) await tryApart(run);
	carry(run);
	putUnheard(run);
}

/** A book whose first numbers came without a line heard of an epoch before its first greeting. */
async function epochOf(rows: StoreReader): Promise<number | undefined> {
	return (await readMeta(rows, 'epoch')) ?? (await readMeta(rows, 'feed'))?.epoch;
}

/** Epochs rise. */
function isOfBefore(epoch: number, known: number | undefined): boolean {
	return known !== undefined && epoch < known;
}

async function askAgain(run: LinkRun, name: string): Promise<void> {
	if (!canRun(run) || !run.lines.has(name)) return;
	await beginLine(run, name);
	// Not before: tried again after a fault, this one would be the second.
	run.olderHellos.add(name);
}

/** LINK-29. Another tab may have died between its write and the word of it. */
function putUnheard(run: LinkRun): void {
	run.later(() => putWaiting(run));
}

async function takeHave(run: LinkRun, have: Have): Promise<void> {
	if (have.epoch !== run.epoch) return;
	const outcome = await markSent(run.parts.store, have);
	if (outcome.kind === 'fork') {
		await halt(run, 'fork');
		return;
	}
	if (outcome.documents.size === 0 && !run.mustArrange) return;
	run.mustArrange = false;
	// What gets through in one document says nothing of another, which may be closed again and again.
	for (const name of outcome.documents) {
		run.reopenings.delete(name);
		run.pauses.delete(name);
	}
	if (outcome.documents.size > 0 && run.doubted.size > 0) await freeDoubted(run);
	run.parts.changes.tell(['journal']);
	await count(run);
	await atLast(run, () => arrange(run));
	await putCareful(run, outcome.documents);
}

async function takeArrivals(run: LinkRun): Promise<void> {
	const facts = run.arrivals.splice(0).flat();
	await run.parts.device.receive(facts);
}

async function takeClose(run: LinkRun, name: string, code: number): Promise<void> {
	const line = run.lines.get(name);
	if (line === undefined || !canRun(run)) return;
	line.isOnline = false;
	switch (code) {
		case CLOSE.fork:
			await halt(run, 'fork');
			return;
		case CLOSE.rights:
			if ((await lookForRights(run)) !== false) await pause(run, name);
			return;
		case CLOSE.forgery:
			await reopen(run, name, { isNews: false });
			return;
		case CLOSE.tooLarge:
			await reopen(run, name, { isNews: false, reason: 'updateTooLarge' });
			return;
		case CLOSE.ticket:
			run.parts.http.forgetToken();
			retry(run, line);
			return;
		default:
			retry(run, line);
	}
}
