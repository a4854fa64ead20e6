import { code, sheetCheck, type CodeScope } from '#domain/confirmation/codes.ts';
import type { CryptoParts } from '#domain/crypto.ts';

/** What the codes of one set are made from, and their check values. */
export interface SetKey {
	/** K_L of the set's epoch. */
	readonly key: Uint8Array;
	readonly scope: CodeScope;
	readonly info: Uint8Array;
}

interface Wanted {
	/** The first counter that was neither given out nor passed over. */
	readonly from: number;
	readonly open: readonly number[];
	/** In order. */
	readonly used: readonly number[];
	/** How many there are to be more; all before the last that was used are given in any case. */
	readonly count: number;
}

/** Of the counters that were used the last ones, which a till that heard of nothing lately may hold for open. */
const LATELY_USED = 8;

export interface CheckedCode {
	readonly counter: number;
	readonly digits: string;
	readonly check: number;
}

/**
 * CODES-15. The next counters, in order, whose codes no till mistakes for each other's, by the ten bits that it has
 * of each, nor for those of what is open or was used lately. One or two of a hundred are passed over.
 */
export async function nextCounters(
	set: SetKey,
	{ from, open, used, count }: Wanted,
	crypto: CryptoParts
): Promise<readonly number[]> {
	const beside = [...open, ...used.slice(-LATELY_USED)];
	const others = await Promise.all(beside.map((counter) => checkedCode(set, counter, crypto)));
	const last = used.at(-1) ?? -1;
	const given: number[] = [];
	for (let counter = from; given.length < count || counter < last; counter += 1) {
		if (used.includes(counter)) continue;
		const own = await checkedCode(set, counter, crypto);
		if (!(await isApart(set, [own, others], crypto))) continue;
		others.push(own);
		given.push(counter);
	}
	return given;
}

/** A code of a set, and the ten bits of it that a till is given. */
export async function checkedCode(
	set: SetKey,
	counter: number,
	crypto: CryptoParts
): Promise<CheckedCode> {
	const { key, scope, info } = set;
	const digits = await code(key, { info, counter }, crypto);
	return { counter, digits, check: await sheetCheck(scope, { info, counter, digits }, crypto) };
}

async function isApart(
	{ scope, info }: SetKey,
	[own, others]: readonly [CheckedCode, readonly CheckedCode[]],
	crypto: CryptoParts
): Promise<boolean> {
	const fits = async ({ digits }: CheckedCode, { counter, check }: CheckedCode): Promise<boolean> =>
		(await sheetCheck(scope, { info, counter, digits }, crypto)) === check;
	const found = await Promise.all(others.flatMap((other) => [fits(own, other), fits(other, own)]));
	return !found.includes(true);
}
