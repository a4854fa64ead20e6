import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNetwork } from './network.ts';

const server = createServer((request, response) => {
	if (request.url === '/') response.end('here');
});
const sockets = new WebSocketServer({ server });
let place = '';
beforeAll(async () => {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	place = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => {
	sockets.close();
	server.closeAllConnections();
	server.close();
});

it('loses what is under way when it is cut, and works again when it is mended', async () => {
	const network = createNetwork();
	const slow = network.fetch(`http://${place}/slow`);
	const socket = new network.WebSocket(`ws://${place}`);
	await new Promise((resolve) => {
		socket.onopen = resolve;
	});
	const closed = new Promise<number>((resolve) => {
		socket.onclose = ({ code }) => {
			resolve(code);
		};
	});
	network.cut();
	await expect(slow).rejects.toThrow();
	expect(await closed).toBe(1006);
	expect(network.isUp).toBe(false);
	await expect(network.fetch(`http://${place}/`)).rejects.toThrow('off the network');
	const late = new network.WebSocket(`ws://${place}`);
	const failed = await new Promise<number>((resolve) => {
		late.onerror = () => undefined;
		late.onclose = ({ code }) => {
			resolve(code);
		};
	});
	expect(failed).toBe(1006);

	network.mend();
	expect(await (await network.fetch(`http://${place}/`)).text()).toBe('here');
});
