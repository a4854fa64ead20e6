import fc from 'fast-check';
import { generateSync, NobleCryptoPlugin } from 'otplib';
import { describe, expect, it } from 'vitest';
import {
	businessId,
	bytes,
	crypto,
	draft,
	h,
	hex,
	ledgerId,
	right,
	signerOf,
	vectors
} from '#tests/support/confirmation-vectors.ts';
import { utf8 } from '../bytes.ts';
import { parseDeviceCode, parsePersonId } from '../ids.ts';
import { claimMessage, encodeClaim } from './claim.ts';
import * as codes from './codes.ts';
import { dammDigit } from './damm.ts';
import { answerQr, decodeQr, enrolmentQr, recordQr } from './qr.ts';
import { humanReference, parseRecordHash, recordHash } from './record-hash.ts';
import { encodeRecordCore } from './record.ts';
import { encodeRest, restHash, type RecordRest } from './rest.ts';
import {
	answerMessage,
	enrolmentMessage,
	keyId,
	recordMessage,
	ruleMessage,
	type Answer,
	type Enrolment
} from './signatures.ts';
import { signRecord, verifyRecord } from './signed-record.ts';
import { encodeVerdict, verdictMessage } from './verdict.ts';

const { inputs, keys } = vectors;
const customerKid = bytes(keys.customer.kid);
const scope = { businessId, ledgerId, epoch: inputs.epoch };
const { currency, exponent } = inputs;
const answer: Answer = { decision: 'accept', n: 1, h, kid: customerKid, signedAt: inputs.signedAt };
const enrolment: Enrolment = {
	businessId,
	ledgerId,
	invite: bytes(inputs.invite),
	publicKey: bytes(keys.customer.publicKey)
};

async function verified(
	key: keyof typeof keys,
	message: Uint8Array,
	{ signature }: { readonly signature: string }
): Promise<boolean> {
	return crypto.verify(bytes(keys[key].publicKey), message, bytes(signature));
}

describe('the worked example', () => {
	it('[CP-5] gives rest, rest hash, A, H and the reference', async () => {
		const json = encodeRest(inputs.rest as unknown as RecordRest);
		expect(json).toBe(vectors.rest);
		expect(encodeRest(draft.rest)).toBe(vectors.rest);
		const hash = await restHash(json, crypto);
		expect(hex(hash)).toBe(vectors.restHash);
		const a = encodeRecordCore({ ...draft.core, restHash: hash });
		expect(hex(a)).toBe(vectors.A);
		expect(await recordHash(a, crypto)).toBe(h);
		expect(humanReference(h)).toBe(vectors.reference);
	});

	it('[CP-9] gives what the device signs, and verifies its signature', async () => {
		const kid = await keyId(bytes(keys.shop.publicKey), crypto);
		expect(hex(recordMessage(h, kid))).toBe(vectors.rsig.message);
		expect(await verified('shop', bytes(vectors.rsig.message), vectors.rsig)).toBe(true);
	});

	it('[CP-9] names each key by its kid', async () => {
		for (const { publicKey, kid } of Object.values(keys)) {
			expect(hex(await keyId(bytes(publicKey), crypto))).toBe(kid);
		}
	});

	it('[CP-9] is signed anew with the same key, and verified', async () => {
		const signer = await signerOf('shop');
		expect(hex(signer.kid)).toBe(keys.shop.kid);
		const signed = await signRecord(draft, signer, crypto);
		expect(hex(signed.a)).toBe(vectors.A);
		expect(right(await verifyRecord(signed, signer.publicKey, crypto)).h).toBe(h);
	});

	it('[CP-10] gives the messages of answer, enrolment, rule and claim, and verifies them', async () => {
		const signed = answerMessage(answer);
		expect(hex(signed)).toBe(vectors.answer.message);
		expect(await verified('customer', signed, vectors.answer)).toBe(true);

		const enrolled = enrolmentMessage(enrolment);
		expect(hex(enrolled)).toBe(vectors.enrolment.message);
		expect(await verified('customer', enrolled, vectors.enrolment)).toBe(true);

		const rule = ruleMessage({
			...{ businessId, ledgerId, currency, exponent, kind: 'due', kid: customerKid },
			mostPerRecord: vectors.rule.maxPerRecord,
			mostPerDay: vectors.rule.maxPerDay,
			notAfter: vectors.rule.notAfter,
			nonce: bytes(vectors.rule.nonce)
		});
		expect(hex(rule)).toBe(vectors.rule.message);
		expect(hex(await crypto.sha256(rule))).toBe(vectors.rule.hash);
		expect(await verified('customer', rule, vectors.rule)).toBe(true);

		const given = JSON.parse(vectors.claim.json) as Record<'id' | 'd' | 'u' | 'h', string>;
		const json = encodeClaim({
			id: given.id,
			h: right(parseRecordHash(given.h)),
			way: 'sheet',
			counter: 1,
			code: '68136857',
			d: right(parseDeviceCode(given.d)),
			u: right(parsePersonId(given.u)),
			at: 1795212350678
		});
		expect(json).toBe(vectors.claim.json);
		expect(hex(await crypto.sha256(claimMessage(json)))).toBe(vectors.claim.hash);
		expect(await verified('shop', claimMessage(json), vectors.claim)).toBe(true);
	});

	it('[CP-10] gives the verdict, and the hash that the next one names', async () => {
		const { al, epoch, seq, at, previous } = vectors.verdict;
		const v = encodeVerdict({
			...{ result: 'ok', al, h, relayEpoch: epoch, seq, at },
			claimHash: bytes(vectors.claim.hash),
			previous: bytes(previous)
		});
		expect(hex(v)).toBe(vectors.verdict.V);
		expect(hex(await crypto.sha256(v))).toBe(vectors.verdict.hash);
		expect(await verified('relay', verdictMessage(v), vectors.verdict)).toBe(true);
	});

	it('[CP-11] gives the key of the ledger, the sheet codes and their checks', async () => {
		const key = await codes.ledgerKey(bytes(inputs.KC), scope, crypto);
		expect(hex(key)).toBe(vectors.KL);
		const worth = { way: 'sheet', kind: 'due', currency, exponent, minor: inputs.cap } as const;
		const info = codes.codeInfo(worth);
		expect(hex(info)).toBe(vectors.sheet.info);
		for (const { counter, code, check } of vectors.sheet.codes) {
			const digits = await codes.code(key, { info, counter }, crypto);
			expect(digits).toBe(code);
			expect(await codes.sheetCheck(scope, { info, counter, digits }, crypto)).toBe(check);
		}
	});

	it("[CP-11] gives the phone's codes as they are spoken, and the SMS codes", async () => {
		const key = bytes(vectors.KL);
		const worth = { way: 'app', kind: 'due', currency, exponent, minor: inputs.amount } as const;
		const info = codes.codeInfo(worth);
		expect(hex(info)).toBe(vectors.app.info);
		for (const { phone, k, counter, code, spoken } of vectors.app.codes) {
			expect(String(codes.phoneCounter(phone, k))).toBe(counter);
			const digits = await codes.code(key, { info, counter: codes.phoneCounter(phone, k) }, crypto);
			expect([digits, codes.spokenCode(digits)]).toEqual([code, spoken]);
		}
		const smsKey = bytes(inputs.smsKey);
		const sent = [0, 1, 2].map((send) => codes.smsCode(smsKey, { h, send }, crypto));
		expect(await Promise.all(sent)).toEqual(vectors.sms);
		expect(dammDigit('572')).toBe(vectors.damm['572']);
	});

	it('[CP-13] gives the three QR texts, and reads them back', () => {
		const shown = {
			R: recordQr({
				a: bytes(vectors.A),
				rest: vectors.rest,
				kid: bytes(keys.shop.kid),
				rsig: bytes(vectors.rsig.signature)
			}),
			S: answerQr(answer, bytes(vectors.answer.signature)),
			K: enrolmentQr(enrolment, bytes(vectors.enrolment.signature))
		};
		expect(shown).toEqual(vectors.qr);
		expect(right(decodeQr(shown.R)).letter).toBe('R');
		expect(hex(right(decodeQr(shown.S)).bytes.subarray(0, 4))).toBe(hex(utf8('CPS1')));
		expect(hex(right(decodeQr(shown.K)).bytes)).toContain(keys.customer.publicKey);
	});
});

it('[CP-11] derives one-time codes as otplib does', async () => {
	const plugin = new NobleCryptoPlugin();
	await fc.assert(
		fc.asyncProperty(
			fc.uint8Array({ minLength: 32, maxLength: 32 }),
			fc.integer({ min: 0, max: 2 ** 40 }),
			fc.constantFrom(6 as const, 8 as const),
			async (secret, counter, digits) => {
				const theirs = generateSync({
					...{ strategy: 'hotp', secret, counter, digits, algorithm: 'sha256', crypto: plugin }
				});
				expect(await codes.hotp(secret, { counter, digits }, crypto)).toBe(theirs);
			}
		)
	);
});
