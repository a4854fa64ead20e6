import { parseArgs } from 'node:util';

export const ROWS = ['lost', 'traffic', 'idle', 'reconnect', 'week', 'wire'] as const;
export type RowName = (typeof ROWS)[number];

export interface Options {
	readonly rows: readonly RowName[];
	readonly seconds: number;
	readonly writers: number;
	readonly rounds: number;
	/** Where the servers leave their CPU profiles. */
	readonly profileDir: string | undefined;
}

/** What the command was asked for; throws one sentence where it cannot be read. */
export function parseOptions(args: readonly string[]): Options {
	const { values } = parseArgs({
		args: [...args],
		options: {
			rows: { type: 'string', default: ROWS.join(',') },
			seconds: { type: 'string', default: '5' },
			writers: { type: 'string', default: '200' },
			rounds: { type: 'string', default: '3' },
			profile: { type: 'string' }
		}
	});
	return {
		rows: values.rows.split(',').map(rowNamed),
		seconds: wholeNumber('seconds', values.seconds),
		writers: wholeNumber('writers', values.writers),
		rounds: wholeNumber('rounds', values.rounds),
		profileDir: values.profile
	};
}

function rowNamed(name: string): RowName {
	const row = ROWS.find((known) => known === name.trim());
	if (row === undefined) throw new Error(`There is no row "${name}": ${ROWS.join(', ')}.`);
	return row;
}

function wholeNumber(name: string, text: string): number {
	const value = Number(text);
	if (!Number.isInteger(value) || value < 1) {
		throw new Error(`--${name} must be a whole number from 1 on, not "${text}".`);
	}
	return value;
}
