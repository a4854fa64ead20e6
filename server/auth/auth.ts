import type { CryptoParts } from '#domain/crypto.ts';
import type { Executor } from '#server/database/transaction.ts';
import { createDeviceAuth, type DeviceAuth } from './device-auth.ts';
import { createKnownDevices, type KnownDevices } from './known-devices.ts';
import { createLimits, LIMITS, type Limits, type LimitTable } from './limits.ts';
import { createOneTimeCodes, type OneTimeCodes } from './one-time-codes.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import type { Random } from './random.ts';
import { createSecondFactor, type SecondFactor } from './second-factor.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSignInPace, type SignInPace } from './sign-in-pace.ts';
import { createPhoneAuth, type PhoneAuth } from './phone-auth.ts';
import { createTickets, type Tickets } from './tickets.ts';
import type { Vault } from './vault.ts';

/** Everything by which people and devices prove who they are. */
export interface Auth {
	readonly passwords: Passwords;
	readonly sessions: Sessions;
	readonly deviceAuth: DeviceAuth;
	readonly phoneAuth: PhoneAuth;
	readonly tickets: Tickets;
	readonly limits: Limits;
	readonly signInPace: SignInPace;
	readonly codes: OneTimeCodes;
	readonly secondFactor: SecondFactor;
	readonly knownDevices: KnownDevices;
}

/** What this server derives from its secret for proving who one is, 32 bytes each. */
export interface AuthKeys {
	readonly codes: Uint8Array;
	readonly recoveryCodes: Uint8Array;
	readonly knownDevices: Uint8Array;
}

export interface AuthParts {
	readonly executor: Executor;
	/** UTC milliseconds. */
	readonly clock: () => number;
	readonly random: Random;
	readonly crypto: Pick<CryptoParts, 'verify'>;
	readonly wait: (ms: number) => Promise<void>;
	readonly limitTable?: LimitTable;
	readonly keys: AuthKeys;
	/** Seals the secrets of second factors. */
	readonly vault: Vault;
	/** A test counts what it does. */
	readonly passwords?: Passwords;
}

export function createAuth(parts: AuthParts): Auth {
	const { executor, wait, limitTable = LIMITS, keys } = parts;
	const limits = createLimits(executor, limitTable);
	const sessions = createSessions(parts);
	return {
		passwords: parts.passwords ?? createPasswords(),
		sessions,
		deviceAuth: createDeviceAuth({ ...parts, sessions }),
		phoneAuth: createPhoneAuth({ ...parts, sessions }),
		tickets: createTickets(parts),
		limits,
		signInPace: createSignInPace({ limits, wait }),
		codes: createOneTimeCodes({ ...parts, key: keys.codes }),
		secondFactor: createSecondFactor({ ...parts, key: keys.recoveryCodes }),
		knownDevices: createKnownDevices({ ...parts, key: keys.knownDevices })
	};
}
