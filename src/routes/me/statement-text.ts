import type { RecordStanding, Statement } from '#domain/person/view.ts';
import type { MeMoney } from '#ui/me-money.svelte.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { dateWords } from './days.ts';
import { whatWords } from './me-words.ts';

interface StatementWords {
	readonly words: Words;
	readonly money: MeMoney;
	/** `2026-11-20`. */
	readonly today: string;
	readonly shop: string;
}

const MARKS: Readonly<Record<RecordStanding['kind'], MessageKey>> = {
	toAnswer: 'me.mark.toAnswer',
	agreedHere: 'me.mark.agreedHere',
	agreed: 'me.mark.agreed',
	saidNoHere: 'me.mark.saidNoHere',
	saidNo: 'me.mark.saidNo',
	counted: 'me.mark.counted',
	reversed: 'me.mark.reversed'
};

/** What the customer says to a line, in words alone. */
export function standingWords(words: Words, { kind }: RecordStanding): string {
	return words.say(MARKS[kind]);
}

/** What the foot of a statement says before its figure. */
export function closingWords({ closingMinor, to }: Statement, of: StatementWords): string {
	return of.words.say(closingMinor < 0n ? 'me.statement.closing.ahead' : 'me.statement.closing', {
		day: dateWords(of.words, to, of.today)
	});
}

/** A statement as plain text, for a message. */
export function statementText(statement: Statement, of: StatementWords): string {
	const { words, money, today, shop } = of;
	const { from, to } = statement;
	const figure = (minor: bigint): string => money.figure(minor, statement.money);
	const rows = statement.rows.map(({ record }) =>
		words.say('me.statement.line', {
			day: dateWords(words, record.on, today),
			what: whatWords(words, record),
			amount: money.figure(record.effectMinor, statement.money, 'always'),
			mark: standingWords(words, record.standing)
		})
	);
	const closing = statement.closingMinor < 0n ? -statement.closingMinor : statement.closingMinor;
	return [
		words.say('me.statement.with', { shop }),
		words.say('statement.range', {
			from: dateWords(words, from, today),
			to: dateWords(words, to, today)
		}),
		'',
		`${words.say('me.statement.opening')}: ${figure(statement.openingMinor)}`,
		...rows,
		words.say('me.statement.sums', {
			took: figure(statement.tookMinor),
			paid: figure(statement.paidMinor)
		}),
		`${closingWords(statement, of)}: ${statement.money.currency} ${figure(closing)}`
	].join('\n');
}
