import { ofEach, percentiles, type Bench, type Row } from './bench.ts';
import { accountSales, cashSales, freshClient, type Piece } from './sales.ts';
import type { ServerName } from './server.ts';
import type { Shop } from './shops.ts';
import { openTraffic, type Script, type Stretch } from './traffic.ts';

/** A server runs for weeks: until then its program is compiled while it works, of each of the three. */
const WARM_SECONDS = 8;
/** What is prepared for; whoever takes more has its clients write on the way. */
const PER_SECOND_FORESEEN = 12_000;
const EACH_MAX = 1_000_000;
const WANTED_PER_SECOND = 5_000;
const WANTED_P50_MS = 20;
const WANTED_P99_MS = 80;
const WANTED_CPU_MICROS = 75;
/** A device of a shop signs no faster; enough of them to measure. */
const SIGNED_EACH = 40;
/** Of what is asked for, as much has to be done in time to call it kept up with. */
const KEPT_UP = 0.98;

const NO_MORE = [].values();

interface Measured {
	/** Each of the writers with one fact under way. */
	readonly fast: Stretch;
	/** So many facts a second, whatever the answers. */
	readonly paced: Stretch;
	readonly signed: Stretch | undefined;
}

/** Rows 2 and 3: what a second of a server takes, how long a fact is on its way, and what it costs. */
export async function measureTraffic(bench: Bench): Promise<readonly Row[]> {
	const unsigned = await cashScripts(bench);
	const signed = await accountScripts(bench);
	const measured = await ofEach((name) => measure(bench, name, { unsigned, signed }));
	return [speedRow(bench, measured), costRow(measured)];
}

interface Scripts {
	readonly unsigned: readonly Script[];
	readonly signed: readonly Script[];
}

async function measure(
	bench: Bench,
	name: ServerName,
	{ unsigned, signed }: Scripts
): Promise<Measured> {
	bench.tell(`traffic: ${name}`);
	const server = await bench.start(name);
	try {
		const cash = await openTraffic(bench, server, unsigned);
		await cash.run('asFastAsItGoes', WARM_SECONDS);
		const fast = await cash.run('asFastAsItGoes', bench.seconds);
		const paced = await cash.run({ perSecond: WANTED_PER_SECOND }, bench.seconds);
		cash.end();
		if (name !== 'daftar') return { fast, paced, signed: undefined };
		const account = await openTraffic(bench, server, signed);
		const signedPace = { perSecond: WANTED_PER_SECOND / 2 };
		const seconds = (SIGNED_EACH * signed.length) / signedPace.perSecond;
		const onAccount = await account.run(signedPace, seconds);
		account.end();
		return { fast, paced, signed: onAccount };
	} finally {
		await server.stop();
	}
}

async function cashScripts(bench: Bench): Promise<readonly Script[]> {
	const { seconds, writers } = bench;
	const each = Math.ceil(
		((WARM_SECONDS + seconds) * PER_SECOND_FORESEEN + seconds * WANTED_PER_SECOND) / writers
	);
	const wall = Date.now();
	return (await devices(bench)).map(({ shop, code }) => {
		const client = freshClient();
		const more = cashSales({ shop, code, client, numbers: [1, EACH_MAX], wall });
		const pieces = Array.from({ length: each }, () => more.next().value ?? []).flat();
		return { shop, code, client, pieces, more };
	});
}

async function accountScripts(bench: Bench): Promise<readonly Script[]> {
	const wall = Date.now();
	const scripts: Script[] = [];
	for (const { shop, code } of await devices(bench)) {
		const client = freshClient();
		const journey = { shop, code, client, numbers: [1, SIGNED_EACH], wall } as const;
		const pieces: Piece[] = [...(await accountSales(journey))];
		scripts.push({ shop, code, client, pieces, more: NO_MORE });
	}
	return scripts;
}

/** Two to a shop. */
async function devices({
	shops,
	writers
}: Bench): Promise<readonly { readonly shop: Shop; readonly code: Shop['codes'][number] }[]> {
	const opened = await shops.open(Math.ceil(writers / 2), 2);
	return opened.flatMap((shop) => shop.codes.map((code) => ({ shop, code }))).slice(0, writers);
}

type OfEach = Readonly<Record<ServerName, Measured>>;

function speedRow({ writers }: Bench, measured: OfEach): Row {
	const { daftar, yWebsocket, hocuspocus } = measured;
	const paced = percentiles(daftar.paced.acknowledgedMs);
	const isFast = perSecond(daftar.fast) >= WANTED_PER_SECOND;
	const isQuick = paced.p50 <= WANTED_P50_MS && paced.p99 <= WANTED_P99_MS;
	return {
		what: `facts a second from ${String(writers)} writers, and how long one takes`,
		said: {
			daftar:
				`${rate(daftar.fast)} durable and projected, sent ${latency(daftar.fast.acknowledgedMs)}; ` +
				`at ${pacedRate(daftar.paced)} sent ${latency(daftar.paced.acknowledgedMs)}, ` +
				`seen by another ${latency(daftar.paced.seenMs)}`,
			yWebsocket:
				`${rate(yWebsocket.fast)} seen by another (nothing is acknowledged), ` +
				`${storedRate(yWebsocket.fast)} stored, seen ${latency(yWebsocket.fast.seenMs)}; ` +
				`at ${pacedRate(yWebsocket.paced)} seen ${latency(yWebsocket.paced.seenMs)}`,
			hocuspocus:
				`${rate(hocuspocus.fast)} acknowledged in memory, ${latency(hocuspocus.fast.acknowledgedMs)}; ` +
				`at ${pacedRate(hocuspocus.paced)} ${latency(hocuspocus.paced.acknowledgedMs)}, ` +
				`seen by another ${latency(hocuspocus.paced.seenMs)}; stored seconds later`
		},
		wanted: '≥ 5,000/s; sent p50 ≤ 20 ms, p99 ≤ 80 ms at that rate',
		isMet: isFast && isQuick && keptUp(daftar.paced),
		figures: {
			daftar: figuresOf(daftar),
			yWebsocket: figuresOf(yWebsocket),
			hocuspocus: figuresOf(hocuspocus)
		}
	};
}

function costRow({ daftar, yWebsocket, hocuspocus }: OfEach): Row {
	const of = ({ fast, paced }: Measured): string =>
		`${micros(fast)} at full speed, ${micros(paced)} at ${pacedRate(paced)}`;
	const signed = daftar.signed === undefined ? '' : `; signed ${micros(daftar.signed)}`;
	return {
		what: 'CPU of the server’s process for each update',
		said: {
			daftar: `${of(daftar)}, validated, stored and projected${signed}`,
			yWebsocket: `${of(yWebsocket)}, stored unseen`,
			hocuspocus: `${of(hocuspocus)}, stored whole later`
		},
		wanted: '≤ 75 µs',
		isMet: daftar.fast.cpuMicros <= WANTED_CPU_MICROS,
		figures: {
			daftar: {
				fast: tenths(daftar.fast.cpuMicros),
				paced: tenths(daftar.paced.cpuMicros),
				signed: tenths(daftar.signed?.cpuMicros ?? NaN)
			},
			yWebsocket: {
				fast: tenths(yWebsocket.fast.cpuMicros),
				paced: tenths(yWebsocket.paced.cpuMicros)
			},
			hocuspocus: {
				fast: tenths(hocuspocus.fast.cpuMicros),
				paced: tenths(hocuspocus.paced.cpuMicros)
			}
		}
	};
}

function figuresOf({ fast, paced }: Measured): object {
	return {
		perSecond: Math.round(perSecond(fast)),
		storedPerSecond: Math.round(fast.seenMs.length / fast.storedSeconds),
		acknowledgedMs: percentiles(fast.acknowledgedMs),
		seenMs: percentiles(fast.seenMs),
		paced: {
			perSecond: Math.round(perSecond(paced)),
			acknowledgedMs: percentiles(paced.acknowledgedMs),
			seenMs: percentiles(paced.seenMs)
		}
	};
}

function perSecond({ facts, seconds }: Stretch): number {
	return facts / seconds;
}

function keptUp(stretch: Stretch): boolean {
	return perSecond(stretch) >= KEPT_UP * WANTED_PER_SECOND;
}

function rate(stretch: Stretch): string {
	return `${thousands(perSecond(stretch))}/s`;
}

function storedRate({ seenMs, storedSeconds }: Stretch): string {
	return `${thousands(seenMs.length / storedSeconds)}/s`;
}

function pacedRate(stretch: Stretch): string {
	const asked = `${thousands(WANTED_PER_SECOND)}/s`;
	return keptUp(stretch) ? asked : `${asked} (${rate(stretch)} done in time)`;
}

function latency(times: readonly number[]): string {
	const { p50, p99 } = percentiles(times);
	return `p50 ${String(p50)} p99 ${String(p99)} ms`;
}

function micros({ cpuMicros }: Stretch): string {
	return `${String(Math.round(cpuMicros))} µs`;
}

function thousands(value: number): string {
	return Math.round(value).toLocaleString('en');
}

function tenths(value: number): number {
	return Math.round(value * 10) / 10;
}
