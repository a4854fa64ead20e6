import { expect, it } from 'vitest';
import { ok } from '#domain/result.ts';
import { createFakeRelay } from '#tests/support/fake-relay.ts';
import { openTestDevice, TEST_NOW } from '#tests/support/test-device.ts';
import { createFeedPull } from './feed-pull.ts';
import { readMeta, writeMeta, type FeedPlace } from './meta.ts';
import type { RelayHttp } from './relay-http.ts';

it('[LINK-2] asks again for what of the feed could not be kept', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const a = await openTestDevice({ seed: 1 });
	for (const name of ['one', 'two']) await a.device.changeSettings({ name });
	const held = await a.store.read(['facts'], (rows) => rows.all('facts'));
	const { branch } = a.device.identity;
	for (const { text } of held) relay.feed.push({ s: relay.feed.length + 1, branch, text });

	const b = await openTestDevice({ seed: 2, joins: { identity: a.device.identity, code: 'B' } });
	const { http } = relay.line('B');
	const told = { epoch: relay.epoch, s: relay.feed.length };
	const full = { ...b.device, receive: () => Promise.reject(new Error('no room')) };
	const { store } = b;
	await expect(createFeedPull({ device: full, store, http }).pull(told)).rejects.toThrow('no room');
	expect(await createFeedPull({ device: b.device, store, http }).pull(told)).toBe('caughtUp');
	const taken = await store.read(['facts'], (rows) => rows.all('facts'));
	expect(taken.map(({ text }) => text)).toEqual(held.map(({ text }) => text));
});

it('[JOIN-4] counts the first news of a shop as heard with the last of it, or once its money is known', async () => {
	const relay = createFakeRelay(TEST_NOW);
	const a = await openTestDevice({ seed: 1 });
	for (let n = 1; n < 60; n += 1) await a.device.changeSettings({ name: `Shop ${String(n)}` });
	await a.device.changeSettings({ currency: 'IQD' });
	const { branch } = a.device.identity;
	const held = await a.store.read(['journal'], (rows) => rows.all('journal'));
	for (const { text } of held) relay.feed.push({ s: relay.feed.length + 1, branch, text });

	const b = await openTestDevice({ seed: 2, joins: { identity: a.device.identity, code: 'B' } });
	const { http } = relay.line('B');
	const told = { epoch: relay.epoch, s: relay.feed.length };
	const heard = async (): Promise<unknown> =>
		b.store.read(['meta', 'settings'], async (rows) => [
			(await readMeta(rows, 'feed'))?.s,
			(await rows.get('settings', 'currency'))?.value
		]);
	const cut: RelayHttp = {
		...http,
		feed: (place) => {
			relay.isUp = place.s === 0;
			return http.feed(place);
		}
	};
	const { device, store } = b;
	expect(await createFeedPull({ device, store, http: cut }).pull(told)).toBe('unreachable');
	expect(await heard()).toEqual([0, undefined]);
	relay.isUp = true;
	expect(await createFeedPull({ device, store, http }).pull(told)).toBe('caughtUp');
	expect(await heard()).toEqual([60, 'IQD']);
});

it('[CARRY-2] goes back to what survived of an epoch, and no further than it had come', async () => {
	const { device, store } = await openTestDevice({ seed: 1 });
	for (const [s, from] of [
		[90, 50],
		[40, 40]
	] as const) {
		const asked: FeedPlace[] = [];
		const http = {
			feed: (after: FeedPlace) => {
				asked.push(after);
				return Promise.resolve(
					after.epoch === 1
						? ok({ kind: 'epochEnded', epoch: 2, survivedTo: 50 } as const)
						: ok({ kind: 'page', rows: [], last: 60 } as const)
				);
			}
		} as Pick<RelayHttp, 'feed'> as RelayHttp;
		await store.write(['meta'], (rows) => writeMeta(rows, 'feed', { epoch: 1, s }));
		await createFeedPull({ device, store, http }).pull({ epoch: 2, s: 60 });
		expect(asked).toEqual([
			{ epoch: 1, s },
			{ epoch: 2, s: from }
		]);
	}
});
