import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import { againAfterMs, pingEveryMs, SILENCE_MS_MAX } from './again.ts';
import type { Bus, TellBusEvent } from './bus.ts';
import { createBusState, createListeners } from './listeners.ts';
import { createOutgoing } from './outgoing.ts';
import { decodeNews, encodeNews } from './wire.ts';

const CHANNEL = 'daftar:news';
const CONNECT_TIMEOUT_MS = 5_000;

/** Publish and subscribe of Redis, on two connections. Nothing is kept there. */
export function createRedisBus(url: string, told: TellBusEvent, silenceMs = SILENCE_MS_MAX): Bus {
	const own = randomUUID();
	const listeners = createListeners();
	const state = createBusState(told);
	const publisher = createClient({
		url,
		// What cannot be sent now is worth nothing later.
		disableOfflineQueue: true,
		pingInterval: pingEveryMs(silenceMs),
		socket: {
			connectTimeout: CONNECT_TIMEOUT_MS,
			socketTimeout: silenceMs,
			reconnectStrategy: againAfterMs
		}
	});
	// The subscription itself may wait for the first connection; node-redis repeats it after each.
	const subscriber = publisher.duplicate({ disableOfflineQueue: false });
	const clients = [publisher, subscriber];
	const tellUp = openClients(clients, state);
	subscriber
		.subscribe(CHANNEL, (message) => {
			listeners.tell(decodeNews(own, message));
		})
		.catch(() => undefined);
	const outgoing = createOutgoing({
		send: async (batch) => {
			if (!publisher.isReady) return;
			await Promise.all(encodeNews(own, batch).map((text) => publisher.publish(CHANNEL, text)));
			// What was refused before, on a line that stayed.
			tellUp();
		},
		failed: (fault) => {
			state({ kind: 'down', fault });
		}
	});
	return {
		publish: outgoing.add,
		subscribe: listeners.subscribe,
		close: async () => {
			for (const client of clients) if (client.isOpen) client.destroy();
			await outgoing.close();
		}
	};
}

type Client = Pick<ReturnType<typeof createClient>, 'connect' | 'isReady' | 'on'>;

/** They try again by themselves, as long as they are not closed. Returns what says that all are up, where they are. */
function openClients(clients: readonly Client[], state: TellBusEvent): () => void {
	const tellUp = (): void => {
		if (clients.every(({ isReady }) => isReady)) state({ kind: 'up' });
	};
	for (const client of clients) {
		client.on('error', (fault: unknown) => {
			state({ kind: 'down', fault });
		});
		client.on('ready', tellUp);
		client.connect().catch(() => undefined);
	}
	return tellUp;
}
