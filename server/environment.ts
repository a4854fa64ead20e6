import path from 'node:path';
import { err, ok, type Result } from '#domain/result.ts';
import { parseGatewaySettings, type GatewaySettings } from './gateways/gateway-settings.ts';

const PORT_DEFAULT = 3000;
const PORT_MAX = 65_535;
export const SECRET_BYTES_MIN = 32;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything that the machine tells us, once. */
export interface Environment {
	/** 0 for any free port. */
	readonly port: number;
	/** Undefined for all addresses of the machine, so that a phone in the shop reaches it. */
	readonly host: string | undefined;
	/** Absolute. */
	readonly dataDir: string;
	/** Undefined for a PostgreSQL of our own under `dataDir`. */
	readonly databaseUrl: string | undefined;
	/** What joins several servers on one database; undefined for that database itself. */
	readonly busUrl: string | undefined;
	/** Undefined for one kept under `dataDir`. */
	readonly secret: string | undefined;
	readonly logLevel: LogLevel;
	/** By whom messages go to people. */
	readonly gateways: GatewaySettings;
	/** Proxies of the operator's own before us, each of which adds to `X-Forwarded-For`. */
	readonly proxies: number;
	/** Outside production a page shows what the practice providers were given. */
	readonly isProduction: boolean;
}

/** What is wrong with which variable, in a sentence for the person who set it. */
export interface EnvironmentError {
	readonly variable: string;
	readonly sentence: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the variables; one that is set but empty counts as not set. */
export function parseEnvironment(variables: Variables): Result<Environment, EnvironmentError> {
	const given = (name: string): string | undefined => {
		const value = variables[name]?.trim();
		return value === '' ? undefined : value;
	};
	const port = parsePort(given('PORT'));
	if (!port.ok) return port;
	const databaseUrl = parseDatabaseUrl(given('DATABASE_URL'));
	if (!databaseUrl.ok) return databaseUrl;
	const secret = parseSecret(given('DAFTAR_SECRET'));
	if (!secret.ok) return secret;
	const logLevel = parseLogLevel(given('LOG_LEVEL'));
	if (!logLevel.ok) return logLevel;
	const outside = parseOutside(given);
	if (!outside.ok) return outside;

	return ok({
		port: port.value,
		host: given('HOST'),
		dataDir: path.resolve(given('DATA_DIR') ?? 'data'),
		databaseUrl: databaseUrl.value,
		secret: secret.value,
		logLevel: logLevel.value,
		...outside.value
	});
}

type Outside = Pick<Environment, 'gateways' | 'proxies' | 'busUrl' | 'isProduction'>;

/** What stands around us: who carries messages, who stands in front, and who beside. */
function parseOutside(
	given: (name: string) => string | undefined
): Result<Outside, EnvironmentError> {
	const gateways = parseGatewaySettings(given);
	if (!gateways.ok) return refused(gateways.error.variable, gateways.error.what);
	const proxies = given('PROXIES') ?? '0';
	if (!/^\d$/.test(proxies))
		return refused('PROXIES', `must be a number from 0 to 9, not "${proxies}"`);
	const busUrl = parseBusUrl(given('BUS_URL'));
	if (!busUrl.ok) return busUrl;
	const isProduction = given('NODE_ENV') === 'production';
	return ok({
		gateways: gateways.value,
		proxies: Number(proxies),
		busUrl: busUrl.value,
		isProduction
	});
}

function parsePort(text = String(PORT_DEFAULT)): Result<number, EnvironmentError> {
	const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
	return port <= PORT_MAX
		? ok(port)
		: refused('PORT', `must be a number from 0 to ${String(PORT_MAX)}, not "${text}"`);
}

function parseDatabaseUrl(text: string | undefined): Result<string | undefined, EnvironmentError> {
	if (text === undefined) return ok(undefined);
	// Never repeated in the sentence: it may hold a password.
	const isOne = /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
	return isOne
		? ok(text)
		: refused('DATABASE_URL', 'must be of the form postgresql://user:password@host:port/database');
}

function parseBusUrl(text: string | undefined): Result<string | undefined, EnvironmentError> {
	if (text === undefined) return ok(undefined);
	// Never repeated in the sentence: it may hold a password.
	const isOne = /^(?:rediss?|postgres(?:ql)?):\/\//.test(text) && URL.canParse(text);
	return isOne
		? ok(text)
		: refused(
				'BUS_URL',
				'must be of the form redis://host:port or postgresql://host:port/database'
			);
}

function parseSecret(text: string | undefined): Result<string | undefined, EnvironmentError> {
	if (text === undefined || Buffer.byteLength(text) >= SECRET_BYTES_MIN) return ok(text);
	return refused('DAFTAR_SECRET', `must have at least ${String(SECRET_BYTES_MIN)} bytes`);
}

function parseLogLevel(text = 'warn'): Result<LogLevel, EnvironmentError> {
	const level = LOG_LEVELS.find((known) => known === text);
	return level === undefined
		? refused('LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}, not "${text}"`)
		: ok(level);
}

function refused(variable: string, what: string): Result<never, EnvironmentError> {
	return err({ variable, sentence: `${variable} ${what}.` });
}
