/// <reference lib="webworker" />
import { build, files, version } from '$service-worker';
import { createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

declare const self: ServiceWorkerGlobalScope;

/** The one page that every address begins with; the address decides the rest, with no network too. */
const SHELL = '/index.html';
/** What is the relay's alone: never answered from here. */
const RELAY = [/^\/api\//, /^\/sync\//, /^\/outbox$/];

/** What a phone fetches once, when Daftar is installed. */
const INSTALLER_ONLY = /\.(webmanifest|png)$/;

/** SvelteKit's files that only say where a page is, or where to begin: the page's scripts know. */
const SIGNPOST = /\/immutable\/(nodes|entry)\//;

// Built files carry their hash in their name; the others change with the version.
precacheAndRoute([
	{ url: SHELL, revision: version },
	...build.filter((url) => !SIGNPOST.test(url)).map((url) => ({ url, revision: null })),
	...files.filter((url) => !INSTALLER_ONLY.test(url)).map((url) => ({ url, revision: version }))
]);
registerRoute(new NavigationRoute(createHandlerBoundToURL(SHELL), { denylist: RELAY }));

// A newer Daftar waits until its person takes it: never by itself, never during an open sale.
self.addEventListener('message', ({ data }) => {
	if (isSkipWaiting(data)) void self.skipWaiting();
});

function isSkipWaiting(data: unknown): boolean {
	return (
		typeof data === 'object' && data !== null && 'type' in data && data.type === 'SKIP_WAITING'
	);
}
