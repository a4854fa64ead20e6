import { redirect } from '@sveltejs/kit';
import { openAccount, type Account } from '#state/account.svelte.ts';
import type { CustomerApp } from '#state/customer/app.svelte.ts';
import { openCustomer } from '#state/customer/open-customer.ts';
import { hasPendingLink } from './pending-link.ts';

/** The customer's side is an account's: without one the way leads to signing in. */
export async function load(): Promise<{ account: Account; customer: CustomerApp }> {
	const account = openAccount();
	const { signedIn } = account;
	if (signedIn === undefined) redirect(307, '/signin');
	// Whoever came by a shop's invite and had to sign up first goes on to it.
	if (hasPendingLink()) redirect(307, '/link');
	const { person } = signedIn;
	return { account, customer: await openCustomer({ person, name: signedIn.account.name }) };
}
