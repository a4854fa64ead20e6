import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { RecordStanding, RecordView, ShopView } from '#domain/person/view.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

const KINDS: Readonly<Record<RecordKind, MessageKey>> = {
	due: 'me.kind.due',
	openingDebit: 'me.kind.opening',
	fee: 'me.kind.fee',
	advancePaidBack: 'me.kind.advancePaidBack',
	payment: 'me.kind.payment',
	credit: 'me.kind.credit',
	openingCredit: 'me.kind.opening',
	forgiveness: 'me.kind.forgiveness',
	reversalOfDebit: 'me.kind.reversalOfDebit',
	reversalOfCredit: 'me.kind.reversalOfCredit',
	statement: 'me.kind.statement'
};

/** What lowers the debt without a payment. */
const LOWERED: ReadonlySet<RecordKind> = new Set(['reversalOfDebit', 'credit', 'forgiveness']);

const GOODS_NAMED = 4;

/** What a line is about: its note, its goods, its receipt, else what kind it is. */
export function whatWords(words: Words, record: RecordView): string {
	if (record.note !== undefined) return record.note;
	const goods = record.lines.map(([name]) => name).filter((name) => name !== '');
	if (goods.length > 0 && record.side === 'took') {
		const shown = goods.slice(0, GOODS_NAMED).join(words.language === 'ar' ? '، ' : ', ');
		return goods.length > GOODS_NAMED ? `${shown}…` : shown;
	}
	if (record.receipt !== undefined && record.kind === 'due')
		return words.say('me.receipt', { receipt: record.receipt });
	return words.say(KINDS[record.kind]);
}

/** What kind of line it is. */
export function kindWords(words: Words, kind: RecordKind): string {
	return words.say(KINDS[kind]);
}

/** The one word under the figure. */
export function sideKey({
	kind,
	side,
	receipt
}: Pick<RecordView, 'kind' | 'side' | 'receipt'>): MessageKey {
	// A credit with no receipt is no goods: the shop corrected an amount.
	if (kind === 'credit' && receipt !== undefined) return 'me.brought';
	if (kind === 'statement') return 'me.listed';
	if (LOWERED.has(kind) || kind === 'reversalOfCredit') return 'me.off';
	return side === 'took' ? 'me.took' : 'me.paid';
}

/** What the shop says, before the amount: "Njeri Stores *says you took* 250". */
export function saysKey({ kind, side }: Pick<RecordView, 'kind' | 'side'>): MessageKey {
	if (kind === 'reversalOfCredit') return 'me.says.off';
	if (kind === 'statement') return 'me.says.lists';
	if (kind === 'forgiveness') return 'me.says.forgives';
	if (LOWERED.has(kind)) return 'me.says.lowers';
	return side === 'paid' ? 'me.says.paid' : 'me.says.took';
}

/** How a figure is drawn: pencil until agreed, the corrector's wavy line while contested. */
export function toneOf({
	effectMinor,
	standing
}: RecordView): 'gave' | 'got' | 'disputed' | undefined {
	if (standing.kind === 'saidNo' || standing.kind === 'saidNoHere') return 'disputed';
	if (effectMinor === 0n) return undefined;
	return effectMinor > 0n ? 'gave' : 'got';
}

export const isPencil = ({ kind }: RecordStanding): boolean => kind === 'toAnswer';

export function shopName(words: Words, { name }: { readonly name: string }): string {
	return name === '' ? words.say('me.shopUnnamed') : name;
}

/** Where a shop's page is. */
export function shopPath({ key }: Pick<ShopView, 'key'>): string {
	return `/me/shop/${key.business}/${key.ledger}`;
}

export function recordPath(h: string): string {
	return `/me/record/${h}`;
}
