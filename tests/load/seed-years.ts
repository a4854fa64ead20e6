// `npm run seed-years -- --years N [--out FOLDER] [--only profile|relay]`: the years of a busy shop
// (1,000 sales a day, a tenth on account with signed records, 10,000 products, 5,000 customers) as a
// browser profile of its first device (`FOLDER/profile`) and as a relay's database (`FOLDER/relay`).
// Without FOLDER: `test-results/years/N`. What is there already is used again. Builds nothing.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { openYears, profileOfYears } from './seed-years-stand.ts';
import { startSeededRelay } from './seed-years-shop.ts';

const { values } = parseArgs({
	options: {
		years: { type: 'string' },
		out: { type: 'string' },
		only: { type: 'string' }
	}
});
const years = Number(values.years);
if (!Number.isFinite(years) || years <= 0 || years > 20) {
	process.stderr.write('npm run seed-years -- --years 1 [--out FOLDER] [--only profile|relay]\n');
	process.exit(2);
}
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
