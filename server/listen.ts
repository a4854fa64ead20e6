import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { serve, type WebSocketServerLike } from '@hono/node-server';
import type { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import { PAYLOAD_BYTES_MAX } from '#sync/limits.ts';
import { codeOf } from './database/data-folder.ts';

const CLOSE_MS_MAX = 3_000;
/** By when a request is there with its body: our own devices wait no longer for the answer. */
const REQUEST_MS_MAX = 90_000;

export interface ListenAt {
	/** 0 for any free port. */
	readonly port: number;
	/** Undefined for all addresses of the machine. */
	readonly host: string | undefined;
}

/**
 * Serves `app` and its sockets, and answers the port that listens; `running` ends it. Throws a
 * sentence for the person who started it where the port cannot be had.
 */
export async function listen(
	app: Hono,
	{ port, host }: ListenAt,
	running: AsyncDisposableStack
): Promise<number> {
	const sockets = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX });
	const server = serve({
		fetch: app.fetch,
		port,
		...(host === undefined ? {} : { hostname: host }),
		serverOptions: { requestTimeout: REQUEST_MS_MAX },
		// Its own types and those of `ws` differ in optional fields that may be undefined, and only there.
		websocket: { server: sockets as WebSocketServerLike }
	}) as Server; // No `createServer` was given, and then it is one of node:http.
	watchUpgrades(server);
	try {
		await once(server, 'listening');
	} catch (cause) {
		throw new Error(unheard(cause, port, host), { cause });
	}
	running.defer(() => close(server, sockets));
	const address = server.address();
	return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * RELAY-92. Who asks for another protocol takes his line out of Node's hands, with its faults and time
 * limits. What opens WebSockets takes no notice of those that ask for something else, and gives the others
 * all the time they like; it refuses only where it listens alone, and so it stands behind this.
 */
function watchUpgrades(server: Server): void {
	const open = server.listeners('upgrade');
	server.removeAllListeners('upgrade');
	server.on('upgrade', (request: IncomingMessage, line: Socket, head: Buffer) => {
		// Taken away by `ws` from a line that became a WebSocket's.
		line.setTimeout(REQUEST_MS_MAX, () => line.destroy());
		if (request.headers.upgrade?.toLowerCase() === 'websocket') {
			for (const listener of open) listener.call(server, request, line, head);
			return;
		}
		line.on('error', () => line.destroy());
		line.end(REFUSED, () => line.destroy());
	});
}

const REFUSED = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Lets what is under way finish, for a moment. */
async function close(server: Server, sockets: WebSocketServer): Promise<void> {
	const closed = once(server, 'close');
	server.close();
	// One that was being opened would else hold us until its client gives up.
	sockets.on('connection', (socket) => {
		socket.terminate();
	});
	for (const socket of sockets.clients) socket.terminate();
	server.closeIdleConnections();
	const late = setTimeout(() => {
		server.closeAllConnections();
	}, CLOSE_MS_MAX);
	await closed;
	clearTimeout(late);
}

function unheard(cause: unknown, port: number, host: string | undefined): string {
	const number = String(port);
	switch (codeOf(cause)) {
		case 'EADDRINUSE':
			return `Port ${number} is taken: stop the program that uses it, or set PORT to another.`;
		case 'EACCES':
			return `Port ${number} is not open to this user: set PORT to one above 1023.`;
		default:
			return `Nothing can listen on ${host ?? 'this machine'}, port ${number} (${codeOf(cause)}).`;
	}
}
