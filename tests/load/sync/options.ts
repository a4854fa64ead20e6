import { endWith, readOptions, wholeNumber } from '#server/commands/command-options.ts';

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

const USAGE =
	'npm run bench:sync -- [--rows NAME,…] [--seconds 5] [--writers 200] [--rounds 3] [--profile FOLDER]';

/** What the command was asked for. */
export function readBenchOptions(): Options {
	const values = readOptions(USAGE, {
		rows: { type: 'string', default: ROWS.join(',') },
		seconds: { type: 'string', default: '5' },
		writers: { type: 'string', default: '200' },
		rounds: { type: 'string', default: '3' },
		profile: { type: 'string' }
	});
	return {
		rows: values.rows.split(',').map(rowNamed),
		seconds: wholeNumber(USAGE, values.seconds, 1),
		writers: wholeNumber(USAGE, values.writers, 1),
		rounds: wholeNumber(USAGE, values.rounds, 1),
		profileDir: values.profile
	};
}

function rowNamed(name: string): RowName {
	const row = ROWS.find((known) => known === name.trim());
	return row ?? endWith(USAGE, `There is no row "${name}": ${ROWS.join(', ')}.`);
}
