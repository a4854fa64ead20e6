/**
 * A fault: the database lacks what this relay read there or was told is committed, because an older
 * copy of it took over. Nothing that is in memory holds of it, so the process ends and starts anew.
 */
export interface WentBack extends Error {
	readonly name: typeof NAME;
}

const NAME = 'WentBack';

function wentBack(found: string): WentBack {
	const sentence = `The database went back behind what this server knew (${found}). Start again.`;
	return Object.assign(new Error(sentence), { name: NAME } as const);
}

export function isWentBack(fault: unknown): fault is WentBack {
	return fault instanceof Error && fault.name === NAME;
}

/** RELAY-63. Throws where a restore began another epoch than the one in which this relay writes. */
export function checkEpoch(found: number | null | undefined, ours: number | undefined): void {
	if (typeof found !== 'number' || ours === undefined || found === ours) return;
	throw wentBack(`epoch ${String(ours)} became ${String(found)}`);
}

/** RELAY-63. Throws where a counter that only grows is below where it has been. */
export function checkGrown(what: string, found: number, known: number): void {
	if (found >= known) return;
	throw wentBack(`${what} from ${String(known)} to ${String(found)}`);
}

/** RELAY-63. Throws where what is stored does not stand on what was read there before. */
export function checkStands(what: string, stands: boolean): void {
	if (!stands) throw wentBack(`${what} lost what the next of it stands on`);
}
