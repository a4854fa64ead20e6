import { redirect } from '@sveltejs/kit';
import { openAccount, type Account } from '#state/account.svelte.ts';
import { createAccountProofApi, type AccountProofApi } from '#state/account-proof-api.ts';

/** What keeps an account safe: of no use without one. */
export function load(): { account: Account; proofApi: AccountProofApi; back: string } {
	const account = openAccount();
	if (account.name === undefined) redirect(307, '/signin');
	return {
		account,
		proofApi: createAccountProofApi({ fetch: (...asked) => fetch(...asked) }),
		back: account.name.kind === 'store' ? '/shop/more/account' : '/me/account'
	};
}
