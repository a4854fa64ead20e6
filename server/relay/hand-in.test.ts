import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendFact, readFacts } from '#documents/facts.ts';
import type { DeviceFact } from '#domain/fact/fact.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { factId, type BranchId, type DeviceCode } from '#domain/ids.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import type { FactToHandIn, HandedIn } from '#server/auth/handed-in.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { isDatabaseGone } from '#server/database/connect.ts';
import { MESSAGE_FEED } from '#sync/frames.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	EPOCH,
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	signedByRelay,
	stockProvider,
	synced,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { makeTrade, TRADE_BRANCH } from '#tests/support/trade.ts';

const OTHER_BRANCH = '0192f0c1-7a00-4000-8000-0000000000b2' as BranchId;

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
});
afterEach(() => stand.close());

async function callerOf(code: string): Promise<DeviceCaller> {
	const { publicKey } = await stand.addDevice(code);
	return deviceCaller(code, publicKey);
}

function given({ text }: { readonly text: string }, branch = TRADE_BRANCH): FactToHandIn {
	return { branch, text };
}

function outcomes(handed: readonly HandedIn[]): readonly string[] {
	return handed.map(({ id, became, reason }) =>
		[id, became, ...(reason === undefined ? [] : [reason])].join(' ')
	);
}

async function feed(): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ s: string; code: string; n: string; by: string }[]>`
		select s, code, n, coalesce(carried_by, '') as by from fact order by s`;
	return rows.map(({ s, code, n, by }) => `${s} ${code}-${n} ${by}`.trim());
}

function deviceFact(epoch: number, n: number, fields: DeviceFact['fields']): Promise<string> {
	const code = `0.${String(epoch)}`;
	const fact: DeviceFact = {
		id: factId(code, n),
		code,
		n,
		at: { wall: stand.clock.now, counter: 0 },
		on: '2026-11-20',
		by: 0,
		kind: 'device',
		device: 'Q' as DeviceCode,
		fields
	};
	return signedByRelay(fact).then(encodeFact);
}

describe('what one device hands in for others', () => {
	it('[RELAY-40] is written once, into its document and the feed, and reaches who listens', async () => {
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const listener = stockProvider(stand, 'A');
		await synced(listener);
		const facts = [settingFact(stand, 'B-1'), settingFact(stand, 'B-2'), settingFact(stand, 'A-1')];
		const { handIn } = stand.relay();
		const handed = await handIn(
			caller,
			facts.map((fact) => given(fact)),
			'carried'
		);
		expect(outcomes(handed)).toEqual(['B-1 kept', 'B-2 kept', 'A-1 kept']);
		expect((await feed()).toSorted()).toEqual(['1 B-1 A', '2 B-2 A', '3 A-1 A']);
		await until(() => readFacts(listener.doc).length === 3);
		const again = await handIn(
			caller,
			facts.map((fact) => given(fact)),
			'carried'
		);
		expect(outcomes(again)).toEqual(['B-1 known', 'B-2 known', 'A-1 known']);
		listener.destroy();

		// Its author comes back, with the same texts under a client of his own.
		const author = stockProvider(stand, 'B');
		await synced(author);
		expect(readFacts(author.doc)).toHaveLength(3);
		author.destroy();
	});

	it.each(['B', 'Z'])(
		'[FEED-7] is read in pieces, however much it is, and holds nobody up: of %s',
		async (code) => {
			const caller = await callerOf('A');
			await stand.addDevice('B');
			const lines = Array.from({ length: 200 }, () => [0, 'Tea', 1_000, 5, 5]);
			const facts = Array.from({ length: 2_000 }, (_none, at) => {
				// Of a member who is none.
				const head = [`${code}-${String(at + 1)}`, 'sale', stand.clock.now, 1, 20_777, 9, 1];
				return given({ text: JSON.stringify([...head, lines, [['cash', 1_000]]]) });
			});
			let [last, longestMs, isDone] = [performance.now(), 0, false];
			const look = (): void => {
				const now = performance.now();
				longestMs = Math.max(longestMs, now - last);
				last = now;
				if (!isDone) setImmediate(look);
			};
			const startedAt = last;
			look();
			const handed = await stand.relay().handIn(caller, facts, 'carried');
			isDone = true;
			expect(new Set(handed.map(({ became }) => became))).toEqual(new Set(['refused']));
			expect(longestMs).toBeLessThan((performance.now() - startedAt) / 4);
		}
	);

	it('[RELAY-40] moves the projections as if its author had sent it', async () => {
		const caller = await callerOf('A');
		const crypto = createNodeCrypto();
		const signer = await stand.addDevice('B');
		const codes = ['B' as DeviceCode];
		const trade = await makeTrade({ seed: 11, count: 400, codes, signers: [signer], crypto });
		stand.clock.now += 3 * 86_400_000;
		const { handIn } = stand.relay();
		const handed = await handIn(
			caller,
			trade.facts.map(({ text }) => given({ text })),
			'carried'
		);
		expect(new Set(handed.map(({ became }) => became))).toEqual(new Set(['kept']));
		const documents = await stand.database.sql`select document from document_head`;
		expect(documents.length).toBeGreaterThanOrEqual(3);
		const sales = trade.facts.filter(({ fact }) => fact.kind === 'sale');
		const rows = await stand.database.sql`select 1 from sale`;
		expect(rows).toHaveLength(sales.length);
		expect(sales.length).toBeGreaterThan(20);
	});

	it('[RELAY-41] is refused where its own author could not have written it', async () => {
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const { handIn } = stand.relay();
		const crypto = createNodeCrypto();
		const stranger = await stand.addDevice('C');
		const codes = ['B' as DeviceCode];
		const forged = await makeTrade({ seed: 3, count: 40, codes, signers: [stranger], crypto });
		const signed = forged.facts.find(({ fact }) => fact.kind === 'record');
		if (signed === undefined) throw new Error('a trade without a record');
		const strange = settingFact(stand, 'Z-1');
		const handed = await handIn(
			caller,
			[
				given(strange),
				given(signed),
				given(settingFact(stand, 'B-1'), OTHER_BRANCH),
				given({ text: '["B-2"]' }),
				given({ text: 'nothing' }),
				given(settingFact(stand, 'B-3'))
			],
			'carried'
		);
		expect(outcomes(handed)).toEqual([
			'Z-1 refused authorUnknown',
			`${signed.fact.id} refused recordUnsigned`,
			'B-1 refused branchUnknown',
			expect.stringMatching(/^B-2 refused /),
			expect.stringMatching(/^ refused /),
			'B-3 kept'
		]);
		expect(await feed()).toEqual(['1 B-3 A']);
	});

	it('[RELAY-56] is refused where its author writes again, but what he wrote before that', async () => {
		const caller = await callerOf('A');
		const author = { ...caller, code: 'B' as DeviceCode };
		await stand.addDevice('B');
		const { handIn } = stand.relay();
		const listener = stockProvider(stand, 'B');
		await synced(listener);
		appendFact(listener.doc, settingFact(stand, 'B-5'));
		await until(async () => (await feed()).length === 1);
		const facts = ['B-4', 'B-5', 'B-6'].map((id) => given(settingFact(stand, id)));
		const handed = await handIn(caller, facts, 'carried');
		expect(outcomes(handed)).toEqual(['B-4 kept', 'B-5 known', 'B-6 refused authorBack']);
		const other = given(settingFact(stand, 'B-5', 'other'));
		expect(outcomes(await handIn(caller, [other], 'carried'))).toEqual(['B-5 conflict']);
		// He himself may, and whoever carries for one whose access has ended.
		expect(outcomes(await handIn(author, facts.slice(2), 'carried'))).toEqual(['B-6 kept']);
		await stand.database.sql`update device set removed_at = 1 where code = 'B'`;
		const late = [given(settingFact(stand, 'B-7'))];
		expect(outcomes(await handIn(caller, late, 'carried'))).toEqual(['B-7 kept']);
		listener.destroy();
	});

	it('[RELAY-21] another text under a known name is kept apart', async () => {
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const { handIn } = stand.relay();
		const first = settingFact(stand, 'B-1', 'one');
		const second = settingFact(stand, 'B-1', 'two');
		expect(outcomes(await handIn(caller, [given(first), given(second)], 'carried'))).toEqual([
			'B-1 kept',
			'B-1 conflict'
		]);
		expect(outcomes(await handIn(caller, [given(second)], 'carried'))).toEqual(['B-1 conflict']);
		expect(await feed()).toEqual(['1 B-1 A']);
		expect(await stand.database.sql`select code, n, text from fork`).toEqual([
			{ code: 'B', n: '1', text: second.text }
		]);
	});

	it('[RELAY-51] takes so much a day, of no branch and kept apart too, and long ones for several', async () => {
		await stand.close();
		stand = await createRelayStand({
			relay: { dayLimits: { device: 1, phone: 1, carried: 5, phoneCarried: 1 } }
		});
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const { handIn } = stand.relay();
		const texts = [1, 2, 3].map((n) => deviceFact(EPOCH - 1, n, { member: 1 }));
		const [first, second, third] = (await Promise.all(texts)).map((text) => ({
			branch: null,
			text
		})) as [FactToHandIn, FactToHandIn, FactToHandIn];
		const one = given(settingFact(stand, 'B-1', 'one'));
		const other = (text: string): FactToHandIn => given(settingFact(stand, 'B-1', text));
		const facts = [one, other('two'), first, other('three')];
		const ended = `0.${String(EPOCH - 1)}`;
		const four = ['B-1 kept', 'B-1 conflict', `${ended}-1 kept`, 'B-1 conflict'];
		expect(outcomes(await handIn(caller, facts, 'carried'))).toEqual(four);
		// Told again it takes no room; what is long takes more than there is.
		const lines = Array.from({ length: 40 }, () => [0, 'A name of some length', 1_000, 1, 1]);
		const head = ['B-2', 'sale', stand.clock.now, 0, 20_000, 1];
		const long = given({ text: JSON.stringify([...head, 1, lines, [['cash', 40]]]) });
		const more = [other('two'), first, long, second, third, other('four')];
		expect(outcomes(await handIn(caller, more, 'carried'))).toEqual([
			...['B-1 conflict', `${ended}-1 known`, 'B-2 refused tooMany', `${ended}-2 kept`],
			...[`${ended}-3 refused tooMany`, 'B-1 refused tooMany']
		]);
		const forks = await stand.database.sql`select 1 from fork`;
		expect(forks).toHaveLength(2);
		expect(await feed()).toHaveLength(3);
		stand.clock.now += 86_400_000;
		expect(outcomes(await handIn(caller, [other('four')], 'carried'))).toEqual(['B-1 conflict']);
	});

	it('[RELAY-51] of what goes into one document, what there is no room for stops nothing else', async () => {
		await stand.close();
		stand = await createRelayStand({
			relay: { dayLimits: { device: 1, phone: 1, carried: 2, phoneCarried: 1 } }
		});
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const facts = ['B-1', 'B-2', 'B-3'].map((id) => given(settingFact(stand, id)));
		expect(outcomes(await stand.relay().handIn(caller, facts, 'carried'))).toEqual([
			...['B-1 kept', 'B-2 kept', 'B-3 refused tooMany']
		]);
	});

	it('[RELAY-40] told by two at once is kept for one of them, and known for the other', async () => {
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const { handIn } = stand.relay();
		const facts = [given(settingFact(stand, 'B-1'))];
		const both = await Promise.all([1, 2].map(() => handIn(caller, facts, 'carried')));
		expect(both.flatMap(outcomes).toSorted()).toEqual(['B-1 kept', 'B-1 known']);
	});

	it('[RELAY-46] that its author’s heir issued again is known, under the name he gave it', async () => {
		const caller = await callerOf('A');
		for (const code of ['B', 'C']) await stand.addDevice(code);
		await stand.database.sql`update device set heir_of = 'B' where code = 'C'`;
		const { handIn } = stand.relay();
		const first = settingFact(stand, 'B-1');
		const [, ...rest] = JSON.parse(first.text) as readonly unknown[];
		const again = { text: JSON.stringify([['C-1', 'B-1'], ...rest]) };
		expect(outcomes(await handIn(caller, [given(again)], 'carried'))).toEqual(['C-1 kept']);
		expect(outcomes(await handIn(caller, [given(first)], 'carried'))).toEqual(['B-1 known']);
		expect(await feed()).toEqual(['1 C-1 A']);
	});

	it('[RELAY-60] while the database is away is to be handed in again', async () => {
		await stand.close();
		const away = Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' });
		stand = await createRelayStand({ wrapProject: () => () => Promise.reject(away) });
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const facts = [given(settingFact(stand, 'B-1'))];
		const fault = await stand
			.relay()
			.handIn(caller, facts, 'carried')
			.catch((thrown: unknown) => thrown);
		expect(isDatabaseGone(fault)).toBe(true);
	});

	it('[RELAY-10] opens a document anew that could not be read at first', async () => {
		await stand.close();
		let isAway = true;
		stand = await createRelayStand({
			onStatement: (statement) => {
				if (!isAway || !statement.includes('into feed_head')) return;
				throw Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' });
			}
		});
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const facts = [given(settingFact(stand, 'B-1'))];
		const { handIn } = stand.relay();
		await expect(handIn(caller, facts, 'carried')).rejects.toThrow('gone');
		isAway = false;
		expect(outcomes(await handIn(caller, facts, 'carried'))).toEqual(['B-1 kept']);
		const listener = stockProvider(stand, 'A');
		await synced(listener);
		expect(readFacts(listener.doc)).toHaveLength(1);
		listener.destroy();
	});

	it('[RELAY-42] of no branch stands in the feed alone, and only of an epoch that has ended', async () => {
		const caller = await callerOf('A');
		const listener = await rawSocket(stand, 'A');
		const { handIn } = stand.relay();
		const old = await deviceFact(EPOCH - 1, 9, { member: 1 });
		const forged = await deviceFact(EPOCH, 9, { member: 1 });
		const both = [old, forged].map((text) => ({ branch: null, text }));
		expect(outcomes(await handIn(caller, both, 'carried'))).toEqual([
			`0.${String(EPOCH - 1)}-9 kept`,
			`0.${String(EPOCH)}-9 refused epochNotEnded`
		]);
		expect(outcomes(await handIn(caller, both.slice(0, 1), 'carried'))).toEqual([
			`0.${String(EPOCH - 1)}-9 known`
		]);
		const rows = await stand.database.sql`select document, branch, s, carried_by from fact`;
		expect(rows).toEqual([{ document: null, branch: null, s: '1', carried_by: 'A' }]);
		const [head] = await stand.database.sql`select s from feed_head`;
		expect(head).toEqual({ s: '1' });
		// Who has a socket hears at once how far the feed has come.
		expect(jsonIn(await listener.next(isMessage(MESSAGE_FEED)))).toBe('{"s":1}');
	});

	it('[RELAY-22] is refused once its bearer was removed, and not because its author was', async () => {
		const caller = await callerOf('A');
		await stand.addDevice('B');
		const { sql } = stand.database;
		const { handIn } = stand.relay();
		await sql`update device set removed_at = 1 where code = 'B'`;
		expect(outcomes(await handIn(caller, [given(settingFact(stand, 'B-1'))], 'late'))).toEqual([
			'B-1 kept'
		]);
		expect(await feed()).toEqual(['1 B-1']);
		await sql`update device set removed_at = 1 where code = 'A'`;
		const both = [
			given(settingFact(stand, 'B-2')),
			{ branch: null, text: await deviceFact(EPOCH - 1, 1, { member: 1 }) }
		];
		expect(outcomes(await handIn(caller, both, 'carried'))).toEqual([
			'B-2 refused deviceRemoved',
			`0.${String(EPOCH - 1)}-1 refused deviceRemoved`
		]);
	});
});
