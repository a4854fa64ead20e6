import { parseArgs } from 'node:util';
import { err, ok, type Result } from '#domain/result.ts';

export interface ReplayOptions {
	readonly files: readonly string[];
	readonly devices: number;
	/** The part of the time that a device is off the network, 0 to 1. */
	readonly offline: number;
	readonly seed: number;
	/** Origin of a server that runs; null for one of its own. */
	readonly url: string | null;
}

const DEVICES_MAX = 12;
const SEED_MAX = 2 ** 32 - 1;

export const HELP = `Plays a file of the Online Retail format as a shop's trade through real devices.

  npm run replay -- --from FILE.csv[.gz] [--from FILE …] [options]

  --from FILE     rows to play; several files are played as one trade
  --devices N     devices of the shop, 1 to ${String(DEVICES_MAX)} (3)
  --offline PART  part of the time that each device is off the network, 0 to 1 (0.3)
  --seed N        the same number plays the same way (1)
  --url URL       a server that runs; without it, one of its own in a folder that is removed.
                  Its tables are then read through its checkpoint.

Progress goes to standard error. The last line of standard output is JSON; the exit code is 1
where the devices, the database and the file do not agree.`;

/** Reads the command's arguments; refuses in one sentence. `'help'` where help was asked for. */
export function parseReplayArguments(
	given: readonly string[]
): Result<ReplayOptions | 'help', string> {
	const values = readValues(given);
	if (!values.ok) return values;
	const { from: files = [], help = false, url } = values.value;
	if (help) return ok('help');
	if (files.length === 0)
		return err('No file is given: say --from FILE.csv or --from FILE.csv.gz.');
	const texts = { ...DEFAULTS, ...values.value };
	const wrong = wrongOption(texts);
	if (wrong !== undefined) return err(wrong);
	return ok({
		files,
		devices: Number(texts.devices),
		offline: Number(texts.offline),
		seed: Number(texts.seed),
		url: url === undefined ? null : new URL(url).origin
	});
}

const DEFAULTS = { devices: '3', offline: '0.3', seed: '1' };

interface Options {
	readonly devices: string;
	readonly offline: string;
	readonly seed: string;
	readonly url?: string;
}

function wrongOption({ devices, offline, seed, url }: Options): string | undefined {
	if (!isWhole(devices, 1, DEVICES_MAX))
		return `--devices must be 1 to ${String(DEVICES_MAX)}, not "${devices}".`;
	if (!isPart(offline)) return `--offline must be a part from 0 to 1, not "${offline}".`;
	if (!isWhole(seed, 0, SEED_MAX))
		return `--seed must be a whole number from 0 to ${String(SEED_MAX)}, not "${seed}".`;
	if (url !== undefined && !isOrigin(url))
		return `--url must be like http://localhost:3000, not "${url}".`;
	return undefined;
}

interface Values {
	readonly from?: string[];
	readonly devices?: string;
	readonly offline?: string;
	readonly seed?: string;
	readonly url?: string;
	readonly help?: boolean;
}

function readValues(given: readonly string[]): Result<Values, string> {
	try {
		const { values } = parseArgs({
			args: [...given],
			options: {
				from: { type: 'string', multiple: true },
				devices: { type: 'string' },
				offline: { type: 'string' },
				seed: { type: 'string' },
				url: { type: 'string' },
				help: { type: 'boolean' }
			}
		});
		return ok(values);
	} catch (fault) {
		return err(fault instanceof Error ? fault.message : String(fault));
	}
}

function isWhole(text: string, min: number, max: number): boolean {
	return /^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max;
}

function isPart(text: string): boolean {
	return /^(\d(\.\d{0,9})?|\.\d{1,9})$/.test(text) && Number(text) <= 1;
}

function isOrigin(text: string): boolean {
	if (!URL.canParse(text)) return false;
	const { protocol, pathname, search, hash } = new URL(text);
	return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '';
}
