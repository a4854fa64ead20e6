// `npm run bench:years [-- --years 1,3,10] [--runs N] [--only till|new|away] [--seeds FOLDER]`: till ready
// after years of a busy shop, a new device on a slow line, a phone back after three months; all in
// Chromium at a CPU six times slower. Prints a table and a JSON line. Measures the app that was built
// (`npm run build`), and builds nothing.
//
// Seeds what `npm run seed-years` did not seed yet, in `data/years`: measured on two cores that others
// used too, 10 seconds for 30 days, 2 1/2 minutes and 0.7 GB for a year, 25 minutes for ten; do that
// first. Then `till` is a minute or two for each number of years, and `away` makes the phone's profile
// of the fewest years (2 minutes) and lets it catch up, for a quarter of an hour at the most. `new` is
// a minute for the fewest and for the most years, and then as long as every ledger takes to come.
//
// Till ready: from the navigation of a new tab, with no network, the app in the service worker's
// cache, until tiles are painted, a tap is taken, and nothing stands before it in the queue. That is by
// the view that was kept of the till as it was left, which shows a tile as struck at once and hands the
// tap to the app (FIRST-6, 7); `app` is when the app itself stands. An empty page with one
// button is timed in turn with it (`blank`): what the machine takes for nothing; so is a page of the app
// that opens no book (`frame`). `work` is what the page's own thread worked for each of them: on a machine
// that others use it says more than the clock. The browser runs, and so does the service worker, as on a
// phone that was used a moment ago. `firstSaleMs` is one start at whose first moment a tile and the cash
// are struck, until that is saved and said.

import { rm } from 'node:fs/promises';
import { endWith, readOptions, wholeNumber } from '#server/commands/command-options.ts';
import {
	BUSY_SHOP,
	daysOfYears,
	openYears,
	profileOfYears,
	seedProfile,
	type SeedDevice,
	type SeedFolder
} from './seed-years-stand.ts';
import { startSeededRelay } from './seed-years-shop.ts';
import { timeNewDevice } from './years-new-device.ts';
import { timeThreeMonths } from './years-three-months.ts';
import { SLOWER, timeTills } from './years-till.ts';

const USAGE =
	'npm run bench:years -- [--years 1,3,10] [--runs 9] [--only till|new|away] [--seeds FOLDER]';
const values = readOptions(USAGE, {
	years: { type: 'string', default: '1,3,10' },
	runs: { type: 'string', default: '9' },
	seeds: { type: 'string' },
	only: { type: 'string' }
});
const years = values.years.split(',').map(Number);
if (!years.every((of) => of > 0 && of <= 20))
	endWith(USAGE, `Not numbers of years: "${values.years}".`);
const runs = wholeNumber(USAGE, values.runs, 1);
const AWAY_DAYS = 90;
/** A shop of the first weeks, to set the years against. */
const YOUNG = 30 / 365;

const figures: Record<string, unknown>[] = [];
if (wants('till')) for (const of of [YOUNG, ...years]) await till(of);
if (wants('new')) for (const of of ends(years)) await newDevice(of);
if (wants('away')) await away(years[0] ?? 1);
process.stdout.write(`${JSON.stringify({ slower: SLOWER, figures })}\n`);

function wants(what: string): boolean {
	return values.only === undefined || values.only === what;
}

/** The fewest and the most years: between them nothing is learnt. */
function ends(all: readonly number[]): readonly number[] {
	return [...new Set([Math.min(...all), Math.max(...all)])];
}

async function till(of: number): Promise<void> {
	const seed = await openYears(of, values.seeds);
	const profile = await profileOfYears(seed, of);
	await measure('till ready', of, () => timeTills(profile, runs));
}

async function newDevice(of: number): Promise<void> {
	const seed = await openYears(of, values.seeds);
	await using relay = await startSeededRelay(seed, of);
	await measure('new device', of, () => timeNewDevice(relay));
}

/** The profile is made on the relay's port, so one after the other. */
async function away(of: number): Promise<void> {
	const seed = await openYears(of, values.seeds);
	const { device, feedBefore } = await newcomer(seed, of);
	const size = { days: daysOfYears(of), ...BUSY_SHOP };
	// Once it is back it is not away any more: it is made anew each time.
	const profile = await seedProfile(seed, `away-${device.code}`, {
		...{ size, feedBefore, device },
		missingDays: AWAY_DAYS
	});
	await using relay = await startSeededRelay(seed, of);
	await measure('back after 90 days', of, () => timeThreeMonths(relay, profile));
	await rm(profile, { recursive: true, force: true });
}

async function newcomer(
	seed: SeedFolder,
	of: number
): Promise<{ readonly device: SeedDevice; readonly feedBefore: number }> {
	await using relay = await startSeededRelay(seed, of);
	return { device: await relay.join(), feedBefore: relay.feedBefore };
}

/** With the share of a core that this process got meanwhile: on a shared machine times are longer by it. */
async function measure(what: string, of: number, work: () => Promise<object>): Promise<void> {
	const shares: number[] = [shareOfCore()];
	const found = await work();
	shares.push(shareOfCore());
	const share = Math.round((shares.reduce((a, b) => a + b) / shares.length) * 100) / 100;
	const row = { what, years: Math.round(of * 100) / 100, coreShare: share, ...found };
	figures.push(row);
	const cells = Object.entries(row).map(([name, value]) => `${name} ${String(value)}`);
	process.stdout.write(`${cells.join(' | ')}\n`);
}

/** Of the time that a reckoning took, the part in which it was reckoned. */
function shareOfCore(): number {
	const SPIN_MS = 300;
	const before = process.cpuUsage();
	const from = performance.now();
	let used = 0;
	while (used < SPIN_MS) {
		const { user, system } = process.cpuUsage(before);
		used = (user + system) / 1_000;
	}
	return used / (performance.now() - from);
}
