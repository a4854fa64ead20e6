import { expect, it } from 'vitest';
import {
	businessId,
	bytes,
	crypto,
	h,
	ledgerId,
	vectors
} from '#tests/support/confirmation-vectors.ts';
import { codeInfo, phoneCounter, smsCode } from './codes.ts';
import { answerMessage, enrolmentMessage, recordMessage, ruleMessage } from './signatures.ts';
import { encodeVerdict } from './verdict.ts';

const kid = bytes(vectors.keys.customer.kid);
const short = new Uint8Array(3);
const publicKey = bytes(vectors.keys.customer.publicKey);
const invite = bytes(vectors.inputs.invite);

it('[CP-10] a message of parts of another length is a bug of ours', () => {
	const answer = { decision: 'cancel', n: 255, h, kid, signedAt: 1 } as const;
	expect(answerMessage(answer)).toHaveLength(11 + 2 + 32 + 8 + 8);
	expect(() => answerMessage({ ...answer, n: 0 })).toThrow('from 1');
	expect(() => answerMessage({ ...answer, n: 256 })).toThrow('one byte');
	expect(() => answerMessage({ ...answer, kid: short })).toThrow('8 bytes');
	expect(() => recordMessage(h, short)).toThrow('8 bytes');

	const enrolment = { businessId, ledgerId, invite, publicKey };
	expect(() => enrolmentMessage({ ...enrolment, invite: short })).toThrow('16 bytes');
	expect(() => enrolmentMessage({ ...enrolment, publicKey: short })).toThrow('65 bytes');

	const rule = {
		...({ businessId, ledgerId, kind: 'due', currency: 'BDT', exponent: 2, kid } as const),
		...{ mostPerRecord: 1, mostPerDay: 1, notAfter: 1, nonce: invite }
	};
	expect(() => ruleMessage({ ...rule, nonce: short })).toThrow('16 bytes');
	expect(() => ruleMessage({ ...rule, kid: short })).toThrow('8 bytes');

	const hash = new Uint8Array(32);
	const verdict = {
		...({ result: 'wrong', al: 5, h, relayEpoch: 1, seq: 1, at: 1 } as const),
		...{ claimHash: hash, previous: hash }
	};
	expect(encodeVerdict(verdict)).toHaveLength(118);
	expect(() => encodeVerdict({ ...verdict, al: 6 })).toThrow('0 to 5');
	expect(() => encodeVerdict({ ...verdict, claimHash: short })).toThrow('32 bytes');
	expect(() => encodeVerdict({ ...verdict, previous: short })).toThrow('32 bytes');
});

it('[CP-11] binds way, kind, currency, exponent and worth', () => {
	const worth = { way: 'sheet', kind: 'due', currency: 'BDT', exponent: 2, minor: 5 } as const;
	const others = [
		{ ...worth, way: 'app' },
		{ ...worth, kind: 'payment' },
		{ ...worth, currency: 'INR' },
		{ ...worth, exponent: 3 },
		{ ...worth, minor: 6 }
	] as const;
	const infos = [worth, ...others].map((each) => codeInfo(each).join());
	expect(new Set(infos).size).toBe(6);
});

it('[CP-11] keeps counters and sends within their limits', async () => {
	expect(phoneCounter(2, 5)).toBe(8589934597);
	expect(() => phoneCounter(0, 2 ** 32)).toThrow('32 bits');
	expect(() => phoneCounter(0, -1)).toThrow('32 bits');
	await expect(smsCode(kid, { h, send: 3 }, crypto)).rejects.toThrow('three sends');
});
