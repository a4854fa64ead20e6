import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDocumentName } from '#documents/document-name.ts';
import { err } from '#domain/result.ts';
import { CLOSE } from '#sync/close-code.ts';
import { decodeNack, encodeUpdate, MESSAGE_HAVE, MESSAGE_NACK } from '#sync/frames.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import { readKnown } from '#server/relay/known-texts.ts';
import { loadRoom } from '#server/relay/room.ts';
import type { Submission } from '#server/relay/submission.ts';
import { textItem } from '#server/relay/update-writer.ts';
import {
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	until,
	type RawSocket,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';

/** Little that is sent, and what it may cost at the relay. */
let stand: RelayStand;
beforeAll(async () => {
	stand = await createRelayStand();
	for (const code of ['A', 'B']) await stand.addDevice(code);
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

async function count(): Promise<number> {
	const [row] = await stand.database.sql<{ count: number }[]>`
		select count(*)::int as count from fact`;
	return row?.count ?? 0;
}

let client = 7_000_000_000;

function tell(socket: RawSocket, ...told: readonly (readonly [id: string, text: string])[]): void {
	client += 1;
	const structs = told.map(([id, text]) => textUnder(id, text));
	socket.send(encodeUpdate(handUpdate([{ client, clock: 0, structs }])));
}

async function write(socket: RawSocket, id: string, text: string): Promise<void> {
	const before = await count();
	tell(socket, [id, text]);
	await until(async () => (await count()) === before + 1);
}

async function forksOf(socket: RawSocket): Promise<unknown> {
	const nack = decodeNack(jsonIn(await socket.next(isMessage(MESSAGE_NACK))));
	expect(await socket.closed).toBe(CLOSE.fork);
	return nack?.refused;
}

/** An import of products, of some 60 kB. */
function longText(id: string, n: number): string {
	const rows = Array.from({ length: 270 }, () => [0, { name: 'x'.repeat(200) }]);
	const day = Math.floor(stand.clock.now / 86_400_000);
	return JSON.stringify([id, 'product', stand.clock.now, n, day, 1, rows]);
}

it('[RELAY-80] no more of what is known is read than is told, however often it is named', async () => {
	const text = longText('B-1', 1);
	const socket = await rawSocket(stand, 'B');
	await socket.next(isMessage(MESSAGE_HAVE));
	await write(socket, 'B-1', text);
	const { sql } = stand.database;
	const address = parseDocumentName(stand.today());
	if (!address.ok) throw new Error(address.error);
	const room = await loadRoom(sql, stand.today(), address.value);
	const told = (texts: readonly string[]): Submission => {
		const items = texts.map((each, clock) =>
			textItem({ client: 5, clock, key: 'B-1', text: each })
		);
		return {
			...{ room, caller: { scope: TRADE_BUSINESS, code: 'B' }, sender: {} },
			update: { items, deletions: [] },
			checks: new Map(items.map((item) => [item, err('notJson')]))
		};
	};
	let read = 0;
	const counting = Object.assign(async (...given: Parameters<typeof sql>) => {
		const rows = (await sql(...given)) as unknown as readonly { readonly text: string | null }[];
		for (const row of rows) read += (row.text ?? '').length;
		return rows;
	}, {}) as unknown as typeof sql;
	const short = Array.from({ length: 2_000 }, (_none, at) => `x${String(at)}`);
	expect(await readKnown(counting, [told(short), told(short)])).toEqual(
		new Map([[`${TRADE_BUSINESS} B-1`, null]])
	);
	expect(read).toBe(0);
	// One as long as it is looked at, once.
	const other = `${text.slice(0, -1)} `;
	for (const texts of [[other], [text, 'x', text, other], ['x', text]]) {
		read = 0;
		expect(await readKnown(counting, [told(texts)])).toEqual(
			new Map([[`${TRADE_BUSINESS} B-1`, text]])
		);
		expect(read).toBe(text.length);
	}

	const short20 = Array.from({ length: 20_000 }, () => ['B-1', 'x'] as const);
	tell(socket, ...short20);
	expect(await forksOf(socket)).toHaveLength(20_000);
});

it('[RELAY-21] a text that no database takes is told as a fork, and breaks nobody’s batch', async () => {
	const [a, b] = [await rawSocket(stand, 'A'), await rawSocket(stand, 'B')];
	for (const socket of [a, b]) await socket.next(isMessage(MESSAGE_HAVE));
	const { id, text } = settingFact(stand, 'B-2');
	await write(b, id, text);
	const before = await count();
	const [kept] = await stand.database.sql`select count(*)::int as count from fork`;
	const honest = settingFact(stand, 'A-1');
	tell(a, [honest.id, honest.text]);
	tell(b, ['B-2', 'nothing\0at all']);
	expect(await forksOf(b)).toEqual([['B-2', 'fork']]);
	await until(async () => (await count()) === before + 1);
	expect(await stand.database.sql`select count(*)::int as count from fork`).toEqual([kept]);
	// A batch that broke is heard of there.
	expect(stand.faults).toEqual([]);
	a.socket.terminate();
});
