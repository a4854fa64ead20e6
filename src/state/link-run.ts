import { only, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import type { DocumentsHost, Random } from '#storage/documents-host.ts';
import type { Hello } from '#sync/frames.ts';
import type { FactText } from './arrived-fact.ts';
import { createCareful, type Careful } from './careful.ts';
import type { Changes } from './changes.ts';
import type { DocumentLink, DocumentLinkEvents } from './document-link.ts';
import { createFeedPull, type FeedPull } from './feed-pull.ts';
import type { LinkedDevice } from './linked-device.ts';
import { heldMeta } from './meta.ts';
import { oneAtATime, type OneAtATime } from './one-at-a-time.ts';
import type { RelayHttp } from './relay-http.ts';
import type { CreateProvider } from './relay-provider.ts';

/** Why the link stopped; only `unknown` goes by without a person. */
export type LinkHalt =
	/** Another device uses this one's numbers: a restored backup or a copied profile. */
	| 'fork'
	/** The device was removed: what it did not send goes to the owner another way. */
	| 'rights'
	/** The relay knows no such device, as one that was restored from before it joined: it is asked again. */
	| 'unknown';

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

/** One document's line, and when it is tried again. */
export interface Line {
	readonly link: DocumentLink;
	isOnline: boolean;
	/** When it was last asked for, by this device's own clock, ms. */
	askedAt: number;
	attempt: number;
	cancelRetry: (() => void) | undefined;
}

/** What moves while the link runs. */
export interface LinkRun {
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
	/** Facts that were kept apart though nothing was taken around them, by id. */
	readonly doubted: Set<string>;
	/** Documents that are left alone for a while, and how often each was. */
	readonly paused: Set<string>;
	readonly pauses: Map<string, number>;
	/** What came in and is not taken in yet; a list may be of more facts than a call has arguments. */
	readonly arrivals: (readonly FactText[])[];
	/** What a line tells, and what becomes of it. */
	readonly events: (name: string) => DocumentLinkEvents;
	/** One piece of work at a time, in the order in which it came. */
	readonly inTurn: OneAtATime;
	/** The same, with nobody waiting. */
	later(work: () => Promise<void>): void;
	isRunning: boolean;
	isPulling: boolean;
	isCarrying: boolean;
	isFilling: boolean;
	/** The epoch whose backup is being looked through; 0 while none is. */
	pruning: number;
	/** How to take back what waits, by what it is. */
	readonly slots: Map<Slot, () => void>;
	carryAttempt: number;
	/** When what was kept apart was let out again, by this device's own clock, ms. */
	triedAt: number;
	/** Whether what is open must be looked through, though nothing was marked. */
	mustArrange: boolean;
	/** The last own number of before the start, or that was put into a document since; at first unknown. */
	lastPut: number | undefined;
	/** The days that the relay called too far ahead, and for which its time was asked anew. */
	readonly askedClock: Set<string>;
	/** The documents whose last hello was too long on its way to go by its time, and was asked for anew. */
	readonly lateHellos: Set<string>;
	/** The relay's last hello, once it was heard. */
	greeting: Hello | undefined;
	/** Of the relay's database; 0 before its first hello. */
	epoch: number;
	/** Documents whose line greeted with an epoch before the one that was entered: another is asked for. */
	readonly olderHellos: Set<string>;
	/** The last number of the feed that was told of. */
	told: number;
	/** How far this device's clock is behind the relay's, by the last greeting, kept or not; ms. */
	offset: number | undefined;
	feedAttempt: number;
	cancels: (() => void)[];
	cancelRollOver: (() => void) | undefined;
	/** The oldest own fact that waits, while it is looked after. */
	watched: number | undefined;
	/** The own fact for which a line was begun anew, and its document not yet. */
	toldAgain: number | undefined;
	cancelWatch: (() => void) | undefined;
}

/** Work that waits at most once: who puts it off anew puts it off, and adds no second. */
type Slot = 'carry' | 'fill' | 'known' | 'prune' | 'pull';

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 30_000;

export function createLinkRun(
	parts: RelayLinkParts,
	say: LinkRun['say'],
	eventsOf: (run: LinkRun, name: string) => DocumentLinkEvents
): LinkRun {
	const inTurn = oneAtATime();
	const run: LinkRun = {
		parts,
		feed: createFeedPull(parts),
		say,
		events: (name) => eventsOf(run, name),
		lines: new Map(),
		reopenings: new Map(),
		careful: createCareful(),
		doubted: new Set(),
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
		pruning: 0,
		slots: new Map(),
		carryAttempt: 0,
		triedAt: 0,
		mustArrange: false,
		lastPut: undefined,
		askedClock: new Set(),
		lateHellos: new Set(),
		greeting: undefined,
		epoch: 0,
		olderHellos: new Set(),
		told: 0,
		offset: undefined,
		feedAttempt: 0,
		cancels: [],
		cancelRollOver: undefined,
		watched: undefined,
		toldAgain: undefined,
		cancelWatch: undefined
	};
	return run;
}

export function canRun({ isRunning, parts, say }: LinkRun): boolean {
	return isRunning && parts.device.identity.claimed && say.read().halted === undefined;
}

export function showState(run: LinkRun): void {
	const lines = [...run.lines.values()];
	const isConnecting = lines.some(({ cancelRetry }) => cancelRetry === undefined);
	const reach = isConnecting ? 'connecting' : 'offline';
	const state = lines.some(({ isOnline }) => isOnline) ? 'online' : reach;
	const isJoined = run.parts.device.identity.claimed;
	run.say.change({ state: isJoined ? state : 'notJoined' });
}

/** By the last greeting, though a full disk may have kept it from being written down. */
export async function correctedNow({ parts, offset: heard }: LinkRun): Promise<number> {
	const offset = heard ?? (await heldMeta(parts.store, 'offset'));
	return parts.clock() + (offset ?? 0);
}

export async function lastWritten({ parts }: LinkRun): Promise<number> {
	const sequence = await heldMeta(parts.store, 'sequence');
	return sequence?.n ?? 0;
}

/** Own facts that the relay has not got and did not refuse, in their order. */
export async function waitingRows({ parts }: LinkRun): Promise<readonly JournalRow[]> {
	const unsent = await parts.store.read(['journal'], (rows) =>
		rows.find('journal', only('sent', 0))
	);
	return unsent.filter(({ refused }) => refused === undefined);
}

export function backoffMs(attempt: number, random: Random): number {
	const most = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt, 10));
	return random(most + 1);
}

/** LINK-17. Tries again what a full disk, or a fault that passes, kept from being done. */
export function insist(run: LinkRun, work: () => Promise<void>, attempt = 0): void {
	run.later(() => atLast(run, work, attempt));
}

/** The same for work whose turn it is: it fails now, and is tried again behind all that waits. */
export async function atLast(run: LinkRun, work: () => Promise<void>, attempt = 0): Promise<void> {
	try {
		await work();
	} catch (fault) {
		again(run, backoffMs(attempt, run.parts.random), () => {
			insist(run, work, attempt + 1);
		});
		throw fault;
	}
}

export function once(
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

export function again(run: LinkRun, ms: number, work: () => void): void {
	const cancel = run.parts.timers.after(ms, () => {
		run.cancels = run.cancels.filter((other) => other !== cancel);
		if (canRun(run)) work();
	});
	run.cancels.push(cancel);
}
