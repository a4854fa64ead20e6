import { afterEach, beforeEach, expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { encodeUpdate } from '#sync/frames.ts';
import { createRelayStand, rawSocket, settingFact, until } from '#tests/support/relay-stand.ts';
import type { RelayStand } from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { checkDatabase, checkDocuments, type Found, type Promised } from './check-database.ts';

let stand: RelayStand;
let promised: readonly Promised[];
beforeEach(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
	promised = ['A-1', 'A-2', 'A-3'].map((id) => settingFact(stand, id));
	const doc = new Y.Doc();
	for (const fact of promised) appendFact(doc, fact);
	const socket = await rawSocket(stand, 'A');
	socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
	await until(async () => (await check()).facts === 3);
});
afterEach(() => stand.close());

function check(): Promise<Found> {
	return checkDatabase(stand.database, TRADE_BUSINESS, promised);
}

it('finds nothing in a database that kept what it promised', async () => {
	expect(await check()).toEqual({ facts: 3, lost: [], doubled: 0, wrong: [] });
	expect(await checkDocuments(stand.database, TRADE_BUSINESS)).toEqual([]);
});

it('finds a fact that is gone, or other than it was', async () => {
	await stand.database.sql`delete from fact where n = 2`;
	await stand.database.sql`update fact set text = replace(text, 'Shop', 'Shed') where n = 3`;
	expect(await check()).toMatchObject({
		facts: 2,
		lost: ['A-2', 'A-3'],
		wrong: [expect.stringMatching(/gap or a twin at 2$/)]
	});
	expect(await checkDocuments(stand.database, TRADE_BUSINESS)).toHaveLength(1);
});

it('finds a number that does not follow from the facts', async () => {
	await stand.database.sql`
		insert into stock (business, branch, product, thousandths)
		select business, branch, 'A-1', 500 from fact where n = 1`;
	expect((await check()).wrong).toEqual(['stock A-1: none and 500']);
});

it('finds a feed that says more than it has', async () => {
	await stand.database.sql`update feed_head set s = 5`;
	expect((await check()).wrong).toEqual(['the feed says 5 and has 3']);
});
