import { err, ok, type Result } from '#domain/result.ts';
import type { Limits, TooMany } from './limits.ts';

/** Slows down who tries passwords, and never shuts the account's holder out. */
export interface SignInPace {
	/** Counts the try and waits its time, before any password is looked at. */
	begin(username: string, address: string): Promise<Result<void, TooMany>>;
	/** The password was right: the account's tries are forgotten. */
	succeed(username: string, address: string): Promise<void>;
}

export interface SignInPaceParts {
	readonly limits: Limits;
	readonly wait: (ms: number) => Promise<void>;
}

const FREE_TRIES = 5;
/** An address has many people behind it: their tries count a tenth. */
const PEOPLE_BEHIND_ADDRESS = 10;
const FIRST_PAUSE_MS = 250;
export const PAUSE_MS_MAX = 8_000;

export function createSignInPace({ limits, wait }: SignInPaceParts): SignInPace {
	return {
		async begin(username, address) {
			const both = await limits.count('signInsByBoth', bothOf(username, address));
			if (!both.ok) return both;
			const byAddress = await limits.count('signInsByAddress', address);
			if (!byAddress.ok) return byAddress;
			const byAccount = await limits.count('signInsByAccount', username);
			if (!byAccount.ok) return err(byAccount.error);
			const weighed = Math.floor(byAddress.value / PEOPLE_BEHIND_ADDRESS);
			await wait(pauseMs(Math.max(byAccount.value, weighed)));
			return ok(undefined);
		},
		async succeed(username, address) {
			await limits.forget('signInsByBoth', bothOf(username, address));
			await limits.forget('signInsByAccount', username);
		}
	};
}

/** How long the nth try waits: nothing for the first five, then twice as long each time. */
export function pauseMs(tries: number): number {
	if (tries <= FREE_TRIES) return 0;
	return Math.min(FIRST_PAUSE_MS * 2 ** (tries - FREE_TRIES - 1), PAUSE_MS_MAX);
}

function bothOf(username: string, address: string): string {
	return `${username} ${address}`;
}
