import { expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { createShopConnections, type ShopConnections } from './connections.ts';

const LEDGER = '11111111-1111-4111-8111-111111111111' as LedgerId;
const H = 'A'.repeat(43) as RecordHash;

interface Asked {
	readonly method: string;
	readonly path: string;
	readonly token: string | null;
	readonly body: unknown;
}

interface Line {
	readonly connections: ShopConnections;
	readonly asked: Asked[];
	/** How long it waited, ms, time after time. */
	readonly pauses: number[];
	/** What is answered next, by path. */
	readonly answers: Map<string, (readonly [status: number, body: object])[]>;
}

/** A relay that answers what the test laid out, and gives a token to whoever asks. */
async function line(): Promise<Line> {
	const test = await openTestDevice({ seed: 1 });
	const asked: Asked[] = [];
	const pauses: number[] = [];
	const answers: Line['answers'] = new Map();
	let tokens = 0;
	const connections = createShopConnections({
		fetch: (input, init) => {
			const path = typeof input === 'string' ? input.replace('/api', '') : '';
			const bytes = encodeBase64url(new Uint8Array(32));
			if (path === '/devices/nonce')
				return Promise.resolve(json(200, { nonce: bytes, proof: 'p' }));
			if (path === '/devices/token') {
				tokens += 1;
				return Promise.resolve(json(200, { token: `t${String(tokens)}`, expiresAt: 1 }));
			}
			const headers = new Headers(init?.headers);
			const sent = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
			const token = headers.get('authorization');
			asked.push({ method: init?.method ?? 'GET', path, token, body: sent });
			const next = answers.get(path)?.shift();
			if (next === undefined) return Promise.reject(new TypeError('no network'));
			return Promise.resolve(json(...next));
		},
		origin: 'https://daftar.example',
		identity: () => test.device.identity,
		signer: test.parts.signer,
		clock: () => test.clock.now,
		pause: (ms) => {
			pauses.push(ms);
			return Promise.resolve();
		},
		region: 'KE'
	});
	return { connections, asked, pauses, answers };
}

function json(status: number, body: object): Response {
	return new Response(JSON.stringify(body), { status });
}

it('[ASKING-1] asks with one token, and once again with a new one where it is not taken', async () => {
	const { connections, asked, answers } = await line();
	const found = { found: [{ username: 'amina.h', name: 'Amina', kind: 'customer' }] };
	answers.set('/search?username=ami', [
		[200, found],
		[401, { code: 'deviceRefused' }],
		[200, found]
	]);
	const wanted = { ok: true, value: [{ username: 'amina.h', name: 'Amina' }] };
	expect(await connections.search('ami')).toEqual(wanted);
	expect(await connections.search('ami')).toEqual(wanted);
	expect(asked.map(({ token }) => token)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
	expect(await connections.search('ami')).toEqual({ ok: false, error: 'unreachable' });
});

it('[ASKING-1] proves the old number first, then asks the new one that was typed', async () => {
	const { connections, asked, answers } = await line();
	const message = { to: '…678', send: 1, triesLeft: 5, expiresAt: 9, againAt: 5, practice: true };
	const path = `/ledgers/${LEDGER}/phone`;
	answers.set(path, [
		[201, { ...message, needs: 'oldCode' }],
		[201, { ...message, needs: 'code' }]
	]);
	answers.set(`${path}/confirm-old`, [[200, {}]]);
	answers.set(`${path}/confirm`, [
		[422, { code: 'notFound' }],
		[200, { to: '…678' }]
	]);
	const kept = { to: '…678', send: 1, expiresAt: 9, practice: true };
	expect(await connections.linkPhone(LEDGER, '0712 345 678')).toEqual({
		ok: true,
		value: { kind: 'oldCode', ...kept }
	});
	expect(await connections.confirmOldPhone(LEDGER, '111111')).toEqual({
		ok: true,
		value: { kind: 'sent', ...kept }
	});
	expect(asked.at(-1)?.body).toEqual({ phone: '0712 345 678', region: 'KE' });
	expect(await connections.confirmPhone(LEDGER, '222222')).toEqual({
		ok: false,
		error: 'notFound'
	});
	expect((await connections.confirmPhone(LEDGER, '333333')).ok).toBe(true);
});

it('[ASKING-1] makes an address of an invite, and sends codes', async () => {
	const { connections, asked, answers } = await line();
	answers.set(`/ledgers/${LEDGER}/invites`, [[201, { token: 'tok', expiresAt: 7 }]]);
	expect(await connections.invite(LEDGER)).toEqual({
		ok: true,
		value: { token: 'tok', expiresAt: 7, link: 'https://daftar.example/link#tok' }
	});
	const sent = { to: '…678', send: 2, expiresAt: 9, practice: false };
	answers.set(`/ledgers/${LEDGER}/records/${H}/sms`, [[200, sent]]);
	expect(await connections.sendSms(LEDGER, H)).toEqual({ ok: true, value: sent });
	answers.set(`/ledgers/${LEDGER}/sheets/sms`, [[201, { to: '…678', codes: 5, practice: false }]]);
	const sheet = { currency: 'GBP', exponent: 2, cap: 500 };
	expect((await connections.sendSheet(LEDGER, sheet)).ok).toBe(true);
	answers.set('/connections/end', [[200, {}]]);
	expect((await connections.end(LEDGER)).ok).toBe(true);
	expect(asked.at(-1)).toMatchObject({ method: 'POST', body: { ledger: LEDGER } });
});

it('[ASKING-2] waits for a record that is on its way to the relay, and not for ever', async () => {
	const { connections, asked, pauses, answers } = await line();
	const path = `/ledgers/${LEDGER}/records/${H}/sms`;
	const sent = { to: '…678', send: 0, expiresAt: 9, practice: false };
	const unknown = [404, { code: 'recordUnknown' }] as const;
	answers.set(path, [unknown, unknown, [200, sent]]);
	expect(await connections.sendSms(LEDGER, H)).toEqual({ ok: true, value: sent });
	expect(pauses).toEqual([250, 500]);
	answers.set(
		path,
		Array.from({ length: 9 }, () => unknown)
	);
	expect(await connections.sendSms(LEDGER, H)).toEqual({ ok: false, error: 'recordUnknown' });
	expect(asked).toHaveLength(9);
});
