import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { BranchId, DeviceCode, FactId, LedgerId, PersonId, ProductId } from '#domain/ids.ts';
import type { TaxPart } from '#domain/tax.ts';
import type { ClockFact } from './clock-fact.ts';
import type { FactHead, FactRecord } from './fact-head.ts';
import {
	LEDGER_FACT_KINDS,
	PERSON_FACT_KINDS,
	type LedgerFact,
	type PersonFact,
	type RecordTender,
	type ShopAnswer
} from './ledger-fact.ts';

export type { ClockFact } from './clock-fact.ts';
export type { FactHead, FactRecord } from './fact-head.ts';

/** A line as it was sold: what it was called, what it cost, and what it came to, rounded once. */
export interface SoldLine {
	readonly productId: ProductId | null;
	readonly name: string;
	readonly quantityThousandths: number;
	readonly unitPriceMinor: number;
	readonly totalMinor: number;
	readonly tax?: SoldTax;
}

/** The tax of a line as sold: its side, its class, and each component with its rate and amount. */
export interface SoldTax {
	/** One cart may hold both sides. */
	readonly side: TaxSide;
	readonly taxClass: string;
	readonly parts: readonly TaxPart[];
}

/** What was handed over (a sale) or back (a return). */
export interface FactTender {
	readonly kind: 'cash' | 'account';
	readonly minor: number;
}

/** Whether a price holds its tax or the tax comes on top. */
export const TAX_SIDES = ['in', 'ex'] as const;
export type TaxSide = (typeof TAX_SIDES)[number];

export interface SaleFact extends FactHead {
	readonly kind: 'sale';
	readonly receipt: number;
	readonly lines: readonly SoldLine[];
	readonly tenders: readonly FactTender[];
	/** The due of what went on account. */
	readonly record?: FactRecord;
	/** What cash rounding added (or took, negative). */
	readonly roundingMinor?: number;
}

export interface ReturnedLine extends SoldLine {
	/** The line of the sale, from 0; −1 where the sale is not known. */
	readonly saleLine: number;
	readonly isDamaged: boolean;
}

export interface ReturnFact extends FactHead {
	readonly kind: 'return';
	readonly receipt: number;
	readonly saleId: FactId | null;
	readonly lines: readonly ReturnedLine[];
	readonly refunds: readonly FactTender[];
	/** The credit of what went back on account. */
	readonly record?: FactRecord;
	readonly roundingMinor?: number;
}

export const ADJUST_REASONS = [
	'waste',
	'expired',
	'ownUse',
	'gift',
	'theft',
	'found',
	'correction',
	'opening'
] as const;
export type AdjustReason = (typeof ADJUST_REASONS)[number];

export interface AdjustFact extends FactHead {
	readonly kind: 'adjust';
	readonly rows: readonly StockDelta[];
	readonly reason: AdjustReason;
}

export interface StockDelta {
	readonly productId: ProductId;
	readonly deltaThousandths: number;
}

export const PRODUCT_UNITS = ['piece', 'kg', 'g', 'l', 'm'] as const;
export type ProductUnit = (typeof PRODUCT_UNITS)[number];
export const PRODUCT_KINDS = ['goods', 'service', 'untracked'] as const;
export type ProductKind = (typeof PRODUCT_KINDS)[number];

/** What a fact may say of a product; what it does not name stays as it was. */
export interface ProductFields {
	readonly name?: string;
	readonly price?: number;
	readonly codes?: readonly string[];
	readonly category?: string;
	readonly unit?: ProductUnit;
	readonly kind?: ProductKind;
	readonly sku?: string;
	readonly favourite?: boolean;
	/** Thousandths at which stock is low; null for none. */
	readonly low?: number | null;
	readonly active?: boolean;
	readonly taxClass?: string;
}

export interface ProductFact extends FactHead {
	readonly kind: 'product';
	/** `productId` null: this row makes a product, named by `productIdOf(id, row)`. */
	readonly rows: readonly {
		readonly productId: ProductId | null;
		readonly fields: ProductFields;
	}[];
}

export interface CustomerFields {
	readonly name?: string;
	readonly nick?: string;
	readonly phone?: string;
	readonly address?: string;
	readonly note?: string;
	/** Most the customer may owe, minor units; null for no limit. */
	readonly limit?: number | null;
	/** Days until a due falls due; null for none. */
	readonly terms?: number | null;
	readonly active?: boolean;
	/** Who may take goods in the customer's name, as the shop wrote it. */
	readonly takers?: string;
	/** Which of the twelve colours stands for a face. */
	readonly colour?: number;
}

export interface CustomerFact extends FactHead {
	readonly kind: 'customer';
	readonly rows: readonly { readonly ledgerId: LedgerId; readonly fields: CustomerFields }[];
}

export interface SettingFields {
	readonly name?: string;
	readonly address?: string;
	readonly phone?: string;
	readonly currency?: string;
	readonly zone?: string;
	/** Minutes after midnight at which the business day begins. */
	readonly cutoff?: number;
	readonly tax?: 'none' | TaxSide;
	readonly decimals?: number;
	readonly cashStep?: number;
	readonly accent?: string;
	/** When a record is shown to the customer at the counter (F8). */
	readonly ask?: (typeof ASK_TIMES)[number];
	/** From which amount, where `ask` is `above`; minor units. */
	readonly askAbove?: number;
	/** Whether codes go by SMS, which costs. */
	readonly sms?: boolean;
	/** Messages a month at most. */
	readonly smsLimit?: number;
	/** Further currencies that records may be in. */
	readonly currencies?: readonly string[];
	/** Days until a due falls due where its customer has no terms; null for none. */
	readonly terms?: number | null;
	/** Day of the month on which wages are paid. */
	readonly payday?: number;
}

export const ASK_TIMES = ['each', 'above', 'payment', 'never'] as const;

export interface SettingFact extends FactHead {
	readonly kind: 'setting';
	readonly fields: SettingFields;
}

export interface RecordFact extends FactHead {
	readonly kind: 'record';
	readonly records: readonly FactRecord[];
	/** How the money of its payments came, or went back; absent where none moved. */
	readonly tender?: RecordTender;
	/** What its reversals take back, where that stood in a day's totals: a due without a sale, a payment. */
	readonly undoes?: UndoneKind;
	/** What it says to a customer who cancelled; one that insists carries no record. */
	readonly answer?: ShopAnswer;
	/** What its statement lists: the raw Hs of confirmation.md section 4. */
	readonly list?: readonly RecordHash[];
	/** The rough slip that it writes down in full. */
	readonly slip?: FactId;
	/** The pending payment that it completes. */
	readonly pending?: FactId;
	/** Written after the day it happened on. */
	readonly isLate?: true;
	/** Its money is not of the till's currency, so that it moves no day's totals. */
	readonly isApart?: true;
}

export const UNDONE_KINDS = ['due', 'payment'] as const;
export type UndoneKind = (typeof UNDONE_KINDS)[number];

export interface MemberFields {
	readonly name?: string;
	readonly role?: 'owner';
	readonly person?: PersonId;
	/** When his access ended, ms UTC. */
	readonly removedAt?: number;
}

export interface MemberFact extends FactHead {
	readonly kind: 'member';
	readonly member: number;
	readonly fields: MemberFields;
	/** The relay's signature of `relayMessage`, base64url; absent in what relays wrote before they signed. */
	readonly sig?: string;
}

export interface DeviceFields {
	/** The 65-byte public point, base64url. */
	readonly key?: string;
	readonly member?: number;
	readonly sight?: 'office' | 'counter';
	readonly branch?: BranchId;
	/** The device in whose place this one writes on. */
	readonly heirOf?: DeviceCode;
	/** When its access ended, ms UTC. */
	readonly removedAt?: number;
}

export interface DeviceFact extends FactHead {
	readonly kind: 'device';
	readonly device: DeviceCode;
	readonly fields: DeviceFields;
	/** As that of a `MemberFact`. */
	readonly sig?: string;
}

/** What a relay signs, so that it knows its word again whoever hands it in after a restore. */
export type RelaySignedFact = MemberFact | DeviceFact | ClockFact;
export const RELAY_SIGNED_KINDS = ['member', 'device', 'clock'] as const;

/** Something that happened, written once, never edited and never deleted. */
export type Fact =
	| SaleFact
	| ReturnFact
	| AdjustFact
	| ProductFact
	| CustomerFact
	| SettingFact
	| RecordFact
	| MemberFact
	| DeviceFact
	| ClockFact
	| LedgerFact
	| PersonFact;

export type FactKind = Fact['kind'];

/** The kinds this program reads and writes; the relay names them in its hello. */
export const FACT_KINDS: readonly FactKind[] = [
	'sale',
	'return',
	'adjust',
	'product',
	'customer',
	'setting',
	'record',
	'member',
	'device',
	'clock',
	...LEDGER_FACT_KINDS,
	...PERSON_FACT_KINDS
];

export const FACT_BYTES_MAX = 65_536;
export const FACT_ROWS_MAX = 2_000;
export const FACT_LINES_MAX = 1_000;
export const FACT_TENDERS_MAX = 8;
export const FACT_RECORDS_MAX = 8;
export const NAME_LENGTH_MAX = 200;
