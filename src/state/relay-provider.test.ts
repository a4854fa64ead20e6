import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { createWebsocketProviders, type ProviderEvents } from './relay-provider.ts';

const none = (): void => undefined;
const NO_EVENTS: ProviderEvents = {
	hello: none,
	have: none,
	nack: none,
	feed: none,
	synced: none,
	closed: none
};

it('[LINK-15] ends the line of a document under whose client somebody else wrote', () => {
	const doc = new Y.Doc();
	const { clientID } = doc;
	const create = createWebsocketProviders({
		origin: 'ws://relay.test',
		WebSocket: globalThis.WebSocket,
		getTicket: () => Promise.resolve({ ticket: 'never asked for' })
	});
	const line = create('journal', doc, NO_EVENTS);
	const other = new Y.Doc();
	other.clientID = clientID;
	appendFact(other, { id: 'Z-1', text: '["Z-1"]' });
	Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
	expect(doc.clientID).not.toBe(clientID);
	expect(() => {
		line.close();
	}).not.toThrow();
});
