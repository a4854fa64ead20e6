import type { App } from '#state/app.svelte.ts';
import type {
	AdjustRefusal,
	CustomerEditRefusal,
	FieldRefusal,
	ProductEditRefusal,
	RecordRefusal,
	ReturnRefusal,
	SellRefusal,
	SettingsRefusal
} from '#state/device.ts';
import type { MessageArguments, MessageKey, Words } from '#ui/words.svelte.ts';

/** Every reason for which the device does not do what a person asked of it. */
export type Refusal =
	| SellRefusal
	| ReturnRefusal
	| RecordRefusal
	| CustomerEditRefusal
	| ProductEditRefusal
	| SettingsRefusal
	| AdjustRefusal;

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<Refusal['kind'], MessageKey>> = {
	noLines: 'refused.noLines',
	tooManyLines: 'refused.tooManyLines',
	priceNotWhole: 'refused.price',
	priceNegative: 'refused.price',
	priceTooLarge: 'refused.tooLarge',
	quantityNotWhole: 'refused.quantity',
	quantityNotPositive: 'refused.quantity',
	quantityTooLarge: 'refused.tooLarge',
	totalTooLarge: 'refused.tooLarge',
	wrongTaxTerms: 'refused.tax',
	lineNameTooLong: 'refused.nameTooLong',
	noteTooLong: 'refused.nameTooLong',
	saleTooLong: 'refused.saleTooLong',
	cartSold: 'refused.cartSold',
	tooManyTenders: 'refused.tenders',
	amountNotWhole: 'refused.amount',
	amountNotPositive: 'refused.amount',
	amountTooLarge: 'refused.tooLarge',
	accountTwice: 'refused.tenders',
	changeWithoutCash: 'refused.changeWithoutCash',
	shortfall: 'refused.shortfall',
	unknownCustomer: 'refused.unknownCustomer',
	customerArchived: 'refused.customerArchived',
	unknownSale: 'refused.unknownSale',
	nothingReturned: 'refused.nothingReturned',
	noSuchLine: 'refused.unknownSale',
	lineTwice: 'refused.unknownSale',
	moreThanLeft: 'refused.moreThanLeft',
	noRecords: 'refused.amount',
	tooManyRecords: 'refused.tooManyRecords',
	amountRefused: 'refused.amount',
	dueAtRefused: 'refused.dueAt',
	refMissing: 'refused.record',
	refNotAllowed: 'refused.record',
	unknownRecord: 'refused.record',
	wrongSide: 'refused.record',
	openingKnown: 'refused.openingKnown',
	allocationRefused: 'refused.allocation',
	takerTooLong: 'refused.taker',
	currencyRefused: 'refused.currency',
	dayRefused: 'refused.day.notADay',
	unknownSlip: 'refused.slip',
	unknownPending: 'refused.pending',
	noRows: 'refused.noRows',
	unknownProduct: 'refused.unknownProduct',
	codeTaken: 'refused.codeTaken',
	currencyFixed: 'refused.currencyFixed',
	fieldRefused: 'refused.field.wrong'
};

const FIELD_SENTENCES: Readonly<Record<FieldRefusal['why'], MessageKey>> = {
	empty: 'refused.field.empty',
	tooLong: 'refused.field.tooLong',
	wrong: 'refused.field.wrong'
};

const DAY_SENTENCES: Readonly<
	Record<Extract<RecordRefusal, { kind: 'dayRefused' }>['why'], MessageKey>
> = {
	notADay: 'refused.day.notADay',
	inFuture: 'refused.day.inFuture',
	tooFarBack: 'refused.day.tooFarBack'
};

/** What the person reads when the device refuses: what is wrong, and what would be right. */
export function refusalWords(words: Words, refusal: Refusal): string {
	if (refusal.kind === 'fieldRefused') return words.say(FIELD_SENTENCES[refusal.why]);
	if (refusal.kind === 'dayRefused') return words.say(DAY_SENTENCES[refusal.why]);
	return words.say(SENTENCES[refusal.kind], argumentsOf(words, refusal));
}

/** Tells of a fault that kept an act from being saved, and answers what the person reads then. */
export function notSaved(app: App, words: Words): (fault: unknown) => string {
	return (fault) => {
		app.fault = fault;
		return words.say('record.notSaved');
	};
}

function argumentsOf(words: Words, refusal: Refusal): MessageArguments {
	switch (refusal.kind) {
		case 'shortfall':
			return { amount: words.amount(refusal.missingMinor) };
		case 'moreThanLeft':
			return 'leftMinor' in refusal
				? { left: words.amount(refusal.leftMinor) }
				: { left: words.quantity(refusal.leftThousandths) };
		case 'tooManyLines':
			return { max: refusal.linesMax };
		case 'tooManyRecords':
			return { max: refusal.recordsMax };
		case 'codeTaken':
			return { code: refusal.code };
		default:
			return {};
	}
}
