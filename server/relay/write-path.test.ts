import type { Sql } from 'postgres';
import { expect, it } from 'vitest';
import type { BusinessId } from '#domain/ids.ts';
import { FRAME_BYTES_MAX } from '#sync/limits.ts';
import type { Room } from './room.ts';
import type { Submission } from './submission.ts';
import { createWritePath } from './write-path.ts';

const scope = '0192f0c1-7a00-4000-8000-0000000000a1' as BusinessId;

/** Of so many bytes, in two items. */
function submission(bytes: number): Submission {
	const item = { client: 1, clock: 0, key: 'A-1', origin: undefined, text: undefined };
	const halves = [Math.floor(bytes / 2), Math.ceil(bytes / 2)];
	return {
		room: {} as Room,
		caller: { scope, code: 'A' },
		update: {
			items: halves.map((length) => ({ ...item, bytes: new Uint8Array(length) })),
			deletions: []
		},
		checks: new Map(),
		sender: {}
	};
}

/** How many updates go into each transaction, where the database takes none of them. */
async function batchesOf(sizes: readonly number[]): Promise<readonly number[]> {
	let decided = 0;
	const before: number[] = [];
	const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
	const begin = async (): Promise<never> => {
		before.push(decided);
		await Promise.resolve();
		throw away;
	};
	const writePath = createWritePath({
		sql: { begin } as unknown as Sql,
		project: () => Promise.resolve(),
		clock: () => 0,
		committed: () => undefined,
		failed: () => undefined
	});
	const outcomes = sizes.map(async (size) => {
		await writePath.submit(submission(size));
		decided += 1;
	});
	await Promise.all(outcomes);
	return before.map((from, at) => (before[at + 1] ?? decided) - from);
}

it('[RELAY-11] a batch has so many updates, and so many bytes, or one update that is larger', async () => {
	expect(await batchesOf(Array<number>(1_100).fill(10))).toEqual([512, 512, 76]);
	const most = FRAME_BYTES_MAX;
	expect(await batchesOf([most, 1, 1, most - 2, 1, most + 5, 7])).toEqual([1, 3, 1, 1, 1]);
});

it('[RELAY-63] nothing is written once it has ended, neither what waits nor what comes', async () => {
	let begun = 0;
	const ended = Promise.withResolvers<never>();
	const writePath = createWritePath({
		sql: { begin: () => ((begun += 1), ended.promise) } as unknown as Sql,
		project: () => Promise.resolve(),
		clock: () => 0,
		committed: () => undefined,
		failed: () => {
			writePath.end();
		}
	});
	const first = writePath.submit(submission(FRAME_BYTES_MAX));
	const waiting = writePath.submit(submission(1));
	ended.reject(Object.assign(new Error('went back'), { name: 'WentBack' }));
	const outcomes = await Promise.all([first, waiting, writePath.submit(submission(1))]);
	expect(outcomes.map(({ kind }) => kind)).toEqual(outcomes.map(() => 'unavailable'));
	expect(begun).toBe(1);
});
