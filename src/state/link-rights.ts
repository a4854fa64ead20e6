import { begin, halt } from './link-lines.ts';
import { atLast, type LinkRun } from './link-run.ts';

/** Between two questions of a device that the relay does not know. */
const ASK_MS_MIN = 30_000;
const ASK_MS_MAX = 3_600_000;

/**
 * Stops where this device is let in no more, and says why. A document may be closed to it, or all of
 * them: only its key tells which. Answers whether it is let in; undefined where nobody says.
 */
export async function lookForRights(run: LinkRun, attempt = 0): Promise<boolean | undefined> {
	const standing = await run.parts.http.standing();
	if (!run.isRunning || standing.ok) return standing.ok;
	if (standing.error === 'unreachable') return undefined;
	if (standing.error === 'unknown') {
		const lastContactAt = run.parts.clock() + (run.offset ?? 0);
		run.say.change({ halted: 'unknown', lastContactAt });
		askLater(run, attempt);
	}
	await halt(run, standing.error === 'unknown' ? 'unknown' : 'rights');
	return false;
}

/**
 * LINK-34. The relay may know this device again: it was restored from a copy of before, or is about to
 * be. What was written meanwhile goes out then.
 */
export async function askWhetherKnown(run: LinkRun, attempt = 0): Promise<void> {
	if (!run.isRunning || run.say.read().halted !== 'unknown') return;
	// First: whatever faults, it is asked again.
	askLater(run, attempt);
	if ((await lookForRights(run, attempt)) !== true) return;
	run.slots.get('known')?.();
	run.slots.delete('known');
	run.say.change({ halted: undefined });
	forgetWaiting(run);
	await atLast(run, () => begin(run));
}

/** What was to be done after a while is done while a line may run alone, and that while may be over. */
function forgetWaiting(run: LinkRun): void {
	run.paused.clear();
	run.pruning = 0;
}

function askLater(run: LinkRun, attempt: number): void {
	const most = Math.min(ASK_MS_MAX, ASK_MS_MIN * 2 ** Math.min(attempt, 10));
	run.slots.get('known')?.();
	const cancel = run.parts.timers.after(most / 2 + run.parts.random(most / 2 + 1), () => {
		run.slots.delete('known');
		run.later(() => askWhetherKnown(run, attempt + 1));
	});
	run.slots.set('known', cancel);
}
