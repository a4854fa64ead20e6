import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLowS } from '#domain/confirmation/low-s.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { createNodeCrypto } from './crypto.ts';
import { createVault, openRelayKey, opensRelayKey } from './vault.ts';

const SECRET = new Uint8Array(32).fill(7);
const plain = new TextEncoder().encode('what nobody else may read');

describe('a vault', () => {
	const vault = createVault(SECRET, 'test/v1');

	it('opens what it sealed, which never looks the same twice', () => {
		const [one, two] = [vault.seal(plain), vault.seal(plain)];
		expect(one).not.toEqual(two);
		expect([vault.open(one), vault.open(two)]).toEqual([plain, plain]);
		expect(vault.open(vault.seal(new Uint8Array(0)))).toEqual(new Uint8Array(0));
	});

	it('does not open what was changed, or sealed under another secret or purpose', () => {
		const sealed = vault.seal(plain);
		for (let at = 0; at < sealed.length; at += 1) {
			const spoilt = sealed.map((byte, place) => (place === at ? byte ^ 1 : byte));
			expect(() => vault.open(spoilt)).toThrow('does not open');
		}
		expect(() => createVault(SECRET, 'test/v2').open(sealed)).toThrow('does not open');
		expect(() =>
			createVault(
				SECRET.map(() => 8),
				'test/v1'
			).open(sealed)
		).toThrow();
	});
});

describe("the relay's key", () => {
	let database: TestDatabase;
	beforeAll(async () => {
		database = await createTestDatabase();
	});
	afterAll(() => database.close());

	it('is one for all relays of a database, and signs with a low s', async () => {
		const parts = { sql: database.sql, secret: SECRET, clock: () => 1 };
		const keys = await Promise.all([1, 2, 3, 4].map(() => openRelayKey(parts)));
		const later = await openRelayKey(parts);
		expect(new Set([...keys, later].map(({ kid }) => Buffer.from(kid).toString('hex'))).size).toBe(
			1
		);
		const crypto = createNodeCrypto();
		for (let time = 0; time < 20; time += 1) {
			const signature = await later.sign(plain);
			expect(isLowS(signature)).toBe(true);
			expect(await crypto.verify(later.publicKey, plain, signature)).toBe(true);
		}
	});

	it('says of a secret whether it is the one, and of any where nothing is kept yet', async () => {
		const { sql } = database;
		expect(await opensRelayKey(sql, SECRET)).toBe(true);
		const other = SECRET.map(() => 9);
		expect(await opensRelayKey(sql, other)).toBe(false);
		await sql.begin(async (transaction) => {
			const tx = transaction as unknown as Sql;
			await tx`delete from relay_key`;
			expect(await opensRelayKey(tx, other)).toBe(true);
			await tx`drop table relay_key`;
			expect(await opensRelayKey(tx, other)).toBe(true);
			await tx`rollback`;
		});
		expect(await opensRelayKey(sql, SECRET)).toBe(true);
	});

	it('is not made anew where the secret is another: its signatures would be worth nothing', async () => {
		const other = { sql: database.sql, secret: SECRET.map(() => 9), clock: () => 2 };
		await expect(openRelayKey(other)).rejects.toThrow('another DAFTAR_SECRET');
		const rows = await database.sql`select kid from relay_key`;
		expect(rows).toHaveLength(1);
	});

	it('does not stand in the database as it is', async () => {
		const [row] = await database.sql<{ sealed: Uint8Array }[]>`select sealed from relay_key`;
		// Every key in PKCS 8 begins with a sequence and names its curve, 1.2.840.10045.3.1.7.
		const curve = Buffer.from('2a8648ce3d030107', 'hex');
		expect(Buffer.from(row?.sealed ?? []).includes(curve)).toBe(false);
	});
});
