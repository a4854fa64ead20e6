/**
 * One relay of a stand in a process of its own, to be killed: `node relay-process.ts {database URL}
 * {bus URL} {now}`. Says its address, and ends with whoever started it.
 */
import { openBus } from '#server/bus/open-bus.ts';
import { lossyBus, machineTimers } from './lossy-bus.ts';
import { createRelayStand } from './relay-stand.ts';

const [url = '', busUrl = '', now = ''] = process.argv.slice(2);
const bus = lossyBus(
	openBus({ busUrl, databaseUrl: undefined }, () => undefined),
	{ seed: 2, percent: 30 }
);
const stand = await createRelayStand({
	beside: { database: { url }, clock: { now: Number(now) } },
	bus,
	timers: machineTimers
});
process.stdout.write(`${stand.url}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
