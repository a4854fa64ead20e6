import { expect, it } from 'vitest';
import { code, codeInfo, sheetCheck } from '#domain/confirmation/codes.ts';
import { sure } from '#tests/support/sure.ts';
import { parseBusinessId, parseLedgerId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { nextCounters, type SetKey } from './told-apart.ts';

const SETS = 300;
const crypto = createNodeCrypto();
const info = codeInfo({ way: 'sheet', kind: 'due', currency: 'KES', exponent: 2, minor: 1_000 });
const scope = {
	businessId: sure(parseBusinessId('3b9c7f8e-5a0e-4c43-9a53-0c9b0a8d4f11')),
	ledgerId: sure(parseLedgerId('9a1f6d2c-0b7e-4d58-8f6a-2d1c3e4b5a69'))
};

function setOf(epoch: number): SetKey {
	const key = new Uint8Array(32).fill(7);
	new DataView(key.buffer).setUint32(0, epoch);
	return { key, scope: { ...scope, epoch }, info };
}

/** The open counters for which a till takes the code of one of them. */
async function takenFor(set: SetKey, open: readonly number[], told: number): Promise<number[]> {
	const digits = await code(set.key, { info, counter: told }, crypto);
	const taken: number[] = [];
	for (const counter of open) {
		const right = await code(set.key, { info, counter }, crypto);
		const check = await sheetCheck(set.scope, { info, counter, digits: right }, crypto);
		const own = await sheetCheck(set.scope, { info, counter, digits }, crypto);
		if (own === check) taken.push(counter);
	}
	return taken;
}

it('[CODES-15] no code of a set fits the check value of another that is open or was lately', async () => {
	let passed = 0;
	for (let epoch = 1; epoch <= SETS; epoch += 1) {
		const set = setOf(epoch);
		const first = await nextCounters(set, { from: 0, open: [], used: [], count: 5 }, crypto);
		const from = (first.at(-1) ?? 0) + 1;
		const [used = 0, ...left] = first;
		const [next = 0] = await nextCounters(
			set,
			{ from, open: left, used: [used], count: 1 },
			crypto
		);
		const open = [...first, next];
		passed += next + 1 - open.length;
		expect(open).toEqual([...new Set(open)].toSorted((a, b) => a - b));
		for (const counter of open) expect(await takenFor(set, open, counter)).toEqual([counter]);
	}
	// Of 300 sets one of thirty has two codes that a till cannot tell apart: these are what is looked at.
	expect(passed).toBeGreaterThan(0);
});

it('[CODES-15] gives all before one that was used, of which a restore forgot that it was given', async () => {
	const set = setOf(1);
	const open = await nextCounters(set, { from: 0, open: [], used: [], count: 5 }, crypto);
	const from = (open.at(-1) ?? 0) + 1;
	const given = await nextCounters(set, { from, open, used: [from + 1], count: 0 }, crypto);
	expect(given).toEqual([from]);
	const more = await nextCounters(set, { from, open, used: [from + 1], count: 2 }, crypto);
	expect(more).toEqual([from, from + 2]);
});
