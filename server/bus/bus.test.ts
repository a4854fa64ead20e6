import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { parseBusinessId } from '#domain/ids.ts';
import { connectDatabase } from '#server/database/connect.ts';
import { busContract } from '#tests/contract/bus.ts';
import { createTestDatabase } from '#tests/support/database.ts';
import { connectToPostgres, createForwarder, urlByPort } from '#tests/support/forwarder.ts';
import { until } from '#tests/support/relay-stand.ts';
import { hasRedis, startRedis } from '#tests/support/redis-server.ts';
import { openBus } from './open-bus.ts';
import { createPostgresBus } from './postgres-bus.ts';
import { createExchange } from './process-bus.ts';
import { createRedisBus } from './redis-bus.ts';

busContract('an exchange of one process', () => {
	const exchange = createExchange();
	return Promise.resolve({ join: () => exchange.join(), close: () => Promise.resolve() });
});

const SILENCE_MS = 300;
const PARSED = parseBusinessId('00000000-0000-4000-8000-000000000001');
if (!PARSED.ok) throw new Error('an id');
const SCOPE = PARSED.value;

busContract('PostgreSQL', async () => {
	const { url, sql, close } = await createTestDatabase();
	const forwarder = await createForwarder({ connectFar: () => connectToPostgres(url) });
	const near = urlByPort(url, forwarder.port);
	const elsewhere = new URL(url);
	const name = elsewhere.pathname.slice(1);
	elsewhere.pathname = '/postgres';
	const admin = connectDatabase(elsewhere.href, { connectionsMax: 1 });
	const allow = (whether: boolean): Promise<unknown> =>
		admin.sql.unsafe(`alter database ${name} with allow_connections ${String(whether)}`);
	return {
		join: (told) => createPostgresBus(url, told),
		intrude: async (message) => {
			await sql`select pg_notify('daftar_news', ${message})`;
		},
		line: {
			cut: async () => {
				// The next try must fail too.
				await allow(false);
				await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity
					where datname = ${name} and application_name = 'daftar bus'`;
			},
			mend: async () => {
				await allow(true);
			}
		},
		silent: {
			join: (told) => createPostgresBus(near, told, SILENCE_MS),
			mute: forwarder.mute
		},
		close: async () => {
			await forwarder.close();
			await admin.close();
			await close();
		}
	};
});

// Where none is installed there is nothing to hold it to; `.ci/run` installs one.
if (hasRedis()) {
	busContract('Redis', async () => {
		const redis = await startRedis();
		const { hostname, port } = new URL(redis.url);
		const forwarder = await createForwarder({ connectFar: () => connect(Number(port), hostname) });
		const near = redis.url.replace(port, String(forwarder.port));
		return {
			join: (told) => createRedisBus(redis.url, told),
			intrude: redis.publish,
			line: { cut: redis.stop, mend: redis.start },
			silent: {
				join: (told) => createRedisBus(near, told, SILENCE_MS),
				mute: forwarder.mute
			},
			close: async () => {
				await forwarder.close();
				await redis.stop();
			}
		};
	});
}

it('[BUS-6] an address decides; without one it is the database, or nobody else is told', async () => {
	const { url: databaseUrl, sql, close } = await createTestDatabase();
	const isListening = async (): Promise<boolean> => {
		const [row] = await sql<{ ends: string }[]>`
			select count(*) as ends from pg_stat_activity
			where datname = current_database() and application_name = 'daftar bus'`;
		return Number(row?.ends) > 0;
	};
	const told = (): undefined => undefined;
	const alone = openBus({ busUrl: undefined, databaseUrl: undefined }, told);
	// A port that nobody has: the bus is down from the first, and holds nobody up.
	const down = openBus({ busUrl: 'redis://127.0.0.1:1', databaseUrl }, told);
	expect(await isListening()).toBe(false);
	const own = openBus({ busUrl: undefined, databaseUrl }, told);
	await expect.poll(isListening).toBe(true);
	await own.close();
	await expect.poll(isListening).toBe(false);
	const named = openBus({ busUrl: databaseUrl, databaseUrl: undefined }, told);
	await expect.poll(isListening).toBe(true);
	for (const bus of [alone, down, named]) await bus.close();
	await close();
});

it('[BUS-4] says that it carries again where it was refused for a while and no line was cut', async () => {
	const { url, sql, close } = await createTestDatabase();
	const name = new URL(url).pathname.slice(1);
	await sql.unsafe(`create role ${name}`);
	await sql.unsafe(`alter database ${name} set role to ${name}`);
	const events: string[] = [];
	const bus = createPostgresBus(url, ({ kind }) => events.push(kind));
	const hearing = createPostgresBus(url, () => undefined);
	let heard = 0;
	hearing.subscribe(() => (heard += 1));
	const speak = (): void => {
		bus.publish({ scope: SCOPE, document: null, s: 1 });
	};
	const speakUntil = async (isSo: () => boolean): Promise<void> => {
		await until(() => {
			speak();
			return isSo();
		});
	};
	await speakUntil(() => heard > 0);
	for (const times of [1, 2]) {
		await sql`revoke execute on function pg_notify(text, text) from public`;
		await speakUntil(() => events.length === 2 * times - 1);
		await sql`grant execute on function pg_notify(text, text) to public`;
		await speakUntil(() => events.length === 2 * times);
	}
	expect(events).toEqual(['down', 'up', 'down', 'up']);
	for (const one of [bus, hearing]) await one.close();
	await sql.unsafe(`drop role ${name}`);
	await close();
});
