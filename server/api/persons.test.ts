import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { deviceStatement, heirStatement, phoneStatement } from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseBusinessId, parsePersonId, type PersonId } from '#domain/ids.ts';
import { handFact } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	enrol,
	STAND_EPOCH,
	type HostileStand,
	type StandAnswer,
	type StandCustomer
} from '#tests/support/hostile-stand.ts';
import {
	accountBody,
	claimBody,
	createTestKey,
	mintIds,
	type ClaimIds
} from '#tests/support/people-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { PHONES_MAX } from './persons.ts';

let stand: HostileStand;
let amina: StandCustomer;
let round = 0;

beforeAll(async () => {
	stand = await createHostileStand();
});
beforeEach(async () => {
	round += 1;
	amina = await stand.customer(`amina${String(round)}`);
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

const session = (who: StandCustomer = amina) => ({ headers: who.session });

/** Enrols one more phone of the person. */
function enrolled(signer: Signer, person: PersonId = amina.person): Promise<StandAnswer> {
	return enrol(stand.ask, { person, session: amina.session, signer });
}

async function feedStatus(code: string, who: StandCustomer = amina): Promise<unknown> {
	const by = { headers: { ...who.session, 'daftar-phone': `${who.person}/${code}` } };
	const { status, body } = await stand.ask('/feed?epoch=1&after=0', { by });
	return status === 200 ? 200 : body['code'];
}

async function prove(
	{ person, signer }: Pick<StandCustomer, 'person' | 'signer'>,
	code: string
): Promise<StandAnswer> {
	const { nonce } = (await stand.ask('/devices/nonce', { body: {} })).body;
	const bytes = new Uint8Array(Buffer.from(String(nonce), 'base64url'));
	const signature = encodeBase64url(await signer.sign(deviceStatement(bytes, person)));
	return stand.ask('/devices/token', { body: { person, code, nonce, signature } });
}

/** A phone of the person gets an heir. */
async function heirOf(old: Signer, code: string): Promise<StandAnswer> {
	const { person } = amina;
	const heir = await createTestKey();
	const { nonce } = (await stand.ask('/devices/nonce', { body: {} })).body;
	const bytes = new Uint8Array(Buffer.from(String(nonce), 'base64url'));
	const statement = heirStatement(bytes, { scope: person, code, publicKey: heir.publicKey });
	const body = {
		person,
		code,
		nonce,
		signature: encodeBase64url(await old.sign(statement)),
		publicKey: encodeBase64url(heir.publicKey),
		newSignature: encodeBase64url(await heir.sign(statement))
	};
	return stand.ask('/devices/heir', { body });
}

describe('/people', () => {
	it('[API-32] adds persons to an account, under their own names, and nobody else’s sees them', async () => {
		stand.clock.now += 1_000;
		const added = await stand.ask('/people', { body: { name: '  Grandma ' }, by: session() });
		expect(added.status).toBe(201);
		const { person } = added.body;
		const mine = await stand.ask('/people', { by: session() });
		expect(JSON.parse(mine.text)).toEqual([
			{ person: amina.person, name: `Name of ${amina.username}` },
			{ person, name: 'Grandma' }
		]);
		const bob = await stand.customer(`bob${String(round)}`);
		expect(JSON.parse((await stand.ask('/people', { by: session(bob) })).text)).toEqual([
			{ person: bob.person, name: `Name of ${bob.username}` }
		]);
		expect((await stand.ask('/people')).status).toBe(401);
	});

	it('[API-32] takes no name that is none, and twenty persons at most, also at once', async () => {
		const add = (name: string): Promise<StandAnswer> =>
			stand.ask('/people', { body: { name }, by: session() });
		expect((await add('  ')).body['code']).toBe('nameInvalid');
		expect((await add('x'.repeat(81))).body['code']).toBe('nameInvalid');
		const answers = await Promise.all(
			Array.from({ length: 22 }, (_, n) => add(`No. ${String(n)}`))
		);
		expect(answers.filter(({ status }) => status === 201)).toHaveLength(19);
		expect(answers.filter(({ body }) => body['code'] === 'tooManyAttempts')).toHaveLength(3);
	});
});

describe('an id', () => {
	it('[API-35] of a person is claimed by no shop, and a shop’s by no person', async () => {
		const shop = await stand.shop(`shop${String(round)}`);
		const claim = async (ids: Partial<ClaimIds>): Promise<StandAnswer> => {
			const key = await createTestKey();
			const body = await claimBody({ ...mintIds(), person: shop.person, ...ids }, key);
			return stand.ask('/businesses', { body, by: { headers: shop.session } });
		};
		const asPerson = parseBusinessId(amina.person);
		const asShop = parsePersonId(shop.business);
		if (!asPerson.ok || !asShop.ok) throw new Error('no id');
		expect((await claim({ business: asPerson.value })).body['code']).toBe('businessKnown');
		expect((await claim({ person: asShop.value })).body['code']).toBe('personKnown');
		expect((await claim({})).status).toBe(200);
		const signUp = accountBody(`mask${String(round)}`, { kind: 'customer', person: asShop.value });
		expect((await stand.ask('/accounts', { body: signUp })).body['code']).toBe('personKnown');
	});

	it('[API-35] is of one kind, though a person and a shop ask for it at once', async () => {
		const { sql } = stand.database;
		const shop = await stand.shop(`twin${String(round)}`);
		const ids = { ...mintIds(), person: shop.person };
		const body = await claimBody(ids, await createTestKey());
		const isWaiting = async (kind: string): Promise<boolean> => {
			const rows = await sql`
				select 1 from pg_locks where not granted and locktype = ${kind}
					and database = (select oid from pg_database where datname = current_database())`;
			return rows.length > 0;
		};
		const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
		const holding = sql.begin(async (tx) => {
			await tx`lock table person_alias in access exclusive mode`;
			await held;
		});
		const form = accountBody(`mask${String(round)}`, { kind: 'customer', person: ids.business });
		const signingUp = stand.ask('/accounts', { body: form });
		await until(() => isWaiting('relation'));
		let isClaimed = false;
		const claiming = stand.ask('/businesses', { body, by: { headers: shop.session } });
		void claiming.finally(() => {
			isClaimed = true;
		});
		await until(async () => isClaimed || (await isWaiting('advisory')));
		letGo(undefined);
		const answers = await Promise.all([signingUp, claiming, holding]);
		expect(answers[0].status).toBe(201);
		expect(answers[1].body['code']).toBe('businessKnown');
	});
});

describe('/phones', () => {
	it('[API-33] enrols a key once: again, it is told the same', async () => {
		const key = await createTestKey();
		const first = await enrolled(key);
		expect([first.status, first.body]).toEqual([
			201,
			{ person: amina.person, code: 'p2', number: 2, epoch: STAND_EPOCH, year: 2026 }
		]);
		expect((await enrolled(key)).body).toEqual(first.body);
		// Another person of the account counts his own phones.
		const { body } = await stand.ask('/people', { body: { name: 'Juma' }, by: session() });
		const juma = parsePersonId(body['person']);
		if (!juma.ok) throw new Error('no person');
		expect((await enrolled(key, juma.value)).body).toMatchObject({ code: 'p1', number: 1 });
	});

	it('[API-33] enrols at once one after the other, and no number twice', async () => {
		const keys = await Promise.all([1, 2, 3].map(() => createTestKey()));
		const answers = await Promise.all([...keys, ...keys].map((key) => enrolled(key)));
		const numbers = answers.map(({ body }) => Number(body['number']));
		expect(numbers.slice(3)).toEqual(numbers.slice(0, 3));
		expect(new Set(numbers)).toEqual(new Set([2, 3, 4]));
	});

	it('[API-33] takes the key’s own signature over this person alone', async () => {
		const [key, other] = [await createTestKey(), await createTestKey()];
		const bob = await stand.customer(`bob${String(round)}`);
		const { publicKey } = key;
		const wrong = [
			await other.sign(phoneStatement(amina.person, publicKey)),
			await key.sign(phoneStatement(bob.person, publicKey)),
			await key.sign(phoneStatement(amina.person, other.publicKey))
		];
		for (const signature of wrong) {
			const keys = { publicKey: encodeBase64url(publicKey), signature: encodeBase64url(signature) };
			const body = { person: amina.person, ...keys };
			const refused = await stand.ask('/phones', { body, by: session() });
			expect(refused.body['code']).toBe('signatureInvalid');
		}
	});

	it('[API-33] [API-35] enrols for nobody else’s person, nor for one who bears a shop’s id', async () => {
		const bob = await stand.customer(`bob${String(round)}`);
		const key = await createTestKey();
		expect((await enrolled(key, bob.person)).body['code']).toBe('notFound');
		const shop = await stand.shop(`shop${String(round)}`);
		const mask = parsePersonId(shop.business);
		if (!mask.ok) throw new Error('no id');
		// As if it had come into the tables before anybody looked.
		await stand.database.sql`
			insert into person (person, account, created_at)
			select ${mask.value}, account, 0 from account where username = ${amina.username}`;
		expect((await enrolled(key, mask.value)).body['code']).toBe('notFound');
	});

	it('[API-34] has four at a time: with the fifth, the first one’s access ends', async () => {
		expect(await feedStatus('p1')).toBe(200);
		for (let number = 2; number <= PHONES_MAX; number += 1) await enrolled(await createTestKey());
		expect(await feedStatus('p1')).toBe(200);
		expect((await enrolled(await createTestKey())).body).toMatchObject({ code: 'p5', number: 5 });
		expect(await feedStatus('p1')).toBe('deviceRemoved');
		expect(await feedStatus('p2')).toBe(200);
		// Who was let go does not come back under the same key.
		expect((await enrolled(amina.signer)).body['code']).toBe('deviceRemoved');
	});

	it('[API-34] an heir of one of four takes its place, and no other’s', async () => {
		const signers: Signer[] = [];
		for (let number = 2; number <= PHONES_MAX; number += 1) {
			const signer = await createTestKey();
			signers.push(signer);
			await enrolled(signer);
		}
		const last = signers.at(-1);
		if (last === undefined) throw new Error('four phones');
		expect((await heirOf(last, 'p4')).body).toMatchObject({ code: 'p5' });
		const codes = ['p1', 'p2', 'p3', 'p4', 'p5'];
		const statuses = await Promise.all(codes.map((code) => feedStatus(code)));
		expect(statuses).toEqual([200, 200, 200, 'deviceRemoved', 200]);
	});

	it('[API-34] one that was removed reads and writes nothing more, by any proof', async () => {
		const proved = await prove(amina, 'p1');
		expect(proved.status).toBe(201);
		const bearer = { headers: { authorization: `Bearer ${String(proved.body['token'])}` } };
		const feed = '/feed?epoch=1&after=0';
		expect((await stand.ask(feed, { by: bearer })).status).toBe(200);
		expect(await stand.put(amina, [handFact(amina, 'seen', stand.clock.now)])).toBe('taken');

		const bob = await stand.customer(`bob${String(round)}`);
		const path = `/phones/${amina.person}/p1`;
		const byBob = await stand.ask(path, { method: 'DELETE', by: session(bob) });
		expect(byBob.body['code']).toBe('notFound');
		expect(await feedStatus('p1')).toBe(200);
		for (let times = 0; times < 2; times += 1) {
			expect((await stand.ask(path, { method: 'DELETE', by: session() })).status).toBe(204);
		}
		expect(await feedStatus('p1')).toBe('deviceRemoved');
		expect((await stand.ask(feed, { by: bearer })).body['code']).toBe('deviceRemoved');
		expect((await prove(amina, 'p1')).body['code']).toBe('deviceRemoved');
		expect(await stand.put(amina, [])).toBe('deviceRemoved');
		const secret = await stand.ask(`/people/${amina.person}/secrets`, { by: amina });
		expect(secret.body['code']).toBe('deviceRemoved');
		// The number is given to no other.
		expect((await enrolled(await createTestKey())).body).toMatchObject({ code: 'p2' });
	});

	it('[CODES-14] gives one that is being removed nothing that later codes are made from', async () => {
		const { person } = amina;
		expect((await enrolled(await createTestKey())).status).toBe(201);
		const secretsOf = (code: string): Promise<StandAnswer> =>
			stand.ask(`/people/${person}/secrets`, {
				by: { headers: { ...amina.session, 'daftar-phone': `${person}/${code}` } }
			});
		const { sql } = stand.database;
		await sql`insert into feed_head (business) values (${person}) on conflict do nothing`;
		const { promise: isLong, resolve: letGo } = Promise.withResolvers<undefined>();
		const writing = sql.begin(async (tx) => {
			await tx`select s from feed_head where business = ${person} for update`;
			await isLong;
		});
		const path = `/phones/${person}/p1`;
		const removed = stand.ask(path, { method: 'DELETE', by: session() });
		const isWaiting = async (count: number): Promise<boolean> => {
			const rows = await sql`
				select 1 from pg_stat_activity
				where datname = current_database() and wait_event_type = 'Lock'`;
			return rows.length === count;
		};
		await until(() => isWaiting(1));
		stand.clock.now += 1_000;
		let isAnswered = false;
		const asked = secretsOf('p1').finally(() => {
			isAnswered = true;
		});
		await until(async () => isAnswered || (await isWaiting(2)));
		letGo(undefined);
		await writing;
		expect((await removed).status).toBe(204);
		const [latest] = (await secretsOf('p2')).body['secrets'] as readonly string[];
		expect(latest).toBeTypeOf('string');
		expect((await asked).text).not.toContain(latest);
	});

	it('[API-34] [API-41] one that is removed while it asks for an heir has none', async () => {
		const { sql } = stand.database;
		const { person, signer } = amina;
		let asked: ReturnType<typeof heirOf> | undefined;
		await sql.begin(async (tx) => {
			await tx`select person from person where person = ${person} for update`;
			asked = heirOf(signer, 'p1');
			// It was let in when it asked, and waits now for its turn.
			await until(async () => {
				const waiting = await sql`
					select 1 from pg_stat_activity
					where datname = current_database() and wait_event_type = 'Lock'`;
				return waiting.length > 0;
			});
			const path = `/phones/${person}/p1`;
			expect((await stand.ask(path, { method: 'DELETE', by: session() })).status).toBe(204);
		});
		expect((await asked)?.body['code']).toBe('deviceRemoved');
		expect(await sql`select code from phone where person = ${person}`).toEqual([{ code: 'p1' }]);
	});

	it('[API-34] [API-41] one of four that is removed while it asks for an heir keeps nobody waiting', async () => {
		const { sql } = stand.database;
		const { person, signer } = amina;
		for (let n = 1; n < PHONES_MAX; n += 1) await enrolled(await createTestKey());
		await sql`insert into feed_head (business) values (${person}) on conflict do nothing`;
		const isWaiting = async (count: number): Promise<boolean> => {
			const rows = await sql`
				select 1 from pg_stat_activity
				where datname = current_database() and wait_event_type = 'Lock'`;
			return rows.length === count;
		};
		let removed: Promise<StandAnswer> | undefined;
		let asked: Promise<StandAnswer> | undefined;
		await sql.begin(async (tx) => {
			await tx`select s from feed_head where business = ${person} for update`;
			const path = `/phones/${person}/p1`;
			removed = stand.ask(path, { method: 'DELETE', by: session() });
			await until(() => isWaiting(1));
			asked = heirOf(signer, 'p1');
			await until(() => isWaiting(2));
		});
		expect((await removed)?.status).toBe(204);
		expect((await asked)?.body['code']).toBe('deviceRemoved');
	});

	it('[API-33] is enrolled by no session that ended while it waited', async () => {
		const { sql } = stand.database;
		const { person, username } = amina;
		const key = await createTestKey();
		let asked: Promise<StandAnswer> | undefined;
		await sql.begin(async (tx) => {
			await tx`select person from person where person = ${person} for update`;
			asked = enrolled(key);
			await until(async () => {
				const waiting = await sql`
					select 1 from pg_stat_activity
					where datname = current_database() and wait_event_type = 'Lock'`;
				return waiting.length > 0;
			});
			await sql`
				delete from session using account
				where session.account = account.account and account.username = ${username}`;
		});
		expect((await asked)?.body['code']).toBe('notSignedIn');
		expect(await sql`select code from phone where person = ${person}`).toEqual([{ code: 'p1' }]);
	});

	it('[API-34] proves itself by its own key alone', async () => {
		const other = await createTestKey();
		const { person } = amina;
		expect((await prove({ person, signer: other }, 'p1')).body['code']).toBe('deviceRefused');
		expect((await prove(amina, 'p2')).body['code']).toBe('deviceRefused');
		const bob = await stand.customer(`bob${String(round)}`);
		const crossed = await prove({ person: bob.person, signer: amina.signer }, 'p1');
		expect(crossed.body['code']).toBe('deviceRefused');
		// A session speaks for the persons of its own account.
		const by = { headers: { ...bob.session, 'daftar-phone': `${person}/p1` } };
		expect((await stand.ask('/feed?epoch=1&after=0', { by })).status).toBe(401);
	});
});
