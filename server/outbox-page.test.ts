import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { queueMessage } from '#server/gateways/message-queue.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { createOutboxPage } from './outbox-page.ts';

let database: TestDatabase;
let server: Server;
let url: string;

beforeAll(async () => {
	database = await createTestDatabase();
	server = serve({
		fetch: createOutboxPage(database.orm).fetch,
		port: 0,
		hostname: '127.0.0.1'
	}) as Server;
	await once(server, 'listening');
	url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
});
afterAll(async () => {
	server.closeAllConnections();
	server.close();
	await database.close();
});

it('[API-31] shows messages newest first, as text', async () => {
	expect(await (await fetch(url)).text()).toContain('Nobody was written to yet.');
	const text = '<script>alert(1)</script> & "482177"';
	await queueMessage(database.orm, { channel: 'sms', to: '+1', text, key: 'one', at: 1 });
	await queueMessage(database.orm, { channel: 'sms', to: '+2', text: 'later', key: 'two', at: 2 });
	const page = await (await fetch(url)).text();
	expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;482177&quot;');
	expect(page.indexOf('later')).toBeLessThan(page.indexOf('482177'));
});

it('[API-31] is for this machine alone', async () => {
	for (const headers of [{ 'x-forwarded-for': '127.0.0.1' }, { forwarded: 'for=127.0.0.1' }]) {
		const answer = await fetch(url, { headers });
		expect(answer.status).toBe(403);
		expect(await answer.text()).not.toContain('482177');
	}
});
