import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Given<T extends Options> = ReturnType<
	typeof parseArgs<{ args: string[]; options: T }>
>['values'];

/** What a command was asked for. Where it cannot be read, says why and how to ask, and ends the program with 1. */
export function readOptions<const T extends Options>(usage: string, options: T): Given<T> {
	try {
		return parseArgs({ args: process.argv.slice(2), options }).values;
	} catch (fault) {
		return endWith(usage, fault instanceof Error ? fault.message : String(fault));
	}
}

/** A whole number of at least `least`; ends the program as `readOptions` does where it is none. */
export function wholeNumber(usage: string, text: string, least = 0): number {
	const value = Number(text);
	if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
	return endWith(usage, `Not a whole number from ${String(least)} on: "${text}".`);
}

/** Says what is wrong and how to ask. */
export function endWith(usage: string, what: string): never {
	process.stderr.write(`${what}\n${usage}\n`);
	process.exit(1);
}
