import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeBase64url } from '#domain/bytes.ts';
import { sheetStatement } from '#domain/claim-statement.ts';
import { code, codeInfo, ledgerKey, secretId } from '#domain/confirmation/codes.ts';
import { humanReference } from '#domain/confirmation/record-hash.ts';
import { SHEET_CODES, type CardFields } from '#domain/fact/ledger-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { account } from '#server/database/accounts.ts';
import { balance, customer, setting } from '#server/database/journal.ts';
import { ledgerGuard, personSecret, smsMonth } from '#server/database/ledgers.ts';
import { commitAct, commitWhatever } from '#server/ledgers/act.ts';
import { ASKS_OF_SHOP_MAX } from '#server/ledgers/asks.ts';
import { readLink } from '#server/ledgers/guard.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';
import { forgetNumber, linkLedger } from '#server/ledgers/linking.ts';
import {
	codesOfSheet,
	createLedgerStand,
	enrolPhone,
	factsOf,
	link,
	makeCustomer,
	makeShop,
	mintLedger,
	smsCodeOf,
	textsTo,
	writeRecord,
	type LedgerStand,
	type TestCustomer,
	type TestShop
} from '#tests/support/ledger-stand.ts';
import { ask, type Answer, type Ask } from '#tests/support/people-stand.ts';

let stand: LedgerStand;
let shop: TestShop;
let amina: TestCustomer;
let ledger: LedgerId;
let name: LedgerName;
let round = 0;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

beforeAll(async () => {
	stand = await createLedgerStand();
});
beforeEach(async () => {
	round += 1;
	shop = await makeShop(stand, `duka${String(round)}`);
	amina = await makeCustomer(stand, `amina${String(round)}`, '+254712345678');
	ledger = mintLedger();
	name = { business: shop.business, ledger };
});
afterAll(() => stand.close());

function by(
	caller: { readonly cookie: string; readonly headers: Readonly<Record<string, string>> },
	path: string,
	request: Ask = {}
): Promise<Answer> {
	const { cookie, headers } = caller;
	return ask(stand.app, path, { cookie, headers, ...request });
}

/** A customer by the session alone, as a browser with no phone enrolled. */
function bySession(who: TestCustomer, path: string, body?: unknown): Promise<Answer> {
	return ask(stand.app, path, { cookie: who.cookie, ...(body === undefined ? {} : { body }) });
}

const codeOf = (answer: Answer): unknown => answer.body['code'];

describe('GET /search', () => {
	it('[CONNECT-1] finds the other side by the whole name or its beginning', async () => {
		await makeCustomer(stand, `zed_${String(round)}`);
		await makeCustomer(stand, `zedx${String(round)}`);
		const found = await by(shop, `/search?username=ZED_${String(round)}`);
		expect(found.body['found']).toEqual([
			{
				username: `zed_${String(round)}`,
				name: `Name of zed_${String(round)}`,
				kind: 'customer'
			}
		]);
		const shops = await bySession(amina, `/search?username=duka${String(round)}`);
		expect(shops.body['found']).toEqual([
			{ username: shop.username, name: 'Mama Amina', kind: 'store' }
		]);
		// Neither finds its own kind, nor what is no beginning, nor everybody.
		expect((await by(shop, `/search?username=duka${String(round)}`)).body['found']).toEqual([]);
		expect((await by(shop, '/search?username=___')).body['found']).toEqual([]);
		expect((await by(shop, '/search?username=%25%25%25')).body['found']).toEqual([]);
	});

	it('[CONNECT-1] gives five at most, for three letters at least, to those signed in', async () => {
		for (let n = 0; n < 7; n += 1) await makeCustomer(stand, `crowd${String(n)}`);
		const crowd = await by(shop, '/search?username=crowd');
		expect(crowd.body['found']).toHaveLength(5);
		expect(codeOf(await by(shop, '/search?username=cr'))).toBe('queryInvalid');
		expect(codeOf(await by(shop, '/search'))).toBe('queryInvalid');
		expect(codeOf(await ask(stand.app, '/search?username=crowd'))).toBe('notSignedIn');
	});

	it('[CONNECT-1] is limited against harvesting, by caller and by address', async () => {
		const strict = await createLedgerStand({
			limits: { searchesByCaller: { times: 2, withinMs: 60_000 } }
		});
		const nosy = await makeShop(strict, 'nosy');
		const search = (): Promise<Answer> =>
			ask(strict.app, '/search?username=amina', { cookie: nosy.cookie, headers: nosy.headers });
		expect((await search()).status).toBe(200);
		expect((await search()).status).toBe(200);
		expect(codeOf(await search())).toBe('tooManyAttempts');
		await strict.close();
	});
});

describe('asking and answering', () => {
	it('[CONNECT-3] [CONNECT-4] a shop asks, the customer accepts, and both are told', async () => {
		const asked = await by(shop, '/connections', {
			body: { ledger, username: amina.username }
		});
		expect(asked.status).toBe(201);
		const [fact] = factsOf(stand, shop.business, 'ask');
		expect(fact?.fields).toEqual({
			by: 'shop',
			username: amina.username,
			name: `Name of ${amina.username}`,
			state: 'asked',
			ledger
		});
		expect(factsOf(stand, amina.person, 'asked')[0]?.fields).toMatchObject({
			shop: 'Mama Amina',
			username: shop.username,
			business: shop.business
		});

		const path = `/connections/${String(asked.body['ask'])}/answer`;
		const yes = await bySession(amina, path, { accept: true });
		expect([yes.status, yes.body]).toEqual([200, { ledger }]);
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toEqual({
			state: 'linked',
			way: 'app',
			epoch: 1,
			at: stand.clock.now,
			username: amina.username,
			name: `Name of ${amina.username}`,
			phoneEnd: '678'
		});
		expect(factsOf(stand, amina.person, 'card').at(-1)?.fields).toMatchObject({ state: 'linked' });
		expect(factsOf(stand, shop.business, 'ask').at(-1)?.fields.state).toBe('accepted');
		expect(stand.backfilled).toContainEqual(name);

		const again = await bySession(amina, path, { accept: true });
		expect([again.status, again.body]).toEqual([200, { ledger }]);
		expect(codeOf(await bySession(amina, path, { accept: false }))).toBe('askAnswered');
		expect(factsOf(stand, shop.business, 'link')).toHaveLength(1);
	});

	it('[CONNECT-4] a customer asks, and the shop names the card', async () => {
		const asked = await bySession(amina, '/connections', {
			person: amina.person,
			username: shop.username
		});
		const path = `/connections/${String(asked.body['ask'])}/answer`;
		expect(codeOf(await by(shop, path, { body: { accept: true } }))).toBe('bodyInvalid');
		expect(codeOf(await bySession(amina, path, { accept: true }))).toBe('notFound');
		const other = await makeShop(stand, `other${String(round)}`);
		expect(codeOf(await by(other, path, { body: { accept: true, ledger } }))).toBe('notFound');
		const yes = await by(shop, path, { body: { accept: true, ledger } });
		expect([yes.status, yes.body]).toEqual([200, { ledger }]);
	});

	it('[CONNECT-20] a yes that comes when another stood there meanwhile opens nothing of hers', async () => {
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const askBob = async (): Promise<string> => {
			const asked = await by(shop, '/connections', { body: { ledger, username: bob.username } });
			expect(asked.status).toBe(201);
			return `/connections/${String(asked.body['ask'])}/answer`;
		};
		const path = await askBob();
		stand.clock.now += MINUTE_MS;
		await link(stand, name, { way: 'app', person: amina.person });
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/connections/end', name);
		expect(codeOf(await bySession(bob, path, { accept: true }))).toBe('inviteOfAnother');
		expect(factsOf(stand, bob.person, 'card')).toEqual([]);
		// The shop means him: it asks anew, once he has said no.
		expect((await bySession(bob, path, { accept: false })).status).toBe(200);
		stand.clock.now += DAY_MS;
		expect((await bySession(bob, await askBob(), { accept: true })).status).toBe(200);
	});

	it('[CONNECT-21] what a device sent to customers ends with its access', async () => {
		const asked = await by(shop, '/connections', { body: { ledger, username: amina.username } });
		const made = await by(shop, `/ledgers/${ledger}/invites`, { body: {} });
		const token = String(made.body['token']);
		await stand.database.sql`
			update device set removed_at = ${stand.clock.now} where business = ${shop.business}`;
		const path = `/connections/${String(asked.body['ask'])}/answer`;
		expect(codeOf(await bySession(amina, path, { accept: true }))).toBe('askAnswered');
		const taken = await bySession(amina, '/links', { token, person: amina.person });
		expect(codeOf(taken)).toBe('inviteExpired');
		expect(factsOf(stand, amina.person, 'card')).toEqual([]);
		const states = factsOf(stand, amina.person, 'asked').map(({ fields }) => fields.state);
		expect(states).toEqual(['asked', 'declined']);
	});

	it('[CONNECT-21] what a removed device asked keeps nobody from asking anew', async () => {
		const body = { ledger, username: amina.username };
		const asked = await by(shop, '/connections', { body });
		await stand.database.sql`
			update device set removed_at = ${stand.clock.now} where business = ${shop.business}`;
		const toShop = { person: amina.person, username: shop.username };
		const first = await bySession(amina, '/connections', toShop);
		expect(first.status).toBe(201);
		const states = factsOf(stand, amina.person, 'asked').map(({ fields }) => fields.state);
		expect(states).toEqual(['asked', 'declined', 'asked']);
		const path = `/connections/${String(asked.body['ask'])}/answer`;
		expect(codeOf(await bySession(amina, path, { accept: true }))).toBe('askAnswered');
		expect(codeOf(await bySession(amina, '/connections', toShop))).toBe('alreadyAsked');
	});

	it('[CONNECT-21] whose yes to a removed device was none is asked anew by another the same day', async () => {
		const body = { ledger, username: amina.username };
		const asked = await by(shop, '/connections', { body });
		await stand.database.sql`
			insert into device select other.* from device, jsonb_populate_record(
				null::device, to_jsonb(device) || '{"code": "B", "public_key": "b"}'
			) as other where device.business = ${shop.business}`;
		await stand.database.sql`
			update device set removed_at = ${stand.clock.now}
			where business = ${shop.business} and code = 'A'`;
		const path = `/connections/${String(asked.body['ask'])}/answer`;
		expect(codeOf(await bySession(amina, path, { accept: true }))).toBe('askAnswered');
		const other = { ...shop, headers: { 'daftar-device': `${shop.business}/B` } };
		const again = await by(other, '/connections', { body });
		expect(again.status).toBe(201);
		const next = `/connections/${String(again.body['ask'])}/answer`;
		expect((await bySession(amina, next, { accept: true })).status).toBe(200);
	});

	it('[CONNECT-22] a crowd of accounts puts so many asks a day into a shop’s feed and no more', async () => {
		const { sql } = stand.database;
		const crowd = async (count: number): Promise<unknown> => sql`
			insert into connection_ask (ask, business, person, by, state, created_at, answered_at)
			select gen_random_uuid(), ${shop.business}, ${shop.person}, 'customer', 'declined',
				${stand.clock.now}, ${stand.clock.now} from generate_series(1, ${count})`;
		await crowd(ASKS_OF_SHOP_MAX - 1);
		const toShop = { person: amina.person, username: shop.username };
		expect((await bySession(amina, '/connections', toShop)).status).toBe(201);
		const bola = await makeCustomer(stand, `bola${String(round)}`, '+254712345679');
		const byBola = { ...toShop, person: bola.person };
		const refused = await bySession(bola, '/connections', byBola);
		expect([refused.status, codeOf(refused)]).toEqual([429, 'shopAskedOften']);
		expect(factsOf(stand, bola.person, 'asked')).toEqual([]);

		// Nobody else is kept, nor whom the shop asks itself, nor the next day.
		const other = await makeShop(stand, `other${String(round)}`);
		const toOther = { ...byBola, username: other.username };
		expect((await bySession(bola, '/connections', toOther)).status).toBe(201);
		const body = { ledger, username: bola.username };
		const cora = await makeCustomer(stand, `cora${String(round)}`, '+254712345670');
		expect((await by(shop, '/connections', { body })).status).toBe(201);
		stand.clock.now += DAY_MS;
		const byCora = { ...toShop, person: cora.person };
		expect((await bySession(cora, '/connections', byCora)).status).toBe(201);
	});

	it('[CONNECT-3] nobody is asked twice, nor who declined today, nor who is connected', async () => {
		const body = { ledger, username: amina.username };
		const first = await by(shop, '/connections', { body });
		expect(codeOf(await by(shop, '/connections', { body }))).toBe('alreadyAsked');
		const toShop = { person: amina.person, username: shop.username };
		expect(codeOf(await bySession(amina, '/connections', toShop))).toBe('alreadyAsked');
		await bySession(amina, `/connections/${String(first.body['ask'])}/answer`, { accept: false });
		expect(codeOf(await by(shop, '/connections', { body }))).toBe('alreadyAsked');
		stand.clock.now += DAY_MS;
		expect((await by(shop, '/connections', { body })).status).toBe(201);

		await link(stand, name, { way: 'app', person: amina.person });
		expect(codeOf(await by(shop, '/connections', { body }))).toBe('alreadyLinked');
		expect(codeOf(await bySession(amina, '/connections', toShop))).toBe('alreadyLinked');
	});

	it('[CONNECT-3] who is not there, or of the same side, is not found', async () => {
		const asks = [
			by(shop, '/connections', { body: { ledger, username: 'nobody.here' } }),
			by(shop, '/connections', { body: { ledger, username: shop.username } }),
			bySession(amina, '/connections', { person: amina.person, username: amina.username }),
			bySession(amina, '/connections', { person: shop.person, username: shop.username })
		];
		for (const answer of await Promise.all(asks)) expect(codeOf(answer)).toBe('notFound');
		const none = `/connections/${shop.business}/answer`;
		expect(codeOf(await by(shop, none, { body: { accept: true, ledger } }))).toBe('notFound');
		const noUuid = '/connections/x/answer';
		expect(codeOf(await by(shop, noUuid, { body: { accept: true, ledger } }))).toBe('notFound');
	});

	it('[CONNECT-9] a ledger has one account, and an account one ledger of a business', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const asked = await bySession(bob, '/connections', {
			person: bob.person,
			username: shop.username
		});
		const path = `/connections/${String(asked.body['ask'])}/answer`;
		const taken = await by(shop, path, { body: { accept: true, ledger } });
		expect(codeOf(taken)).toBe('alreadyLinked');
		const free = await by(shop, path, { body: { accept: true, ledger: mintLedger() } });
		expect(free.status).toBe(200);
	});

	it('[CONNECT-9] of ten that accept at once for one person, one card is linked', async () => {
		const invites = await Promise.all(
			Array.from({ length: 10 }, () => by(shop, `/ledgers/${mintLedger()}/invites`, { body: {} }))
		);
		const taken = await Promise.all(
			invites.map(({ body }) =>
				bySession(amina, '/links', { token: body['token'], person: amina.person })
			)
		);
		expect(taken.filter(({ status }) => status === 200)).toHaveLength(1);
		expect(taken.filter((one) => codeOf(one) === 'alreadyLinked')).toHaveLength(9);
	});
});

describe('ending', () => {
	it('[CONNECT-5] either side ends it, once', async () => {
		for (const [side, end] of [
			['shop', () => by(shop, '/connections/end', { body: name })],
			['customer', () => bySession(amina, '/connections/end', name)]
		] as const) {
			await link(stand, name, { way: 'app', person: amina.person });
			expect((await end()).status).toBe(200);
			const ended = { state: 'ended', endedBy: side, at: stand.clock.now };
			expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toEqual(ended);
			expect(factsOf(stand, amina.person, 'card').at(-1)?.fields).toEqual(ended);
			expect(codeOf(await end())).toBe('notLinked');
		}
		// Linked anew, the epoch went on.
		await link(stand, name, { way: 'app', person: amina.person });
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields.epoch).toBe(3);
	});

	it('[CONNECT-5] nobody ends what is another’s', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const thief = await makeShop(stand, `thief${String(round)}`);
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		expect(codeOf(await by(thief, '/connections/end', { body: name }))).toBe('notFound');
		expect(codeOf(await bySession(bob, '/connections/end', name))).toBe('notFound');
		const copied = { ...name, business: thief.business };
		expect(codeOf(await by(thief, '/connections/end', { body: copied }))).toBe('notLinked');
	});

	it('[CONNECT-5] who was there before ends nothing of who is being linked meanwhile', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		await bySession(amina, '/connections/end', name);
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const own = stand.onOwnConnections(1);
		const linking = commitAct(own.parts, async (act) => {
			const party = { way: 'app', person: bob.person } as const;
			const linked = await linkLedger(act, own.parts, { name, party });
			// Her end comes while this is not committed, and waits for it.
			const ending = bySession(amina, '/connections/end', name);
			await vi.waitUntil(() => isAwaited(), 5_000);
			return linked.ok ? ok(ending) : linked;
		});
		const linked = await linking;
		expect(linked.ok && codeOf(await linked.value)).toBe('notFound');
		expect((await readLink(stand.database.orm, name))?.state).toBe('linked');
		await own.database.close();
	});

	/** Whether somebody waits for a lock. */
	async function isAwaited(): Promise<boolean> {
		const rows = await stand.database.sql`
			select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
		return rows.length > 0;
	}
});

describe('invites of a ledger', () => {
	async function invite(of: TestShop = shop, which: LedgerId = ledger): Promise<string> {
		const made = await by(of, `/ledgers/${which}/invites`, { body: {} });
		expect([made.status, made.body['expiresAt']]).toEqual([201, stand.clock.now + 7 * DAY_MS]);
		return String(made.body['token']);
	}

	it('[CONNECT-6] show the shop and its book to whoever holds them', async () => {
		const token = await invite();
		const look = await ask(stand.app, '/links/look', { body: { token } });
		const { username } = shop;
		expect(look.body).toEqual({ shop: 'Mama Amina', username, name: '', currency: 'KES' });
		await stand.database.orm
			.insert(customer)
			.values({ ...name, fields: { name: 'Amina from the corner' }, stamps: {} });
		const sums = { confirmed: '0', waiting: '65000', credited: '0', disputed: '0', total: '65000' };
		await stand.database.orm.insert(balance).values({
			...name,
			...sums,
			currency: 'KES',
			exponent: 2,
			lastAt: 0,
			isPlain: true
		});
		expect((await ask(stand.app, '/links/look', { body: { token } })).body).toEqual({
			shop: 'Mama Amina',
			username,
			name: 'Amina from the corner',
			currency: 'KES',
			exponent: 2,
			total: 65_000
		});
		const unknown = await ask(stand.app, '/links/look', { body: { token: 'x' } });
		expect(codeOf(unknown)).toBe('inviteUnknown');
	});

	it('[CONNECT-6] show nothing of the book of whoever was linked since by another', async () => {
		const [astray, right] = [await invite(), await invite()];
		await stand.database.orm
			.insert(customer)
			.values({ ...name, fields: { name: 'Amina from the corner' }, stamps: {} });
		const sums = { confirmed: '0', waiting: '65000', credited: '0', disputed: '0', total: '65000' };
		await stand.database.orm
			.insert(balance)
			.values({ ...name, ...sums, currency: 'KES', exponent: 2, lastAt: 0, isPlain: true });
		const look = async (token: string): Promise<unknown> =>
			(await ask(stand.app, '/links/look', { body: { token } })).body;
		expect(await look(astray)).toMatchObject({ total: 65_000 });
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/links', { token: right, person: amina.person });
		const { username } = shop;
		const nothing = { shop: 'Mama Amina', username, name: '', currency: 'KES' };
		expect(await look(astray)).toEqual(nothing);
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/connections/end', name);
		expect(await look(astray)).toEqual(nothing);
		// Who is invited now is to see what he takes over.
		stand.clock.now += MINUTE_MS;
		expect(await look(await invite())).toMatchObject({ total: 65_000 });
	});

	it('[CONNECT-6] [CONNECT-8] one of before opens nothing either where she goes on by her number alone', async () => {
		const phone = '+254712345678';
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const astray = [await invite()];
		stand.clock.now += MINUTE_MS;
		await link(stand, name, { way: 'app', person: amina.person });
		stand.clock.now += MINUTE_MS;
		// By a device that does not know of her yet.
		astray.push(await invite());
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/connections/end', name);
		await link(stand, name, { way: 'phone', phone });
		await stand.database.orm
			.insert(customer)
			.values({ ...name, fields: { name: 'Amina from the corner' }, stamps: {} });
		const { username } = shop;
		const nothing = { shop: 'Mama Amina', username, name: '', currency: 'KES' };
		for (const token of astray)
			expect((await ask(stand.app, '/links/look', { body: { token } })).body).toEqual(nothing);
		// Nor once she has let go of it.
		stand.clock.now += MINUTE_MS;
		await commitWhatever(stand.parts, (act) => forgetNumber(act, stand.parts, name));
		const take = (token: string): Promise<Answer> =>
			bySession(bob, '/links', { token, person: bob.person });
		for (const token of astray) expect(codeOf(await take(token))).toBe('inviteOfAnother');
		expect((await take(await invite())).status).toBe(200);
	});

	it('[CONNECT-7] [CONNECT-10] link their ledger to who takes them up, with all that was before', async () => {
		const token = await invite();
		const taken = await bySession(amina, '/links', { token, person: amina.person });
		expect([taken.status, taken.body]).toEqual([200, name]);
		expect(stand.backfilled).toContainEqual(name);
		const again = await bySession(amina, '/links', { token, person: amina.person });
		expect([again.status, again.body]).toEqual([200, name]);
		expect(factsOf(stand, shop.business, 'link')).toHaveLength(1);
	});

	it('[CONNECT-8] used, ended, another’s or one’s own are refused with the reason', async () => {
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const [used, ended] = [await invite(), await invite()];
		await bySession(amina, '/links', { token: used, person: amina.person });
		const bobs = (token: string): Promise<Answer> =>
			bySession(bob, '/links', { token, person: bob.person });
		expect(codeOf(await bobs(used))).toBe('inviteUsed');
		expect(codeOf(await bobs(ended))).toBe('inviteOfAnother');
		stand.clock.now += 7 * DAY_MS;
		expect(codeOf(await bobs(ended))).toBe('inviteExpired');
		expect(codeOf(await ask(stand.app, '/links/look', { body: { token: ended } }))).toBe(
			'inviteExpired'
		);
		expect(codeOf(await ask(stand.app, '/links/look', { body: { token: used } }))).toBe(
			'inviteUsed'
		);

		const fresh = await invite(shop, mintLedger());
		const owner = { cookie: shop.cookie, body: { token: fresh, person: shop.person } };
		expect(codeOf(await ask(stand.app, '/links', owner))).toBe('ownShop');
		const second = await bySession(amina, '/links', { token: fresh, person: amina.person });
		expect(codeOf(second)).toBe('alreadyLinked');
		// For somebody else's person, or with no account, it is nothing.
		const forAnother = await bySession(bob, '/links', { token: fresh, person: amina.person });
		expect(codeOf(forAnother)).toBe('notFound');
		const nobody = await ask(stand.app, '/links', { body: { token: fresh, person: bob.person } });
		expect(codeOf(nobody)).toBe('notSignedIn');
		expect((await bobs(fresh)).status).toBe(200);
	});

	it('[CONNECT-8] one that went astray opens nothing of who was linked since, when she leaves', async () => {
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		const [astray, right, spare] = [await invite(), await invite(), await invite()];
		stand.clock.now += MINUTE_MS;
		const take = (who: TestCustomer, token: string): Promise<Answer> =>
			bySession(who, '/links', { token, person: who.person });
		expect((await take(amina, right)).status).toBe(200);
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/connections/end', name);
		expect(codeOf(await take(bob, astray))).toBe('inviteOfAnother');
		// She herself may come back by it, and the shop may invite him anew.
		expect((await take(amina, spare)).status).toBe(200);
		// One that another device of the shop makes meanwhile, which does not know of her, is no better.
		stand.clock.now += MINUTE_MS;
		const unaware = await invite();
		stand.clock.now += MINUTE_MS;
		await bySession(amina, '/connections/end', name);
		expect(codeOf(await take(bob, unaware))).toBe('inviteOfAnother');
		expect((await take(bob, await invite())).status).toBe(200);
	});
});

describe('linking by phone', () => {
	const [OLD, NEW] = ['+254700111222', '+254700333444'];
	const begin = (phone: string): Promise<Answer> =>
		by(shop, `/ledgers/${ledger}/phone`, { body: { phone } });
	const confirm = (code: string, which = 'confirm'): Promise<Answer> =>
		by(shop, `/ledgers/${ledger}/phone/${which}`, { body: { code } });

	async function lastCode(number: string): Promise<string> {
		const text = (await textsTo(stand, number)).at(-1) ?? '';
		return /\b\d{6}\b/.exec(text)?.[0] ?? '';
	}

	async function prove(phone: string): Promise<void> {
		stand.clock.now += 3_600_000;
		expect((await begin(phone)).status).toBe(201);
		expect((await confirm(await lastCode(phone))).status).toBe(200);
	}

	it('[CONNECT-11] sends a code to the number and links by what comes back', async () => {
		const asked = await begin('0700 111 222').then((plain) =>
			plain.status === 400
				? by(shop, `/ledgers/${ledger}/phone`, { body: { phone: '0700 111 222', region: 'KE' } })
				: plain
		);
		expect(asked.body).toMatchObject({ needs: 'code', to: '…222', send: 1, practice: true });
		const code = await lastCode(OLD);
		const wrong = await confirm(code === '000000' ? '000001' : '000000');
		expect(wrong.body).toMatchObject({ code: 'codeWrong', triesLeft: 4 });
		const short = await confirm('12 34');
		expect(short.body).toMatchObject({ code: 'codeWrong', triesLeft: 4 });
		expect(factsOf(stand, shop.business, 'link')).toEqual([]);

		expect((await confirm(code)).body).toEqual({ to: '…222' });
		// [CONNECT-13] The shop learns three digits.
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toEqual({
			state: 'linked',
			way: 'phone',
			username: '',
			name: '',
			epoch: 1,
			at: stand.clock.now,
			phoneEnd: '222'
		});
		expect(codeOf(await confirm(code))).toBe('codeExpired');
	});

	it('[CONNECT-11] has three sends, five tries and ten minutes', async () => {
		const number = `+25470055${String(1_000 + round)}`;
		const sends = [];
		for (let n = 0; n < 4; n += 1) {
			sends.push(await begin(number));
			stand.clock.now += 3 * MINUTE_MS;
		}
		expect(sends.map(({ status }) => status)).toEqual([201, 201, 201, 429]);
		expect(sends.map(codeOf).at(-1)).toBe('codeSendsSpent');
		const right = await lastCode(number);
		const wrong = right === '000000' ? '000001' : '000000';
		const tries = [];
		for (let n = 0; n < 5; n += 1) tries.push(codeOf(await confirm(wrong)));
		expect(tries).toEqual(['codeWrong', 'codeWrong', 'codeWrong', 'codeWrong', 'codeSpent']);
		expect(codeOf(await confirm(right))).toBe('codeSpent');

		stand.clock.now += 60 * MINUTE_MS;
		await begin(number);
		stand.clock.now += 10 * MINUTE_MS;
		expect(codeOf(await confirm(await lastCode(number)))).toBe('codeExpired');
	});

	it('[CONNECT-11] refuses what is no number, and a ledger that an account has', async () => {
		for (const phone of ['', 'abc', '12', '+2547001112223334445', 'x'.repeat(200)]) {
			expect(codeOf(await begin(phone))).toBe('phoneInvalid');
		}
		await link(stand, name, { way: 'app', person: amina.person });
		expect(codeOf(await begin(OLD))).toBe('alreadyLinked');
	});

	it('[CONNECT-12] another number needs a code from the old one, which unlinks', async () => {
		await prove(OLD);
		stand.clock.now += MINUTE_MS;
		const asked = await begin(NEW);
		expect(asked.body).toMatchObject({ needs: 'oldCode', to: '…222' });
		expect(asked.body['waitUntil']).toBe(stand.clock.now + 7 * DAY_MS);
		expect(await textsTo(stand, NEW)).toEqual([]);
		expect((await confirm('000000', 'confirm-old')).status).toBe(403);
		expect((await confirm(await lastCode(OLD), 'confirm-old')).status).toBe(200);
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toEqual({
			state: 'none',
			at: stand.clock.now,
			phoneEnd: ''
		});
		await prove(NEW);
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toMatchObject({
			phoneEnd: '444',
			epoch: 2
		});
	});

	it('[CONNECT-12] or seven days, also after the connection was ended', async () => {
		await prove(OLD);
		const third = '+254700555666';
		expect((await begin(third)).body['needs']).toBe('oldCode');
		stand.clock.now += 7 * DAY_MS - 1;
		expect((await begin(third)).body['needs']).toBe('oldCode');
		stand.clock.now += 1;
		expect((await begin(third)).body).toMatchObject({ needs: 'code', to: '…666' });
		expect((await confirm(await lastCode(third))).status).toBe(200);

		await by(shop, '/connections/end', { body: name });
		const fourth = '+254700777888';
		expect((await begin(fourth)).body['needs']).toBe('oldCode');
		stand.clock.now += 7 * DAY_MS;
		expect((await begin(fourth)).body['needs']).toBe('code');
	});

	it('[CONNECT-12] a shop does not get around it by an invite to an account of its own', async () => {
		await prove(OLD);
		const made = await by(shop, `/ledgers/${ledger}/invites`, { body: {} });
		const puppet = await makeCustomer(stand, `puppet${String(round)}`, '+254799000000');
		const body = { token: made.body['token'], person: puppet.person };
		expect(codeOf(await bySession(puppet, '/links', body))).toBe('oldCodeNeeded');
		await by(shop, '/connections/end', { body: name });
		expect(codeOf(await bySession(puppet, '/links', body))).toBe('oldCodeNeeded');
		const owner = await makeCustomer(stand, `owner${String(round)}`, OLD);
		const same = { token: made.body['token'], person: owner.person };
		expect((await bySession(owner, '/links', same)).status).toBe(200);
	});
});

describe('sets of codes', () => {
	const WORTH = { kind: 'debit', currency: 'KES', exponent: 2, cap: 1_000 } as const;
	const make = (who: TestCustomer, changes: object = {}): Promise<Answer> =>
		by(who, `/people/${who.person}/sheets`, { body: { ...name, ...WORTH, ...changes } });

	it('[CODES-1] [CODES-3] make five codes, and give the shop signed check values alone', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const made = await make(amina);
		const open = made.body['open'] as readonly number[];
		expect(made.body).toEqual({ ...WORTH, epoch: 2, issuedAt: stand.clock.now, open });
		expect(open).toHaveLength(SHEET_CODES);
		const [sheet] = factsOf(stand, shop.business, 'sheet');
		if (sheet === undefined) throw new Error('the shop was told of no set');
		const { sig, ...said } = sheet.fields;
		expect(said).toMatchObject({ ...WORTH, epoch: 2 });
		expect(said.open.map(([counter]) => counter)).toEqual(open);
		const signature = decodeBase64url(sig);
		const { crypto, relayKey } = stand.parts;
		const statement = sheetStatement(shop.business, ledger, said);
		expect(
			signature.ok && (await crypto.verify(relayKey.publicKey, statement, signature.value))
		).toBe(true);
		const codes = await codesOfSheet(stand, name, 2);
		const told = JSON.stringify(factsOf(stand, shop.business, 'sheet'));
		for (const code of codes) expect(told).not.toContain(code);
		expect(factsOf(stand, amina.person, 'codes').at(-1)?.fields).toMatchObject({
			open,
			used: []
		});
	});

	it('[CODES-1] a new set takes back the one before, of another currency too', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		await make(amina);
		await make(amina, { currency: 'USD' });
		const open = factsOf(stand, shop.business, 'sheet').map(({ fields }) => [
			fields.currency,
			fields.epoch,
			fields.open.length
		]);
		expect(open).toEqual([
			['KES', 2, 5],
			['KES', 2, 0],
			['USD', 3, 5]
		]);
		expect(factsOf(stand, shop.business, 'link').at(-1)?.fields).toEqual({ epoch: 3 });
		expect(factsOf(stand, amina.person, 'card').at(-1)?.fields).toMatchObject({ epoch: 3 });
	});

	it('[CODES-2] only the person who is linked makes one', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const bob = await makeCustomer(stand, `bob${String(round)}`);
		expect(codeOf(await make(bob))).toBe('notLinked');
		const path = `/people/${amina.person}/sheets`;
		expect(codeOf(await by(bob, path, { body: { ...name, ...WORTH } }))).toBe('notFound');
		const unsigned = await bySession(amina, path, { ...name, ...WORTH });
		expect(codeOf(unsigned)).toBe('notSignedIn');
		await by(shop, '/connections/end', { body: name });
		expect(codeOf(await make(amina))).toBe('notLinked');
	});

	it('[API-56] are made by no phone that was removed while it sent', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const { promise: bodyAfter, resolve: send } = Promise.withResolvers<undefined>();
		const asked = by(amina, `/people/${amina.person}/sheets`, {
			body: { ...name, ...WORTH },
			bodyAfter
		});
		// It is heard, up to where its body begins.
		const secrets = await by(amina, `/people/${amina.person}/secrets`);
		expect(secrets.status).toBe(200);
		await stand.database.sql`
			update phone set removed_at = ${stand.clock.now} where person = ${amina.person}`;
		send(undefined);
		expect(codeOf(await asked)).toBe('deviceRemoved');
	});

	it.each([{ cap: 0 }, { cap: 1.5 }, { cap: 10 ** 13 + 1 }, { cap: '5' }, { kind: 'due' }])(
		'[CODES-1] refuses a set with %o',
		async (changes) => {
			await link(stand, name, { way: 'app', person: amina.person });
			expect(codeOf(await make(amina, changes))).toBe('bodyInvalid');
			expect((await make(amina, { cap: 10 ** 13 })).status).toBe(201);
		}
	);

	it('[CODES-4] lists the open codes to the proved number', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const path = `/people/${amina.person}/sheets/sms`;
		expect(codeOf(await by(amina, path, { body: name }))).toBe('noSet');
		await make(amina);
		const sent = await by(amina, path, { body: name });
		expect(sent.body).toEqual({ to: '…678', codes: 5, practice: true });
		const text = (await textsTo(stand, '+254712345678')).at(-1) ?? '';
		const codes = (await codesOfSheet(stand, name, 2)).slice(0, 5);
		for (const code of codes) expect(text).toContain(`${code.slice(0, 4)} ${code.slice(4)}`);
		expect(text).toContain('KES 10.00');

		const unproved = await makeCustomer(stand, `bare${String(round)}`);
		const bare = { business: shop.business, ledger: mintLedger() };
		await link(stand, bare, { way: 'app', person: unproved.person });
		await by(unproved, `/people/${unproved.person}/sheets`, { body: { ...bare, ...WORTH } });
		const refused = await by(unproved, `/people/${unproved.person}/sheets/sms`, { body: bare });
		expect(codeOf(refused)).toBe('phoneUnproved');
	});

	it('[CODES-4] leaves the shop the other half of its messages of the month', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		await make(amina);
		const { orm } = stand.database;
		const fields = { sms: true, smsLimit: 4 };
		await orm.update(setting).set({ fields }).where(eq(setting.business, shop.business));
		const list = (): Promise<Answer> =>
			by(amina, `/people/${amina.person}/sheets/sms`, { body: name });
		expect([(await list()).status, (await list()).status]).toEqual([200, 200]);
		expect(codeOf(await list())).toBe('smsLimit');
		const send = async (): Promise<Answer> =>
			by(shop, `/ledgers/${ledger}/records/${await writeRecord(stand, name)}/sms`, { body: {} });
		expect([(await send()).status, (await send()).status]).toEqual([200, 200]);
		expect(codeOf(await send())).toBe('smsLimit');
	});

	it('[CODES-5] goes by the shop’s wish to a number without an app, and forgives no guess', async () => {
		const number = `+25470088${String(1_000 + round)}`;
		const path = `/ledgers/${ledger}/sheets/sms`;
		const body = { currency: 'KES', exponent: 2, cap: 1_000 };
		expect(codeOf(await by(shop, path, { body }))).toBe('notLinked');
		await link(stand, name, { way: 'phone', phone: number });
		const { orm } = stand.database;
		await orm.update(ledgerGuard).set({ sheetWrong: 2 }).where(eq(ledgerGuard.ledger, ledger));
		const sent = await by(shop, path, { body });
		expect([sent.status, sent.body]).toEqual([
			201,
			{ to: `…${number.slice(-3)}`, codes: 5, practice: true }
		]);
		const [guard] = await orm.select().from(ledgerGuard).where(eq(ledgerGuard.ledger, ledger));
		expect(guard?.sheetWrong).toBe(2);
		await orm.update(ledgerGuard).set({ sheetWrong: 3 }).where(eq(ledgerGuard.ledger, ledger));
		expect(codeOf(await by(shop, path, { body }))).toBe('codesLocked');
		// Proved again, the customer stood at the counter.
		await link(stand, name, { way: 'phone', phone: number });
		expect((await by(shop, path, { body })).status).toBe(201);
	});
});

it('[CODES-10] a phone makes the same codes from the secret of its person', async () => {
	const path = `/people/${amina.person}/secrets`;
	const given = await by(amina, path);
	const [told] = given.body['secrets'] as readonly string[];
	const secret = decodeBase64url(told ?? '');
	if (!secret.ok) throw new Error('no secret');
	expect((await by(amina, path)).body).toEqual(given.body);
	const [row] = await stand.database.orm
		.select()
		.from(personSecret)
		.where(eq(personSecret.person, amina.person));
	expect(Buffer.from(row?.sealed ?? []).includes(Buffer.from(secret.value))).toBe(false);

	await link(stand, name, { way: 'app', person: amina.person });
	const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap: 1_000 } as const;
	await by(amina, `/people/${amina.person}/sheets`, { body: { ...name, ...worth } });
	const scope = { businessId: shop.business, ledgerId: ledger, epoch: 2 };
	const { crypto } = stand.parts;
	const key = await ledgerKey(secret.value, scope, crypto);
	const info = codeInfo({ ...worth, way: 'sheet', kind: 'due', minor: 1_000 });
	const own = await code(key, { info, counter: 3 }, crypto);
	expect(own).toBe((await codesOfSheet(stand, name, 2))[3]);

	const bob = await makeCustomer(stand, `bob${String(round)}`);
	expect(codeOf(await by(bob, path))).toBe('notFound');
	expect(codeOf(await bySession(amina, path))).toBe('notSignedIn');
	expect(codeOf(await by(shop, path))).toBe('notSignedIn');
});

it('[CODES-14] a phone that was removed has nothing that later codes are made from', async () => {
	const { crypto } = stand.parts;
	const path = `/people/${amina.person}/secrets`;
	const secretsOf = async (): Promise<readonly string[]> =>
		(await by(amina, path)).body['secrets'] as readonly string[];
	const idOf = (text: string | undefined): Promise<string> => {
		const bytes = decodeBase64url(text ?? '');
		if (!bytes.ok) throw new Error('no secret');
		return secretId(bytes.value, crypto);
	};
	const cardNow = (): CardFields | undefined => factsOf(stand, amina.person, 'card').at(-1)?.fields;
	const newSet = async (): Promise<void> => {
		const worth = { kind: 'debit', currency: 'KES', exponent: 2, cap: 1_000 } as const;
		const body = { ...name, ...worth };
		expect((await by(amina, `/people/${amina.person}/sheets`, { body })).status).toBe(201);
	};
	await link(stand, name, { way: 'app', person: amina.person });
	const [first] = await secretsOf();
	await newSet();
	expect(cardNow()).toMatchObject({ epoch: 2, secret: await idOf(first) });

	await enrolPhone(stand, amina.person, 7);
	expect(await secretsOf()).toEqual([first]);
	// A clock that stands still, or was set back, makes one secret for one removal.
	await stand.database.sql`
		update phone set removed_at = ${stand.clock.now + 5} where person = ${amina.person} and number = 7`;
	const [second, ...older] = await secretsOf();
	expect(older).toEqual([first]);
	expect(second).not.toBe(first);
	expect(await secretsOf()).toEqual([second, first]);
	// What was given out is on paper, and stays as it is until a new set ends it.
	expect(cardNow()).toMatchObject({ epoch: 2, secret: await idOf(first) });
	await newSet();
	expect(cardNow()).toMatchObject({ epoch: 3, secret: await idOf(second) });
});

describe('the message for a record', () => {
	const send = (h: string, of: TestShop = shop): Promise<Answer> =>
		by(of, `/ledgers/${ledger}/records/${h}/sms`, { body: {} });

	it('[CODES-6] names shop, kind, amount and reference, in the customer’s language', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const h = await writeRecord(stand, name, { minor: 65_000 });
		const sent = await send(h);
		expect(sent.body).toEqual({
			to: '…678',
			send: 0,
			expiresAt: stand.clock.now + 10 * MINUTE_MS,
			practice: true
		});
		const text = (await textsTo(stand, '+254712345678')).find((one) =>
			one.includes(humanReference(h))
		);
		expect(text).toBe(
			`Mama Amina: you took KES 650.00, ref ${humanReference(h)}. Code ${await smsCodeOf(stand, h, 0)}: tell it only if this is right.`
		);

		const { orm } = stand.database;
		await orm.update(account).set({ language: 'ar' }).where(eq(account.username, amina.username));
		const other = await writeRecord(stand, name, { kind: 'payment' });
		await send(other);
		const arabic = (await textsTo(stand, '+254712345678')).find((one) =>
			one.includes(humanReference(other))
		);
		expect(arabic).toContain('أعطه فقط إن كان هذا صحيحًا');
	});

	it('[CODES-7] is refused where it may not go', async () => {
		const h = await writeRecord(stand, name);
		expect(codeOf(await send('x'))).toBe('recordUnknown');
		expect(codeOf(await send(h))).toBe('notLinked');
		await link(stand, name, { way: 'app', person: amina.person });
		const thief = await makeShop(stand, `thief${String(round)}`);
		expect(codeOf(await send(h, thief))).toBe('recordUnknown');
		const { orm } = stand.database;
		const set = (fields: object): Promise<unknown> =>
			orm.update(setting).set({ fields }).where(eq(setting.business, shop.business));
		await set({ name: 'Mama Amina' });
		expect(codeOf(await send(h))).toBe('smsOff');
		await set({ sms: true, smsLimit: 0 });
		expect(codeOf(await send(h))).toBe('smsLimit');
		await set({ sms: true, smsLimit: 1 });
		expect((await send(h)).status).toBe(200);
		expect(codeOf(await send(await writeRecord(stand, name)))).toBe('smsLimit');
		const [month] = await orm.select().from(smsMonth).where(eq(smsMonth.business, shop.business));
		expect(month?.sent).toBe(1);

		const bare = await makeCustomer(stand, `bare${String(round)}`);
		const unproved = { business: shop.business, ledger: mintLedger() };
		await link(stand, unproved, { way: 'app', person: bare.person });
		const theirs = await writeRecord(stand, unproved);
		const path = `/ledgers/${unproved.ledger}/records/${theirs}/sms`;
		expect(codeOf(await by(shop, path, { body: {} }))).toBe('phoneUnproved');
	});

	it('[CODES-8] goes three times at most, a little apart', async () => {
		await link(stand, name, { way: 'app', person: amina.person });
		const h = await writeRecord(stand, name);
		expect((await send(h)).body['send']).toBe(0);
		expect(codeOf(await send(h))).toBe('codeTooSoon');
		for (const nth of [1, 2]) {
			stand.clock.now += MINUTE_MS;
			expect((await send(h)).body['send']).toBe(nth);
		}
		stand.clock.now += MINUTE_MS;
		expect(codeOf(await send(h))).toBe('codeSendsSpent');
	});
});

describe('who may call', () => {
	it('[CODES-9] everybody reads the relay’s key', async () => {
		const { body } = await ask(stand.app, '/relay-key');
		const key = decodeBase64url(String(body['key']));
		expect(key.ok && key.value).toEqual(stand.parts.relayKey.publicKey);
	});

	it('[CONNECT-2] nobody is told by a route of a ledger whether it is there', async () => {
		const paths = ['invites', 'phone', 'phone/confirm', 'records/x/sms', 'sheets/sms'];
		for (const path of paths) {
			const nobody = await ask(stand.app, `/ledgers/${ledger}/${path}`, { body: {} });
			expect([path, codeOf(nobody)]).toEqual([path, 'notSignedIn']);
			const customer = await by(amina, `/ledgers/${ledger}/${path}`, { body: {} });
			expect([path, codeOf(customer)]).toEqual([path, 'notSignedIn']);
		}
		const noLedger = await by(shop, '/ledgers/x/invites', { body: {} });
		expect(codeOf(noLedger)).toBe('notFound');
		const foreign = await ask(stand.app, '/connections', {
			cookie: amina.cookie,
			headers: { origin: 'https://evil.test' },
			body: { person: amina.person, username: shop.username }
		});
		expect(codeOf(foreign)).toBe('foreignOrigin');
	});
});
