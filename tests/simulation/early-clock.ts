/**
 * To be imported before all else: some packages keep `Date.now` itself when they are loaded, and
 * would go on by the machine's own time while a run has another.
 */
const machineNow = Date.now;
let told: (() => number) | undefined;

Date.now = () => (told ?? machineNow)();

/** By whose time those packages go from now on; the machine's own where it is undefined. */
export function tellEarly(now: (() => number) | undefined): void {
	told = now;
}
