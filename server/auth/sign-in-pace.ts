import { err, ok, type Result } from '#domain/result.ts';
import type { Limits, TooMany } from './limits.ts';

/** Who tries to sign in. */
export interface SignInTry {
	readonly username: string;
	readonly address: string;
	/** The name of a browser that this account signed in from before. */
	readonly known: string | undefined;
}

/** Slows down who tries passwords, and never shuts the account's holder out. */
export interface SignInPace {
	/** Counts the try and waits its time, before any password is looked at. */
	begin(tried: SignInTry): Promise<Result<void, TooMany>>;
	/** The password was right: the account's tries are forgotten. */
	succeed(tried: SignInTry): Promise<void>;
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
	async function countStranger({ username, address }: SignInTry): Promise<Result<number, TooMany>> {
		const both = await limits.count('signInsByBoth', bothOf(username, address));
		if (!both.ok) return both;
		const byAddress = await limits.count('signInsByAddress', address);
		if (!byAddress.ok) return byAddress;
		const byAccount = await limits.count('signInsByAccount', username);
		if (!byAccount.ok) return byAccount;
		return ok(Math.max(byAccount.value, Math.floor(byAddress.value / PEOPLE_BEHIND_ADDRESS)));
	}
	return {
		async begin(tried) {
			const { known } = tried;
			const counted = await (known === undefined
				? countStranger(tried)
				: limits.count('signInsByKnown', known));
			if (!counted.ok) return err(counted.error);
			await wait(pauseMs(counted.value));
			return ok(undefined);
		},
		async succeed({ username, address, known }) {
			// Others who try the same account go on being slowed down.
			if (known !== undefined) {
				await limits.forget('signInsByKnown', known);
				return;
			}
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
