import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signer } from '#domain/crypto.ts';
import { parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import {
	createPeopleStand,
	createTestKey,
	EPOCH,
	mintIds,
	ORIGIN,
	PASSWORD,
	type PeopleStand
} from '#tests/support/people-stand.ts';
import { createAccountApi, inviteLink, type AccountApi, type SignUpForm } from './account-api.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
});

afterAll(() => stand.close());

/** A browser on our page: it keeps the cookie, and says where it is. */
function browser(): AccountApi {
	let cookie: string | undefined;
	return createAccountApi({
		base: ORIGIN,
		async fetch(input, init) {
			const headers = new Headers(init?.headers);
			headers.set('origin', ORIGIN);
			if (cookie !== undefined) headers.set('cookie', cookie);
			const response = await stand.app.request(new Request(input, { ...init, headers }));
			cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
			return response;
		}
	});
}

function form(username: string): SignUpForm {
	const contact = { phone: '0712 345 678', region: 'KE' };
	return { kind: 'store', username, name: 'Amina', ...contact, password: PASSWORD };
}

const [A, B] = [code('A'), code('B')];

function code(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	if (!parsed.ok) throw new Error('not a code');
	return parsed.value;
}

describe('the account client', () => {
	it('[API-4] signs up, claims, invites, joins, proves and signs out against the real routes', async () => {
		const [owner, second] = [browser(), browser()];
		const [ids, key, joining] = [mintIds(), await createTestKey(), await createTestKey()];
		const { business, branch, person } = ids;
		const account = { username: 'amina', kind: 'store', name: 'Amina' };
		expect(await owner.me()).toEqual(err('notSignedIn'));
		expect(await owner.signUp({ ...form('amina'), person })).toEqual(
			ok({ account, person, isProved: false })
		);
		const claimed = await owner.claim({ ...ids, name: 'Mama Amina' }, key);
		expect(claimed).toEqual(ok({ code: A, member: 1, epoch: EPOCH }));
		const businesses = [{ business, branch, name: 'Mama Amina' }];
		expect(await owner.me()).toEqual(ok({ account, person, isProved: false, businesses }));

		const proved = await owner.deviceToken({ business, code: A }, key);
		const bearer = proved.ok ? proved.value.token : '';
		const invite = await second.invite(ids, bearer);
		const token = invite.ok ? invite.value.token : '';
		const joined = { business, branch, person, member: 1, code: B, sight: 'office', epoch: EPOCH };
		const expected = ok({ ...joined, name: 'Mama Amina' });
		expect(await second.join({ token }, joining)).toEqual(expected);
		expect((await second.deviceToken({ business, code: B }, joining)).ok).toBe(true);
		expect(await owner.join({ business }, joining)).toEqual(expected);

		expect(await owner.signOut()).toEqual(ok(undefined));
		expect(await owner.me()).toEqual(err('notSignedIn'));
		const signedIn = await owner.signIn({ username: 'AMINA', password: PASSWORD });
		expect(signedIn).toEqual(ok({ account, person, isProved: false }));
	});

	it('[API-6] gives the relay’s reason', async () => {
		const api = browser();
		expect(await api.signUp(form('x'))).toEqual(err('usernameInvalid'));
		const wrong = { username: 'nobody', password: 'wrong' };
		expect(await api.signIn(wrong)).toEqual(err('signInRefused'));
		const key = await createTestKey();
		expect(await api.join({ token: 'made up' }, key)).toEqual(err('inviteUnknown'));
		const nobody = { business: mintIds().business, code: A };
		expect(await api.deviceToken(nobody, key)).toEqual(err('deviceRefused'));
	});
});

describe('with no relay of ours', () => {
	const strangers: Readonly<Record<string, typeof fetch>> = {
		'no network': () => Promise.reject(new TypeError('Failed to fetch')),
		'a wait too long': () => Promise.reject(new DOMException('late', 'TimeoutError')),
		'a log-in page': () => Promise.resolve(new Response('<html>Log in</html>')),
		'a proxy that found nobody': () => Promise.resolve(new Response('Bad', { status: 502 })),
		'a reason that is not ours': () =>
			Promise.resolve(Response.json({ code: 'teapot' }, { status: 418 })),
		'nothing at all': () => Promise.resolve(new Response('')),
		'another shape': () => Promise.resolve(Response.json({ token: 7, nonce: 'AA', code: 'a' }))
	};

	it.each(Object.entries(strangers))('%s is unreachable', async (_what, fetch) => {
		const api = createAccountApi({ fetch });
		const key: Signer = await createTestKey();
		const ids = mintIds();
		const answers = await Promise.all([
			api.signUp(form('amina')),
			api.signIn({ username: 'amina', password: PASSWORD }),
			api.me(),
			api.claim({ ...ids, name: 'Mama Amina' }, key),
			api.invite(ids),
			api.join({ business: ids.business }, key),
			api.deviceToken({ business: ids.business, code: A }, key)
		]);
		expect(answers).toEqual(answers.map(() => err('unreachable')));
	});
});

it('puts the invite where no server sees it', () => {
	expect(new URL(inviteLink(ORIGIN, { token: 'abc_-' })).hash).toBe('#abc_-');
});
