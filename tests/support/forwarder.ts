import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { socketFolder } from '#server/database/connect.ts';

/** A port of this machine whose every connection goes on to somewhere else, and ends with it. */
export interface Forwarder {
	readonly port: number;
	/** The connections that are open: the caller's end, and the one that goes on. */
	readonly pairs: ReadonlySet<Pair>;
	/** From here on nothing passes on the connections that there are, and nobody says that they ended. */
	readonly mute: () => void;
	readonly close: () => Promise<void>;
}

export type Pair = readonly [near: Socket, far: Socket];

export interface ForwarderParts {
	/** Opens the end that goes on. */
	readonly connectFar: () => Socket;
	/** Passes on what the caller said, or less of it; all of it where nothing is given. */
	readonly up?: (far: Socket, bytes: Buffer) => void;
	/** Passes on what was answered. */
	readonly down?: (near: Socket, bytes: Buffer) => void;
}

export async function createForwarder({
	connectFar,
	up = pass,
	down = pass
}: ForwarderParts): Promise<Forwarder> {
	const pairs = new Set<Pair>();
	const muted = new WeakSet<Socket>();
	const server = createServer((near) => {
		const far = connectFar();
		const pair = [near, far] as const;
		pairs.add(pair);
		for (const socket of pair) {
			socket.on('error', () => undefined);
			socket.on('close', () => {
				near.destroy();
				far.destroy();
				pairs.delete(pair);
			});
		}
		near.on('data', (bytes: Buffer) => {
			if (!muted.has(far)) up(far, bytes);
		});
		far.on('data', (bytes: Buffer) => {
			if (!muted.has(near)) down(near, bytes);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		port: (server.address() as AddressInfo).port,
		pairs,
		mute: () => {
			for (const pair of pairs) for (const socket of pair) muted.add(socket);
		},
		close: async () => {
			const closed = once(server, 'close');
			server.close();
			for (const pair of pairs) for (const socket of pair) socket.destroy();
			await closed;
		}
	};
}

function pass(to: Socket, bytes: Buffer): void {
	to.write(bytes);
}

/** Opens the socket in which a PostgreSQL of tests listens. */
export function connectToPostgres(url: string): Socket {
	const folder = socketFolder(url);
	if (folder === undefined) throw new Error('a test database has a socket');
	return connect(`${folder}/.s.PGSQL.5432`);
}

/** The same database by a port of this machine. */
export function urlByPort(url: string, port: number): string {
	return url.replace(/@[^/]*\//, `@127.0.0.1:${String(port)}/`);
}
