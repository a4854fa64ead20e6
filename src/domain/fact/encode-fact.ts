import { assert } from '#domain/assert.ts';
import { dayNumber } from '#domain/calendar.ts';
import { encodeSignedRecord } from '#domain/confirmation/signed-record.ts';
import type {
	Fact,
	FactTender,
	RecordFact,
	ReturnedLine,
	ReturnFact,
	SaleFact,
	SoldLine,
	SoldTax
} from './fact.ts';
import { asWritten, encodeStart } from './issued-again.ts';
import { encodeListed } from './ledger-bodies.ts';
import { parseFact } from './parse-fact.ts';

/** The one text of a fact. What it writes, `parseFact` reads back to the same fact. */
export function encodeFact(fact: Fact): string {
	const { kind, at, on, by } = fact;
	const text = JSON.stringify([
		encodeStart(fact),
		kind,
		at.wall,
		at.counter,
		dayNumber(on),
		by,
		...encodeBody(asWritten(fact))
	]);
	const parsed = parseFact(text);
	assert(parsed.ok, `wrote a fact that is not one: ${parsed.ok ? '' : parsed.error} ${kind}`);
	return text;
}

/** The lines of a sale as its fact and the hash inside its due name them. */
export function encodeSoldLines(lines: readonly SoldLine[]): readonly unknown[] {
	return lines.map((line) => [...encodeGoods(line), ...encodeTax(line.tax)]);
}

export function encodeTenders(tenders: readonly FactTender[]): readonly unknown[] {
	return tenders.map(({ kind, minor }) => [kind, minor]);
}

function encodeBody(fact: Fact): readonly unknown[] {
	switch (fact.kind) {
		case 'sale':
			return [
				fact.receipt,
				encodeSoldLines(fact.lines),
				encodeTenders(fact.tenders),
				...encodeMore(fact)
			];
		case 'return':
			return encodeReturn(fact);
		case 'adjust':
			return [fact.rows.map((row) => [row.productId, row.deltaThousandths]), fact.reason];
		case 'product':
			return [fact.rows.map(({ productId, fields }) => [productId ?? 0, fields])];
		case 'customer':
			return [fact.rows.map(({ ledgerId, fields }) => [ledgerId, fields])];
		case 'setting':
			return [fact.fields];
		case 'record':
			return encodeRecords(fact);
		default:
			return encodeListed(fact);
	}
}

function encodeReturn(fact: ReturnFact): readonly unknown[] {
	return [
		fact.receipt,
		fact.saleId ?? 0,
		fact.lines.map(encodeReturnedLine),
		encodeTenders(fact.refunds),
		...encodeMore(fact)
	];
}

function encodeRecords(fact: RecordFact): readonly unknown[] {
	const { tender, undoes, answer, list, slip, pending, isLate, isApart } = fact;
	const forms = fact.records.map(({ signed }) => encodeSignedRecord(signed));
	const more = {
		...(tender !== undefined && { tender }),
		...(undoes !== undefined && { undoes }),
		...(answer !== undefined && { answer: [answer.h, answer.way, answer.note] }),
		...(list !== undefined && { list }),
		...(slip !== undefined && { slip }),
		...(pending !== undefined && { pending }),
		...(isLate !== undefined && { late: isLate }),
		...(isApart !== undefined && { apart: isApart })
	};
	return Object.keys(more).length === 0 ? [forms] : [forms, more];
}

function encodeReturnedLine(line: ReturnedLine): readonly unknown[] {
	return [...encodeGoods(line), line.saleLine, line.isDamaged ? 1 : 0, ...encodeTax(line.tax)];
}

function encodeGoods(line: SoldLine): readonly unknown[] {
	return [
		line.productId ?? 0,
		line.name,
		line.quantityThousandths,
		line.unitPriceMinor,
		line.totalMinor
	];
}

function encodeTax(tax: SoldTax | undefined): readonly unknown[] {
	if (tax === undefined) return [];
	return [
		[tax.side, tax.taxClass, tax.parts.map(({ name, ratePpm, minor }) => [name, ratePpm, minor])]
	];
}

function encodeMore({ record, roundingMinor }: SaleFact | ReturnFact): readonly unknown[] {
	const more = {
		...(record !== undefined && { rec: encodeSignedRecord(record.signed) }),
		...(roundingMinor !== undefined && { round: roundingMinor })
	};
	return Object.keys(more).length === 0 ? [] : [more];
}
