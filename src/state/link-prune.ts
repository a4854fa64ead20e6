import { once, type LinkRun } from './link-run.ts';
import type { JournalPrune } from './prune-journal.ts';

/** After the greeting, until what a person waits for has come. */
const IDLE_MS = 2_000;
/** A breath between two blocks of the journal. */
const STEP_MS = 500;
/** Until a till that is in use is looked at again. */
const BUSY_MS = 30_000;

/** DEVICE-47. What a verified backup holds leaves the journal when nothing else is to be done. */
export function pruneJournal(run: LinkRun, epoch: number): void {
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
		else later(outcome === 'busy' ? BUSY_MS : STEP_MS);
	};
	const later = (ms: number): void => {
		once(run, 'prune', {
			ms,
			work: () => {
				step().catch((fault: unknown) => {
					run.pruning = 0;
					onFault(fault);
				});
			}
		});
	};
	later(IDLE_MS);
}
