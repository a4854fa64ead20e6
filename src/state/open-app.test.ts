import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let isBroken = true;

/** A browser whose database does not open for a while, as after a page slept. */
class MendedFactory extends IDBFactory {
	override open(...asked: Parameters<IDBFactory['open']>): ReturnType<IDBFactory['open']> {
		if (isBroken) throw new DOMException('connection lost', 'InvalidStateError');
		return super.open(...asked);
	}
}

beforeEach(() => {
	vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
	vi.stubGlobal('indexedDB', new MendedFactory());
	vi.stubGlobal('IDBKeyRange', IDBKeyRange);
	vi.stubGlobal('window', { addEventListener: () => undefined });
	vi.stubGlobal('document', { addEventListener: () => undefined, visibilityState: 'visible' });
	vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

it('[DEVICE-69] a book that could not be opened is opened when it is asked for again', async () => {
	const { openApp } = await import('./app.svelte.ts');
	await expect(openApp()).rejects.toThrow();
	isBroken = false;
	const app = await openApp();
	expect(app.till.lines).toEqual([]);
	expect(await openApp()).toBe(app);
});
