import { expect, it, vi } from 'vitest';
import type { Fact } from '#domain/fact/fact.ts';
import { factId, type DeviceCode } from '#domain/ids.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { isAfterRemoval, LateInbox } from './late-inbox.svelte.ts';
import { createOwnerApi } from './owner-api.ts';

/** A question that reached the relay, for the test to answer when it likes. */
interface Asked {
	readonly path: string;
	readonly token: string | null;
	answer(status: number, body: object): Promise<void>;
	fail(): Promise<void>;
}

interface Stand {
	readonly inbox: LateInbox;
	readonly asked: Asked[];
}

async function stand(): Promise<Stand> {
	const { device, parts } = await openTestDevice({ seed: 1 });
	const asked: Asked[] = [];
	const api = createOwnerApi({
		base: 'http://relay',
		fetch: (input, init) =>
			new Promise((resolve, reject) => {
				const { pathname, search } = new URL(new Request(input).url);
				asked.push({
					path: `${pathname}${search}`.replace(`business=${device.identity.business}&`, ''),
					token: new Headers(init?.headers).get('authorization'),
					answer: (status, body) => {
						resolve(new Response(JSON.stringify(body), { status }));
						return settled();
					},
					fail: () => {
						reject(new TypeError('no network'));
						return settled();
					}
				});
			})
	});
	return { inbox: new LateInbox({ identity: device.identity, signer: parts.signer }, api), asked };
}

/** Whatever follows from an answer has followed. */
function settled(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve));
}

function late(...ids: readonly string[]): object {
	const facts = ids.map((id) => ({
		text: JSON.stringify([id, 'shift', 1, 0, 1, 1]),
		receivedAt: 5,
		reason: ''
	}));
	return { count: facts.length, facts };
}

function shown({ list }: LateInbox): object | undefined {
	return list && { state: list.state, ids: list.facts.map(({ id }) => id) };
}

it('[INBOX-1] shows a list under its own heading only, whichever answer comes first', async () => {
	const { inbox, asked } = await stand();
	void inbox.look('waiting');
	expect(shown(inbox)).toBeUndefined();
	await asked[0]?.answer(200, late('B-1', 'B-2'));
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-1', 'B-2'] });

	// Nothing of the other list stands there while the network is slow, nor where it fails.
	void inbox.look('declined');
	expect({ state: inbox.state, list: shown(inbox) }).toEqual({
		state: 'declined',
		list: undefined
	});
	await asked[1]?.fail();
	expect(inbox).toMatchObject({ list: undefined, refusal: 'unreachable' });

	// Two quick taps: the answer to the first comes last, and is nobody's.
	void inbox.look('waiting');
	void inbox.look('declined');
	expect(inbox.refusal).toBeUndefined();
	await asked[3]?.answer(200, late('B-9'));
	await asked[2]?.answer(200, late('B-1', 'B-2'));
	expect(shown(inbox)).toEqual({ state: 'declined', ids: ['B-9'] });
});

it('[INBOX-1] what was there stays while the same list is asked for again', async () => {
	const { inbox, asked } = await stand();
	void inbox.look();
	await asked[0]?.answer(200, late('B-1'));
	void inbox.look();
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-1'] });
	await asked[1]?.fail();
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-1'] });
	expect(inbox.refusal).toBe('unreachable');
});

it('[INBOX-2] decides once, and looks again', async () => {
	const { inbox, asked } = await stand();
	void inbox.look();
	await asked[0]?.answer(200, late('B-1', 'B-2'));
	void inbox.takeIn(['B-1']);
	void inbox.takeIn(['B-1']);
	void inbox.decline(['B-2']);
	expect(asked.map(({ path }) => path)).toEqual([
		'/api/late-facts?state=waiting',
		'/api/late-facts/taken'
	]);
	await asked[1]?.answer(200, { handed: [['B-1', 'kept', '']] });
	await asked[2]?.answer(200, late('B-2'));
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-2'] });
	expect(inbox.isWorking).toBe(false);
	void inbox.decline(['B-2']);
	await asked[3]?.fail();
	expect(inbox).toMatchObject({ isWorking: false, refusal: 'unreachable' });
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-2'] });
});

it('[INBOX-3] asks by the session, else by the key of this device', async () => {
	const { inbox, asked } = await stand();
	void inbox.look();
	await asked[0]?.answer(401, { code: 'notSignedIn' });
	await asked[1]?.answer(200, { nonce: 'A'.repeat(43) });
	// The proof is signed first.
	await vi.waitFor(() => {
		expect(asked).toHaveLength(3);
	});
	await asked[2]?.answer(200, { token: 'of the device', expiresAt: 9 });
	expect(asked.map(({ path, token }) => [path, token])).toEqual([
		['/api/late-facts?state=waiting', null],
		['/api/devices/nonce', null],
		['/api/devices/token', null],
		['/api/late-facts?state=waiting', 'Bearer of the device']
	]);
	await asked[3]?.answer(200, late('B-1'));
	expect(shown(inbox)).toEqual({ state: 'waiting', ids: ['B-1'] });
});

it('[INBOX-6] what was written after its device was removed is told apart, by its own stamp', () => {
	const code = 'B' as DeviceCode;
	const late = (wall: number): { readonly fact: Fact } => ({
		fact: {
			...{ id: factId(code, 1), code, n: 1, at: { wall, counter: 0 }, on: '2026-11-20', by: 1 },
			...{ kind: 'device', device: code, fields: {} }
		}
	});
	const devices = [
		{ code: 'A' as DeviceCode, removedAt: 1 },
		{ code, removedAt: 2_000 }
	];
	expect([1_000, 2_000, 2_001].map((wall) => isAfterRemoval(late(wall), devices))).toEqual([
		false,
		false,
		true
	]);
	// One whose removal was undone, or is not known here, and a kind that this program does not know.
	expect(isAfterRemoval(late(2_001), [{ code }])).toBe(false);
	expect(isAfterRemoval(late(2_001), [])).toBe(false);
	expect(isAfterRemoval({ fact: undefined }, devices)).toBe(false);
});
