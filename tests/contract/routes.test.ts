import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import {
	claimStatement,
	deviceStatement,
	joinStatement,
	phoneStatement
} from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { LedgerId } from '#domain/ids.ts';
import { recordFact } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	type HostileStand,
	type Party,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createTestKey } from '#tests/support/people-stand.ts';

/**
 * Every HTTP route of the service, asked for what is Amina's and her shop's by everybody. A route
 * that is not in the table fails the test, and so does a word of theirs in a stranger's answer.
 */
let stand: HostileStand;
let rounds = 0;
beforeAll(async () => {
	stand = await createHostileStand();
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** Of a password that nobody types here. */
const passwordHash = hash('the right door');

/** In the order in which they ask: who is not to learn or change anything comes first. */
const CALLERS = ['nobody', 'bob', 'thief', 'removed', 'amina', 'shop'] as const;
type Caller = (typeof CALLERS)[number];
const STRANGERS: readonly Caller[] = ['nobody', 'bob', 'thief', 'removed'];

interface Cast {
	readonly shop: StandShop;
	readonly amina: StandCustomer;
	readonly ledger: LedgerId;
	readonly h: RecordHash;
	/** A stranger who is a customer, with his phone; one who is a shop, with its device. */
	readonly by: Readonly<Record<Caller, Pick<Party, 'headers'>>>;
	/** Of an invite that Amina took up. */
	readonly token: string;
	/** That the shop asked somebody else. */
	readonly ask: string;
	/** What Amina calls her own session by. */
	readonly sessionId: string;
	/** A key of whoever asks. */
	readonly key: Signer;
	readonly nonce: () => Promise<string>;
	/** What no stranger may read. */
	readonly marks: readonly string[];
	/** What a search shows of people to those who are signed in. */
	readonly names: readonly string[];
}

interface Request {
	readonly path: string;
	readonly body?: unknown;
}

interface Row {
	readonly request: (cast: Cast) => Request | Promise<Request>;
	/** In the order of `CALLERS`. */
	readonly statuses: readonly [number, number, number, number, number, number];
	/** Says names and usernames, as it is there to. */
	readonly isSearch?: true;
	/** Who is asked to be connected hears of it, and nothing else comes of it. */
	readonly isAsking?: true;
	/** Nothing is as it was for the rows after it. */
	readonly isEnding?: true;
}

/** Whatever is asked for, the same for all: nothing of anybody's is behind it. */
const open = (status: number): Row['statuses'] => [status, status, status, status, status, status];
/** Sessions of accounts alone, each for its own account: no device, no bearer. */
const OWN_ACCOUNT: Row['statuses'] = [401, 200, 200, 401, 200, 200];

const at = (path: string, body?: unknown) => (): Request => ({ path, body });
const money = { currency: 'KES', exponent: 2, cap: 1_000 };

const TABLE: Readonly<Record<string, Row>> = {
	'GET /health': { request: at('/health'), statuses: open(200) },
	'GET /gateways': { request: at('/gateways'), statuses: open(200) },
	'GET /relay-key': { request: at('/relay-key'), statuses: open(200) },
	'POST /devices/nonce': { request: at('/devices/nonce', {}), statuses: open(201) },
	// What is asked for with nothing but a name is refused to all alike.
	'POST /accounts': {
		request: ({ amina }) => ({
			path: '/accounts',
			body: {
				...{ kind: 'customer', username: amina.username, name: 'Somebody' },
				...{ email: 'somebody@example.com', password: 'a door in the wall' }
			}
		}),
		statuses: open(409)
	},
	'POST /sessions': {
		request: ({ amina }) => ({
			path: '/sessions',
			body: { username: amina.username, password: 'a door in the wall' }
		}),
		statuses: open(401)
	},
	'POST /resets': {
		request: ({ amina }) => ({ path: '/resets', body: { username: amina.username } }),
		statuses: open(202)
	},
	'POST /resets/check': {
		request: ({ amina }) => ({
			path: '/resets/check',
			body: { username: amina.username, code: '000000', password: 'another door', ticket: '' }
		}),
		statuses: open(410)
	},
	'POST /devices/token': {
		request: async ({ shop, key, nonce }) => {
			const text = await nonce();
			const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
			const signature = encodeBase64url(await key.sign(deviceStatement(bytes, shop.business)));
			return {
				path: '/devices/token',
				body: { business: shop.business, code: 'A', nonce: text, signature }
			};
		},
		statuses: open(401)
	},

	'GET /me': { request: at('/me'), statuses: OWN_ACCOUNT },
	'GET /sessions': { request: at('/sessions'), statuses: OWN_ACCOUNT },
	'GET /codes': { request: at('/codes'), statuses: OWN_ACCOUNT },
	'GET /second-factor': { request: at('/second-factor'), statuses: OWN_ACCOUNT },
	'GET /people': { request: at('/people'), statuses: OWN_ACCOUNT },
	'POST /people': {
		request: at('/people', { name: 'One more' }),
		statuses: [401, 201, 201, 401, 201, 201]
	},
	'DELETE /sessions/current': {
		request: at('/sessions/current'),
		isEnding: true,
		statuses: open(204)
	},
	'DELETE /sessions/others': {
		request: at('/sessions/others'),
		isEnding: true,
		statuses: [401, 204, 204, 401, 204, 204]
	},
	'DELETE /sessions/:id': {
		request: ({ sessionId }) => ({ path: `/sessions/${sessionId}` }),
		isEnding: true,
		statuses: [401, 404, 404, 401, 204, 404]
	},
	'POST /codes': { request: at('/codes', {}), statuses: OWN_ACCOUNT },
	'POST /codes/check': {
		request: at('/codes/check', { code: '000000' }),
		statuses: [401, 410, 410, 401, 410, 410]
	},
	// Each asks the password of the account once more.
	'POST /address': {
		request: at('/address', { email: 'thief@example.com', password: 'a wrong door' }),
		statuses: [401, 403, 403, 401, 403, 403]
	},
	'POST /second-factor': {
		request: at('/second-factor', { password: 'a wrong door' }),
		statuses: [401, 403, 403, 401, 403, 403]
	},
	'POST /second-factor/confirm': {
		request: at('/second-factor/confirm', { code: '000000' }),
		statuses: [401, 403, 403, 401, 403, 403]
	},
	'POST /second-factor/recovery': {
		request: at('/second-factor/recovery', { password: 'a wrong door', factor: '000000' }),
		statuses: [401, 403, 403, 401, 403, 403]
	},
	'POST /second-factor/end': {
		request: at('/second-factor/end', { password: 'a wrong door', factor: '000000' }),
		statuses: [401, 403, 403, 401, 403, 403]
	},

	// With a key that is not the device's.
	'POST /devices/heir': {
		request: async ({ shop: { business }, key, nonce }) => {
			const signature = await key.sign(key.publicKey);
			const newSignature = encodeBase64url(signature);
			return {
				path: '/devices/heir',
				body: { business, code: 'A', nonce: await nonce(), newSignature, ...keys(key, signature) }
			};
		},
		statuses: open(401)
	},
	'POST /late-facts': {
		request: at('/late-facts', { facts: [] }),
		statuses: open(401)
	},
	'GET /late-facts': {
		request: ({ shop: { business } }) => ({
			path: `/late-facts?business=${business}&state=waiting`
		}),
		statuses: [401, 403, 403, 403, 403, 200]
	},
	...Object.fromEntries(
		['taken', 'declined', 'waiting'].map((act): [string, Row] => [
			`POST /late-facts/${act}`,
			{
				request: ({ shop: { business } }) => ({
					path: `/late-facts/${act}`,
					body: { business, ids: ['A-1'] }
				}),
				statuses: [401, 403, 403, 403, 403, 200]
			}
		])
	),
	'POST /facts/lacking': {
		request: at('/facts/lacking', { facts: [['A-1', '0123456789abcdef']] }),
		statuses: [401, 200, 200, 403, 200, 200]
	},
	'POST /devices/removal': {
		request: ({ shop: { business } }) => ({
			path: '/devices/removal',
			body: { business, code: 'A', password: 'a wrong door' }
		}),
		statuses: [401, 403, 403, 401, 403, 403]
	},
	'POST /members/removal': {
		request: ({ shop: { business } }) => ({
			path: '/members/removal',
			body: { business, member: 1, password: 'a wrong door' }
		}),
		statuses: [401, 403, 403, 401, 403, 403]
	},

	'POST /businesses': {
		request: async ({ shop: { business, branch, person }, key }) => {
			const ids = { business, branch, person };
			const signature = await key.sign(claimStatement({ ...ids, publicKey: key.publicKey }));
			return { path: '/businesses', body: { ...ids, name: 'Mine', ...keys(key, signature) } };
		},
		// That an id is taken cannot be hidden from who would take it.
		statuses: [401, 403, 409, 401, 403, 409]
	},
	'POST /invites': {
		request: ({ shop: { business, branch } }) => ({ path: '/invites', body: { business, branch } }),
		statuses: [401, 403, 403, 403, 403, 201]
	},
	'POST /devices': {
		request: async ({ shop: { business }, key }) => {
			const signature = await key.sign(joinStatement(key.publicKey));
			return { path: '/devices', body: { business, ...keys(key, signature) } };
		},
		statuses: [401, 403, 403, 401, 403, 201]
	},
	'POST /phones': {
		request: async ({ amina: { person }, key }) => {
			const signature = await key.sign(phoneStatement(person, key.publicKey));
			return { path: '/phones', body: { person, ...keys(key, signature) } };
		},
		statuses: [401, 404, 404, 401, 201, 404]
	},
	'DELETE /phones/:person/:code': {
		request: ({ amina }) => ({ path: `/phones/${amina.person}/p1` }),
		isEnding: true,
		statuses: [401, 404, 404, 401, 204, 404]
	},

	'GET /search': {
		request: ({ amina }) => ({ path: `/search?username=${amina.username}` }),
		statuses: [401, 200, 200, 403, 200, 200],
		isSearch: true
	},
	'POST /connections': {
		request: ({ amina, ledger }) => ({
			path: '/connections',
			body: { person: amina.person, ledger, username: amina.username }
		}),
		// A shop may ask anybody whose name it knows, for a card of its own.
		statuses: [401, 404, 201, 403, 404, 409],
		isAsking: true,
		isEnding: true
	},
	'POST /connections/:ask/answer': {
		request: ({ ask, ledger }) => ({
			path: `/connections/${ask}/answer`,
			body: { accept: true, ledger }
		}),
		statuses: [401, 404, 404, 403, 404, 404]
	},
	'POST /connections/end': {
		request: ({ shop: { business }, ledger }) => ({
			path: '/connections/end',
			body: { business, ledger }
		}),
		isEnding: true,
		statuses: [401, 404, 404, 403, 200, 409]
	},
	'POST /links/look': {
		request: ({ token }) => ({ path: '/links/look', body: { token } }),
		statuses: open(410)
	},
	'POST /links': {
		request: ({ token, amina: { person } }) => ({ path: '/links', body: { token, person } }),
		statuses: [401, 404, 404, 401, 200, 404]
	},

	// A shop's routes of ledgers speak of its own business: another's ledger is a new one there.
	'POST /ledgers/:ledger/invites': {
		request: ({ ledger }) => ({ path: `/ledgers/${ledger}/invites`, body: {} }),
		statuses: [401, 401, 201, 403, 401, 201]
	},
	'POST /ledgers/:ledger/phone': {
		request: ({ ledger }) => ({ path: `/ledgers/${ledger}/phone`, body: { phone: '+1' } }),
		statuses: [401, 401, 400, 403, 401, 400]
	},
	'POST /ledgers/:ledger/phone/confirm': {
		request: ({ ledger }) => ({
			path: `/ledgers/${ledger}/phone/confirm`,
			body: { code: '000000' }
		}),
		statuses: [401, 401, 410, 403, 401, 410]
	},
	'POST /ledgers/:ledger/phone/confirm-old': {
		request: ({ ledger }) => ({
			path: `/ledgers/${ledger}/phone/confirm-old`,
			body: { code: '000000' }
		}),
		statuses: [401, 401, 410, 403, 401, 410]
	},
	'POST /ledgers/:ledger/records/:h/sms': {
		request: ({ ledger, h }) => ({ path: `/ledgers/${ledger}/records/${h}/sms`, body: {} }),
		statuses: [401, 401, 404, 403, 401, 409]
	},
	'POST /ledgers/:ledger/sheets/sms': {
		request: ({ ledger }) => ({ path: `/ledgers/${ledger}/sheets/sms`, body: money }),
		statuses: [401, 401, 409, 403, 401, 409]
	},
	'GET /people/:person/secrets': {
		request: ({ amina }) => ({ path: `/people/${amina.person}/secrets` }),
		statuses: [401, 404, 401, 401, 200, 401]
	},
	'POST /people/:person/sheets': {
		request: ({ amina, shop: { business }, ledger }) => ({
			path: `/people/${amina.person}/sheets`,
			body: { business, ledger, kind: 'debit', ...money }
		}),
		statuses: [401, 404, 401, 401, 201, 401]
	},
	'POST /people/:person/sheets/sms': {
		request: ({ amina, shop: { business }, ledger }) => ({
			path: `/people/${amina.person}/sheets/sms`,
			body: { business, ledger }
		}),
		statuses: [401, 404, 401, 401, 409, 401]
	},

	'POST /sync/tickets': {
		request: ({ shop }) => ({ path: '/sync/tickets', body: { document: shop.document() } }),
		statuses: [401, 403, 403, 403, 403, 200]
	},
	// Each reads the feed of whom its proof is of.
	'GET /feed': {
		request: at('/feed?epoch=1&after=0'),
		statuses: [401, 200, 200, 403, 200, 200]
	},
	'GET /history': {
		request: at('/history?before=100000'),
		statuses: [401, 200, 200, 403, 200, 200]
	},
	'GET /backed-up': {
		request: at('/backed-up?from=1'),
		statuses: [401, 200, 200, 403, 200, 200]
	},
	'GET /have': { request: at('/have'), statuses: [401, 200, 200, 403, 200, 200] },
	'GET /carried': { request: at('/carried'), statuses: [401, 200, 200, 403, 200, 200] },
	'POST /carried': {
		request: at('/carried', { facts: [] }),
		statuses: [401, 200, 200, 403, 200, 200]
	},
	'GET /receipts': {
		request: ({ shop }) => ({ path: `/receipts?branch=${shop.branch}&on=2026-11-20` }),
		statuses: [401, 401, 404, 403, 401, 200]
	},
	'GET /checkpoint': {
		request: ({ shop }) => ({ path: `/checkpoint?branch=${shop.branch}` }),
		statuses: [401, 401, 404, 403, 401, 200]
	}
};

function keys(key: Signer, signature: Uint8Array): Readonly<Record<string, string>> {
	return { publicKey: encodeBase64url(key.publicKey), signature: encodeBase64url(signature) };
}

it('[API-4] every route of the service stands in the table, and no other', () => {
	const routes = stand.api.routes.filter(({ method }) => method !== 'ALL');
	const names = new Set(routes.map(({ method, path }) => `${method} ${path}`));
	expect(names.size).toBeGreaterThan(40);
	expect(Object.keys(TABLE).toSorted()).toEqual([...names].toSorted());
	// One socket for all documents, whose table is the relay's (RELAY-9).
	expect(stand.service.sync.routes.map(({ path }) => path)).toEqual(
		stand.service.sync.routes.map(() => '/:document{.+}')
	);
});

let lasting: Promise<Cast> | undefined;

describe.each(Object.entries(TABLE))('%s', (name, row) => {
	it('[API-4] serves those who may call it, and tells nobody else anything', async () => {
		const cast = await (row.isEnding === true ? makeCast() : (lasting ??= makeCast()));
		const { request, statuses, isSearch, isAsking } = row;
		const [method = ''] = name.split(' ');
		const answered: number[] = [];
		// What the bridge still has to carry is nobody's doing here.
		await stand.settled();
		const before = await whatIsTheirs(cast);
		for (const caller of CALLERS) {
			const isOver = caller === 'amina' && isAsking !== true;
			if (isOver) expect(await whatIsTheirs(cast)).toEqual(before);
			const { path, body } = await request(cast);
			const answer = await stand.ask(path, { method, body, by: cast.by[caller] });
			answered.push(answer.status);
			if (!STRANGERS.includes(caller)) continue;
			for (const mark of [...cast.marks, ...(isSearch === true ? [] : cast.names)]) {
				expect([caller, answer.text]).not.toEqual([caller, expect.stringContaining(mark)]);
			}
		}
		expect(answered).toEqual(statuses);
	});
});

/** A linked ledger with a record, and everybody around it. */
async function makeCast(): Promise<Cast> {
	rounds += 1;
	const named = (who: string): string => `${who}${String(rounds)}`;
	const [shop, thief, amina, bob, dora] = await Promise.all([
		stand.shop(named('shop')),
		stand.shop(named('thief')),
		stand.customer(named('amina')),
		stand.customer(named('bob')),
		stand.customer(named('dora'))
	]);
	const ledger = mintLedger();
	const invite = await stand.ask(`/ledgers/${ledger}/invites`, { body: {}, by: shop });
	const token = String(invite.body['token']);
	const { person } = amina;
	await stand.ask('/links', { body: { token, person }, by: { headers: amina.session } });
	const { h, ...fact } = await recordFact(shop, { ledger, note: `note of ${amina.username}` });
	expect(await stand.put(shop, [fact])).toBe('taken');
	await stand.settled();
	const asked = { ledger: mintLedger(), username: dora.username };
	const { body } = await stand.ask('/connections', { body: asked, by: shop });
	const sessions = await stand.ask('/sessions', { by: { headers: amina.session } });
	const told = await stand.ask(`/people/${person}/secrets`, { by: amina });
	const secrets = told.body['secrets'] as readonly string[];
	const removed = await removedDevice(shop);
	await stand.database.sql`update account set password_hash = ${await passwordHash}`;
	const names = [amina, shop].flatMap(({ username }) => [username, `${username}@example.com`]);
	return {
		...{ shop, amina, ledger, h, token },
		ask: String(body['ask']),
		sessionId: /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(sessions.text)?.[0] ?? '',
		key: await createTestKey(),
		nonce: () => nonce(),
		by: { nobody: { headers: {} }, bob, thief, removed, amina, shop },
		marks: [h, ...secrets, `note of`, 'Shop of shop'],
		names: [...names, 'Name of amina', 'Name of shop']
	};
}

async function nonce(): Promise<string> {
	return String((await stand.ask('/devices/nonce', { body: {} })).body['nonce']);
}

/** One that joined and proved itself, and whose access ended then: its token is still young. */
async function removedDevice({ business, session }: StandShop): Promise<Pick<Party, 'headers'>> {
	const key = await createTestKey();
	const joined = keys(key, await key.sign(joinStatement(key.publicKey)));
	await stand.ask('/devices', { body: { business, ...joined }, by: { headers: session } });
	const text = await nonce();
	const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
	const signature = encodeBase64url(await key.sign(deviceStatement(bytes, business)));
	const proof = { business, code: 'B', nonce: text, signature };
	const { body } = await stand.ask('/devices/token', { body: proof });
	const by = { headers: { authorization: `Bearer ${String(body['token'])}` } };
	expect((await stand.ask('/history?before=1', { by })).status).toBe(200);
	await stand.database.sql`
		update device set removed_at = ${stand.clock.now} where business = ${business} and code = 'B'`;
	return by;
}

/** What would show that a stranger changed something. */
async function whatIsTheirs({ shop: { business }, amina: { person } }: Cast) {
	const { sql } = stand.database;
	const [heads, links, phones, devices, sessions, epochs] = await Promise.all([
		sql`select business, s from feed_head where business in (${business}, ${person}) order by 1`,
		sql`select * from ledger_link where business = ${business}`,
		sql`select code, removed_at from phone where person = ${person} order by 1`,
		sql`select code, removed_at from device where business = ${business} order by 1`,
		sql`select id from session join account using (account) where account.person = ${person}`,
		sql`select * from code_epoch where business = ${business} order by epoch`
	]);
	return [heads, links, phones, devices, sessions, epochs].map((rows) => [...rows]);
}
