import { parseReplayArguments, HELP } from './replay/arguments.ts';
import { replay } from './replay/replay.ts';

/**
 * `npm run replay -- --from FILE …`: plays real trade through real devices and sees that all agree.
 * The last line of standard output is the result in JSON.
 */
const parsed = parseReplayArguments(process.argv.slice(2));
process.exitCode = await run();
process.exit();

async function run(): Promise<number> {
	if (!parsed.ok) {
		process.stderr.write(`${parsed.error}\nSay --help for all that may be said.\n`);
		return 1;
	}
	if (parsed.value === 'help') {
		process.stdout.write(`${HELP}\n`);
		return 0;
	}
	try {
		const outcome = await replay(parsed.value, { tell, interrupted: untilInterrupted() });
		if (!outcome.ok) throw new Error(outcome.error);
		process.stdout.write(`${JSON.stringify(outcome.value)}\n`);
		return outcome.value.devicesAgree && outcome.value.databaseAgrees ? 0 : 1;
	} catch (fault) {
		tell(reasonOf(fault));
		return 1;
	}
}

/** A fault and what brought it about, in one line. */
function reasonOf(fault: unknown): string {
	if (!(fault instanceof Error)) return String(fault);
	return fault.cause === undefined ? fault.message : `${fault.message}: ${reasonOf(fault.cause)}`;
}

function tell(line: string): void {
	process.stderr.write(`${line}\n`);
}

function untilInterrupted(): Promise<never> {
	const interrupted = new Promise<never>((_resolve, reject) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
			process.on(signal, () => {
				reject(new Error(`stopped by ${signal}`));
			});
	});
	// It may come when nobody waits any more.
	interrupted.catch(() => undefined);
	return interrupted;
}
