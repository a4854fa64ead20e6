import { redirect } from '@sveltejs/kit';
import { openAccount, type Account } from '#state/account.svelte.ts';

/** The customer's side is an account's: without one the way leads to signing in. */
export function load(): { account: Account } {
	const account = openAccount();
	if (account.signedIn === undefined) redirect(307, '/signin');
	return { account };
}
