import { parseReplayArguments, HELP } from './replay/arguments.ts';
import { replay } from './replay/replay.ts';

const LISTENERS_MAX = 100;

/**
 * `npm run replay -- --from FILE …`: plays real trade through real devices and sees that all agree.
 * The last line of standard output is the result in JSON.
 */
// Each stock provider listens for the end of the process, and each device has a provider or two.
process.setMaxListeners(LISTENERS_MAX);
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
	const { promise: interrupted, reject: stop } = Promise.withResolvers<never>();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
		process.on(signal, () => {
			stop(new Error(`stopped by ${signal}`));
		});
	// What nobody caught ends it too, so that what was started is stopped and its folder removed.
	process.on('uncaughtException', stop).on('unhandledRejection', stop);
	// It may come when nobody waits any more.
	interrupted.catch(() => undefined);
	return interrupted;
}
