import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** How somebody else's gateway may behave. */
export type GatewayMood =
	| 'take'
	| 'hang'
	| 'break'
	| 'busy'
	| 'refuse'
	| 'garbage'
	| 'twice'
	| 'drop'
	| 'endless';

export interface GatewayServer {
	readonly port: number;
	/** Every request that came whole, as it was written. */
	readonly received: readonly string[];
	mood: GatewayMood;
	close(): Promise<void>;
}

/** An HTTP server that says `taken` to a request, or whatever its mood is. */
export async function startHttpGateway(taken: object): Promise<GatewayServer> {
	const answer = (status: string, body: string): string =>
		`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
	const whole = answer('201 Created', JSON.stringify(taken));
	const says: Readonly<Record<Exclude<GatewayMood, 'hang' | 'drop' | 'endless'>, string>> = {
		take: whole,
		twice: whole + whole,
		break: answer('500 Internal Server Error', '{"message":"out of order"}'),
		busy: answer('429 Too Many Requests', '{}'),
		refuse: answer('400 Bad Request', '{"message":"not a number"}'),
		garbage: answer('200 OK', '<html>Log in</html>')
	};
	return start((server, socket) => {
		let text = '';
		socket.on('data', (chunk: Buffer) => {
			text += chunk.toString('utf8');
			const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
			const body = text.split('\r\n\r\n').slice(1).join('\r\n\r\n');
			if (Buffer.byteLength(body) < length) return;
			server.received.push(text);
			text = '';
			const { mood } = server;
			if (mood === 'drop') socket.destroy();
			else if (mood === 'endless') pour(socket);
			else if (mood !== 'hang') socket.write(says[mood]);
		});
	});
}

/** A mail server (RFC 5321) that answers the end of a letter by its mood. */
export async function startMailServer(): Promise<GatewayServer> {
	const ends: Readonly<Partial<Record<GatewayMood, string>>> = {
		take: '250 taken',
		twice: '250 taken\r\n250 taken',
		break: '451 out of order',
		busy: '452 too many',
		refuse: '550 no such mailbox',
		garbage: '<html>'
	};
	return start((server, socket) => {
		let letter: string[] | undefined;
		const say = (line: string): void => {
			socket.write(`${line}\r\n`);
		};
		const hear = (line: string): void => {
			if (letter === undefined) {
				if (line === 'DATA') letter = [];
				if (line === 'DATA') say('354 go on');
				else say(line === 'QUIT' ? '221 bye' : '250 fine');
				return;
			}
			if (line !== '.') {
				letter.push(line);
				return;
			}
			server.received.push(letter.join('\r\n'));
			letter = undefined;
			const end = ends[server.mood];
			if (server.mood === 'drop') socket.destroy();
			else if (end !== undefined) say(end);
		};
		let text = '';
		socket.on('data', (chunk: Buffer) => {
			const lines = (text + chunk.toString('utf8')).split('\r\n');
			text = lines.pop() ?? '';
			lines.forEach(hear);
		});
		say('220 ready');
	});
}

interface Running {
	readonly received: string[];
	mood: GatewayMood;
}

async function start(serve: (server: Running, socket: Socket) => void): Promise<GatewayServer> {
	const running: Running = { received: [], mood: 'take' };
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
		serve(running, socket);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	return Object.assign(running, {
		port,
		close: async (): Promise<void> => {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, 'close');
		}
	});
}

/** A body that never ends, faster than anybody needs. */
function pour(socket: Socket): void {
	socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
	const chunk = 'x'.repeat(16 * 1024);
	const timer = setInterval(() => {
		socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
	}, 5);
	socket.on('close', () => {
		clearInterval(timer);
	});
}
