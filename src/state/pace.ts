export interface PaceParts {
	/** ms, of no particular beginning. */
	readonly now: () => number;
	readonly after: (ms: number, work: () => void) => void;
	readonly onFault: (fault: unknown) => void;
}

/** Work that took so long rests four times as long before it is done again, ten seconds at the most. */
const RESTS = 4;
const REST_MS_MAX = 10_000;
/** Until what faulted is done again, though nobody asks for it. */
const AGAIN_MS = 30_000;

/** Asks for work: at once where somebody waits for it, else when it may be done again. */
export type Ask = (how?: 'now') => void;

/**
 * Work that may be asked for at any time, and is done soon after it was asked for last: never two at
 * a time, and in a fifth of the time at the most, so that what is costly does not fill a slow phone
 * while it is asked for again and again. What was quick is done again at once, and what somebody
 * waits for is not put off. PACE-2: what faulted is done again after half a minute, and tells of a fault
 * no more until somebody asks.
 */
export function createPace(work: () => Promise<void>, parts: PaceParts): Ask {
	const { now, after, onFault } = parts;
	let isUnderWay = false;
	let asked: 'now' | 'later' | undefined;
	let restsUntil = -Infinity;
	let turns = 0;

	const begin = (isByItself = false): void => {
		if (isUnderWay || asked === undefined) return;
		isUnderWay = true;
		asked = undefined;
		turns += 1;
		const [from, turn] = [now(), turns];
		work()
			.catch((fault: unknown) => {
				if (!isByItself) onFault(fault);
				after(AGAIN_MS, () => {
					if (turns !== turn) return;
					asked = 'later';
					begin(true);
				});
			})
			.finally(() => {
				const at = now();
				restsUntil = at + Math.min(REST_MS_MAX, RESTS * (at - from));
				isUnderWay = false;
				goOn();
			});
	};
	const goOn = (): void => {
		const left = restsUntil - now();
		if (asked === undefined || isUnderWay) return;
		if (left <= 0 || asked === 'now') begin();
		else after(left, goOn);
	};
	return (how) => {
		const isHeard = asked !== undefined && (asked === 'now' || how !== 'now');
		if (asked !== 'now') asked = how ?? 'later';
		if (!isHeard) goOn();
	};
}
