import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const READY = /^Daftar is ready at http:\/\/localhost:(\d+)$/m;

export interface Program {
	readonly child: ChildProcess;
	/** Everything it has said so far, on both outputs. */
	readonly said: () => string;
	/** The address, once it says that it is ready. Fails where it ends instead. */
	readonly ready: Promise<string>;
	/** The exit code, or the signal that ended it. */
	readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Runs the whole server, as `npm start` does, on any free port of this machine alone. */
export function startProgram(variables: Readonly<Record<string, string>>): Program {
	const child = spawn(process.execPath, ['server/main.ts'], {
		cwd: ROOT,
		// A group of its own, so that a test can do to it what a terminal does.
		detached: true,
		env: {
			PATH: process.env['PATH'],
			NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
			HOST: '127.0.0.1',
			PORT: '0',
			...variables
		},
		stdio: ['ignore', 'pipe', 'pipe']
	});
	let said = '';
	const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
	for (const output of [child.stdout, child.stderr]) {
		output.on('data', (chunk: Buffer) => {
			said += chunk.toString();
			const port = READY.exec(said)?.[1];
			if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
		});
	}
	const ended = once(child, 'close').then(() => {
		reject(new Error(`it ended: ${said}`));
		return child.exitCode ?? child.signalCode;
	});
	ready.catch(() => undefined);
	return { child, said: () => said, ready, ended };
}
