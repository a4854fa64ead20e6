import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { journalName } from '#documents/document-name.ts';
import { parseBranchId, parseBusinessId } from '#domain/ids.ts';
import { businessOf, signUpStore } from './people.ts';
import { bringProducts, sellForCash } from './shop.ts';
import { expect, openTill, test, type Sql } from './stand.ts';

test('a stock y-websocket client with a ticket and no extras reads a journal (architecture 5)', async ({
	baseURL,
	page,
	sql
}) => {
	await openTill(page);
	await bringProducts(page);
	await sellForCash(page, 'Milk');
	const business = await businessOf(sql, await signUpStore(page));
	const document = await journalOf(sql, business);
	const origin = baseURL ?? '';
	const answer = await page.request.post('/api/sync/tickets', {
		data: { document },
		headers: { Origin: origin, 'Daftar-Device': `${business}/A` }
	});
	const { ticket } = (await answer.json()) as { readonly ticket: string };

	const doc = new Y.Doc();
	const provider = new WebsocketProvider(`${origin.replace('http', 'ws')}/sync`, document, doc, {
		params: { ticket },
		WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
		disableBc: true
	});
	try {
		await new Promise<void>((resolve) => {
			provider.once('sync', () => {
				resolve();
			});
		});
		const kept = await sql<{ id: string; text: string }[]>`
			select code || '-' || n as id, text from fact
			where business = ${business} and document = ${document}`;
		expect(kept.length).toBeGreaterThan(3);
		expect(new Map(doc.getMap<string>('f').entries())).toEqual(
			new Map(kept.map(({ id, text }) => [id, text]))
		);
	} finally {
		provider.destroy();
		doc.destroy();
	}
});

async function journalOf(sql: Sql, business: string): Promise<string> {
	const [row] = await sql<
		{ branch: string }[]
	>`select branch from branch where business = ${business}`;
	const parsed = parseBusinessId(business);
	const branch = parseBranchId(row?.branch);
	if (!parsed.ok || !branch.ok) throw new Error('the business has no branch');
	return journalName(parsed.value, branch.value, Date.now());
}
