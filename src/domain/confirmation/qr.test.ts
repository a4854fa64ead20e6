import { expect, it } from 'vitest';
import { vectors } from '#tests/support/confirmation-vectors.ts';
import { err } from '../result.ts';
import { decodeQr, type QrRefusal } from './qr.ts';

const { R } = vectors.qr;

it.each<readonly [string, string, QrRefusal]>([
	['another code', '4006381333931', 'notOurs'],
	['another version', R.replace('CP1', 'CP2'), 'notOurs'],
	['a lower-case prefix', R.replace('CP1', 'cp1'), 'notOurs'],
	['no letter', 'CP1', 'unknownLetter'],
	['another letter', R.replace('CP1R', 'CP1Q'), 'unknownLetter'],
	['lower-case base 32', `CP1R${R.slice(4).toLowerCase()}`, 'wrongCharacter'],
	['padding', `${R}==`, 'wrongCharacter'],
	['spare bits set', R.replace(/.$/, 'R'), 'spareBitsSet'],
	['a last character too many', `${R}A`, 'wrongLength'],
	['two bytes too few', R.slice(0, -3), 'spareBitsSet'],
	["another letter's length", R.replace('CP1R', 'CP1S'), 'wrongLength'],
	['nothing after the letter', 'CP1R', 'wrongLength']
])('[CP-13] refuses %s', (_, text, refusal) => {
	expect(decodeQr(text)).toEqual(err(refusal));
});
