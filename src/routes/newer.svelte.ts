import { createContext } from 'svelte';
import type { Workbox } from 'workbox-window';
import { ownScriptUrl } from '#state/script-url.ts';

/** Whether this page works without a network, and whether a newer Daftar waits to be taken. */
export class Newer {
	isReadyOffline = $state.raw(false);
	isWaiting = $state.raw(false);
	#workbox: Workbox | undefined;

	/** Registers the service worker once the page is idle; it is never in the way of the till. */
	async watch(): Promise<void> {
		if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
		await idle();
		const { Workbox } = await import('workbox-window');
		const workbox = new Workbox(ownScriptUrl('/service-worker.js'));
		this.#workbox = workbox;
		workbox.addEventListener('waiting', () => {
			this.isWaiting = true;
		});
		workbox.addEventListener('activated', () => {
			this.isReadyOffline = true;
		});
		workbox.addEventListener('controlling', ({ isUpdate }) => {
			if (isUpdate === true && this.isWaiting) location.reload();
		});
		// Refused in private windows of some browsers: then Daftar works as far as the network does.
		const registration = await workbox.register().catch(() => undefined);
		if (registration?.active?.state === 'activated') this.isReadyOffline = true;
	}

	/** Takes the newer Daftar: it becomes the one in charge, and the page starts again with it. */
	take(): void {
		this.#workbox?.messageSkipWaiting();
	}
}

const IDLE_WAIT_MS = 4_000;

/** Resolves when the browser has nothing better to do, or after a while. */
function idle(): Promise<void> {
	return new Promise((resolve) => {
		if ('requestIdleCallback' in window) {
			requestIdleCallback(
				() => {
					resolve();
				},
				{ timeout: IDLE_WAIT_MS }
			);
		} else setTimeout(resolve, 1_000);
	});
}

export const [useNewer, provideNewer] = createContext<Newer>();
