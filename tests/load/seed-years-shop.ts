import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectDatabase } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { createAccountApi, inviteLink, type AccountApi } from '#state/account-api.ts';
import type { DeviceCode } from '#domain/ids.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { sure } from '#tests/support/sure.ts';
import { withCookie } from './cookie-fetch.ts';
import { seedRelay } from './seed-years-relay.ts';
import {
	BUSY_SHOP,
	daysOfYears,
	SEED_PORT,
	mintKeys,
	signerOf,
	type SeedDevice,
	type SeedFolder
} from './seed-years-stand.ts';
import { SEED_CODES, tradeOfYears } from './seed-years-trade.ts';

/** A relay that runs on a seeded database. */
export interface SeededRelay extends AsyncDisposable {
	readonly url: string;
	/** What the feed had before the first fact of the trade, and has now. */
	readonly feedBefore: number;
	readonly last: number;
	/** One more device of the shop, which wrote nothing. */
	join(): Promise<SeedDevice>;
	/** By which another device joins the shop. */
	invite(): Promise<string>;
}

interface KeptRelay {
	readonly days: number;
	readonly feedBefore: number;
	readonly last: number;
	readonly username: string;
	readonly password: string;
}

const SECRET = 'a secret of a measured relay, long enough for any';
const READY_WITHIN_MS = 120_000;

/** Starts the relay of `{folder}/relay`, on a database that is seeded where it is not yet. */
export async function startSeededRelay(
	seed: SeedFolder,
	years: number,
	port = SEED_PORT
): Promise<SeededRelay> {
	const { folder, shop } = seed;
	const days = daysOfYears(years);
	const home = path.join(folder, 'relay');
	const mark = path.join(home, 'seeded.json');
	const held = await readFile(mark, 'utf8').catch(() => undefined);
	if (held === undefined) await rm(home, { recursive: true, force: true });
	await using undo = new AsyncDisposableStack();
	const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
	const postgres = await startEmbeddedPostgres({ dataDir: path.join(home, 'data'), settings });
	undo.defer(postgres.stop);
	const url = `http://localhost:${String(port)}`;
	const server = await startRelay({ port, databaseUrl: postgres.url, dataDir: home });
	undo.defer(() => endOf(server));
	const kept =
		held === undefined
			? await fill({ url, databaseUrl: postgres.url }, seed, days)
			: (JSON.parse(held) as KeptRelay);
	if (held === undefined) await writeFile(mark, JSON.stringify(kept));
	const moved = undo.move();
	return {
		...kept,
		url,
		invite: async () => {
			const api = await signIn(url, kept);
			const { business, branch } = shop;
			return inviteLink(url, sure(await api.invite({ business, branch })));
		},
		join: async () => {
			const api = await signIn(url, kept);
			const keys = await mintKeys();
			const { code } = sure(await api.join({ business: shop.business }, await signerOf(keys)));
			return { code, keys };
		},
		[Symbol.asyncDispose]: () => moved.disposeAsync()
	};
}

async function signIn(url: string, { username, password }: KeptRelay): Promise<AccountApi> {
	const api = createAccountApi({ fetch: withCookie(url), base: url });
	sure(await api.signIn({ username, password }));
	return api;
}

async function fill(
	{ url, databaseUrl }: { readonly url: string; readonly databaseUrl: string },
	seed: SeedFolder,
	days: number
): Promise<KeptRelay> {
	const { shop } = seed;
	const api = createAccountApi({ fetch: withCookie(url), base: url });
	const { business, branch, person, signer } = shop;
	const username = `asha${String(Date.now())}`;
	const password = `measured ${crypto.randomUUID()}`;
	const name = 'Asha';
	const email = 'asha@example.org';
	sure(await api.signUp({ kind: 'store', username, name, email, password, person }));
	const claimed = sure(await api.claim({ business, branch, person, name }, signer));
	if (claimed.code !== ('A' as DeviceCode)) throw new Error('the first device is A');
	const database = connectDatabase(databaseUrl, { connectionsMax: 2 });
	try {
		const [head] = await database.sql<{ s: string }[]>`
			select s from feed_head where business = ${business}`;
		const trade = tradeOfYears({ days, ...BUSY_SHOP }, shop);
		const last = await seedRelay(database.sql, trade, shop);
		// The other tills of the trade: their codes are theirs, and no new device's.
		for (const code of SEED_CODES.slice(1)) {
			const other = await createSigner(await createSigningKeys());
			const joined = sure(await api.join({ business }, other));
			if (joined.code !== code) throw new Error(`the next device is ${code}`);
		}
		return { days, feedBefore: Number(head?.s ?? 0), last, username, password };
	} finally {
		await database.close();
	}
}

interface RelayAt {
	readonly port: number;
	readonly databaseUrl: string;
	readonly dataDir: string;
}

async function startRelay({ port, databaseUrl, dataDir }: RelayAt): Promise<ChildProcess> {
	const server = spawn(process.execPath, ['server/main.ts'], {
		env: {
			...process.env,
			PORT: String(port),
			HOST: '127.0.0.1',
			DATA_DIR: path.join(dataDir, 'server'),
			DATABASE_URL: databaseUrl,
			DAFTAR_SECRET: SECRET,
			LOG_LEVEL: 'warn'
		},
		stdio: ['ignore', 'pipe', 'inherit']
	});
	await new Promise<void>((resolve, reject) => {
		const late = setTimeout(() => {
			server.kill('SIGKILL');
			reject(new Error('the relay was not ready in time'));
		}, READY_WITHIN_MS);
		server.once('exit', (code) => {
			clearTimeout(late);
			reject(new Error(`the relay ended with ${String(code)}`));
		});
		server.stdout.on('data', (chunk: Buffer) => {
			if (!chunk.toString().includes('Daftar is ready at')) return;
			clearTimeout(late);
			resolve();
		});
	});
	return server;
}

async function endOf(server: ChildProcess): Promise<void> {
	const ended = new Promise((resolve) => server.once('exit', resolve));
	server.kill('SIGTERM');
	await ended;
}
