const NAME = 'daftar-page-opens';

let channel: BroadcastChannel | undefined;

/**
 * Ends the pages of this origin that sleep in the browser's back-forward cache: a message to a page
 * that sleeps makes the browser drop it. One that fell asleep while it opened its database would
 * keep every other page from opening it, for as long as it sleeps. Called before the first opening.
 */
export function endSleepingPages(): void {
	if (channel !== undefined || typeof BroadcastChannel === 'undefined') return;
	channel = new BroadcastChannel(NAME);
	// Only a page that listens is dropped; one that is awake has nothing to do.
	channel.addEventListener('message', () => undefined);
	channel.postMessage('opens');
}
