import { WebSocket as Socket } from 'ws';

/** A device's way to the server. Cut, it loses what is under way, and nothing new begins. */
export interface Network {
	readonly isUp: boolean;
	readonly fetch: typeof globalThis.fetch;
	readonly WebSocket: typeof globalThis.WebSocket;
	cut(): void;
	mend(): void;
}

export function createNetwork(): Network {
	const sockets = new Set<Socket>();
	let isUp = true;
	let lost = new AbortController();

	function open(address: string | URL, protocols: string | string[] = []): Socket {
		const socket = new Socket(address, protocols, { perMessageDeflate: false });
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		if (!isUp) socket.terminate();
		return socket;
	}

	return {
		get isUp() {
			return isUp;
		},
		fetch: (input, init) => {
			if (!isUp) return Promise.reject(new TypeError('off the network'));
			const given = init?.signal;
			const signals = given === null || given === undefined ? [lost.signal] : [lost.signal, given];
			return fetch(input, { ...init, signal: AbortSignal.any(signals) });
		},
		// The stock provider uses no more of a socket's constructor than `new`.
		WebSocket: open as unknown as typeof globalThis.WebSocket,
		cut: () => {
			isUp = false;
			lost.abort();
			for (const socket of sockets) socket.terminate();
		},
		mend: () => {
			isUp = true;
			lost = new AbortController();
		}
	};
}
