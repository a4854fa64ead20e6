import type { StatementView } from '#state/ledger-views.ts';
import type { MoneyForm } from '#ui/figures.ts';
import type { Words } from '#ui/words.svelte.ts';
import { signedMinor, whatWords } from '../../customers/[ledger]/thread-words.ts';

interface StatementOf {
	readonly statement: StatementView;
	readonly shop: string;
	readonly name: string;
	readonly money: MoneyForm;
	readonly isOwnBook: boolean;
}

const ISOLATES = /[\u2066-\u2069]/g;

/** The statement as a message: every line with its balance, and what is owed at the end. */
export function statementText(words: Words, of: StatementOf): string {
	const { statement, money } = of;
	const amount = (minor: bigint | number): string => words.amount(minor, undefined, money);
	const day = (on: string): string => words.day(on, 'short');
	const rows = statement.rows.map(
		({ record, balanceMinor }) =>
			`${day(record.on)} · ${whatWords(words, record)} · ${words.amount(signedMinor(record), 'always', money)} → ${amount(balanceMinor)}`
	);
	const { closingMinor, to } = statement;
	const isAhead = closingMinor < 0n;
	const closing = words.say(isAhead ? 'statement.ahead' : 'statement.closing', { day: day(to) });
	const owed = words.amountWithCurrency(isAhead ? -closingMinor : closingMinor, money);
	return [
		`${of.shop} · ${of.name}`,
		words.say('statement.range', { from: day(statement.from), to: day(to) }),
		'',
		`${words.say('statement.before')}: ${amount(statement.openingMinor)}`,
		...rows,
		'',
		`${closing}: ${owed}`,
		...(of.isOwnBook ? [words.say('record.book')] : [])
	]
		.join('\n')
		.replace(ISOLATES, '');
}
