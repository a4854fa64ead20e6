import { openApp, type App } from '#state/app.svelte.ts';

/** Opens this device's book, or makes one: the till works before any server was ever met. */
export async function load(): Promise<{ app: App }> {
	return { app: await openApp() };
}
