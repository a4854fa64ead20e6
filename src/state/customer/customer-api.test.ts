import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { phoneStatement } from '#domain/claim-statement.ts';
import { code, codeInfo, ledgerKey, secretId } from '#domain/confirmation/codes.ts';
import type { PersonId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { storageFull, type DeviceStore } from '#storage/device-store.ts';
import { createCustomerStand, uuid } from '#tests/support/customer-stand.ts';
import { arriving, openTestPhone } from '#tests/support/customer-phone.ts';
import { createWebCrypto } from '../web-crypto.ts';
import { createCustomerApi, type CustomerApi } from './connections.ts';
import { openPhone } from './open-phone.ts';
import { provePhone } from './prove-phone.ts';

const person = uuid(1, 0xe) as PersonId;
const shop = { business: uuid(1, 0xb) as never, ledger: uuid(1, 0xc) as never };

interface Asked {
	readonly method: string;
	readonly path: string;
	readonly body: unknown;
	readonly token: string | null;
}

/** An API over answers made beforehand, and what was asked of them. */
function apiOver(answers: Readonly<Record<string, readonly [status: number, body: unknown]>>): {
	readonly api: CustomerApi;
	readonly asked: Asked[];
} {
	const asked: Asked[] = [];
	const api = createCustomerApi({
		fetch: (input, init) => {
			const url = input instanceof Request ? input.url : String(input);
			const path = url.replace(/^\/api/, '');
			const method = init?.method ?? 'GET';
			const text = typeof init?.body === 'string' ? init.body : undefined;
			const token = new Headers(init?.headers).get('authorization');
			asked.push({ method, path, token, body: text === undefined ? null : JSON.parse(text) });
			const found = answers[`${method} ${path}`];
			if (found === undefined) return Promise.reject(new TypeError('no network'));
			const [status, body] = found;
			return Promise.resolve(new Response(JSON.stringify(body), { status }));
		}
	});
	return { api, asked };
}

describe('the relay’s routes', () => {
	it('[CUSTOMER-10] are asked as the contract says, and their answers read whole', async () => {
		const found = [{ username: 'kiosk', name: 'Kiosk', kind: 'store' }];
		const { api, asked } = apiOver({
			'GET /people': [200, [{ person, name: 'Amina', more: 1 }]],
			'POST /people': [201, { person }],
			'GET /search?username=kio%20sk': [200, { found }],
			'POST /connections': [201, { ask: 'a-1' }],
			'POST /connections/a-1/answer': [200, {}],
			'POST /connections/end': [200, {}],
			'POST /links/look': [200, { shop: 'Kiosk', name: 'Amina', currency: 'KES', total: -5 }],
			'POST /links': [200, shop],
			[`POST /people/${person}/sheets`]: [201, {}],
			[`POST /people/${person}/sheets/sms`]: [200, {}],
			[`DELETE /phones/${person}/p1`]: [200, {}]
		});
		expect(await api.people()).toEqual(ok([{ person, name: 'Amina' }]));
		expect(await api.addPerson('Mother')).toEqual(ok({ person }));
		expect(await api.search('kio sk')).toEqual(ok(found));
		expect(await api.ask('kiosk', person)).toEqual(ok({ ask: 'a-1' }));
		expect((await api.answer('a-1', true)).ok).toBe(true);
		expect((await api.end({ ...shop, extra: 1 } as never)).ok).toBe(true);
		expect(await api.lookAtInvite('t')).toMatchObject(ok({ shop: 'Kiosk', total: -5 }));
		expect(await api.takeUpInvite('t', person)).toEqual(ok(shop));
		const form = { ...shop, kind: 'debit', currency: 'KES', exponent: 2, cap: 5_000 } as const;
		expect((await api.newSheet(person, form, 'tok')).ok).toBe(true);
		expect((await api.sheetBySms(person, shop, 'tok')).ok).toBe(true);
		expect((await api.dismissPhone({ person, code: 'p1' })).ok).toBe(true);
		expect(asked.map(({ body }) => body)).toEqual([
			null,
			{ name: 'Mother' },
			null,
			{ username: 'kiosk', person },
			{ accept: true },
			shop,
			{ token: 't' },
			{ token: 't', person },
			form,
			shop,
			null
		]);
		expect(asked[8]?.token).toBe('Bearer tok');
		expect(asked[9]?.token).toBe('Bearer tok');
	});

	it('[CUSTOMER-10] refuse in their own words, and what is not theirs is no answer', async () => {
		const { api } = apiOver({
			'GET /people': [200, [{ person: 'me', name: 'Amina' }]],
			'POST /people': [401, { code: 'notSignedIn' }],
			'POST /links/look': [200, { shop: 'Kiosk', name: 'A', currency: 'KES', total: '5' }],
			'POST /links': [410, { code: 'inviteUsed' }],
			'GET /search?username=abc': [200, { found: [{ username: 'x' }] }]
		});
		expect(await api.people()).toEqual(err('unreachable'));
		expect(await api.addPerson('x')).toEqual(err('notSignedIn'));
		expect(await api.lookAtInvite('t')).toEqual(err('unreachable'));
		expect(await api.takeUpInvite('t', person)).toEqual(err('inviteUsed'));
		expect(await api.search('abc')).toEqual(err('unreachable'));
		expect(await api.ask('kiosk', person)).toEqual(err('unreachable'));
	});
});

describe('proving a phone', () => {
	const secret = encodeBase64url(new Uint8Array(32).fill(9));
	const nonce = encodeBase64url(new Uint8Array(32));
	const all = {
		'POST /phones': [201, { code: 'p3', number: 3, epoch: 1, year: 2026 }],
		'POST /devices/nonce': [200, { nonce }],
		'POST /devices/token': [200, { token: 'tok', expiresAt: 1 }],
		[`GET /people/${person}/secrets`]: [200, { secrets: [secret] }]
	} as const;

	it('[CUSTOMER-6] is done once: a key that signed for itself, a code, a secret', async () => {
		const { api, asked } = apiOver(all);
		const { phone, signer } = await openTestPhone(person, { number: undefined });
		expect(await provePhone({ phone, signer, api })).toBeUndefined();
		expect(phone.identity).toMatchObject({ code: 'p3', since: 2026 });
		expect(await phone.lacksSecret()).toBe(false);
		const [enrolled, , token] = asked.map(({ body }) => body as Record<string, string>);
		const signature = decodeBase64url(enrolled?.['signature'] ?? '');
		expect(
			signature.ok &&
				(await createWebCrypto().verify(
					signer.publicKey,
					phoneStatement(person, signer.publicKey),
					signature.value
				))
		).toBe(true);
		expect(token).toMatchObject({ person, code: 'p3', nonce });
		expect(token).not.toHaveProperty('business');
		expect(asked.at(-1)?.token).toBe('Bearer tok');

		const count = asked.length;
		expect(await provePhone({ phone, signer, api })).toBeUndefined();
		expect(asked).toHaveLength(count);
	});

	it('[CUSTOMER-6] stops where it is refused, and goes on from there', async () => {
		const { phone, signer } = await openTestPhone(person, { number: undefined });
		const refused = apiOver({ 'POST /phones': [401, { code: 'notSignedIn' }] });
		expect(await provePhone({ phone, signer, api: refused.api })).toBe('notSignedIn');
		expect(phone.identity.code).toBeUndefined();
		const noSecret = { ...all, [`GET /people/${person}/secrets`]: [503, {}] as const };
		expect(await provePhone({ phone, signer, api: apiOver(noSecret).api })).toBe('unreachable');
		expect(phone.identity.code).toBe('p3');
		const rest = apiOver(all);
		expect(await provePhone({ phone, signer, api: rest.api })).toBeUndefined();
		expect(rest.asked.map(({ path }) => path)).not.toContain('/phones');
	});

	it('[CUSTOMER-6] a name that a full disk kept from being noted is asked for again', async () => {
		const kept = createMemoryDeviceStore();
		let isFull = false;
		const store: DeviceStore = {
			...kept,
			write: (tables, work) =>
				isFull ? Promise.reject(storageFull(new Error('full'))) : kept.write(tables, work)
		};
		const { phone, signer, parts } = await openTestPhone(person, { number: undefined, store });
		const names: (string | undefined)[] = [];
		phone.on(() => names.push(phone.identity.code));
		isFull = true;
		await expect(provePhone({ phone, signer, api: apiOver(all).api })).rejects.toThrow();
		expect(phone.identity.code).toBeUndefined();
		isFull = false;
		expect(await provePhone({ phone, signer, api: apiOver(all).api })).toBeUndefined();
		expect(names).toEqual(['p3']);
		// As the news of what its codes are made from has it.
		await phone.receive([]);
		expect(phone.identity.code).toBe('p3');
		expect((await openPhone(parts, person)).identity.code).toBe('p3');
	});

	it('[CODES-14] asks for the secrets again where a set is made from one that it lacks', async () => {
		const stand = await createCustomerStand();
		const { phone, signer } = await openTestPhone(stand.person, { number: 1 });
		const [first, second] = [new Uint8Array(32).fill(9), new Uint8Array(32).fill(10)];
		const crypto = createWebCrypto();
		const giving = (...all: readonly Uint8Array[]): ReturnType<typeof apiOver> =>
			apiOver({
				'POST /devices/nonce': [200, { nonce }],
				'POST /devices/token': [200, { token: 'tok', expiresAt: 1 }],
				[`GET /people/${stand.person}/secrets`]: [200, { secrets: all.map(encodeBase64url) }]
			});
		expect(await provePhone({ phone, signer, api: giving(first).api })).toBeUndefined();
		await phone.receive(
			arriving([
				stand.card({ epoch: 2, secret: await secretId(second, crypto) }),
				stand.codes({ epoch: 2 })
			])
		);
		expect(await phone.codesOf(stand)).toEqual(err('secretMissing'));
		const again = giving(second, first);
		expect(await provePhone({ phone, signer, api: again.api })).toBeUndefined();
		expect(again.asked.at(-1)?.path).toBe(`/people/${stand.person}/secrets`);
		const sheets = await phone.codesOf(stand);
		const scope = { businessId: stand.business, ledgerId: stand.ledger, epoch: 2 };
		const key = await ledgerKey(second, scope, crypto);
		const worth = { kind: 'due', currency: 'KES', exponent: 2, minor: 500_000 } as const;
		const info = codeInfo({ way: 'sheet', ...worth });
		expect(sheets.ok && sheets.value[0]?.codes[0]?.digits).toBe(
			await code(key, { info, counter: 1 }, crypto)
		);
		const count = again.asked.length;
		expect(await provePhone({ phone, signer, api: again.api })).toBeUndefined();
		expect(again.asked).toHaveLength(count);
	});

	it('[CUSTOMER-6] a secret of another length is none', async () => {
		const { phone, signer } = await openTestPhone(person, { number: 1 });
		const short = {
			...all,
			[`GET /people/${person}/secrets`]: [200, { secrets: ['AAAA'] }] as const
		};
		expect(await provePhone({ phone, signer, api: apiOver(short).api })).toBe('unreachable');
		expect(await phone.lacksSecret()).toBe(true);
	});
});
