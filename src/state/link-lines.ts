import { groupBy } from '#domain/group-by.ts';
import { only, TEXT_END, type DeviceStore, type JournalRow } from '#storage/device-store.ts';
import { openDocumentLink } from './document-link.ts';
import {
	atLast,
	backoffMs,
	canRun,
	correctedNow,
	insist,
	lastWritten,
	showState,
	waitingRows,
	type Line,
	type LinkHalt,
	type LinkRun
} from './link-run.ts';
import { openDocuments } from './linked-device.ts';
import { heldMeta, writeMeta } from './meta.ts';

const DAY_MS = 86_400_000;
/** A line that is up and leaves something unsent for as long is begun anew. */
const STUCK_MS = 30_000;
/** Longer than a host waits before it asks for a database to be removed, so that what is opened then is new. */
const DROP_MS_MAX = 10_000;

/** Opens what is to be open; nothing of a business that the relay does not know. */
export async function begin(run: LinkRun): Promise<void> {
	if (!canRun(run)) {
		run.say.change({ state: run.parts.device.identity.claimed ? 'offline' : 'notJoined' });
		await count(run);
		return;
	}
	if (run.lines.size > 0) return;
	run.lastPut = await lastWritten(run);
	await arrange(run);
	await count(run);
}

/** Opens what is open today and each that holds something unsent; ends and removes all others. */
export async function arrange(run: LinkRun): Promise<void> {
	if (!canRun(run)) return;
	const { store } = run.parts;
	const wanted = await wantedDocuments(run);
	const kept = await heldMeta(store, 'documents');
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
			const kept = await heldMeta(store, 'documents');
			await keepNames(store, new Set(kept?.filter((other) => other !== name)));
		});
	}, onFault);
}

async function keepNames(store: DeviceStore, names: ReadonlySet<string>): Promise<void> {
	await store.write(['meta'], (rows) => writeMeta(rows, 'documents', [...names]));
}

async function wantedDocuments(run: LinkRun): Promise<ReadonlySet<string>> {
	const now = await correctedNow(run);
	const waiting = await waitingRows(run);
	const open = openDocuments(run.parts.device, now);
	const wanted = new Set([...open, ...waiting.map((row) => row.document)]);
	return new Set([...wanted].filter((name) => !run.paused.has(name)));
}

/** Closes a line and begins it anew, with what the document holds. */
export async function beginLine(run: LinkRun, name: string): Promise<void> {
	await closeLine(run, name);
	await atLast(run, () => arrange(run));
}

/** At the next UTC midnight of the corrected clock other documents are open. */
function rollOver(run: LinkRun): void {
	run.cancelRollOver?.();
	run.cancelRollOver = undefined;
	void correctedNow(run).then((now) => {
		if (!canRun(run)) return;
		run.cancelRollOver?.();
		run.cancelRollOver = run.parts.timers.after(DAY_MS - (now % DAY_MS), () => {
			insist(run, () => arrange(run));
		});
	}, run.parts.onFault);
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
		run.events(name)
	);
	const line: Line = { link, isOnline: false, askedAt: 0, attempt: 0, cancelRetry: undefined };
	run.lines.set(name, line);
	connect(run, line);
	return line;
}

export function connect({ parts }: LinkRun, line: Line): void {
	line.askedAt = parts.clock();
	line.link.connect();
}

export async function closeLine(run: LinkRun, name: string): Promise<void> {
	const line = run.lines.get(name);
	if (line === undefined) return;
	run.lines.delete(name);
	line.cancelRetry?.();
	await line.link.close();
}

export async function closeLines(run: LinkRun): Promise<void> {
	run.cancelRollOver?.();
	run.cancelRollOver = undefined;
	watchOver(run, undefined);
	for (const name of [...run.lines.keys()]) await closeLine(run, name);
}

/** A document that is left alone for a while is begun when that is over. */
export async function beginAnew(run: LinkRun, name: string): Promise<void> {
	await closeLine(run, name);
	try {
		await dropOrGoOn(run, name);
	} finally {
		await atLast(run, () => arrange(run));
	}
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

/** Stops, and says why; nothing is lost, and nothing is tried again by itself. */
export async function halt(run: LinkRun, why: LinkHalt): Promise<void> {
	run.say.change({ halted: why });
	await closeLines(run);
	showState(run);
}

/** Full jitter: a shop's devices, and a town's, do not come back in one moment. */
export function retry(run: LinkRun, line: Line): void {
	line.cancelRetry?.();
	line.cancelRetry = run.parts.timers.after(backoffMs(line.attempt, run.parts.random), () => {
		line.cancelRetry = undefined;
		connect(run, line);
		showState(run);
	});
	line.attempt += 1;
	showState(run);
}

/** Own facts that were written since: into their document at once, which is opened for them. */
export async function putNew(run: LinkRun): Promise<void> {
	const { lastPut } = run;
	if (canRun(run) && lastPut !== undefined) {
		const rows = await run.parts.store.read(['journal'], (read) =>
			read.find('journal', { from: lastPut + 1, to: Number.MAX_SAFE_INTEGER })
		);
		for (const [name, ofName] of groupBy(rows, ({ document }) => document)) {
			if (run.paused.has(name)) continue;
			const line = await openLine(run, name);
			line.link.append(ofName.filter(({ sent }) => sent === 0));
		}
		run.lastPut = rows.at(-1)?.n ?? lastPut;
	}
	await count(run);
}

/** All own facts that wait: a document that is not open yet is opened for them. */
export async function putWaiting(run: LinkRun): Promise<void> {
	if (canRun(run)) {
		const waiting = await waitingRows(run);
		for (const name of new Set(waiting.map((row) => row.document))) {
			if (run.paused.has(name)) continue;
			const { link } = await openLine(run, name);
			link.putWaiting();
		}
	}
	await count(run);
}

export async function count(run: LinkRun): Promise<void> {
	const { unsent, refused, oldest, last } = await run.parts.store.read(
		['journal'],
		async (rows) => {
			const quarantined = await rows.find('journal', { index: 'refused', from: '', to: TEXT_END });
			const first = { ...only('sent', 0), limit: quarantined.length + 1 };
			const latest = { ...only('sent', 0), isReverse: true, limit: 1 };
			return {
				unsent: await rows.countIn('journal', only('sent', 0)),
				refused: quarantined,
				oldest: (await rows.find('journal', first)).find((row) => row.refused === undefined),
				last: (await rows.find('journal', latest))[0]
			};
		}
	);
	watchOver(run, canRun(run) && oldest !== undefined ? { oldest, last } : undefined);
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
	const freed = (await waitingRows(run)).filter(({ id }) => ids.has(id));
	for (const [name, rows] of groupBy(freed, ({ document }) => document)) {
		if (run.paused.has(name)) continue;
		const line = await openLine(run, name);
		line.link.append(rows);
	}
}

/** What waits: the first of it, and the last that was written. */
interface Waiting {
	readonly oldest: JournalRow;
	readonly last: JournalRow | undefined;
}

/**
 * Looks again after a while at what waits, as long as the oldest of it is the same. A line may be up and
 * yet have lost a message; what begins it anew tells the relay all that it lacks.
 */
function watchOver(run: LinkRun, waiting: Waiting | undefined): void {
	const watched = waiting?.oldest.n;
	if (watched === run.watched) return;
	run.cancelWatch?.();
	run.cancelWatch = undefined;
	run.watched = watched;
	if (waiting === undefined) return;
	const { oldest, last = oldest } = waiting;
	run.cancelWatch = run.parts.timers.after(STUCK_MS, () => {
		run.watched = undefined;
		run.cancelWatch = undefined;
		run.later(() => unstick(run, last.n));
	});
}

async function unstick(run: LinkRun, upTo: number): Promise<void> {
	try {
		const stuck = canRun(run) ? await stuckRow(run, upTo) : undefined;
		if (stuck !== undefined) await tellAgain(run, stuck);
	} finally {
		await count(run);
	}
}

/** The first that waited all the while in a document that is not left alone, and whose line stands. */
async function stuckRow(run: LinkRun, upTo: number): Promise<JournalRow | undefined> {
	const waiting = await waitingRows(run);
	return waiting.find(({ n, document }) => {
		const line = run.lines.get(document);
		// One that is tried again by itself is let be, and so is one over which something takes its time.
		const isIdle = line?.isOnline !== false && line?.link.isBusy() !== true;
		return n <= upTo && isIdle && !run.paused.has(document);
	});
}

/**
 * LINK-15. The second time under a fresh client id: where somebody else wrote under this document's own,
 * the relay has its clock already, and the two would go on agreeing that nothing is lacking.
 */
async function tellAgain(run: LinkRun, { n, document }: JournalRow): Promise<void> {
	const isInVain = run.toldAgain === n && run.lines.has(document);
	run.toldAgain = isInVain ? undefined : n;
	if (isInVain) {
		run.careful.forget(document);
		await beginAnew(run, document);
		return;
	}
	await beginLine(run, document);
}
