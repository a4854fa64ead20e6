import type { WebsocketProvider } from 'y-websocket';
import { utcDay } from '#documents/document-name.ts';
import { stockProvider, synced, type RelayStand } from './relay-stand.ts';

/** An earlier day's journal that two honest devices have open while another means them no good. */
export interface WatchedDocument {
	readonly document: string;
	/** Of device `A`, who writes in it. */
	readonly victim: WebsocketProvider;
	/** Of device `C`, who looks on. */
	readonly watcher: WebsocketProvider;
	readonly close: () => void;
}

/** Opens the journal of so many days ago; each test has a day of its own. */
export async function openWatched(stand: RelayStand, daysAgo: number): Promise<WatchedDocument> {
	const day = utcDay(stand.clock.now - daysAgo * 86_400_000);
	const document = stand.today().replace(/\d{8}$/, day);
	const victim = stockProvider(stand, 'A', { document });
	const watcher = stockProvider(stand, 'C', { document });
	await Promise.all([synced(victim), synced(watcher)]);
	return {
		document,
		victim,
		watcher,
		close: () => {
			victim.destroy();
			watcher.destroy();
		}
	};
}
