// `npm run seed-years -- --years N [--out FOLDER] [--only profile|relay]`: the years of a busy shop
// (1,000 sales a day, a tenth on account with signed records, 10,000 products, 5,000 customers) as a
// browser profile of its first device (`FOLDER/DAYS/profile`) and as a relay's database
// (`FOLDER/DAYS/relay`), FOLDER being `data/years` where none is named. What is there already is used
// again. On two cores that others used too, 1 year took 2 1/2 minutes and 0.7 GB, 10 years 25 minutes.
// It needs the app as `npm run build` made it, and builds nothing itself.

import path from 'node:path';
import { endWith, readOptions } from '#server/commands/command-options.ts';
import { openYears, profileOfYears } from './seed-years-stand.ts';
import { startSeededRelay } from './seed-years-shop.ts';

const USAGE = 'npm run seed-years -- --years 1 [--out FOLDER] [--only profile|relay]';
const values = readOptions(USAGE, {
	years: { type: 'string', default: '' },
	out: { type: 'string' },
	only: { type: 'string' }
});
const years = Number(values.years);
if (!(years > 0 && years <= 20)) endWith(USAGE, `Not a number of years: "${values.years}".`);
if (!['profile', 'relay', undefined].includes(values.only))
	endWith(USAGE, 'There is a profile and a relay.');
const seed = await openYears(years, values.out);
if (values.only !== 'relay') {
	const profile = await profileOfYears(seed, years);
	say(`the device's profile: ${path.relative('.', profile)}`);
}
if (values.only !== 'profile') {
	await using relay = await startSeededRelay(seed, years);
	say(
		`the relay's database: ${path.relative('.', seed.folder)}/relay, ${String(relay.last)} facts`
	);
}

function say(sentence: string): void {
	process.stdout.write(`${sentence}\n`);
}
