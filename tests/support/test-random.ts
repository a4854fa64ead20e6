import { createHash } from 'node:crypto';
import path from 'node:path';
import { expect } from 'vitest';
import type { Random } from '#server/auth/random.ts';

const drawnByTest = new Map<string, number>();

/** As many bytes as a digest has, others at each call, and the same at each run of the test that asks. */
function draw(): Uint8Array {
	const { testPath = '', currentTestName = '' } = expect.getState();
	const test = `${path.relative('.', testPath)} ${currentTestName}`;
	const drawn = drawnByTest.get(test) ?? 0;
	drawnByTest.set(test, drawn + 1);
	return new Uint8Array(
		createHash('sha256')
			.update(`${test} ${String(drawn)}`)
			.digest()
	);
}

/**
 * Chance that is the same at each run: by ten bits a code is taken for another, so that of real chance one
 * set in a hundred is numbered otherwise than its test says.
 */
export const testRandom: Random = {
	bytes: (length) => {
		const bytes = new Uint8Array(length);
		for (let at = 0; at < length; at += 32) bytes.set(draw().subarray(0, length - at), at);
		return bytes;
	},
	uuid: () => {
		const hex = Buffer.from(draw()).toString('hex');
		return [
			hex.slice(0, 8),
			hex.slice(8, 12),
			`4${hex.slice(13, 16)}`,
			`8${hex.slice(17, 20)}`,
			hex.slice(20, 32)
		].join('-');
	}
};
