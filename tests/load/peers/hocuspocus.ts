// `@hocuspocus/server` with its database extension, both as they come: a document is stored whole,
// two seconds after its last change and at the latest ten after its first.
import { connect } from './peer-database.ts';

interface Hocuspocus {
	readonly Server: new (configuration: object) => {
		listen(): Promise<unknown>;
		readonly address: { readonly port: number };
	};
}

interface DatabaseExtension {
	readonly Database: new (configuration: {
		fetch(of: { readonly documentName: string }): Promise<Uint8Array | null>;
		store(of: { readonly documentName: string; readonly state: Buffer }): Promise<void>;
	}) => object;
}

/** Not named where they are imported: this project is checked without its peers. */
const PACKAGE = '@hocuspocus/server';
const EXTENSION = '@hocuspocus/extension-database';

const sql = connect();
const { Server } = (await import(PACKAGE)) as Hocuspocus;
const { Database } = (await import(EXTENSION)) as DatabaseExtension;

const server = new Server({
	port: 0,
	address: '127.0.0.1',
	quiet: true,
	extensions: [
		new Database({
			fetch: async ({ documentName }) => {
				const [row] = await sql<{ state: Uint8Array }[]>`
					select state from peer_document where document = ${documentName}`;
				return row?.state ?? null;
			},
			store: async ({ documentName, state }) => {
				await sql`
					insert into peer_document (document, state) values (${documentName}, ${state})
					on conflict (document) do update set state = excluded.state`;
			}
		})
	]
});
await server.listen();
process.stdout.write(`Hocuspocus is ready at http://localhost:${String(server.address.port)}\n`);
process.on('disconnect', () => process.exit());
