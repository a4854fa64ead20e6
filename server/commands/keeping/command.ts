import { parseEnvironment, type Environment } from '#server/environment.ts';

/** What a command of the operator's works with. */
export interface CommandRun {
	readonly environment: Environment;
	readonly args: readonly string[];
	/** What was opened, to be closed in the opposite order. */
	readonly running: AsyncDisposableStack;
	/** Ctrl-C, or a request to end: what is half done is undone. */
	readonly signal: AbortSignal;
}

/** Runs a command: what it throws is said in one sentence, and the exit code is 1. */
export async function runCommand(command: (run: CommandRun) => Promise<void>): Promise<void> {
	const environment = parseEnvironment(process.env);
	if (!environment.ok) {
		complain(environment.error.sentence);
		return;
	}
	const stopping = new AbortController();
	const stop = (): void => {
		stopping.abort();
	};
	for (const signal of SIGNALS) process.on(signal, stop);
	try {
		await using running = new AsyncDisposableStack();
		await command({
			environment: environment.value,
			args: process.argv.slice(2),
			running,
			signal: stopping.signal
		});
	} catch (fault) {
		complain(fault instanceof Error ? fault.message : String(fault));
	} finally {
		for (const signal of SIGNALS) process.off(signal, stop);
	}
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function complain(sentence: string): void {
	process.exitCode = 1;
	process.stderr.write(`${sentence}\n`);
}

/** `12.3 MB`, in thousands as disks are sold. */
export function megabytes(bytes: number): string {
	return `${(bytes / 1_000_000).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
}
