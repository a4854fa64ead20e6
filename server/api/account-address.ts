import type { CodeAddress } from '#server/auth/one-time-codes.ts';
import type { account } from '#server/database/accounts.ts';

type Addresses = Pick<
	typeof account.$inferSelect,
	'email' | 'phone' | 'emailProvedAt' | 'phoneProvedAt'
>;

export interface AccountAddress extends CodeAddress {
	readonly isProved: boolean;
}

/** Where an account is written to: the phone before the e-mail, a proved one before any other. */
export function addressOfAccount(row: Addresses): AccountAddress | undefined {
	const phone = found('sms', row.phone, row.phoneProvedAt);
	const email = found('email', row.email, row.emailProvedAt);
	const known = [phone, email].filter((one) => one !== undefined);
	return known.find(({ isProved }) => isProved) ?? known[0];
}

function found(
	channel: CodeAddress['channel'],
	address: string | null,
	provedAt: number | null
): AccountAddress | undefined {
	return address === null ? undefined : { channel, address, isProved: provedAt !== null };
}
