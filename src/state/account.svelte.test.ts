import { expect, it } from 'vitest';
import { err, ok } from '#domain/result.ts';
import type { DeviceCode } from '#domain/ids.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import type { AccountApi } from './account-api.ts';
import { claimBook } from './account.svelte.ts';
import { shopSettings } from './shop-settings.ts';

it('[JOIN-3] puts a book under an account once, and one that another has under none', async () => {
	const { device, store, parts } = await openTestDevice({ seed: 51 });
	const { business, branch } = device.identity;
	const app = {
		...{ device, store, changes: parts.changes, signer: parts.signer, settings: shopSettings([]) },
		get identity() {
			return device.identity;
		}
	};
	let asked = 0;
	const api: Pick<AccountApi, 'claim'> = {
		claim: () => {
			asked += 1;
			return Promise.resolve(ok({ epoch: 1, member: 1, code: 'A' as DeviceCode }));
		}
	};
	const account = { api, name: undefined, businesses: [] };
	expect(await claimBook(account, app)).toEqual(ok(undefined));
	expect(await claimBook({ ...account, businesses: undefined }, app)).toEqual(ok(undefined));
	const businesses = [{ business, branch, name: 'Duka' }];
	expect(await claimBook({ ...account, businesses }, app)).toEqual(ok(undefined));
	expect(await claimBook(account, app)).toEqual(err('businessKnown'));
	expect(asked).toBe(1);
});
