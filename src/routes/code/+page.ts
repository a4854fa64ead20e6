import { redirect } from '@sveltejs/kit';
import { AddressProof } from '#state/account-proof.svelte.ts';
import { createAccountProofApi } from '#state/account-proof-api.ts';
import { openAccount } from '#state/account.svelte.ts';

/** The code is of whoever is signed in here. */
export function load(): { proof: AddressProof; onward: string } {
	const account = openAccount();
	if (account.name === undefined) redirect(307, '/signin');
	const api = createAccountProofApi({ fetch: (...asked) => fetch(...asked) });
	return {
		proof: new AddressProof(account, api, Date.now),
		onward: account.name.kind === 'store' ? '/shop/plan' : '/me'
	};
}
