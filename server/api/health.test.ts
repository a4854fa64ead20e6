import { afterEach, expect, it, vi } from 'vitest';
import { createHealth } from './health.ts';

afterEach(() => {
	vi.useRealTimers();
});

it('is well when the database answers', async () => {
	const health = createHealth({ askDatabase: () => Promise.resolve(), version: '1.2.3' });
	const response = await health.request('/health');
	expect(response.status).toBe(200);
	expect(await response.json()).toEqual({ status: 'ok', database: 'ok', version: '1.2.3' });
});

const UNAVAILABLE = { status: 'unavailable', database: 'unavailable', version: '1.2.3' };

it('is unavailable when the database refuses', async () => {
	const askDatabase = (): Promise<never> => Promise.reject(new Error('gone'));
	const response = await createHealth({ askDatabase, version: '1.2.3' }).request('/health');
	expect(response.status).toBe(503);
	expect(await response.json()).toEqual(UNAVAILABLE);
});

it('is unavailable when the database has not answered after two seconds', async () => {
	vi.useFakeTimers();
	const askDatabase = (): Promise<never> => new Promise(() => undefined);
	const asked = createHealth({ askDatabase, version: '1.2.3' }).request('/health');
	await vi.advanceTimersByTimeAsync(2_000);
	const response = await asked;
	expect(response.status).toBe(503);
	expect(await response.json()).toEqual(UNAVAILABLE);
});
