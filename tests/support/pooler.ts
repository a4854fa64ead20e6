import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { socketFolder } from '#server/database/connect.ts';

/** A program between Daftar and PostgreSQL that keeps PostgreSQL's connections for itself. */
export interface Pooler {
	/** The same database, by way of it. */
	readonly url: string;
	readonly stop: () => Promise<void>;
}

export interface PoolerHabits {
	/** What it does of a setting that a client asks for as it connects, and that it does not know. */
	readonly settings: 'refuses' | 'ignores';
}

const KNOWN: ReadonlySet<string> = new Set([
	...['user', 'database', 'application_name', 'client_encoding']
]);
/** `X` and its length: a client that leaves. It is the pooler that decides what ends. */
const FAREWELL = Buffer.from([0x58, 0, 0, 0, 4]);
const HEAD_BYTES = 8;

/**
 * As a pooler of transactions does it, a connection to PostgreSQL outlives the client that it was opened
 * for, with all that the client left on it.
 */
export async function startPooler(url: string, { settings }: PoolerHabits): Promise<Pooler> {
	const { port: portOf, pathname, username } = new URL(url);
	const socketPath = path.join(socketFolder(url) ?? '', `.s.PGSQL.${portOf || '5432'}`);
	const open: Socket[] = [];
	const server = createServer((client) => {
		open.push(client);
		client.on('error', () => undefined);
		client.once('data', (startup: Buffer) => {
			const asked = readSettings(startup);
			const strange = Object.keys(asked).find((name) => !KNOWN.has(name));
			if (strange !== undefined && settings === 'refuses') {
				client.end(refusal(`unsupported startup parameter: ${strange}`));
				return;
			}
			const backend = connect(socketPath);
			open.push(backend);
			backend.on('error', () => undefined);
			backend.write(startupOf(Object.entries(asked).filter(([name]) => KNOWN.has(name))));
			backend.on('data', (bytes) => client.writable && client.write(bytes));
			backend.on('close', () => client.destroy());
			client.on('data', (bytes) => backend.write(withoutFarewell(bytes)));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `postgresql://${username}@127.0.0.1:${String(port)}${pathname}`,
		stop: async () => {
			for (const socket of open) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		}
	};
}

function readSettings(startup: Buffer): Record<string, string> {
	const words = startup.subarray(HEAD_BYTES).toString().split('\0');
	const settings: Record<string, string> = {};
	for (let at = 0; (words[at] ?? '') !== ''; at += 2)
		settings[words[at] ?? ''] = words[at + 1] ?? '';
	return settings;
}

/** PostgreSQL's StartupMessage, protocol 3.0. */
function startupOf(settings: readonly (readonly [string, string])[]): Buffer {
	const words = Buffer.from(`${settings.flat().join('\0')}\0\0`);
	const head = Buffer.alloc(HEAD_BYTES);
	head.writeUInt32BE(HEAD_BYTES + words.byteLength);
	head.writeUInt32BE(0x3_0000, 4);
	return Buffer.concat([head, words]);
}

/** PostgreSQL's ErrorResponse of a connection that is not taken. */
function refusal(message: string): Buffer {
	const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`);
	const head = Buffer.from('E\0\0\0\0', 'latin1');
	head.writeUInt32BE(4 + fields.byteLength, 1);
	return Buffer.concat([head, fields]);
}

function withoutFarewell(bytes: Buffer): Buffer {
	const at = bytes.byteLength - FAREWELL.byteLength;
	return at >= 0 && bytes.subarray(at).equals(FAREWELL) ? bytes.subarray(0, at) : bytes;
}
