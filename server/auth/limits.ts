import { isIPv6 } from 'node:net';
import { RateLimiterDrizzle, RateLimiterRes } from 'rate-limiter-flexible';
import { encodeBase64url, utf8 } from '#domain/bytes.ts';
import { assert } from '#domain/assert.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { rateLimit } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import { sha256 } from './secret-token.ts';
import { sweepExpired } from './sweep.ts';

export interface TooMany {
	readonly retryAfterMs: number;
}

/** How often in how long. */
export interface LimitFigures {
	readonly times: number;
	readonly withinMs: number;
}

/** Whole towns share one address, so what counts by address alone is generous. */
export const LIMITS = {
	signUpsByAddress: { times: 60, withinMs: 3_600_000 },
	signInsByAddress: { times: 300, withinMs: 900_000 },
	/** From one address to one account: stops a guesser, and nobody at another address. */
	signInsByBoth: { times: 30, withinMs: 900_000 },
	signInsByAccount: { times: 1_000_000, withinMs: 900_000 },
	/** A browser that the account knows is held up by its own tries alone. */
	signInsByKnown: { times: 60, withinMs: 900_000 },
	/** With the password right already: six digits, of which three are right at a time. */
	factorsByAccount: { times: 10, withinMs: 3_600_000 },
	/** Or of a session, by its name. */
	factorsByKnown: { times: 10, withinMs: 3_600_000 },
	/** Of a signed-in person who proves the password once more: of one session, which may be stolen. */
	stepUpsBySession: { times: 20, withinMs: 900_000 },
	resetsByAddress: { times: 60, withinMs: 3_600_000 },
	codesByAccount: { times: 12, withinMs: 3_600_000 },
	codesByAddress: { times: 120, withinMs: 3_600_000 },
	codeTriesByAddress: { times: 300, withinMs: 900_000 },
	noncesByAddress: { times: 1_200, withinMs: 60_000 },
	joinsByAddress: { times: 120, withinMs: 900_000 },
	/** Codes are never given again: a copied profile takes one, a device gone mad not all of them. */
	heirsByScope: { times: 40, withinMs: 24 * 3_600_000 },
	/** Each takes 10 MB; what is stored of them has a limit of its own. */
	carriedByDevice: { times: 600, withinMs: 3_600_000 },
	/** A year of one device is forty of them. */
	lackingByDevice: { times: 600, withinMs: 3_600_000 },
	lateFactsByDevice: { times: 120, withinMs: 24 * 3_600_000 },
	claimsByAccount: { times: 30, withinMs: 3_600_000 },
	invitesByBusiness: { times: 60, withinMs: 3_600_000 },
	/** Enough to find one's shop, too few to write down who is here. */
	searchesByAddress: { times: 240, withinMs: 3_600_000 },
	searchesByCaller: { times: 60, withinMs: 3_600_000 },
	asksByCaller: { times: 60, withinMs: 24 * 3_600_000 },
	ledgerInvitesByBusiness: { times: 300, withinMs: 3_600_000 },
	/** An invite is a secret of 160 bits: what is held off is the work, not the guessing. */
	linksByAddress: { times: 240, withinMs: 3_600_000 },
	phoneProofsByBusiness: { times: 120, withinMs: 24 * 3_600_000 },
	phoneTriesByLedger: { times: 40, withinMs: 24 * 3_600_000 },
	setsByLedger: { times: 40, withinMs: 24 * 3_600_000 },
	listsByLedger: { times: 5, withinMs: 24 * 3_600_000 }
} as const satisfies Readonly<Record<string, LimitFigures>>;

type LimitName = keyof typeof LIMITS;
export type LimitTable = Readonly<Record<LimitName, LimitFigures>>;

const { signInsByBoth, signInsByAddress }: LimitTable = LIMITS;
assert(
	signInsByBoth.times < signInsByAddress.times,
	'one account is guarded more closely than a whole address'
);

export interface Limits {
	/** Counts one more try of `who`, before the work. Refuses the one past the limit. */
	count(name: LimitName, who: string): Promise<Result<number, TooMany>>;
	/** Forgets the tries of `who`: the last one was honest. */
	forget(name: LimitName, who: string): Promise<void>;
}

/**
 * Counts in PostgreSQL, so that several relays count together and a restart forgives nobody. Runs
 * by the machine's clock, since the library does.
 */
export function createLimits(executor: Executor, table: LimitTable = LIMITS): Limits {
	const limiters = new Map(
		Object.entries(table).map(([name, figures]) => [name, limiter(executor, name, figures)])
	);
	const limiterOf = (name: LimitName): RateLimiterDrizzle => {
		const found = limiters.get(name);
		assert(found !== undefined, `no limit is called ${name}`);
		return found;
	};
	return {
		async count(name, who) {
			const column = rateLimit.expire;
			await sweepExpired(executor, rateLimit, { column, before: new Date() });
			try {
				return ok((await limiterOf(name).consume(keyOf(who))).consumedPoints);
			} catch (fault) {
				if (fault instanceof RateLimiterRes) return err({ retryAfterMs: fault.msBeforeNext });
				throw fault;
			}
		},
		async forget(name, who) {
			await limiterOf(name).delete(keyOf(who));
		}
	};
}

/** One home's IPv6 addresses are as many as it likes: its network of 64 bits is what counts. */
export function addressGroup(address: string): string {
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
	if (mapped !== undefined) return mapped;
	if (!isIPv6(address)) return address;
	const [left = '', right] = address.toLowerCase().replace(/%.*$/, '').split('::');
	const head = left === '' ? [] : left.split(':');
	const tail = right === undefined || right === '' ? [] : right.split(':');
	const zeros = right === undefined ? 0 : HEXTETS - head.length - tail.length;
	const hextets = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
	return `${hextets
		.slice(0, HEXTETS / 2)
		.map((hextet) => hextet.replace(/^0+(?=.)/, ''))
		.join(':')}::/64`;
}

const HEXTETS = 8;
const KEY_BYTES = 16;

function limiter(executor: Executor, name: string, figures: LimitFigures): RateLimiterDrizzle {
	return new RateLimiterDrizzle({
		storeClient: executor,
		schema: rateLimit,
		keyPrefix: name,
		points: figures.times,
		duration: figures.withinMs / 1_000,
		clearExpiredByTimeout: false
	});
}

/** A digest: bounded, and no list of who tried to sign in from where. */
function keyOf(who: string): string {
	return encodeBase64url(sha256(utf8(who)).subarray(0, KEY_BYTES));
}
