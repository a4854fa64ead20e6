import { encodeBase64url } from '#domain/bytes.ts';
import { dayNumber } from '#domain/calendar.ts';
import {
	code,
	codeInfo,
	ledgerKey,
	sheetCheck,
	type CodeScope
} from '#domain/confirmation/codes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { encodeVerdict, type VerdictResult } from '#domain/confirmation/verdict.ts';
import type { CancelReason, LinkFields, SheetKind } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { FactText } from '#state/arrived-fact.ts';
import { createWebCrypto } from '#state/web-crypto.ts';
import type { TestDevice } from './test-device.ts';

/** What a relay says to a shop about one of its ledgers, as facts for its device. */
export interface RelayTongue {
	link(fields: LinkFields): Promise<void>;
	/** A new set of five codes, and their digits. */
	sheet(of: SheetOf): Promise<readonly string[]>;
	verdict(claimId: string, h: RecordHash, of: VerdictOf): Promise<void>;
	accept(h: RecordHash, n?: number): Promise<void>;
	cancel(h: RecordHash, reason: CancelReason, note?: string): Promise<void>;
	saw(upToMs: number): Promise<void>;
	ask(askId: string, fields: object): Promise<void>;
	/** Everything said so far, to be told to another device in any order. */
	readonly said: readonly FactText[];
}

interface SheetOf {
	readonly kind?: SheetKind;
	readonly cap: number;
	readonly epoch?: number;
	readonly issuedAt?: number;
	readonly currency?: string;
	readonly exponent?: number;
	/** Counters. */
	readonly open?: readonly number[];
}

interface VerdictOf {
	readonly result: VerdictResult;
	readonly al?: number;
	readonly seq: number;
	readonly wrong?: number;
}

const SIG = encodeBase64url(new Uint8Array(64).fill(1));
const KID = encodeBase64url(new Uint8Array(8).fill(2));
const POINT = encodeBase64url(new Uint8Array(65).fill(4));
const SECRET = new Uint8Array(32).fill(9);

/** `first`: what its facts are counted from. */
export function relayTongue(test: TestDevice, ledger: LedgerId, first = 1): RelayTongue {
	const crypto = createWebCrypto();
	const said: FactText[] = [];
	let n = first;

	async function tell(kind: string, body: readonly unknown[]): Promise<void> {
		const day = dayNumber(new Date(test.clock.now).toISOString().slice(0, 10));
		const head = [`0.1-${String(n)}`, kind, test.clock.now, n, day, 0];
		n += 1;
		const text = JSON.stringify([...head, ...body]);
		const parsed = parseFact(text);
		if (!parsed.ok) throw new Error(`the relay says nothing like ${text}: ${parsed.error}`);
		const branch = kind === 'verdict' || kind === 'answered' ? test.device.identity.branch : null;
		said.push({ text, branch });
		await test.device.receive([{ text, branch }]);
	}

	const answered = (h: RecordHash, answer: readonly unknown[]): Promise<void> => {
		const [decision, count, reason, note] = answer;
		const body = [ledger, h, decision, count, test.clock.now, SIG, POINT, reason, note];
		return tell('answered', body);
	};

	return {
		said,
		link: (fields) => tell('link', [ledger, fields]),
		sheet: async (of) => {
			const { kind = 'debit', cap, epoch = 1, currency = 'GBP', exponent = 2 } = of;
			const { issuedAt = test.clock.now, open = [0, 1, 2, 3, 4] } = of;
			const { business } = test.device.identity;
			const scope: CodeScope = { businessId: business, ledgerId: ledger, epoch };
			const key = await ledgerKey(SECRET, scope, crypto);
			const debit = kind === 'debit' ? 'due' : 'payment';
			const info = codeInfo({ way: 'sheet', kind: debit, currency, exponent, minor: cap });
			const codes: string[] = [];
			const checks: (readonly [number, number])[] = [];
			for (const counter of open) {
				const digits = await code(key, { info, counter }, crypto);
				codes.push(digits);
				checks.push([counter, await sheetCheck(scope, { info, counter, digits }, crypto)]);
			}
			const set = { epoch, kind, currency, exponent, cap, issuedAt, open: checks };
			await tell('sheet', [ledger, { ...set, kid: KID, sig: SIG }]);
			return codes;
		},
		verdict: (claimId, h, { result, al = 1, seq, wrong = 0 }) => {
			const zeros = new Uint8Array(32);
			const of = { result, al, h, relayEpoch: 1, seq, at: test.clock.now };
			const v = encodeVerdict({ ...of, claimHash: zeros, previous: zeros });
			return tell('verdict', [ledger, claimId, encodeBase64url(v), SIG, KID, wrong]);
		},
		accept: (h, count = 1) => answered(h, ['accept', count, 0, '']),
		cancel: (h, reason, note = '') => answered(h, ['cancel', 1, reason, note]),
		saw: (upToMs) => tell('saw', [ledger, upToMs]),
		ask: (askId, fields) => tell('ask', [askId, fields])
	};
}
