import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMendedBrowser } from '#tests/support/mended-browser.ts';

const browser = createMendedBrowser();

beforeEach(() => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
});
afterEach(() => {
	vi.useRealTimers();
});

it('[DEVICE-69] a book that could not be opened is opened when it is asked for again', async () => {
	const { openApp } = await import('./app.svelte.ts');
	await expect(openApp()).rejects.toThrow();
	browser.mend();
	const app = await openApp();
	expect(app.till.lines).toEqual([]);
	expect(await openApp()).toBe(app);
});
