/**
 * What a record does to a ledger. A debit raises what the customer owes, a credit lowers it; a
 * reversal of a debit is neither; a reversal of a credit is a debit that names a credit; a
 * statement lists and counts nothing. The byte stands in the core and never changes meaning.
 */
export const RECORD_KINDS = {
	due: { byte: 0x01, side: 'debit' },
	openingDebit: { byte: 0x02, side: 'debit' },
	fee: { byte: 0x03, side: 'debit' },
	advancePaidBack: { byte: 0x04, side: 'debit' },
	payment: { byte: 0x11, side: 'credit' },
	credit: { byte: 0x12, side: 'credit' },
	openingCredit: { byte: 0x13, side: 'credit' },
	forgiveness: { byte: 0x14, side: 'credit' },
	reversalOfDebit: { byte: 0x21, side: 'none' },
	reversalOfCredit: { byte: 0x22, side: 'debit' },
	statement: { byte: 0x31, side: 'none' }
} as const;

export type RecordKind = keyof typeof RECORD_KINDS;

const KIND_BY_BYTE: ReadonlyMap<number, RecordKind> = new Map(
	recordKinds().map((kind) => [RECORD_KINDS[kind].byte, kind])
);

/** Whether a record of this kind must, may or may not name (`ref`) the one it reverses or lowers. */
export const REF_OF_KIND: Readonly<Partial<Record<RecordKind, 'required' | 'optional'>>> = {
	reversalOfDebit: 'required',
	reversalOfCredit: 'required',
	credit: 'optional',
	forgiveness: 'optional'
};

export function recordKinds(): readonly RecordKind[] {
	return Object.keys(RECORD_KINDS) as RecordKind[];
}

export function recordKindOf(byte: number): RecordKind | undefined {
	return KIND_BY_BYTE.get(byte);
}

export function isDebit(kind: RecordKind): boolean {
	return RECORD_KINDS[kind].side === 'debit';
}

export function isCredit(kind: RecordKind): boolean {
	return RECORD_KINDS[kind].side === 'credit';
}

/**
 * Whether a page sums it with what was taken or with what was paid: what takes one back is of the same side, so
 * that goods taken back are no payment. A statement is of neither.
 */
export function pageSide(kind: RecordKind): 'took' | 'paid' | 'none' {
	if (kind === 'reversalOfDebit') return 'took';
	if (kind === 'reversalOfCredit') return 'paid';
	if (isDebit(kind)) return 'took';
	return isCredit(kind) ? 'paid' : 'none';
}

export function isOpening(kind: RecordKind): boolean {
	return kind === 'openingDebit' || kind === 'openingCredit';
}
