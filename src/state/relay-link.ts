import { groupBy } from '#domain/group-by.ts';
import type { Have, Hello, Nack } from '#sync/frames.ts';
import { CLOSE } from '#sync/close-code.ts';
import { afterNack, type NackReason } from '#sync/nack-reason.ts';
import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import type { DocumentsHost, Random } from '#storage/documents-host.ts';
import type { CarryOutcome } from './carry.ts';
import type { Changes } from './changes.ts';
import { openDocumentLink, type DocumentLink, type DocumentLinkEvents } from './document-link.ts';
import { carryAgain, enterEpoch, isToCarry } from './enter-epoch.ts';
import { createFeedPull, type FeedPull } from './feed-pull.ts';
import { createCareful, type Careful } from './careful.ts';
import { keepRefused, markSent, moveUnsent, tryRefusedAgain, unmarkSent } from './have.ts';
import { openDocuments, type LinkedDevice } from './linked-device.ts';
import { readMeta, writeMeta, type FeedPlace } from './meta.ts';
import type { FactText } from './arrived-fact.ts';
import type { JournalPrune } from './prune-journal.ts';
import type { RelayHttp, RelayRefusal } from './relay-http.ts';
import type { CreateProvider } from './relay-provider.ts';

/** Why the link stopped, until a person does something about it. */
export type LinkHalt =
	/** Another device uses this one's numbers: a restored backup or a copied profile. */
	| 'fork'
	/** The device was removed: what it did not send goes to the owner another way. */
	| 'rights';

/** How things stand between this device and the relay; the last real round trip says it. */
export interface LinkStatus {
	readonly state: 'offline' | 'connecting' | 'online' | 'notJoined';
	/** Own facts that the relay's database has not got. */
	readonly unsent: number;
	/** Numbers of the feed that were told of and did not come yet. */
	readonly feedBehind: number;
	/** By this device's corrected clock, ms. */
	readonly lastContactAt: number | undefined;
	/** How far this device's clock is behind the relay's, ms; undefined until it was asked. */
	readonly clockOffMs: number | undefined;
	readonly refused: readonly { readonly id: string; readonly reason: string }[];
	readonly halted: LinkHalt | undefined;
}

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

/** Timers handed in, so that a replay may have its own. */
export interface Timers {
	/** Calls `work` once after `ms`; the answer takes it back. */
	after(ms: number, work: () => void): () => void;
}

export interface RelayLinkParts {
	readonly device: LinkedDevice;
	readonly store: DeviceStore;
	readonly changes: Changes;
	readonly documents: DocumentsHost;
	readonly createProvider: CreateProvider;
	readonly http: RelayHttp;
	/** This device's own clock, ms. */
	readonly clock: () => number;
	readonly timers: Timers;
	readonly random: Random;
	/** Takes the fault of work that nobody awaits. */
	readonly onFault: (fault: unknown) => void;
	/** Whether the relay's clock corrects this device's; a replay's clocks are right. */
	readonly correctsClock?: boolean;
}

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 30_000;
const DAY_MS = 86_400_000;
/** Below it the difference of two clocks is the way of the message. */
const CLOCK_STEP_MS = 2_000;
const IDLE_MS = 2_000;
/** A breath between two blocks of the journal. */
const PRUNE_STEP_MS = 500;
/** A line that is up and leaves something unsent for as long is begun anew. */
const STUCK_MS = 30_000;
/** Beyond every text of an index. */
const TEXT_END = '\uffff';
const REOPENINGS_MAX = 3;
const PAUSE_MS_MIN = 60_000;
const PAUSE_MS_MAX = 1_800_000;
/** What is sold meanwhile waits as well, and may be what tells the relay's fault from a fact's. */
const SUSPECT_MS_MAX = 300_000;
/** What was refused for a reason that may have passed is tried again after as long, when a line is new. */
const TRY_AGAIN_MS = 3_600_000;
/** Longer than a host waits before it asks for a database to be removed, so that what is opened then is new. */
const DROP_MS_MAX = 10_000;

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
	const run = createLinkRun(parts, {
		read: () => status,
		change: (moved) => {
			status = { ...status, ...moved };
			for (const listener of [...listeners]) listener(status);
		}
	});
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
	run.cancels.push(
		run.parts.changes.on((tables) => {
			if (tables.includes('journal')) run.later(() => putNew(run));
			if (tables.includes('meta') && run.lines.size === 0) run.later(() => begin(run));
		})
	);
	// Whatever of it a full disk keeps from being done is tried again.
	const first = async (): Promise<void> => {
		await carryAgain(run.parts.store);
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
		line.link.connect();
	}
	if (run.told > 0 && run.isRunning) pullFeed(run);
	showState(run);
}

/** Opens what is to be open; nothing of a business that the relay does not know. */
async function begin(run: LinkRun): Promise<void> {
	const { store, device } = run.parts;
	if (!canRun(run)) {
		run.say.change({ state: device.identity.claimed ? 'offline' : 'notJoined' });
		await count(run);
		return;
	}
	if (run.lines.size > 0) return;
	const sequence = await store.read(['meta'], (rows) => readMeta(rows, 'sequence'));
	run.lastPut = sequence?.n ?? 0;
	await arrange(run);
	await count(run);
}

function canRun({ isRunning, parts, say }: LinkRun): boolean {
	return isRunning && parts.device.identity.claimed && say.read().halted === undefined;
}

/** Opens what is open today and each that holds something unsent; ends and removes all others. */
async function arrange(run: LinkRun): Promise<void> {
	if (!canRun(run)) return;
	const { store } = run.parts;
	const wanted = await wantedDocuments(run);
	const kept = await store.read(['meta'], (rows) => readMeta(rows, 'documents'));
	const open = new Set([...(kept ?? []), ...run.lines.keys()]);
	// Named before it is made, so that a database that a crash leaves behind is found again.
	const isNamed = [...wanted].every((name) => kept?.includes(name) === true);
	if (!isNamed) await keepNames(store, new Set([...open, ...wanted]));
	for (const name of wanted) await openLine(run, name);
	const over = [...open].filter((name) => !wanted.has(name));
	for (const name of over) {
		await closeLine(run, name);
		removeLater(run, name);
	}
	rollOver(run);
	showState(run);
}

/**
 * Removes what is kept of a document that is over. Nobody waits: a frozen tab may hold it open, and
 * then it is removed when that tab is gone.
 */
function removeLater(run: LinkRun, name: string): void {
	const { documents, store, onFault } = run.parts;
	documents.drop(name).then(() => {
		run.later(async () => {
			if (run.lines.has(name)) return;
			const kept = await store.read(['meta'], (rows) => readMeta(rows, 'documents'));
			await keepNames(store, new Set(kept?.filter((other) => other !== name)));
		});
	}, onFault);
}

async function keepNames(store: DeviceStore, names: ReadonlySet<string>): Promise<void> {
	await store.write(['meta'], (rows) => writeMeta(rows, 'documents', [...names]));
}

async function wantedDocuments(run: LinkRun): Promise<ReadonlySet<string>> {
	const now = await correctedNow(run);
	const unsent = await unsentRows(run);
	const waiting = unsent.filter(({ refused }) => refused === undefined);
	const open = openDocuments(run.parts.device, now);
	const wanted = new Set([...open, ...waiting.map((row) => row.document)]);
	return new Set([...wanted].filter((name) => !run.paused.has(name)));
}

/** At the next UTC midnight of the corrected clock other documents are open. */
function rollOver(run: LinkRun): void {
	run.cancelRollOver?.();
	run.cancelRollOver = undefined;
	void correctedNow(run).then((now) => {
		if (!canRun(run)) return;
		run.cancelRollOver?.();
		run.cancelRollOver = run.parts.timers.after(DAY_MS - (now % DAY_MS), () => {
			run.later(() => arrange(run));
		});
	}, run.parts.onFault);
}

async function correctedNow({ parts }: LinkRun): Promise<number> {
	const offset = await parts.store.read(['meta'], (rows) => readMeta(rows, 'offset'));
	return parts.clock() + (offset ?? 0);
}

async function openLine(run: LinkRun, name: string): Promise<Line> {
	const known = run.lines.get(name);
	if (known !== undefined) return known;
	const { parts } = run;
	const own = `${parts.device.identity.code}-`;
	const link = await openDocumentLink(
		name,
		{
			...parts,
			isOwn: (id) => id.startsWith(own),
			pick: (rows) => run.careful.pick(name, rows)
		},
		eventsOf(run, name)
	);
	const line: Line = { link, isOnline: false, attempt: 0, cancelRetry: undefined };
	run.lines.set(name, line);
	link.connect();
	return line;
}

async function closeLine(run: LinkRun, name: string): Promise<void> {
	const line = run.lines.get(name);
	if (line === undefined) return;
	run.lines.delete(name);
	line.cancelRetry?.();
	await line.link.close();
}

async function closeLines(run: LinkRun): Promise<void> {
	run.cancelRollOver?.();
	run.cancelRollOver = undefined;
	watchOver(run, undefined);
	for (const name of [...run.lines.keys()]) await closeLine(run, name);
}

function eventsOf(run: LinkRun, name: string): DocumentLinkEvents {
	return {
		hello: (hello) => {
			hear(run, name);
			// Looked at now: a turn of work may take seconds, and they are not the clock's fault.
			const off = hello.now - run.parts.clock();
			run.greeting = hello;
			insist(run, async () => {
				// A later line's words count more.
				if (run.greeting === hello) await greet(run, hello, off);
			});
		},
		have: (have) => {
			hear(run, name);
			run.later(() => takeHave(run, have));
		},
		nack: (nack) => {
			hear(run, name);
			const line = run.lines.get(name);
			run.later(() => takeNack(run, { name, line }, nack));
		},
		feed: ({ s }) => {
			hear(run, name);
			tellFeed(run, s);
		},
		arrived: (facts) => {
			run.arrivals.push(...facts);
			if (run.arrivals.length === facts.length) run.later(() => takeArrivals(run));
		},
		forked: () => {
			run.later(() => halt(run, 'fork'));
		},
		closed: (code) => {
			run.later(() => takeClose(run, name, code));
		}
	};
}

/** The relay spoke: the line is up, whatever the browser says of the network. */
function hear(run: LinkRun, name: string): void {
	const line = run.lines.get(name);
	if (line !== undefined) {
		line.isOnline = true;
		line.attempt = 0;
	}
	run.say.change({ lastContactAt: run.parts.clock() + run.offset });
	showState(run);
}

/** What the relay says first: its clock, its epoch, and how far the feed has come. */
async function greet(run: LinkRun, hello: Hello, off: number): Promise<void> {
	const { epoch, now, s } = hello;
	const { store, correctsClock } = run.parts;
	const before = await store.read(['meta'], (rows) => readMeta(rows, 'epoch'));
	const isNewEpoch = before !== undefined && before !== epoch;
	// What this database was not heard to have is unsent again, until its have says otherwise. Before
	// the epoch is entered: a kill between the two would leave sent what nobody has.
	if (isNewEpoch) await unmarkSent(store);
	const offset = await store.write(['meta'], async (rows) => {
		const known = (await readMeta(rows, 'offset')) ?? 0;
		const isOff = correctsClock !== false && Math.abs(off - known) >= CLOCK_STEP_MS;
		if (isOff) await writeMeta(rows, 'offset', off);
		await writeMeta(rows, 'contactAt', now);
		await writeMeta(rows, 'epoch', epoch);
		if (isNewEpoch) await enterEpoch(rows, hello);
		return isOff ? off : known;
	});
	run.offset = offset;
	// Which days lost something is known when the first ranges were heard, not before.
	run.mustArrange ||= isNewEpoch;
	// The feed of another epoch has numbers of its own, which may be lower.
	if (run.epoch !== epoch) run.told = 0;
	run.epoch = epoch;
	run.say.change({ clockOffMs: off });
	tellFeed(run, s);
	carry(run);
	if (hello.backup !== undefined) pruneJournal(run, epoch);
	if (isNewEpoch) await count(run);
	if (Math.abs(run.parts.clock() - run.triedAt) >= TRY_AGAIN_MS) await tryApart(run);
}

/** DEVICE-47. What a verified backup holds leaves the journal when nothing else is to be done. */
function pruneJournal(run: LinkRun, epoch: number): void {
	if (run.pruning === epoch) return;
	run.pruning = epoch;
	const { device, onFault } = run.parts;
	let prune: JournalPrune | undefined;
	const step = async (): Promise<void> => {
		if (run.pruning !== epoch) return;
		if (prune === undefined) {
			const { createJournalPrune } = await import('./prune-journal.ts');
			prune = createJournalPrune(run.parts, epoch);
		}
		if ('quiet' in device) await device.quiet();
		const outcome = await prune.step();
		if (outcome === 'over') run.pruning = 0;
		else later(outcome === 'busy' ? STUCK_MS : PRUNE_STEP_MS);
	};
	const later = (ms: number): void => {
		again(run, ms, () => {
			step().catch((fault: unknown) => {
				run.pruning = 0;
				onFault(fault);
			});
		});
	};
	later(IDLE_MS);
}

/** Rare, and so read when it is needed. */
async function carryLacking({ parts }: LinkRun, epoch: number): Promise<CarryOutcome> {
	const place = await parts.store.read(['meta'], (rows) => readMeta(rows, 'carry'));
	if (!isToCarry(place, epoch)) return 'done';
	const { carryFacts } = await import('./carry.ts');
	return carryFacts(parts, epoch);
}

/** One pass at a time, beside everything else; what stops it is tried again. */
function carry(run: LinkRun): void {
	if (run.isCarrying || !canRun(run) || run.epoch === 0) return;
	run.isCarrying = true;
	const { epoch } = run;
	void carryLacking(run, epoch).then(
		(outcome) => {
			run.isCarrying = false;
			if (outcome === 'refused') return;
			if (outcome === 'done' && epoch === run.epoch) run.carryAttempt = 0;
			else carryLater(run);
		},
		(fault: unknown) => {
			run.isCarrying = false;
			run.parts.onFault(fault);
			carryLater(run);
		}
	);
}

function carryLater(run: LinkRun): void {
	once(run, 'carry', {
		ms: backoffMs(run.carryAttempt, run.parts.random),
		work: () => {
			carry(run);
		}
	});
	run.carryAttempt += 1;
}

async function takeHave(run: LinkRun, { epoch, ranges }: Have): Promise<void> {
	if (epoch !== run.epoch) return;
	const outcome = await markSent(run.parts.store, ranges);
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
	run.parts.changes.tell(['journal']);
	await count(run);
	await arrange(run);
	await putCareful(run, outcome.documents);
}

/** The next few of the documents in which something is refused that nobody named. */
async function putCareful(run: LinkRun, taken: ReadonlySet<string>): Promise<void> {
	const names = [...run.lines.keys(), ...run.paused].filter((name) => run.careful.isAbout(name));
	for (const name of names) {
		const unsent = await unsentRows(run);
		const waiting = unsent.filter(
			({ document, refused }) => document === name && refused === undefined
		);
		if (taken.has(name)) run.careful.look(name, waiting);
		else if (taken.size > 0) run.careful.lookElsewhere(name, waiting);
		run.lines.get(name)?.link.append(waiting);
	}
}

/**
 * What is refused in words stays here, shown. The relay took nothing of the update that it stood in,
 * so the honest rest goes out again under a fresh client id.
 */
async function takeNack(
	run: LinkRun,
	{ name, line }: { readonly name: string; readonly line: Line | undefined },
	{ refused }: Nack
): Promise<void> {
	const thens = new Set(refused.map(([, reason]) => afterNack(reason)));
	if (thens.has('dayAhead')) {
		if ((await bringBack(run, name)) || (await askClock(run, name))) return;
	}
	if (thens.has('fork')) {
		await halt(run, 'fork');
		return;
	}
	const final = refused.filter(([, reason]) => isAgainstFact(reason));
	const marked = await keepRefused(run.parts.store, final);
	if (marked > 0) run.parts.changes.tell(['journal']);
	await count(run);
	// What was told on a line that is closed by now was answered when it was closed.
	if (run.lines.get(name) !== line) return;
	if (final.length > 0) await reopen(run, name, { isNews: marked > 0 });
	else if (thens.has('oneOfThem')) await suspect(run, name, 'fault');
	else if (thens.has('later')) await pause(run, name);
}

/** A day too far ahead too, once it was not the clock's fault. */
function isAgainstFact(reason: string): boolean {
	const then = afterNack(reason);
	return then === 'apart' || then === 'dayAhead';
}

/**
 * Written while this device's clock was far ahead: what waits for a day that is not yet goes into
 * today's journal. False where that is the day it was refused for.
 */
async function bringBack(run: LinkRun, name: string): Promise<boolean> {
	const { store, device } = run.parts;
	const [today] = openDocuments(device, await correctedNow(run));
	if (today === name) return false;
	const moved = await moveUnsent(store, { from: name, to: today });
	await arrange(run);
	run.lines.get(today)?.link.append(moved);
	return true;
}

/**
 * The day is today's by this device, so its clock was moved since the relay last told the time: a new
 * line tells it. False where it was asked for that day already.
 */
async function askClock(run: LinkRun, name: string): Promise<boolean> {
	if (run.askedClock.has(name)) return false;
	run.askedClock.add(name);
	await closeLine(run, name);
	await arrange(run);
	return true;
}

/**
 * Ends a document here and begins it anew with what is unsent. Where that is refused again and again,
 * and not even a fact of it is named, its facts go out a few at a time.
 */
async function reopen(
	run: LinkRun,
	name: string,
	{ isNews, reason = 'forgery' }: { readonly isNews: boolean; readonly reason?: NackReason }
): Promise<void> {
	const times = isNews ? 0 : (run.reopenings.get(name) ?? 0) + 1;
	run.reopenings.set(name, times);
	if (times > REOPENINGS_MAX || (!isNews && run.careful.isAbout(name))) {
		await suspect(run, name, reason);
		return;
	}
	run.careful.forget(name);
	await beginAnew(run, name);
}

/**
 * LINK-20, LINK-21. Finds the one fact that is refused without being named, and keeps it apart: the
 * rest goes on. Where all are refused, none is to blame: that may pass, and is not ours to mend.
 */
async function suspect(run: LinkRun, name: string, reason: NackReason): Promise<void> {
	run.reopenings.delete(name);
	if (!run.careful.isAbout(name)) {
		run.careful.begin(name);
		await beginAnew(run, name);
		return;
	}
	const blame = run.careful.refuse(name);
	if (blame.of === 'fact') await refuseOne(run, blame.n, reason);
	if (blame.of === 'relay') await pause(run, name, SUSPECT_MS_MAX);
	await beginAnew(run, name);
}

async function refuseOne(run: LinkRun, n: number, reason: NackReason): Promise<void> {
	const row = await run.parts.store.read(['journal'], (rows) => rows.get('journal', n));
	if (row === undefined) return;
	await keepRefused(run.parts.store, [[row.id, reason]]);
	run.parts.changes.tell(['journal']);
	await count(run);
}

/** A document that is left alone for a while is begun when that is over. */
async function beginAnew(run: LinkRun, name: string): Promise<void> {
	await closeLine(run, name);
	await dropOrGoOn(run, name);
	await arrange(run);
}

/**
 * LINK-25. A frozen tab may hold the document open, and nothing waits for that: it is removed when that
 * tab is gone, and meanwhile the document is as empty as a new one.
 */
function dropOrGoOn({ parts }: LinkRun, name: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const cancel = parts.timers.after(DROP_MS_MAX, resolve);
		parts.documents.drop(name).finally(cancel).then(resolve, reject);
	});
}

/** LINK-18. Leaves a document alone for a while, each time for longer, until something gets through. */
async function pause(run: LinkRun, name: string, longest = PAUSE_MS_MAX): Promise<void> {
	const times = run.pauses.get(name) ?? 0;
	run.pauses.set(name, times + 1);
	run.paused.add(name);
	await closeLine(run, name);
	showState(run);
	const most = Math.min(longest, PAUSE_MS_MIN * 2 ** Math.min(times, 10));
	again(run, most / 2 + run.parts.random(Math.floor(most / 2) + 1), () => {
		run.paused.delete(name);
		run.later(() => arrange(run));
	});
}

async function takeArrivals(run: LinkRun): Promise<void> {
	const facts = run.arrivals.splice(0);
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
			await lookForRights(run, name);
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

/** A document may be closed to this device, or all of them: only its key tells which. */
async function lookForRights(run: LinkRun, name: string): Promise<void> {
	const standing = await run.parts.http.standing();
	if (!standing.ok && standing.error === 'refused') await halt(run, 'rights');
	else await pause(run, name);
}

/** Full jitter: a shop's devices, and a town's, do not come back in one moment. */
function retry(run: LinkRun, line: Line): void {
	line.cancelRetry?.();
	line.cancelRetry = run.parts.timers.after(backoffMs(line.attempt, run.parts.random), () => {
		line.cancelRetry = undefined;
		line.link.connect();
		showState(run);
	});
	line.attempt += 1;
	showState(run);
}

export function backoffMs(attempt: number, random: Random): number {
	const most = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt, 10));
	return random(most + 1);
}

/** Own facts that were written since: into their document at once, which is opened for them. */
async function putNew(run: LinkRun): Promise<void> {
	if (canRun(run)) {
		const rows = await run.parts.store.read(['journal'], (read) =>
			read.find('journal', { from: run.lastPut + 1, to: Number.MAX_SAFE_INTEGER })
		);
		for (const [name, ofName] of groupBy(rows, ({ document }) => document)) {
			if (run.paused.has(name)) continue;
			const line = await openLine(run, name);
			line.link.append(ofName.filter(({ sent }) => sent === 0));
		}
		run.lastPut = rows.at(-1)?.n ?? run.lastPut;
	}
	await count(run);
}

async function unsentRows({ parts }: LinkRun): Promise<readonly JournalRow[]> {
	return parts.store.read(['journal'], (rows) => rows.find('journal', only('sent', 0)));
}

async function count(run: LinkRun): Promise<void> {
	const { unsent, refused, oldest } = await run.parts.store.read(['journal'], async (rows) => {
		const quarantined = await rows.find('journal', { index: 'refused', from: '', to: TEXT_END });
		const first = { ...only('sent', 0), limit: quarantined.length + 1 };
		return {
			unsent: await rows.countIn('journal', only('sent', 0)),
			refused: quarantined,
			oldest: (await rows.find('journal', first)).find((row) => row.refused === undefined)
		};
	});
	watchOver(run, canRun(run) ? oldest : undefined);
	const before = run.say.read().refused;
	run.say.change({
		unsent: unsent - refused.length,
		refused: refused.map(({ id, refused: reason = '' }) => ({ id, reason }))
	});
	const held = new Set<string>(refused.map(({ id }) => id));
	const freed = before.filter(({ id }) => !held.has(id));
	if (freed.length > 0 && canRun(run)) await putFreed(run, new Set(freed.map(({ id }) => id)));
}

/** What somebody lets go out again goes into its document at once. */
async function putFreed(run: LinkRun, ids: ReadonlySet<string>): Promise<void> {
	const freed = (await unsentRows(run)).filter(({ id }) => ids.has(id));
	for (const [name, rows] of groupBy(freed, ({ document }) => document)) {
		if (run.paused.has(name)) continue;
		const line = await openLine(run, name);
		line.link.append(rows);
	}
}

/**
 * Looks again after a while at the oldest fact that waits. A line may be up and yet have lost a
 * message; what begins it anew tells the relay all that it lacks.
 */
function watchOver(run: LinkRun, oldest: JournalRow | undefined): void {
	if (oldest?.n === run.watched) return;
	run.cancelWatch?.();
	run.cancelWatch = undefined;
	run.watched = oldest?.n;
	if (oldest === undefined) return;
	run.cancelWatch = run.parts.timers.after(STUCK_MS, () => {
		run.watched = undefined;
		run.cancelWatch = undefined;
		run.later(() => unstick(run, oldest));
	});
}

async function unstick(run: LinkRun, { n, document }: JournalRow): Promise<void> {
	const row = await run.parts.store.read(['journal'], (rows) => rows.get('journal', n));
	const isStuck = row?.sent === 0 && row.refused === undefined && row.document === document;
	if (canRun(run) && isStuck && run.lines.get(document)?.isOnline === true) {
		await closeLine(run, document);
		await openLine(run, document);
	}
	await count(run);
}

function tellFeed(run: LinkRun, s: number): void {
	run.told = Math.max(run.told, s);
	pullFeed(run);
}

/** One pull at a time; what is told meanwhile is pulled by the next. */
function pullFeed(run: LinkRun): void {
	if (run.isPulling || !canRun(run) || run.epoch === 0) return;
	run.isPulling = true;
	void pull(run).then(
		() => {
			run.isPulling = false;
		},
		(fault: unknown) => {
			run.isPulling = false;
			run.parts.onFault(fault);
			pullLater(run, 'unreachable');
		}
	);
}

async function pull(run: LinkRun): Promise<void> {
	for (;;) {
		const told = { epoch: run.epoch, s: run.told };
		if (!(await isCaughtUp(run, told))) {
			const outcome = await run.feed.pull(told);
			if (!canRun(run)) return;
			if (outcome !== 'caughtUp') {
				pullLater(run, outcome);
				return;
			}
			run.feedAttempt = 0;
		}
		// What the feed's end is, the relay has just said: only news makes another round worth while.
		if (run.epoch === told.epoch && run.told === told.s) break;
	}
	run.say.change({ feedBehind: 0 });
	fillHistory(run);
}

async function isCaughtUp(run: LinkRun, told: FeedPlace): Promise<boolean> {
	const place = await run.feed.place();
	const have = place?.epoch === told.epoch ? place.s : 0;
	run.say.change({ feedBehind: Math.max(0, told.s - have) });
	return place !== undefined && have >= told.s;
}

function pullLater(run: LinkRun, why: RelayRefusal): void {
	if (why === 'refused') {
		run.later(async () => {
			const standing = await run.parts.http.standing();
			if (!standing.ok && standing.error === 'refused') await halt(run, 'rights');
		});
	}
	once(run, 'pull', {
		ms: backoffMs(run.feedAttempt, run.parts.random),
		work: () => {
			pullFeed(run);
		}
	});
	run.feedAttempt += 1;
}

/**
 * LINK-23. What a checkpoint stood for comes when nothing else does, a page at a time: whatever news
 * asks for it meanwhile, nothing is asked for twice.
 */
function fillHistory(run: LinkRun, attempt = 0): void {
	if (run.isFilling || run.slots.has('fill')) return;
	const more = attempt === 0 ? 0 : backoffMs(attempt, run.parts.random);
	once(run, 'fill', {
		ms: IDLE_MS + more,
		work: () => {
			fillPage(run, attempt);
		}
	});
}

function fillPage(run: LinkRun, attempt: number): void {
	run.isFilling = true;
	void run.feed.backfill().then(
		(filled) => {
			run.isFilling = false;
			if (filled !== 'all' && canRun(run)) fillHistory(run, filled === 'some' ? 0 : attempt + 1);
		},
		(fault: unknown) => {
			run.isFilling = false;
			run.parts.onFault(fault);
			if (canRun(run)) fillHistory(run, attempt + 1);
		}
	);
}

/** LINK-17. Tries again what a full disk, or a fault that passes, kept from being done. */
function insist(run: LinkRun, work: () => Promise<void>, attempt = 0): void {
	run.later(async () => {
		try {
			await work();
		} catch (fault) {
			again(run, backoffMs(attempt, run.parts.random), () => {
				insist(run, work, attempt + 1);
			});
			throw fault;
		}
	});
}

/** Work that waits at most once: who puts it off anew puts it off, and adds no second. */
type Slot = 'carry' | 'fill' | 'pull';

function once(
	run: LinkRun,
	slot: Slot,
	{ ms, work }: { readonly ms: number; readonly work: () => void }
): void {
	run.slots.get(slot)?.();
	const cancel = run.parts.timers.after(ms, () => {
		run.slots.delete(slot);
		if (canRun(run)) work();
	});
	run.slots.set(slot, cancel);
}

function again(run: LinkRun, ms: number, work: () => void): void {
	const cancel = run.parts.timers.after(ms, () => {
		run.cancels = run.cancels.filter((other) => other !== cancel);
		if (canRun(run)) work();
	});
	run.cancels.push(cancel);
}

/** Stops, and says why; nothing is lost, and nothing is tried again by itself. */
async function halt(run: LinkRun, why: LinkHalt): Promise<void> {
	run.say.change({ halted: why });
	await closeLines(run);
	showState(run);
}

function showState(run: LinkRun): void {
	const lines = [...run.lines.values()];
	const isConnecting = lines.some(({ cancelRetry }) => cancelRetry === undefined);
	const reach = isConnecting ? 'connecting' : 'offline';
	const state = lines.some(({ isOnline }) => isOnline) ? 'online' : reach;
	const isJoined = run.parts.device.identity.claimed;
	run.say.change({ state: isJoined ? state : 'notJoined' });
}

/** One document's line, and when it is tried again. */
interface Line {
	readonly link: DocumentLink;
	isOnline: boolean;
	attempt: number;
	cancelRetry: (() => void) | undefined;
}

/** What moves while the link runs. */
interface LinkRun {
	readonly parts: RelayLinkParts;
	readonly feed: FeedPull;
	readonly say: {
		read(): LinkStatus;
		change(moved: Partial<LinkStatus>): void;
	};
	readonly lines: Map<string, Line>;
	/** How often a document was begun anew, by its name. */
	readonly reopenings: Map<string, number>;
	readonly careful: Careful;
	/** Documents that are left alone for a while, and how often each was. */
	readonly paused: Set<string>;
	readonly pauses: Map<string, number>;
	readonly arrivals: FactText[];
	/** One piece of work at a time, in the order in which it came. */
	inTurn<T>(work: () => Promise<T>): Promise<T>;
	/** The same, with nobody waiting. */
	later(work: () => Promise<void>): void;
	isRunning: boolean;
	isPulling: boolean;
	isCarrying: boolean;
	isFilling: boolean;
	/** How to take back what waits, by what it is. */
	readonly slots: Map<Slot, () => void>;
	/** The epoch whose backup is being looked through; 0 while none is. */
	pruning: number;
	carryAttempt: number;
	/** When what was kept apart was let out again, by this device's own clock, ms. */
	triedAt: number;
	/** Whether what is open must be looked through, though nothing was marked. */
	mustArrange: boolean;
	/** The last own number that was put into a document by this run. */
	lastPut: number;
	/** The days that the relay called too far ahead, and for which its time was asked anew. */
	readonly askedClock: Set<string>;
	/** The relay's last hello, once it was heard. */
	greeting: Hello | undefined;
	/** Of the relay's database; 0 before its first hello. */
	epoch: number;
	/** The last number of the feed that was told of. */
	told: number;
	offset: number;
	feedAttempt: number;
	cancels: (() => void)[];
	cancelRollOver: (() => void) | undefined;
	/** The oldest own fact that waits, while it is looked after. */
	watched: number | undefined;
	cancelWatch: (() => void) | undefined;
}

function createLinkRun(parts: RelayLinkParts, say: LinkRun['say']): LinkRun {
	let last: Promise<unknown> = Promise.resolve();
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const turn = last.then(work);
		last = turn.catch(() => undefined);
		return turn;
	};
	return {
		parts,
		feed: createFeedPull(parts),
		say,
		lines: new Map(),
		reopenings: new Map(),
		careful: createCareful(),
		paused: new Set(),
		pauses: new Map(),
		arrivals: [],
		inTurn,
		later: (work) => {
			inTurn(work).catch(parts.onFault);
		},
		isRunning: false,
		isPulling: false,
		isCarrying: false,
		isFilling: false,
		slots: new Map(),
		pruning: 0,
		carryAttempt: 0,
		triedAt: 0,
		mustArrange: false,
		lastPut: 0,
		askedClock: new Set(),
		greeting: undefined,
		epoch: 0,
		told: 0,
		offset: 0,
		feedAttempt: 0,
		cancels: [],
		cancelRollOver: undefined,
		watched: undefined,
		cancelWatch: undefined
	};
}
