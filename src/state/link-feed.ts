import type { CarryOutcome } from './carry.ts';
import { isToCarry } from './enter-epoch.ts';
import { lookForRights } from './link-rights.ts';
import { backoffMs, canRun, once, type LinkRun } from './link-run.ts';
import { readMeta, type FeedPlace } from './meta.ts';
import type { RelayRefusal } from './relay-http.ts';

const IDLE_MS = 2_000;

/** News of the feed: what follows is pulled, up to there at the least. */
export function tellFeed(run: LinkRun, s: number): void {
	run.told = Math.max(run.told, s);
	pullFeed(run);
}

/** One pull at a time; what is told meanwhile is pulled by the next. */
export function pullFeed(run: LinkRun): void {
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
	if (why !== 'unreachable') {
		run.later(async () => {
			if (canRun(run)) await lookForRights(run);
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
			// What came may have said that it is to be begun anew.
			if (filled === 'some') pullFeed(run);
			if (filled === 'none' && canRun(run)) fillHistory(run, attempt + 1);
		},
		(fault: unknown) => {
			run.isFilling = false;
			run.parts.onFault(fault);
			if (canRun(run)) fillHistory(run, attempt + 1);
		}
	);
}

/** One pass at a time, beside everything else; what stops it is tried again. */
export function carry(run: LinkRun): void {
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

/** Rare, and so read when it is needed. */
async function carryLacking({ parts }: LinkRun, epoch: number): Promise<CarryOutcome> {
	const { place, apart = [] } = await parts.store.read(['meta'], async (rows) => ({
		place: await readMeta(rows, 'carry'),
		apart: await readMeta(rows, 'apart')
	}));
	if (!isToCarry(place, epoch) && apart.length === 0) return 'done';
	const { carryFacts } = await import('./carry.ts');
	return carryFacts(parts, epoch);
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
