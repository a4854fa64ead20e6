import { signRecord } from '#domain/confirmation/signed-record.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordCore, type RecordId } from '#domain/confirmation/record.ts';
import { parseRest } from '#domain/confirmation/rest.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { dayFromNumber } from '#domain/calendar.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact, FactHead, FactRecord, SoldLine } from '#domain/fact/fact.ts';
import type { PlacedFact } from '#domain/fact/fold.ts';
import {
	factId,
	productIdOf,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type LedgerId,
	type PersonId,
	type ProductId
} from '#domain/ids.ts';
import { seeded } from './seeded.ts';

export const TRADE_BUSINESS = '0192f0c1-7a00-4000-8000-000000000001' as BusinessId;
export const TRADE_BRANCH = '0192f0c1-7a00-4000-8000-0000000000b1' as BranchId;
const PERSON = '0192f0c1-7a00-4000-8000-0000000000e1' as PersonId;
const OPENED_AT = Date.UTC(2026, 10, 20, 8);
const HOUR_MS = 3_600_000;

export interface TradeOptions {
	readonly seed: number;
	readonly count: number;
	readonly codes: readonly DeviceCode[];
	/** One for each code. */
	readonly signers: readonly Signer[];
	readonly crypto: CryptoParts;
}

export interface WrittenFact extends PlacedFact {
	readonly text: string;
}

export interface Trade {
	readonly facts: readonly WrittenFact[];
	readonly hashOf: (record: FactRecord) => RecordHash;
}

/**
 * A shop's trade over three days, by a seed: products, customers, settings, sales for cash and on
 * account, returns, stock adjustments, dues, payments and reversals, by several devices whose
 * stamps cross. Every fact is whole and signed.
 */
export async function makeTrade({
	seed,
	count,
	codes,
	signers,
	crypto
}: TradeOptions): Promise<Trade> {
	const random = seeded(seed);
	const facts: WrittenFact[] = [];
	const hashes = new Map<string, RecordHash>();
	const products: ProductId[] = [];
	const ledgers: LedgerId[] = [];
	const dues: { readonly ledger: LedgerId; readonly h: RecordHash; readonly amount: number }[] = [];
	const sequences = codes.map(() => 0);
	const receipts = codes.map(() => 0);
	function head(device: number): FactHead {
		const n = (sequences[device] ?? 0) + 1;
		sequences[device] = n;
		const code = codes[device] ?? 'A';
		const wall = OPENED_AT + random(60) * HOUR_MS;
		const on = dayFromNumber(Math.floor(wall / (24 * HOUR_MS)));
		return { id: factId(code, n), code, n, at: { wall, counter: random(3) }, on, by: 1 };
	}

	async function record(
		of: FactHead,
		device: number,
		draft: { readonly ledger: LedgerId } & Omit<TradeDraft, 'isMadeOffline' | 'recordId'>
	): Promise<FactRecord> {
		const signer = signers[device];
		if (signer === undefined) throw new Error('a device without a key');
		const isMadeOffline = random(2) === 0;
		const recordId = seededUuid(7, random) as RecordId;
		const made = await signTrade(of, { ...draft, isMadeOffline, recordId }, { signer, crypto });
		const h = await recordHash(made.signed.a, crypto);
		hashes.set(key(made), h);
		if (draft.kind === 'due') dues.push({ ledger: draft.ledger, h, amount: draft.amount });
		return made;
	}

	function lines(): readonly SoldLine[] {
		return Array.from({ length: 1 + random(3) }, (): SoldLine => {
			const quantity = 1 + random(9);
			const unitPriceMinor = 50 + random(5_000);
			return {
				productId: random(8) === 0 ? null : (products[random(products.length)] ?? null),
				name: `Thing ${String(random(50))}`,
				quantityThousandths: quantity * 1000,
				unitPriceMinor,
				totalMinor: quantity * unitPriceMinor
			};
		});
	}

	const sumOf = (some: readonly SoldLine[]): number => some.reduce((a, b) => a + b.totalMinor, 0);

	async function write(): Promise<Fact> {
		const device = random(codes.length);
		const of = head(device);
		const ledger = ledgers[random(ledgers.length)];
		const choice = random(12);
		if (products.length < 3 || choice === 0) {
			const rows = Array.from({ length: 1 + random(3) }, (_, row) => ({
				productId: null,
				fields: { name: `Thing ${String(row)}`, price: 100 + random(900) }
			}));
			rows.forEach((_, row) => products.push(productIdOf(of.id, row)));
			return { ...of, kind: 'product', rows };
		}
		if (ledger === undefined || choice === 1) {
			const ledgerId = seededUuid(4, random) as LedgerId;
			ledgers.push(ledgerId);
			return { ...of, kind: 'customer', rows: [{ ledgerId, fields: { name: 'Amina' } }] };
		}
		if (choice === 2) {
			const productId = products[random(products.length)] ?? null;
			return {
				...of,
				kind: 'product',
				rows: [{ productId, fields: random(2) === 0 ? { price: random(900) } : { active: false } }]
			};
		}
		if (choice === 3) {
			const productId = products[random(products.length)];
			if (productId === undefined) throw new Error('no product yet');
			const rows = [{ productId, deltaThousandths: -1000 * (1 + random(4)) }];
			return { ...of, kind: 'adjust', rows, reason: 'waste' };
		}
		if (choice === 4) return { ...of, kind: 'setting', fields: { phone: String(random(1_000)) } };
		if (choice <= 6) {
			const sold = lines();
			const receipt = (receipts[device] = (receipts[device] ?? 0) + 1);
			const tenders = [{ kind: 'cash', minor: sumOf(sold) + random(2) * 100 }] as const;
			return { ...of, kind: 'sale', receipt, lines: sold, tenders };
		}
		if (choice === 7) {
			const sold = lines();
			const receipt = (receipts[device] = (receipts[device] ?? 0) + 1);
			const amount = sumOf(sold);
			const due = await record(of, device, { kind: 'due', amount, ledger });
			const tenders = [{ kind: 'account', minor: amount }] as const;
			return { ...of, kind: 'sale', receipt, lines: sold, tenders, record: due };
		}
		if (choice === 8) {
			const back = lines().map((line) => ({ ...line, saleLine: -1, isDamaged: random(3) === 0 }));
			const receipt = (receipts[device] = (receipts[device] ?? 0) + 1);
			const refunds = [{ kind: 'cash', minor: sumOf(back) }] as const;
			return { ...of, kind: 'return', receipt, saleId: null, lines: back, refunds };
		}
		const due = dues[random(Math.max(1, dues.length))];
		if (choice === 9 && due !== undefined) {
			const amount = 1 + random(due.amount);
			const draft = { kind: 'reversalOfDebit', amount, ledger: due.ledger, ref: due.h } as const;
			return { ...of, kind: 'record', records: [await record(of, device, draft)], undoes: 'due' };
		}
		const kind = (['due', 'payment', 'openingDebit', 'credit'] as const)[random(4)] ?? 'due';
		const amount = 1 + random(90_000);
		const made = await record(of, device, { kind, amount, ledger });
		return {
			...of,
			kind: 'record',
			records: [made],
			...(kind === 'payment' && { tender: 'cash' as const })
		};
	}

	for (let i = 0; i < count; i++) {
		const fact = await write();
		facts.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
	}
	return {
		facts,
		hashOf: (of) => {
			const h = hashes.get(key(of));
			if (h === undefined) throw new Error('a record of another trade');
			return h;
		}
	};
}

export interface TradeDraft {
	readonly kind: RecordKind;
	readonly amount: number;
	readonly ledger: LedgerId;
	readonly isMadeOffline: boolean;
	readonly recordId: RecordId;
	readonly ref?: RecordHash;
	readonly list?: readonly [count: number, hash: string];
	/** KES where none is given. */
	readonly currency?: string;
}

/** A record of the trade's shop, in the fact `of`. */
export async function signTrade(
	of: FactHead,
	{ kind, amount, ledger, isMadeOffline, recordId, ref, list, currency = 'KES' }: TradeDraft,
	{ signer, crypto }: { readonly signer: Signer; readonly crypto: CryptoParts }
): Promise<FactRecord> {
	const signed = await signRecord(
		{
			core: {
				kind,
				isMadeOffline,
				currency,
				exponent: 2,
				amount,
				occurredAt: of.at.wall,
				businessId: TRADE_BUSINESS,
				ledgerId: ledger,
				recordId,
				balanceAfter: 0
			},
			rest: {
				br: TRADE_BRANCH,
				d: of.code as DeviceCode,
				n: of.n,
				u: PERSON,
				on: of.on,
				...(ref !== undefined && { ref }),
				...(list !== undefined && { list })
			}
		},
		signer,
		crypto
	);
	const core = parseRecordCore(signed.a);
	const rest = parseRest(signed.rest);
	if (!core.ok || !rest.ok) throw new Error('signed what cannot be read');
	return { signed, core: core.value, rest: rest.value };
}

export function seededUuid(version: 4 | 7, random: (limit: number) => number): string {
	const digits = Array.from({ length: 30 }, () => random(16).toString(16)).join('');
	return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${String(version)}${digits.slice(12, 15)}-8${digits.slice(15, 18)}-${digits.slice(18, 30)}`;
}

function key({ core }: FactRecord): string {
	return core.recordId;
}
