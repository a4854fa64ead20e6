import { concatBytes, encodeBase64url } from '#domain/bytes.ts';
import { dayFromNumber } from '#domain/calendar.ts';
import {
	compareRecordHashes,
	recordHash,
	recordHashBytes,
	type RecordHash
} from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { RecordId } from '#domain/confirmation/record.ts';
import { encodeVerdict } from '#domain/confirmation/verdict.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact, FactHead, FactRecord } from '#domain/fact/fact.ts';
import { groupBy } from '#domain/group-by.ts';
import { factId, type DeviceCode, type LedgerId, type PersonId } from '#domain/ids.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { seeded } from './seeded.ts';
import {
	makeTrade,
	seededUuid,
	signTrade,
	TRADE_BRANCH,
	type Trade,
	type TradeDraft,
	type TradeOptions,
	type WrittenFact
} from './trade.ts';

interface TalkOptions {
	readonly seed: number;
	/** Of the device that writes statements and reversals. */
	readonly signer: Signer;
	readonly crypto: CryptoParts;
}

const RELAY = '0.1';
const CLAIMANT = '0d5c9f5e-7a41-4c0e-9f3b-1d2c3b4a5e6f' as PersonId;
const SHOP = 'ZZ' as DeviceCode;
const BEGAN_AT = Date.UTC(2026, 10, 20, 8);
const HOUR_MS = 3_600_000;
interface Named {
	readonly h: RecordHash;
	readonly record: FactRecord;
}

const SIGNATURE = encodeBase64url(new Uint8Array(64).fill(7));
const KID = encodeBase64url(new Uint8Array(8).fill(7));
const POINT = encodeBase64url(new Uint8Array(65).fill(4));

/** A trade by devices with keys of their own, and what was said of it since. */
export async function talkedTrade(options: Omit<TradeOptions, 'signers'>): Promise<Trade> {
	const { seed, codes, crypto } = options;
	const signers = await Promise.all(codes.map(async () => createSigner(await createSigningKeys())));
	const [signer] = signers;
	if (signer === undefined) throw new Error('a device has a key');
	return talkOver(await makeTrade({ ...options, signers }), { seed, signer, crypto });
}

/**
 * `trade` and what was said of it since, by a seed: connections that begin and end, verdicts of
 * both sorts, one number twice and one code, yes and no of customers, shops that insist, statements that list
 * records and are answered or not, and credits that are taken back.
 */
async function talkOver(trade: Trade, { seed, signer, crypto }: TalkOptions): Promise<Trade> {
	const random = seeded(seed + 1);
	const coding = seeded(seed + 3);
	const written: WrittenFact[] = [];
	const hashes = new Map<string, RecordHash>();
	const sequences = new Map<string, number>();
	const verdictCounts = new Map<LedgerId, number>();

	function write(code: string, body: (head: FactHead) => Fact): void {
		const fact = body(head(code));
		written.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
	}

	function head(code: string): FactHead {
		const n = (sequences.get(code) ?? 0) + 1;
		sequences.set(code, n);
		const wall = BEGAN_AT + random(90) * HOUR_MS;
		const on = dayFromNumber(Math.floor(wall / (24 * HOUR_MS)));
		const by = code === SHOP ? 1 : 0;
		return { id: factId(code, n), code, n, at: { wall, counter: n }, on, by };
	}

	function connect(ledgerId: LedgerId): void {
		for (let times = random(4); times > 0; times--) {
			const state = (['linked', 'ended', 'none'] as const)[random(3)] ?? 'none';
			const way = random(2) === 0 ? 'app' : 'phone';
			write(RELAY, (of) => ({ ...of, kind: 'link', ledgerId, fields: { state, way } }));
		}
	}

	/** By one of a few codes, so that some come to confirm two records, as a relay may that was restored. */
	function claim(h: RecordHash, id: string): void {
		const n = (sequences.get(SHOP) ?? 0) + 1;
		sequences.set(SHOP, n);
		const wall = BEGAN_AT + coding(90) * HOUR_MS;
		const counter = coding(2);
		const code = `0000000${String(counter)}`;
		const d = SHOP;
		const fact: Fact = {
			...{ id: factId(SHOP, n), code: SHOP, n, at: { wall, counter: n }, by: 1 },
			on: dayFromNumber(Math.floor(wall / (24 * HOUR_MS))),
			kind: 'claim',
			claim: { id, h, way: 'sheet', counter, code, d, u: CLAIMANT, at: wall },
			sig: SIGNATURE
		};
		written.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
	}

	function judge(ledgerId: LedgerId, h: RecordHash): void {
		const seq = (verdictCounts.get(ledgerId) ?? 0) + (random(6) === 0 ? 0 : 1);
		verdictCounts.set(ledgerId, Math.max(1, seq));
		write(RELAY, (of) => {
			const verdict = {
				result: random(3) === 0 ? ('wrong' as const) : ('ok' as const),
				al: random(4),
				h,
				relayEpoch: 1 + random(2),
				seq: Math.max(1, seq),
				at: of.at.wall,
				claimHash: new Uint8Array(32),
				previous: new Uint8Array(32)
			};
			const claimId = seededUuid(7, random);
			if (coding(4) > 0) claim(h, claimId);
			const v = encodeBase64url(encodeVerdict(verdict));
			const wrong = random(3);
			return {
				...of,
				kind: 'verdict',
				ledgerId,
				claimId,
				verdict,
				v,
				sig: SIGNATURE,
				kid: KID,
				wrong
			};
		});
	}

	function answer(ledgerId: LedgerId, h: RecordHash): void {
		for (let answerN = 1; answerN <= 1 + random(2); answerN++) {
			const decision = random(2) === 0 ? 'accept' : 'cancel';
			write(RELAY, (of) => ({
				...of,
				kind: 'answered',
				ledgerId,
				h,
				decision,
				answerN,
				signedAt: of.at.wall,
				sig: SIGNATURE,
				key: POINT,
				reason: decision === 'cancel' ? 'wrongAmount' : 0,
				note: ''
			}));
		}
	}

	async function sign(
		of: FactHead,
		draft: Omit<TradeDraft, 'isMadeOffline' | 'recordId'>
	): Promise<FactRecord> {
		const recordId = seededUuid(7, random) as RecordId;
		const whole = { ...draft, isMadeOffline: true, recordId };
		const made = await signTrade(of, whole, { signer, crypto });
		hashes.set(recordId, await recordHash(made.signed.a, crypto));
		return made;
	}

	/** Of what they come to, so that a yes is one to each; or of less, and then it is to none. */
	async function state(
		ledgerId: LedgerId,
		some: readonly Named[],
		isOfAll: boolean
	): Promise<RecordHash> {
		const list = some.map(({ h }) => h).toSorted(compareRecordHashes);
		const amount = isOfAll ? some.reduce((sum, { record }) => sum + record.core.amount, 0) : 1;
		const digest = await crypto.sha256(concatBytes(...list.map(recordHashBytes)));
		const named = [list.length, encodeBase64url(digest)] as const;
		const of = head(SHOP);
		const made = await sign(of, { kind: 'statement', amount, ledger: ledgerId, list: named });
		const fact: Fact = { ...of, kind: 'record', records: [made], list };
		written.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
		return hashOf(made);
	}

	async function takeBack(ledgerId: LedgerId, { h, record }: Named): Promise<void> {
		const of = head(SHOP);
		const amount = 1 + random(record.core.amount);
		const made = await sign(of, { kind: 'reversalOfCredit', amount, ledger: ledgerId, ref: h });
		const fact: Fact = { ...of, kind: 'record', records: [made], undoes: 'payment' };
		written.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
	}

	function insist(h: RecordHash): void {
		const answer = { h, way: 'insist', note: '' } as const;
		write(SHOP, (of) => ({ ...of, kind: 'record', records: [], answer }));
	}

	function hashOf(record: FactRecord): RecordHash {
		return hashes.get(record.core.recordId) ?? trade.hashOf(record);
	}

	let statements = 0;
	for (const [ledgerId, records] of recordsByLedger(trade)) {
		connect(ledgerId);
		const debits = records.filter(({ record }) => isDebit(record.core.kind));
		for (const { h } of debits) {
			const choice = random(5);
			if (choice <= 1) judge(ledgerId, h);
			if (choice === 1 || choice === 2) answer(ledgerId, h);
			if (choice === 2) insist(h);
		}
		if (debits.length > 1) {
			statements += 1;
			const h = await state(ledgerId, debits.slice(0, 20), statements % 3 > 0);
			if (random(3) > 0) judge(ledgerId, h);
			if (random(3) === 0) answer(ledgerId, h);
		}
		const payment = records.find(({ record }) => record.core.kind === 'payment');
		if (payment !== undefined) await takeBack(ledgerId, payment);
	}
	return { facts: [...trade.facts, ...written], hashOf };
}

function recordsByLedger({ facts, hashOf }: Trade): ReadonlyMap<LedgerId, readonly Named[]> {
	const records = facts.flatMap(({ fact }) => effectsOf(fact).records);
	const named = records.map((record) => ({ record, h: hashOf(record) }));
	return groupBy(named, ({ record }) => record.core.ledgerId);
}
