import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { FactToHandIn } from '#server/auth/handed-in.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	createRelayStand,
	EPOCH,
	settingFact,
	signedByRelay,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH } from '#tests/support/trade.ts';

const RESTORED_AT = 5_000;

let stand: RelayStand;
const signers = new Map<string, Signer>();
beforeAll(async () => {
	stand = await createRelayStand();
	for (const code of ['A', 'AB', 'AC']) signers.set(code, await stand.addDevice(code));
	const { sql } = stand.database;
	await sql`update device set joined_epoch = ${EPOCH} where code in ('AB', 'AC')`;
	await sql`update device set joined_epoch = ${EPOCH - 1} where code = 'A'`;
	await sql`update business set last_device_code = 'AC'`;
	await sql`
		insert into database_epoch (epoch, started_at)
		values (${EPOCH - 2}, 0), (${EPOCH - 1}, 1), (${EPOCH}, ${RESTORED_AT})`;
});
afterAll(() => stand.close());
beforeEach(async () => {
	const { sql } = stand.database;
	await sql`truncate fact, feed_head, document_head, document_update`;
	await sql`update device set removed_at = null`;
	await sql`update business set last_device_code = 'AC'`;
	await stand.restart();
});

/** Hands in what was forgotten; answers what became of it. */
async function carry(by: string, ...facts: readonly FactToHandIn[]): Promise<readonly string[]> {
	const caller = deviceCaller(by, signers.get(by)?.publicKey);
	const handed = await stand.relay().handIn(caller, facts, 'carried');
	return handed.map(({ became, reason }) => reason ?? became);
}

interface Named {
	/** Whose, by the code that he has now. */
	readonly key: string;
	readonly heirOf?: string;
	/** Of which the word is; the last that ended where absent. */
	readonly epoch?: number;
}

/** The relay's word which key had a code. */
async function named(n: number, code: string, of: Named): Promise<FactToHandIn> {
	const fact = parseFact(unsigned(n, code, of).text);
	if (!fact.ok || fact.value.kind !== 'device') throw new Error('no fact of a device');
	return { branch: null, text: encodeFact(await signedByRelay(fact.value)) };
}

/** The same as somebody else says it. */
function unsigned(
	n: number,
	code: string,
	{ key, epoch = EPOCH - 1, ...more }: Named
): FactToHandIn {
	const point = encodeBase64url(signers.get(key)?.publicKey ?? new Uint8Array(65));
	const fields = { key: point, member: 1, ...more };
	const head = [`0.${String(epoch)}-${String(n)}`, 'device', 1_000, 0, 20_000, 0];
	return { branch: null, text: JSON.stringify([...head, code, fields]) };
}

function wrote(id: string): FactToHandIn {
	return { branch: TRADE_BRANCH, text: settingFact(stand, id).text };
}

it('[RELAY-65] a device brings what it wrote under the code that a restore forgot', async () => {
	expect(await carry('AB', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await carry('AB', await named(1, 'B', { key: 'AB' }))).toEqual(['kept']);
	expect(await carry('AB', wrote('B-1'), wrote('B-2'))).toEqual(['kept', 'kept']);
	expect(await carry('AB', wrote('B-1'), wrote('C-1'))).toEqual(['known', 'authorUnknown']);
	const rows = await stand.database.sql<{ code: string; carried_by: string }[]>`
		select code, carried_by from fact where kind = 'setting'`;
	expect(rows).toEqual([
		{ code: 'B', carried_by: 'AB' },
		{ code: 'B', carried_by: 'AB' }
	]);
});

it('[RELAY-65] whoever told it, nobody else brings it, nor a device that was never forgotten', async () => {
	const words = [await named(1, 'B', { key: 'AB' }), await named(2, 'D', { key: 'A' })];
	expect(await carry('A', ...words)).toEqual(['kept', 'kept']);
	expect(await carry('AC', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await carry('A', wrote('B-1'), wrote('D-1'))).toEqual(['authorUnknown', 'authorUnknown']);
	expect(await carry('AB', wrote('B-1'))).toEqual(['kept']);
});

it('[RELAY-65] a word that is not the relay’s gives nobody a code, and takes none from him who had it', async () => {
	expect(await carry('AC', unsigned(2, 'B', { key: 'AC' }))).toEqual(['relayUnsigned']);
	expect(await carry('AC', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await carry('AB', await named(1, 'B', { key: 'AB' }))).toEqual(['kept']);
	expect(await carry('AB', wrote('B-1'))).toEqual(['kept']);
	// A code that is still to be given out is another's.
	expect(await carry('AB', await named(3, 'AD', { key: 'AB' }))).toEqual(['kept']);
	expect(await carry('AB', wrote('AD-1'))).toEqual(['authorUnknown']);
});

it('[RELAY-65] a code that two keys had, in two epochs, is neither’s', async () => {
	const both = [await named(1, 'B', { key: 'AB' }), await named(2, 'B', { key: 'AC' })];
	expect(await carry('A', ...both)).toEqual(['kept', 'kept']);
	expect(await carry('AC', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await carry('AB', wrote('B-1'))).toEqual(['authorUnknown']);
});

it('[RELAY-65] what is said later of a device, without its key, takes the code from nobody', async () => {
	const id = `0.${String(EPOCH - 1)}-2`;
	const text = JSON.stringify([id, 'device', 1_001, 0, 20_000, 0, 'B', { sight: 'office' }]);
	const said = parseFact(text);
	if (!said.ok || said.value.kind !== 'device') throw new Error('no fact of a device');
	const later = { branch: null, text: encodeFact(await signedByRelay(said.value)) };
	expect(await carry('AB', await named(1, 'B', { key: 'AB' }), later)).toEqual(['kept', 'kept']);
	expect(await carry('AB', wrote('B-1'))).toEqual(['kept']);
});

it('[RELAY-65] an epoch in which the device is known says of no other code that it was its', async () => {
	const told = [
		// The database began after that one.
		await named(1, 'B', { key: 'AB', epoch: EPOCH - 3 }),
		// Known since the second of them, which says so again.
		await named(2, 'F', { key: 'A', epoch: EPOCH - 2 }),
		await named(3, 'F', { key: 'A' }),
		await named(4, 'G', { key: 'A', epoch: EPOCH - 2 })
	];
	expect(await carry('AB', ...told)).toEqual(told.map(() => 'kept'));
	expect(await carry('AB', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await carry('A', wrote('F-1'), wrote('G-1'))).toEqual(['authorUnknown', 'kept']);
});

it('[RELAY-65] what it issued again as an heir is its ancestor’s, or waits until he is known', async () => {
	const again = ([id = '', was = '']: readonly string[]): FactToHandIn => {
		const [, ...rest] = JSON.parse(settingFact(stand, was).text) as readonly unknown[];
		return { branch: TRADE_BRANCH, text: JSON.stringify([[id, was], ...rest]) };
	};
	const told = [
		await named(1, 'B', { key: 'AB', heirOf: 'A' }),
		await named(2, 'C', { key: 'AB', heirOf: 'D' })
	];
	expect(await carry('AB', ...told)).toEqual(['kept', 'kept']);
	const facts = [again(['B-1', 'A-7']), again(['B-2', 'D-7']), again(['C-1', 'D-8'])];
	expect(await carry('AB', ...facts)).toEqual(['kept', 'authorUnknown', 'authorUnknown']);
});

it('[KEEP-16] a code under which somebody wrote whom a restore forgot is given to nobody else', async () => {
	const { sql } = stand.database;
	const last = async (): Promise<unknown> =>
		(await sql`select last_device_code as last from business`)[0]?.['last'];
	expect(await carry('AB', wrote('B-1'))).toEqual(['authorUnknown']);
	expect(await last()).toBe('AC');
	expect(await carry('AB', wrote('BF-1'), wrote('BD-7'))).toEqual([
		'authorUnknown',
		'authorUnknown'
	]);
	expect(await last()).toBe('BF');
	// Nobody makes so many that the last of all was given out.
	expect(await carry('AB', wrote('ZZZ-1'))).toEqual(['authorUnknown']);
	expect(await last()).toBe('BF');
});
