import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectDatabase, isDatabaseGone, type Database } from '#server/database/connect.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import {
	connectToPostgres,
	createForwarder,
	urlByPort,
	type Forwarder
} from '#tests/support/forwarder.ts';
import { seeded } from '#tests/support/seeded.ts';

const CUTS = 25;
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];
/** A connection that is not of use any more answers nothing at all. */
const ANSWER_MS_MAX = 4_000;

let database: TestDatabase;
let line: Line;
beforeEach(async () => {
	database = await createTestDatabase();
	line = await createLine(database.url);
});
afterEach(async () => {
	await line.close();
	await database.close();
});

/**
 * What the driver must do when its connections are lost, whether by a reset or by an end: it fails
 * what was under way, and answers what comes next. The relay stands on it; see server/mend-packages.js.
 */
it.each(FRESH_SEEDS)(
	'seed %i: a lost connection fails its queries and no others, and is made anew',
	async (seed) => {
		const random = seeded(seed);
		const pool = connectDatabase(line.url, { connectionsMax: 3 });
		await database.sql`create table kept (n int primary key)`;
		const committed: number[] = [];
		const wrong: unknown[] = [];
		let n = 0;
		let isOver = false;

		/** A transaction says what it did only where it did. */
		async function transact(): Promise<void> {
			n += 1;
			const own = n;
			await pool.sql.begin(async (tx) => {
				const rows = await Promise.all([
					tx<{ n: number }[]>`select ${own}::int as n`,
					tx`insert into kept values (${own})`,
					tx<{ n: number }[]>`select ${own + 1}::int as n`
				]);
				const [first, , second] = rows.map(([row]) => row?.n as unknown);
				if (first !== own || second !== own + 1) wrong.push([own, first, second]);
			});
			committed.push(own);
		}
		async function ask(): Promise<void> {
			n += 1;
			const own = n;
			const [row] = await pool.sql<{ n: number }[]>`select ${own}::int as n`;
			if (row?.n !== own) wrong.push([own, row]);
		}
		async function keepOn(work: () => Promise<void>): Promise<void> {
			while (!isOver) {
				await work().catch((fault: unknown) => {
					if (!isDatabaseGone(fault)) wrong.push(fault);
				});
			}
		}

		const working = [transact, transact, ask, ask].map(keepOn);
		for (let cut = 0; cut < CUTS; cut += 1) {
			await line.passed(1 + random(40));
			line.cut(random(2) === 0);
		}
		isOver = true;
		const slow = new Promise((_resolve, reject) =>
			setTimeout(() => {
				reject(new Error('it answers nothing any more'));
			}, ANSWER_MS_MAX).unref()
		);
		await Promise.race([Promise.all(working), slow]);
		// One that was cut while nobody used it is found out by whoever does.
		for (let done = 0; done < 6;) {
			await Promise.race([transact(), slow]).then(
				() => (done += 1),
				(fault: unknown) => {
					if (!isDatabaseGone(fault)) throw fault;
				}
			);
		}
		expect(wrong).toEqual([]);
		const kept = await database.sql<{ n: number }[]>`select n from kept order by n`;
		const held = new Set(kept.map((row) => row.n));
		expect(committed.filter((own) => !held.has(own))).toEqual([]);
		expect(committed.length).toBeGreaterThan(6);
		await pool.close();
	}
);

/** A transaction's own BEGIN and COMMIT, its statements together, and a packet that is cut between two of them. */
const TURNS_MAX = 4;

it('statements that wait for nothing go out together, however large the one before them', async () => {
	const pool = connectDatabase(line.url, { connectionsMax: 1 });
	const large = 'x'.repeat(200_000);
	const ask = (): Promise<number[]> =>
		pool.sql.begin(async (tx) => {
			const rows = await Promise.all([
				tx<{ n: number }[]>`select length(${large}) as n`,
				tx<{ n: number }[]>`select ${1}::int as n`,
				tx<{ n: number }[]>`select ${2}::int as n`
			]);
			return rows.map(([row]) => row?.n ?? 0);
		});
	// The first time the driver asks how each is to be sent.
	await ask();
	const before = line.turns();
	expect(await ask()).toEqual([large.length, 1, 2]);
	expect(line.turns() - before).toBeLessThanOrEqual(TURNS_MAX);
	await pool.close();
});

const SILENCE_MS = 300;

it('[RELAY-91] a connection that says nothing any more is given up, and one of which nothing was asked is not', async () => {
	const open = (): Database =>
		connectDatabase(line.url, { connectionsMax: 1, silenceMs: SILENCE_MS });
	const whoAnswers = async ({ sql }: Database): Promise<number | undefined> => {
		const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
		return row?.pid;
	};
	const asked = open();
	const before = await whoAnswers(asked);
	line.mute();
	// Its connection is none of those that are silent now.
	const unasked = open();
	const idle = await whoAnswers(unasked);
	let others = 0;
	const asking = setInterval(() => {
		others += 1;
		whoAnswers(asked).catch(() => undefined);
	}, SILENCE_MS / 3);
	const fault: unknown = await asked.sql`select 1`.catch((thrown: unknown) => thrown);
	clearInterval(asking);
	expect(isDatabaseGone(fault)).toBe(true);
	// However long others go on asking over the same line.
	expect(others).toBeLessThan(10);
	// Until its end is known, another statement may be told that it is lost.
	let after: number | undefined;
	while (after === undefined) {
		after = await whoAnswers(asked).catch((thrown: unknown) => {
			if (!isDatabaseGone(thrown)) throw thrown;
			return undefined;
		});
	}
	expect(after).not.toBe(before);
	expect(await whoAnswers(unasked)).toBe(idle);
	await Promise.all([asked.close(), unasked.close()]);
});

/** A line over TCP to the database's socket, which can be cut. */
interface Line {
	readonly url: string;
	/** Resolves when so many answers more have passed. */
	passed(answers: number): Promise<void>;
	/** How often the database was spoken to anew after it had answered. */
	turns(): number;
	/** Ends each connection: by a reset, or as a process that is killed ends it. */
	cut(isReset: boolean): void;
	readonly mute: Forwarder['mute'];
	close(): Promise<void>;
}

async function createLine(url: string): Promise<Line> {
	const waiting = new Set<{ left: number; readonly done: () => void }>();
	let turns = 0;
	let isAnswered = true;
	const forwarder = await createForwarder({
		connectFar: () => connectToPostgres(url),
		up: (far, bytes) => {
			far.write(bytes);
			if (isAnswered) turns += 1;
			isAnswered = false;
		},
		down: (near, bytes) => {
			near.write(bytes);
			isAnswered = true;
			for (const waiter of waiting) {
				waiter.left -= 1;
				if (waiter.left <= 0) waiter.done();
			}
		}
	});
	return {
		url: urlByPort(url, forwarder.port),
		passed: (answers) =>
			new Promise((resolve) => {
				const waiter = {
					left: answers,
					done: () => {
						waiting.delete(waiter);
						resolve();
					}
				};
				waiting.add(waiter);
			}),
		turns: () => turns,
		cut: (isReset) => {
			for (const [near] of forwarder.pairs) {
				if (isReset) near.resetAndDestroy();
				else near.end();
			}
		},
		mute: forwarder.mute,
		close: forwarder.close
	};
}
