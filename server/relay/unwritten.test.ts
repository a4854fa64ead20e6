import { afterEach, beforeEach, expect, it } from 'vitest';
import { journalName } from '#documents/document-name.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import {
	EMPTY_UPDATE,
	encodeUpdate,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK
} from '#sync/frames.ts';
import {
	createRelayStand,
	isMessage,
	rawSocket,
	settingFact,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';

const DAY_MS = 86_400_000;

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
});
afterEach(() => stand.close());

async function heads(): Promise<readonly unknown[]> {
	return stand.database.sql`select document, sequence from document_head order by document`;
}

function update(client: number, { id, text }: { id: string; text: string }): Uint8Array {
	return encodeUpdate(handUpdate([{ client, clock: 0, structs: [textUnder(id, text)] }]));
}

it('[RELAY-94] documents that are opened leave no rows, nor do those into which nothing is taken', async () => {
	const days = [0, 1, 2, 400, 40_000].map((ago) =>
		journalName(TRADE_BUSINESS, TRADE_BRANCH, stand.clock.now - ago * DAY_MS)
	);
	const sockets = await Promise.all(days.map((document) => rawSocket(stand, 'A', { document })));
	for (const socket of sockets) await socket.next(isMessage(MESSAGE_HELLO));
	expect(await heads()).toEqual([]);

	const [today, yesterday, third] = sockets;
	third?.send(encodeUpdate(EMPTY_UPDATE));
	// A key that is another's.
	yesterday?.send(update(5, settingFact(stand, 'Z-1')));
	await yesterday?.next(isMessage(MESSAGE_NACK));
	expect(await heads()).toEqual([]);

	today?.send(update(7, settingFact(stand, 'A-1')));
	await until(() => (today?.heard.filter(isMessage(MESSAGE_HAVE)).length ?? 0) > 1);
	today?.send(update(8, settingFact(stand, 'A-2')));
	await until(async () => (await stand.database.sql`select 1 from fact`).length === 2);
	expect(await heads()).toEqual([{ document: days[0], sequence: '2' }]);
	expect(stand.faults).toEqual([]);
});
