import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { createReadTurns, inTurn, type ReadTurns } from './read-turns.ts';

/** Notes whose turn it is as it comes; each is ended by the test. */
function notes(turns: ReadTurns): {
	readonly ask: (scope: string) => Promise<boolean>;
	readonly begun: string[];
	readonly end: (scope: string) => Promise<void>;
} {
	const begun: string[] = [];
	const ends = new Map<string, (() => void)[]>();
	const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
	return {
		begun,
		ask: async (scope) => {
			let isServed = true;
			void turns.take(scope).then((end) => {
				isServed = end !== undefined;
				if (end === undefined) return;
				begun.push(scope);
				ends.set(scope, [...(ends.get(scope) ?? []), end]);
			});
			await turn();
			return isServed;
		},
		end: async (scope) => {
			ends.get(scope)?.shift()?.();
			await turn();
		}
	};
}

it('[API-46] who reads much is served beside others, who have their turn before his next', async () => {
	const { ask, begun, end } = notes(createReadTurns({ all: 3, scope: 2, waiting: 4 }));
	for (let at = 0; at < 6; at += 1) expect(await ask('greedy')).toBe(true);
	expect(begun.splice(0)).toEqual(['greedy', 'greedy']);
	// More than may wait is told to come later.
	expect(await ask('greedy')).toBe(false);
	await ask('one');
	expect(begun.splice(0)).toEqual(['one']);
	await ask('two');
	await ask('three');
	expect(begun).toEqual([]);
	await end('greedy');
	await end('one');
	await end('greedy');
	expect(begun.splice(0)).toEqual(['two', 'three', 'greedy']);
	await end('two');
	await end('three');
	expect(begun.splice(0)).toEqual(['greedy']);
	await end('greedy');
	await end('greedy');
	expect(begun.splice(0)).toEqual(['greedy', 'greedy']);
	for (const scope of ['greedy', 'greedy']) await end(scope);
	expect(await ask('greedy')).toBe(true);
	expect(begun).toEqual(['greedy']);
});

it('[API-46] a read that fails gives its turn back; one too many is refused in words', async () => {
	const turns = createReadTurns({ all: 1, scope: 1, waiting: 0 });
	const held: (() => void)[] = [];
	const app = new Hono<{ Variables: { caller: { scope: string } } }>();
	app.onError((_fault, c) => c.text('broken', 500));
	app.use(async (c, next) => {
		c.set('caller', { scope: 'shop' });
		await next();
	});
	app.use(inTurn(() => turns));
	app.get('/slow', async (c) => {
		await new Promise<void>((resolve) => held.push(resolve));
		return c.text('read');
	});
	app.get('/broken', () => {
		throw new Error('broken');
	});
	expect((await app.request('/broken')).status).toBe(500);
	const slow = app.request('/slow');
	await new Promise((resolve) => setImmediate(resolve));
	const refused = await app.request('/slow');
	expect(refused.status).toBe(429);
	expect(refused.headers.get('retry-after')).toBe('1');
	expect(await refused.json()).toMatchObject({ code: 'tooManyAttempts' });
	held[0]?.();
	expect(await (await slow).text()).toBe('read');
});
