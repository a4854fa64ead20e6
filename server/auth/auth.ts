import type { CryptoParts } from '#domain/crypto.ts';
import type { Executor } from '#server/database/transaction.ts';
import { createDeviceAuth, type DeviceAuth } from './device-auth.ts';
import { createLimits, LIMITS, type Limits, type LimitTable } from './limits.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import type { Random } from './random.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSignInPace, type SignInPace } from './sign-in-pace.ts';
import { createTickets, type Tickets } from './tickets.ts';

/** Everything by which people and devices prove who they are. */
export interface Auth {
	readonly passwords: Passwords;
	readonly sessions: Sessions;
	readonly deviceAuth: DeviceAuth;
	readonly tickets: Tickets;
	readonly limits: Limits;
	readonly signInPace: SignInPace;
}

export interface AuthParts {
	readonly executor: Executor;
	/** UTC milliseconds. */
	readonly clock: () => number;
	readonly random: Random;
	readonly crypto: Pick<CryptoParts, 'verify'>;
	readonly wait: (ms: number) => Promise<void>;
	readonly limitTable?: LimitTable;
}

export function createAuth(parts: AuthParts): Auth {
	const { executor, wait, limitTable = LIMITS } = parts;
	const limits = createLimits(executor, limitTable);
	const sessions = createSessions(parts);
	return {
		passwords: createPasswords(),
		sessions,
		deviceAuth: createDeviceAuth({ ...parts, sessions }),
		tickets: createTickets(parts),
		limits,
		signInPace: createSignInPace({ limits, wait })
	};
}
