import type { Nack } from '#sync/frames.ts';
import { afterNack, type NackReason } from '#sync/nack-reason.ts';
import { keepRefused, moveUnsent, tryRefusedAgain } from './have.ts';
import { arrange, beginAnew, beginLine, closeLine, count, halt } from './link-lines.ts';
import {
	again,
	atLast,
	correctedNow,
	insist,
	showState,
	waitingRows,
	type Line,
	type LinkRun
} from './link-run.ts';
import { openDocuments } from './linked-device.ts';

const REOPENINGS_MAX = 3;
const PAUSE_MS_MIN = 60_000;
const PAUSE_MS_MAX = 1_800_000;
/** What is sold meanwhile waits as well, and may be what tells the relay's fault from a fact's. */
const SUSPECT_MS_MAX = 300_000;

/**
 * What is refused in words stays here, shown. The relay took nothing of the update that it stood in,
 * so the honest rest goes out again under a fresh client id.
 */
export async function takeNack(
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
	else if (thens.has('later')) await leave(run, name, refused);
}

/**
 * LINK-27. What waits of one's own is told again in this document, later. What somebody else wrote is
 * handed in beside it, so the document goes on without it.
 */
async function leave(run: LinkRun, name: string, refused: Nack['refused']): Promise<void> {
	const own = `${run.parts.device.identity.code}-`;
	const times = (run.reopenings.get(name) ?? 0) + 1;
	if (times > REOPENINGS_MAX || refused.some(([id]) => id.startsWith(own))) {
		await pause(run, name);
		return;
	}
	run.reopenings.set(name, times);
	run.careful.forget(name);
	await beginAnew(run, name);
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
	await atLast(run, async () => {
		await moveUnsent(store, { from: name, to: today });
		await arrange(run);
		run.lines.get(today)?.link.append(await waitingRows(run));
	});
	return true;
}

/**
 * The day is today's by this device, so its clock was moved since the relay last told the time: a new
 * line tells it. False where it was asked for that day already.
 */
async function askClock(run: LinkRun, name: string): Promise<boolean> {
	if (run.askedClock.has(name)) return false;
	run.askedClock.add(name);
	await beginLine(run, name);
	return true;
}

/**
 * Ends a document here and begins it anew with what is unsent. Where that is refused again and again,
 * and not even a fact of it is named, its facts go out a few at a time.
 */
export async function reopen(
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
	if (blame.of === 'fact') await refuseOne(run, blame, reason);
	if (blame.of === 'relay') await pause(run, name, SUSPECT_MS_MAX);
	await beginAnew(run, name);
}

/** The next few of the documents in which something is refused that nobody named. */
export async function putCareful(run: LinkRun, taken: ReadonlySet<string>): Promise<void> {
	const names = [...run.lines.keys(), ...run.paused].filter((name) => run.careful.isAbout(name));
	for (const name of names) {
		const waiting = (await waitingRows(run)).filter(({ document }) => document === name);
		if (taken.has(name)) run.careful.look(name, waiting);
		else if (taken.size > 0) run.careful.lookElsewhere(name, waiting);
		run.lines.get(name)?.link.append(waiting);
	}
}

/** LINK-28. Something was taken: what was kept apart with nothing around it may have been the relay's fault. */
export async function freeDoubted(run: LinkRun): Promise<void> {
	const ids = [...run.doubted];
	run.doubted.clear();
	if ((await tryRefusedAgain(run.parts.store, ids)) > 0) run.parts.changes.tell(['journal']);
}

async function refuseOne(
	run: LinkRun,
	{ n, isSure }: { readonly n: number; readonly isSure: boolean },
	reason: NackReason
): Promise<void> {
	const row = await run.parts.store.read(['journal'], (rows) => rows.get('journal', n));
	if (row === undefined) return;
	if (!isSure) run.doubted.add(row.id);
	await keepRefused(run.parts.store, [[row.id, reason]]);
	run.parts.changes.tell(['journal']);
	await count(run);
}

/** LINK-18. Leaves a document alone for a while, each time for longer, until something gets through. */
export async function pause(run: LinkRun, name: string, longest = PAUSE_MS_MAX): Promise<void> {
	const times = run.pauses.get(name) ?? 0;
	run.pauses.set(name, times + 1);
	run.paused.add(name);
	await closeLine(run, name);
	showState(run);
	const most = Math.min(longest, PAUSE_MS_MIN * 2 ** Math.min(times, 10));
	again(run, most / 2 + run.parts.random(Math.floor(most / 2) + 1), () => {
		run.paused.delete(name);
		insist(run, () => arrange(run));
	});
}
