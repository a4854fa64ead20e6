import pino, { type Logger } from 'pino';
import type { LogLevel } from './environment.ts';

/** What must never be kept, wherever in a logged object it stands. */
const PRIVATE = [
	'authorization',
	'cookie',
	'password',
	'secret',
	'token',
	'ticket',
	'code',
	'email',
	'phone',
	'name'
];

/** The log of this process: JSON lines on standard error, so that standard output stays for people. */
export function createLog(level: LogLevel): Logger {
	const paths = PRIVATE.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
	return pino(
		{ level, base: null, redact: { paths, censor: '[private]' } },
		pino.destination({ dest: 2, sync: true })
	);
}
