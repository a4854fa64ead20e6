// `npm run bench:sync`: the same clients, in one run, against this relay, `@y/websocket-server` that
// stores each update, and Hocuspocus with its database extension, all on one PostgreSQL of ours with
// durable settings. Prints a table and one line of JSON. Quote ratios: machines differ, and so does
// what else they do.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { connectDatabase, migrateDatabase } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import type { Bench, Row } from './sync/bench.ts';
import { readBenchOptions, ROWS, type RowName } from './sync/options.ts';
import { installPeers } from './sync/peers.ts';
import { measureIdle } from './sync/row-idle.ts';
import { measureLost } from './sync/row-lost.ts';
import { measureReconnect } from './sync/row-reconnect.ts';
import { measureTraffic } from './sync/row-traffic.ts';
import { measureWeek } from './sync/row-week.ts';
import { measureWire } from './sync/row-wire.ts';
import { startServer } from './sync/server.ts';
import { createShops } from './sync/shops.ts';
import { formatTable } from './sync/table.ts';

const MEASURES: Readonly<Record<RowName, (bench: Bench) => Promise<readonly Row[]>>> = {
	lost: measureLost,
	traffic: measureTraffic,
	idle: measureIdle,
	reconnect: measureReconnect,
	week: measureWeek,
	wire: measureWire
};

const { rows, profileDir, ...options } = readBenchOptions();
const tell = (what: string): void => {
	process.stderr.write(`${what} …\n`);
};
await installPeers(tell);

await using undo = new AsyncDisposableStack();
const dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-bench-'));
undo.defer(() => rm(dataDir, { recursive: true, force: true }));
const postgres = await startEmbeddedPostgres({ dataDir });
undo.defer(postgres.stop);
await migrateDatabase(postgres.url);
const database = connectDatabase(postgres.url);
undo.defer(database.close);
await database.sql`
	create table peer_update (number bigserial primary key, document text not null, update bytea not null)`;
await database.sql`create index on peer_update (document, number)`;
await database.sql`create table peer_document (document text primary key, state bytea not null)`;

const bench: Bench = {
	...options,
	database,
	shops: createShops(database),
	start: async (name) => {
		const server = await startServer(name, { databaseUrl: postgres.url, dataDir, profileDir });
		undo.defer(() => server.kill());
		return server;
	},
	tell
};
const measured: Row[] = [];
for (const name of ROWS.filter((row) => rows.includes(row))) {
	measured.push(...(await MEASURES[name](bench)));
}
process.stdout.write(`${formatTable(measured)}\n`);
process.stdout.write(
	`${JSON.stringify(Object.fromEntries(measured.map(({ what, isMet, figures }) => [what, { isMet, ...figures }])))}\n`
);
