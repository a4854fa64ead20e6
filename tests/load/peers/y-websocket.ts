// `@y/websocket-server` as its own program starts it, with a persistence that writes each update as
// it comes into a table of our PostgreSQL. Nobody is told when that is done: it has no message for it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import * as Y from 'yjs';
import { connect } from './peer-database.ts';

interface YWebsocketServer {
	readonly setPersistence: (persistence: {
		readonly bindState: (document: string, doc: Y.Doc) => void;
		readonly writeState: (document: string, doc: Y.Doc) => Promise<void>;
	}) => void;
	readonly setupWSConnection: (socket: WebSocket, request: object) => void;
}

/** Not named where it is imported: this project is checked without its peers. */
const PACKAGE = '@y/websocket-server/utils';

const sql = connect();
const { setPersistence, setupWSConnection } = (await import(PACKAGE)) as YWebsocketServer;

setPersistence({
	bindState: (document, doc) => {
		void load(document, doc);
		doc.on('update', (update: Uint8Array, origin: unknown) => {
			if (origin === sql) return;
			sql`insert into peer_update (document, update) values (${document}, ${Buffer.from(update)})`.catch(
				(fault: unknown) => {
					process.stderr.write(`${String(fault)}\n`);
				}
			);
		});
	},
	writeState: () => Promise.resolve()
});

const sockets = new WebSocketServer({ noServer: true });
sockets.on('connection', setupWSConnection);
const server = createServer();
server.on('upgrade', (request, socket, head) => {
	sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open, request));
});
server.listen(0, '127.0.0.1', () => {
	const { port } = server.address() as AddressInfo;
	process.stdout.write(`y-websocket is ready at http://localhost:${String(port)}\n`);
});
process.on('disconnect', () => process.exit());

async function load(document: string, doc: Y.Doc): Promise<void> {
	const rows = await sql<{ update: Uint8Array }[]>`
		select update from peer_update where document = ${document} order by number`;
	if (rows.length > 0) {
		Y.applyUpdate(doc, Y.mergeUpdates(rows.map(({ update }) => update)), sql);
	}
}
