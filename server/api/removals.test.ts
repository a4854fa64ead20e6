import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { account, device, member } from '#server/database/accounts.ts';
import {
	ask,
	createPeopleStand,
	createTestKey,
	joinBody,
	openShop,
	PASSWORD,
	proveDevice,
	signUp,
	type Answer,
	type PeopleStand,
	type Shop
} from '#tests/support/people-stand.ts';
import type { Signer } from '#domain/crypto.ts';
import { until } from '#tests/support/relay-stand.ts';

let stand: PeopleStand;
let shop: Shop;
let key: Signer;
beforeEach(async () => {
	stand = await createPeopleStand();
	shop = await openShop(stand.app, 'asha');
	key = await createTestKey();
	const { business, cookie } = shop;
	await ask(stand.app, '/devices', { cookie, body: await joinBody({ business }, key) });
	stand.told.length = 0;
	stand.revoked.length = 0;
});
afterEach(() => stand.close());

function removeDevice(code: string, changes: object = {}, cookie = shop.cookie): Promise<Answer> {
	const body = { business: shop.business, code, password: PASSWORD, ...changes };
	return ask(stand.app, '/devices/removal', { cookie, body });
}

/** Whether somebody waits for a lock, or so many do. */
async function waits(atLeast = 1): Promise<boolean> {
	const rows = await stand.database.sql`
		select 1 from pg_stat_activity
		where datname = current_database() and wait_event_type = 'Lock'`;
	return rows.length >= atLeast;
}

async function invite(by: { bearer: string } | { cookie: string }): Promise<string> {
	const body = { business: shop.business, branch: shop.branch };
	return String((await ask(stand.app, '/invites', { ...by, body })).body['token']);
}

async function join(token: string): Promise<Answer> {
	return ask(stand.app, '/devices', { body: await joinBody({ token }, await createTestKey()) });
}

async function signIn(username: string): Promise<string> {
	const answer = await ask(stand.app, '/sessions', { body: { username, password: PASSWORD } });
	return answer.cookie ?? '';
}

describe('a device that its owner removes', () => {
	it('[API-36] [API-40] has an heir before it, which the owner sees, or none', async () => {
		const { sql } = stand.database;
		let removed: Promise<Answer> | undefined;
		// As whoever makes an heir holds it.
		await sql.begin(async (tx) => {
			await tx`select 1 from business where business = ${shop.business} for update`;
			removed = removeDevice('B');
			await until(waits);
			const rows = await tx`select 1 from device where code = 'B' and removed_at is null`;
			expect(rows).toHaveLength(1);
		});
		expect((await removed)?.status).toBe(204);
	});

	it('[API-36] has no access from then on by any proof, and everybody is told once', async () => {
		const bearer = String(
			(await proveDevice(stand.app, { ...shop, code: 'B', key })).body['token']
		);
		const elsewhere = await signIn('asha');
		expect((await removeDevice('B')).status).toBe(204);
		expect(stand.told).toEqual([
			{
				business: shop.business,
				draft: {
					kind: 'device',
					device: 'B',
					fields: { removedAt: stand.clock.now },
					branch: shop.branch
				}
			}
		]);
		expect(stand.revoked[0]).toBe(shop.business);
		const invite = { business: shop.business, branch: shop.branch };
		const invited = await ask(stand.app, '/invites', { bearer, body: invite });
		expect(invited.body['code']).toBe('deviceRemoved');
		const again = await proveDevice(stand.app, { ...shop, code: 'B', key });
		expect(again.body['code']).toBe('deviceRemoved');
		const { business, cookie } = shop;
		const back = await ask(stand.app, '/devices', {
			cookie,
			body: await joinBody({ business }, key)
		});
		expect(back.body['code']).toBe('deviceRemoved');
		// A session that was left on it joins no other device, and the owner's own goes on.
		expect((await ask(stand.app, '/me', { cookie: elsewhere })).status).toBe(401);
		expect((await ask(stand.app, '/me', { cookie })).status).toBe(200);

		// The same again changes nothing and tells nobody.
		expect((await removeDevice('B')).status).toBe(204);
		expect(stand.told).toHaveLength(1);
		const [row] = await stand.database.orm.select().from(device).where(eq(device.code, 'B'));
		expect(row?.removedAt).toBe(stand.clock.now);
	});

	it('[API-36] brings in no other by a session that ends with it, however soon it asked', async () => {
		const { sql } = stand.database;
		const { business } = shop;
		const elsewhere = await signIn('asha');
		const body = await joinBody({ business }, await createTestKey());
		let joining: Promise<Answer> | undefined;
		// As whoever removes holds it.
		await sql.begin(async (tx) => {
			await tx`select 1 from business where business = ${business} for update`;
			joining = ask(stand.app, '/devices', { cookie: elsewhere, body });
			await until(waits);
			await stand.auth.sessions.end(elsewhere);
		});
		expect((await joining)?.body['code']).toBe('notSignedIn');
		expect(await sql`select 1 from device where business = ${business}`).toHaveLength(2);
	});

	it('[API-55] leaves no invite by which whoever has it joins again', async () => {
		const bearer = String(
			(await proveDevice(stand.app, { ...shop, code: 'B', key })).body['token']
		);
		const token = await invite({ bearer });
		expect((await removeDevice('B')).status).toBe(204);
		expect((await join(token)).body['code']).toBe('inviteUnknown');
		// The owner's next one is as good as any.
		expect((await join(await invite({ cookie: shop.cookie }))).status).toBe(201);
	});

	it('[API-55] leaves none that it was asking for meanwhile, by its key or by a session', async () => {
		const { business, branch } = shop;
		const token = (await proveDevice(stand.app, { ...shop, code: 'B', key })).body['token'];
		const elsewhere = await signIn('asha');
		const asked: Promise<Answer>[] = [];
		let removed: Promise<Answer> | undefined;
		// As whoever joins at that moment holds it: they wait behind it, in this order.
		await stand.database.sql.begin(async (tx) => {
			await tx`select 1 from business where business = ${business} for update`;
			removed = removeDevice('B');
			await until(() => waits(1));
			for (const by of [{ bearer: String(token) }, { cookie: elsewhere }])
				asked.push(ask(stand.app, '/invites', { ...by, body: { business, branch } }));
			await until(() => waits(3));
		});
		expect((await removed)?.status).toBe(204);
		const codes = (await Promise.all(asked)).map(({ body }) => body['code']);
		expect(codes).toEqual(['deviceRemoved', 'notSignedIn']);
		expect(await stand.database.sql`select 1 from invite`).toEqual([]);
	});

	it('[API-36] stays where the password, the business or the device is another', async () => {
		const other = await openShop(stand.app, 'bakari');
		stand.told.length = 0;
		const refusals = [
			[await removeDevice('B', { password: 'a window in the wall' }), 'passwordWrong'],
			[await removeDevice('B', {}, other.cookie), 'notAMember'],
			[await removeDevice('B', {}, ''), 'notSignedIn'],
			[await removeDevice('C'), 'notFound'],
			[await removeDevice('B', { business: other.business }), 'notAMember'],
			[await removeDevice('?'), 'bodyInvalid']
		] as const;
		expect(refusals.map(([answer]) => answer.body['code'])).toEqual(
			refusals.map(([, code]) => code)
		);
		expect(stand.told).toEqual([]);
		expect((await proveDevice(stand.app, { ...shop, code: 'B', key })).status).toBe(201);
	});
});

describe('a member whom an owner removes', () => {
	beforeEach(async () => {
		const { person } = await signUp(stand.app, 'bakari');
		const [row] = await stand.database.orm
			.select()
			.from(account)
			.where(eq(account.username, 'bakari'));
		await stand.database.orm.insert(member).values({
			business: shop.business,
			member: 2,
			account: row?.account ?? '',
			person,
			role: 'owner',
			name: 'Bakari',
			createdAt: stand.clock.now
		});
		await stand.database.orm.update(device).set({ member: 2 }).where(eq(device.code, 'B'));
	});

	it('[API-37] loses his devices with him, and nobody removes himself', async () => {
		const remove = (of: number): Promise<Answer> =>
			ask(stand.app, '/members/removal', {
				cookie: shop.cookie,
				body: { business: shop.business, member: of, password: PASSWORD }
			});
		expect((await remove(1)).body['code']).toBe('notFound');
		expect((await remove(3)).body['code']).toBe('notFound');
		expect((await remove(2)).status).toBe(204);
		expect((await remove(2)).status).toBe(204);
		const removedAt = stand.clock.now;
		expect(stand.told.map(({ draft }) => draft)).toEqual([
			{ kind: 'member', member: 2, fields: { removedAt }, branch: null },
			{ kind: 'device', device: 'B', fields: { removedAt }, branch: shop.branch }
		]);
		expect((await proveDevice(stand.app, { ...shop, code: 'B', key })).body['code']).toBe(
			'deviceRemoved'
		);
		expect((await proveDevice(stand.app, { ...shop, code: 'A' })).status).toBe(201);
		const cookie = await signIn('bakari');
		expect((await ask(stand.app, '/me', { cookie })).body['businesses']).toEqual([]);
		const invite = { business: shop.business, branch: shop.branch };
		expect((await ask(stand.app, '/invites', { cookie, body: invite })).body['code']).toBe(
			'notAMember'
		);
	});

	it('[API-57] removes nobody meanwhile: of two owners who remove each other one stays', async () => {
		const bakari = await signIn('bakari');
		const { business } = shop;
		const remove = (cookie: string, of: number): Promise<Answer> =>
			ask(stand.app, '/members/removal', {
				cookie,
				body: { business, member: of, password: PASSWORD }
			});
		const asked: Promise<Answer>[] = [];
		// As whoever joins at that moment holds it: they wait behind it, in this order.
		await stand.database.sql.begin(async (tx) => {
			await tx`select 1 from business where business = ${business} for update`;
			for (const [cookie, of] of [[shop.cookie, 2] as const, [bakari, 1] as const]) {
				asked.push(remove(cookie, of));
				await until(() => waits(asked.length));
			}
		});
		const answers = await Promise.all(asked);
		expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
			[204, undefined],
			[403, 'notAMember']
		]);
		const { sql } = stand.database;
		expect(await sql`select member from member where removed_at is null`).toEqual([{ member: 1 }]);
	});

	it('[API-57] is removed by nobody whose session ended before it was his turn', async () => {
		const { business } = shop;
		const elsewhere = await signIn('asha');
		const body = { business, member: 2, password: PASSWORD };
		let asked: Promise<Answer> | undefined;
		await stand.database.sql.begin(async (tx) => {
			await tx`select 1 from business where business = ${business} for update`;
			asked = ask(stand.app, '/members/removal', { cookie: elsewhere, body });
			await until(waits);
			await stand.auth.sessions.end(elsewhere);
		});
		expect((await asked)?.body['code']).toBe('notSignedIn');
		const { sql } = stand.database;
		expect(await sql`select 1 from member where removed_at is null`).toHaveLength(2);
	});
});

describe('a session that ends', () => {
	it('[API-55] leaves no invite that was made by it: one that is signed out, or all others', async () => {
		const { body } = await ask(stand.app, '/sessions', { cookie: await signIn('asha') });
		const sessions = body['sessions'] as readonly { id: string; isCurrent: boolean }[];
		const other = sessions.find(({ isCurrent }) => isCurrent)?.id ?? '';
		for (const path of [`/sessions/${other}`, '/sessions/others']) {
			const bakari = await openShop(stand.app, `bakari.${String(path.length)}`);
			const elsewhere = await ask(stand.app, '/invites', {
				cookie: bakari.cookie,
				body: { business: bakari.business, branch: bakari.branch }
			});
			const token = await invite({ cookie: await signIn('asha') });
			const ended = await ask(stand.app, path, { method: 'DELETE', cookie: shop.cookie });
			expect(ended.status).toBe(204);
			expect((await join(token)).body['code']).toBe('inviteUnknown');
			expect((await join(String(elsewhere.body['token']))).status).toBe(201);
		}
	});

	it('[API-55] ends with its invites or not at all, so that what failed is done by the same again', async () => {
		const { sql } = stand.database;
		const elsewhere = await signIn('asha');
		const token = await invite({ cookie: elsewhere });
		const { body } = await ask(stand.app, '/sessions', { cookie: elsewhere });
		const sessions = body['sessions'] as readonly { id: string; isCurrent: boolean }[];
		const path = `/sessions/${sessions.find(({ isCurrent }) => isCurrent)?.id ?? ''}`;
		const end = (): Promise<Answer> =>
			ask(stand.app, path, { method: 'DELETE', cookie: shop.cookie });
		await sql`create rule unwilling as on delete to invite do instead select 1 / 0`;
		await expect(end()).rejects.toThrow();
		await sql`drop rule unwilling on invite`;
		expect((await end()).status).toBe(204);
		expect((await join(token)).body['code']).toBe('inviteUnknown');
	});

	it('[API-38] has what it opened closed: this one, another, all others', async () => {
		const cookie = shop.cookie;
		const elsewhere = await signIn('asha');
		const { body } = await ask(stand.app, '/sessions', { cookie });
		const sessions = body['sessions'] as readonly { id: string; isCurrent: boolean }[];
		const other = sessions.find(({ isCurrent }) => !isCurrent)?.id ?? '';
		const scopes = new Set([shop.business, shop.person]);
		const closedBy = async (path: string, by: string): Promise<void> => {
			stand.revoked.length = 0;
			await ask(stand.app, path, { method: 'DELETE', cookie: by });
			expect(new Set(stand.revoked)).toEqual(scopes);
		};
		await closedBy(`/sessions/${other}`, cookie);
		await closedBy('/sessions/others', cookie);
		await closedBy('/sessions/current', cookie);
		stand.revoked.length = 0;
		await ask(stand.app, '/sessions/current', { method: 'DELETE', cookie: elsewhere });
		expect(stand.revoked).toEqual([]);
	});
});
