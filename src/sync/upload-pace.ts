import { cutUpdate, type UpdatePiece } from './cut-update.ts';
import {
	decodeClientFrame,
	EMPTY_UPDATE,
	encodeStep2,
	encodeUpdate,
	type HaveRange
} from './frames.ts';
import { PIECE_BYTES_MAX } from './limits.ts';

/**
 * What one device sends, over all its sockets. A slow line holds no more of it than a few seconds'
 * worth: heartbeats get through beside it, and a cut costs what was on its way and no more.
 */
export interface UploadPace {
	/** A socket that has just been made. What it is given to send goes out by `send`. */
	open(send: (frame: Uint8Array) => void): UploadLane;
}

/** One socket's share. Sockets take their turns in the order in which they were opened. */
export interface UploadLane {
	/** Sends now, or when its turn comes; what is large in pieces. */
	send(frame: Uint8Array): void;
	/** The relay said what it has of this device's facts. */
	have(ranges: readonly HaveRange[]): void;
	/** The relay said what became of something else. */
	answered(): void;
	/** Whether something of it waits for its turn, or went out and may still be answered. */
	isBusy(): boolean;
	/** The socket ended: what waits is not sent. */
	close(): void;
}

export interface UploadPaceParts {
	/** Milliseconds from any beginning. */
	readonly clock: () => number;
	readonly timers: PaceTimers;
	/** The code by which the device's own facts are named; every fact is its own where it says none. */
	readonly code?: (() => string) | undefined;
}

export interface PaceTimers {
	/** Calls `work` once after `ms`; the answer takes it back. */
	after(ms: number, work: () => void): () => void;
}

/**
 * On its way and not answered, over all sockets; between these by how quickly answers come. After a
 * cut one piece at a time, so that a line that lasts for a piece brings something.
 */
const WINDOW_BYTES_MIN = PIECE_BYTES_MAX;
const WINDOW_BYTES_MAX = 32 * PIECE_BYTES_MAX;
/** Answered within the one, the line takes more; not within the other, it has too much. */
const QUICK_MS = 3_000;
const SLOW_MS = 6_000;
/** A relay that answers nothing for so long is not waited for. */
const SILENT_MS = 10_000;
/** What is on its way for so long is not waited for, whatever the relay answers to other sockets. */
const LOST_MS = 30_000;
/** A sale that is being made does not wait for the week before it. */
const SMALL_BYTES_MAX = 4 * 1024;

/** A message, or a piece of one. */
interface Parcel {
	readonly frame: Uint8Array;
	/**
	 * The number of its last own fact: once the relay has it, it has the parcel. Of what others wrote
	 * the relay tells them, and answers the device that it has decided.
	 */
	readonly n: number | undefined;
}

interface Flying extends Parcel {
	readonly sentAt: number;
}

interface Lane {
	readonly send: (frame: Uint8Array) => void;
	readonly waiting: Parcel[];
	readonly flying: Flying[];
}

interface Pace {
	readonly parts: UploadPaceParts;
	readonly lanes: Set<Lane>;
	windowBytes: number;
	answers: number;
	cancelSilence: (() => void) | undefined;
}

/** SYNC-8. */
export function createUploadPace(parts: UploadPaceParts): UploadPace {
	const pace: Pace = {
		parts,
		lanes: new Set(),
		windowBytes: WINDOW_BYTES_MIN,
		answers: 0,
		cancelSilence: undefined
	};
	return {
		open: (send) => {
			const lane: Lane = { send, waiting: [], flying: [] };
			pace.lanes.add(lane);
			return {
				send: (frame) => {
					take(pace, lane, frame);
				},
				have: (ranges) => {
					release(pace, lane, arrivedBy(lane, ranges));
				},
				answered: () => {
					release(pace, lane, lane.flying.length);
				},
				isBusy: () => lane.waiting.length + lane.flying.length > 0,
				close: () => {
					pace.lanes.delete(lane);
					if (lane.flying.length > 0) pace.windowBytes = WINDOW_BYTES_MIN;
					lane.waiting.length = 0;
					lane.flying.length = 0;
					pump(pace);
					rest(pace);
				}
			};
		}
	};
}

function take(pace: Pace, lane: Lane, frame: Uint8Array): void {
	const { lanes } = pace;
	const parcels = parcelsOf(frame, pace.parts.code?.());
	if (!lanes.has(lane)) return;
	if (parcels === undefined) {
		lane.send(frame);
		return;
	}
	if (parcels.isWhole) {
		// It holds all that the relay lacked, and so what was still waiting here.
		lane.waiting.length = 0;
		release(pace, lane, lane.flying.length);
	}
	const [first] = parcels.list;
	const isSmall = parcels.list.length === 1 && frame.byteLength <= SMALL_BYTES_MAX;
	if (first !== undefined && isSmall && lane.waiting.length === 0) fly(pace, lane, first);
	else lane.waiting.push(...parcels.list);
	pump(pace);
}

interface Parcels {
	readonly list: readonly Parcel[];
	/** Whether it is a step 2. */
	readonly isWhole: boolean;
}

/** Undefined where the message moves nothing, and so gets no answer. */
function parcelsOf(frame: Uint8Array, code: string | undefined): Parcels | undefined {
	const read = decodeClientFrame(frame);
	if (read === undefined || !('update' in read)) return undefined;
	if (read.update.byteLength <= EMPTY_UPDATE.byteLength) return undefined;
	const isWhole = read.kind === 'step2';
	const isOwn = (key: string): boolean => code === undefined || key.startsWith(`${code}-`);
	const pieces = cutUpdate(read.update, isOwn);
	const list = pieces.map((piece, at) => ({
		n: numberOf(piece),
		// A step 2 says that this was all, so only its end is one.
		frame:
			isWhole && at === pieces.length - 1 ? encodeStep2(piece.bytes) : encodeUpdate(piece.bytes)
	}));
	return { list, isWhole };
}

function numberOf({ lastKey = '' }: UpdatePiece): number | undefined {
	const digits = /-([0-9]+)$/.exec(lastKey)?.[1];
	return digits === undefined ? undefined : Number(digits);
}

/** Sends what there is room for, the first socket's first. */
function pump(pace: Pace): void {
	for (const lane of pace.lanes) {
		for (let next = lane.waiting[0]; next !== undefined; next = lane.waiting[0]) {
			const flying = bytesFlying(pace);
			if (flying > 0 && flying + next.frame.byteLength > pace.windowBytes) return;
			lane.waiting.shift();
			fly(pace, lane, next);
		}
	}
}

function fly(pace: Pace, lane: Lane, parcel: Parcel): void {
	lane.flying.push({ ...parcel, sentAt: pace.parts.clock() });
	lane.send(parcel.frame);
	watchSilence(pace);
}

function bytesFlying({ lanes }: Pace): number {
	let bytes = 0;
	for (const { flying } of lanes) for (const { frame } of flying) bytes += frame.byteLength;
	return bytes;
}

/**
 * How many of those on their way the relay has decided: it decides in order, so all up to the last
 * whose number it names. Where it names none it took something that brought nothing new.
 */
function arrivedBy({ flying }: Lane, ranges: readonly HaveRange[]): number {
	if (ranges.length === 0) return Math.min(1, flying.length);
	const isIn = ({ n }: Flying): boolean =>
		n !== undefined && ranges.some(([from, to]) => from <= n && n <= to);
	return flying.findLastIndex(isIn) + 1;
}

function release(pace: Pace, lane: Lane, count: number): void {
	const released = lane.flying.splice(0, count);
	const [oldest] = released;
	if (oldest === undefined) return;
	pace.answers += 1;
	adapt(pace, pace.parts.clock() - oldest.sentAt, released);
	pump(pace);
	rest(pace);
}

/** Nothing is on its way: nobody is waited for. */
function rest(pace: Pace): void {
	if (bytesFlying(pace) > 0) return;
	pace.cancelSilence?.();
	pace.cancelSilence = undefined;
}

function adapt(pace: Pace, tookMs: number, released: readonly Flying[]): void {
	if (tookMs < QUICK_MS) {
		const bytes = released.reduce((sum, { frame }) => sum + frame.byteLength, 0);
		pace.windowBytes = Math.min(WINDOW_BYTES_MAX, pace.windowBytes + bytes);
	} else if (tookMs > SLOW_MS) {
		pace.windowBytes = Math.max(WINDOW_BYTES_MIN, Math.floor(pace.windowBytes / 2));
	}
}

/**
 * What is on its way and gets no answer does not hold up the rest for ever: where nothing is answered
 * at all, and also where others are, whose answers would else put that off again and again.
 */
function watchSilence(pace: Pace): void {
	if (pace.cancelSilence !== undefined) return;
	const { answers } = pace;
	pace.cancelSilence = pace.parts.timers.after(SILENT_MS, () => {
		pace.cancelSilence = undefined;
		const lostAt = pace.parts.clock() - (pace.answers === answers ? 0 : LOST_MS);
		for (const { flying } of pace.lanes)
			flying.splice(0, flying.findLastIndex(({ sentAt }) => sentAt <= lostAt) + 1);
		pump(pace);
		if (bytesFlying(pace) > 0) watchSilence(pace);
	});
}
